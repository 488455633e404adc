"""JSON text: plain values, all digits, nothing that another parser refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from allocator.store import to_json


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1 + 0.2, 0.30000000000000004),
        (np.float64(1 / 3), 1 / 3),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.array([1.5, np.inf]), [1.5, None]),
        (float("nan"), None),
        ((1, "two", None), [1, "two", None]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({1: {"贷": Path("x")}}, {"1": {"贷": "x"}}),
    ],
)
def test_values_become_plain(value: object, expected: object) -> None:
    text = to_json({"value": value})
    assert json.loads(text, parse_constant=pytest.fail) == {"value": expected}
    assert text.endswith("}\n")


def test_text_stays_readable_and_may_stand_on_one_line() -> None:
    assert to_json({"name": "贷款"}, indent=None) == '{"name": "贷款"}\n'
