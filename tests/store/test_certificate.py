"""The certificate's JSON: there and back without loss."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.records.run import Certificate, LimitUse
from allocator.store import certificate_from_json, certificate_to_json, to_json
from tests.store.runs import made_certificate

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)
HASHES = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format)
USES = st.builds(
    LimitUse,
    name=st.text(),
    measure=st.sampled_from(["offered", "drawn", "loans"]),
    sense=st.sampled_from(["at_most", "at_least", "exactly"]),
    used=NUMBERS,
    bound=NUMBERS,
    price=NUMBERS,
    violation=st.floats(0, 1e3),
)
CERTIFICATES = st.builds(
    Certificate,
    prices=st.dictionaries(st.text(), NUMBERS),
    bound=NUMBERS,
    value=NUMBERS,
    limits=st.lists(USES).map(tuple),
    inputs=st.dictionaries(
        st.text(), st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format)
    ),
    tree=st.none() | st.just({"borrower": "F1", "sides": [{"options": [0]}, {"options": [1, 2]}]}),
).map(lambda made: replace(made, price_bound=None if made.tree is None else made.bound))


@given(CERTIFICATES)
def test_a_certificate_survives_its_json(certificate: Certificate) -> None:
    text = to_json(certificate_to_json(certificate))
    assert certificate_from_json(json.loads(text), "certificate.json") == certificate


def test_the_json_has_what_the_contract_lists() -> None:
    certificate = made_certificate(10.0)
    document = certificate_to_json(certificate)
    assert set(document) == {
        "schema", "prices", "bound", "value", "gap", "largest_violation", "limits", "inputs"
    }  # fmt: skip
    assert document["gap"] == certificate.gap == pytest.approx(1e-8)
    assert document["prices"] == {"budget": 0.01, "A line": 0.0, "sectors[retail]": 0.0}
    beside = certificate_to_json(replace(certificate, price_bound=11.0, tree={}))
    assert set(beside) == {*document, "tree", "price_bound"}
