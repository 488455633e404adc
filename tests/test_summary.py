"""What a summary says of an outcome, and a digest that changes with every key."""

from __future__ import annotations

import platform
import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allocator.certification import recheck
from allocator.certification.certify import ProvedFigures, impossible_bound_faults
from allocator.certification.rounding import Rounded
from allocator.records.case import Inputs
from allocator.records.outcome import Outcome
from allocator.records.run import Certificate, Decisions, LimitUse, relative_gap
from allocator.scenario.places import paths_of
from allocator.summary import digest, figures, summarise
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.records.outcomes import outcome_of, solution
from tests.store.runs import made_scenario

SOME = Rounded(100.0, 1.0)


def use(violation: float = 0.0, **other: Any) -> LimitUse:
    return replace(LimitUse("cap", "drawn", "at_most", 10.0, 10.0, 0.5, violation, 10.0), **other)


def outcome(bound: float, value: float, *, uses: tuple[LimitUse, ...] = (), broken: bool = False) -> Outcome:
    prices = {use.name: use.price for use in uses}
    return outcome_of(Certificate(prices, bound, value, uses, {}), broken=broken)


@pytest.mark.parametrize(
    ("bound", "value", "gap"),
    [
        (100.0, 99.0, 0.01),
        (0.5, 0.25, 0.25),
        (-200.0, -201.0, 0.005),
        (1.0, 1.0, 0.0),
        (1.0, 1.0 + 2**-52, 0.0),
        (1.0, 1.0 + 0.9e-8, 0.0),
        (1.0, 1.0 + 1.1e-8, -1.1e-8),
        (100.0, 150.0, -0.5),
    ],
)
def test_a_gap_is_never_negative_by_rounding_or_tolerance(bound: float, value: float, gap: float) -> None:
    found = relative_gap(bound, value)
    assert found == pytest.approx(gap, rel=1e-6)
    assert str(found)[0] != "-" or gap < 0


def test_a_value_lies_above_its_bound_by_no_more_than_tolerances_are_worth() -> None:
    excess = use(excess=4.0, price=0.5)
    assert impossible_bound_faults(outcome(100.0, 102.0, uses=(excess,))) == []
    [fault] = impossible_bound_faults(outcome(100.0, 102.1, uses=(excess,)))
    assert str(fault) == "bound: value 102.1 lies above bound 100.0; one of them is wrong"
    assert impossible_bound_faults(outcome(100.0, 102.0, uses=(replace(excess, price=-0.5),))) == []
    assert impossible_bound_faults(outcome(100.0, 102.1, uses=(excess,), broken=True)) == []
    assert impossible_bound_faults(outcome(100.0, 100.0)) == []
    assert "is not finite" in str(impossible_bound_faults(outcome(np.inf, 1.0))[0])


def test_a_stated_bound_is_what_prices_or_tree_prove() -> None:
    by_prices = ProvedFigures(SOME, np.inf, SOME)
    assert [by_prices.is_bound(b) for b in (101.0, SOME.most, 102.0, 104.0, 104.1)] == [
        False, True, True, True, False,
    ]  # fmt: skip
    by_tree = ProvedFigures(SOME, 90.0, SOME)
    assert [by_tree.is_bound(b) for b in (89.9, 90.0, 90.1, 102.0)] == [False, True, False, False]
    assert by_prices.is_value(98.0)
    assert [by_prices.is_value(v) for v in (SOME.least, 99.1, 96.0, 95.9)] == [True, False, True, False]


def test_limits_are_broken_and_bind_by_what_they_say() -> None:
    assert not use().broken
    assert use(violation=5e-324).broken
    assert [use(used=10.0 - d).binding for d in (0.0, 0.9e-8, 1.1e-8)] == [True, True, False]
    certificate = Certificate({}, 1.0, 1.0, (use(), use(0.25, name="other"), use(0.5)), {})
    assert certificate.limits_broken == ["other", "cap"]
    assert certificate.largest_violation == 0.5
    assert Certificate({}, 1.0, 1.0, (), {}).largest_violation == 0.0


DOCUMENT: dict[str, Any] = {
    "name": "a",
    "portfolio": {"source": {"csv": "b.csv", "sep": ";", "decimal": ","}, "scorecard": "s.json"},
    "response": {"churn": "c.csv", "smoothing": "none"},
    "policy": {"budget": {"amount": 1.0}, "limits": [{"name": "l", "at_most": 0.5}]},
    "solver": {"gap": 1e-9},
    "strategy": {"file": "x.csv", "ahp_lines": {"file": "y.json", "bands": 1}},
    "stress": {"file": "z.csv", "pd": 2.0},
    "stresses": {"mild": {"pd": 1.1}},
}


def digest_of(document: dict[str, Any], **inputs: str) -> str:
    certificate = Certificate({}, 1.0, 1.0, (), {"portfolio": "sha256:0", **inputs})
    return digest(replace(made_scenario("s"), document=document, paths=paths_of(document)), certificate)


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = list(document) if isinstance(document, list) else dict(document)
    copy[path[0]] = changed(copy[path[0]], path[1:], value)
    return copy


@pytest.mark.parametrize(
    "path",
    [
        ("name",),
        ("portfolio", "source", "sep"),
        ("portfolio", "source", "decimal"),
        ("response", "smoothing"),
        ("policy", "budget", "amount"),
        ("policy", "limits", 0, "at_most"),
        ("solver", "gap"),
        ("strategy", "ahp_lines", "bands"),
        ("stress", "pd"),
    ],
)
def test_a_digest_changes_with_every_key(path: tuple[Any, ...]) -> None:
    assert digest_of(changed(DOCUMENT, path, "other")) != digest_of(DOCUMENT)


@pytest.mark.parametrize(
    "path",
    [
        ("portfolio", "source", "csv"),
        ("portfolio", "scorecard"),
        ("response", "churn"),
        ("strategy", "file"),
        ("strategy", "ahp_lines", "file"),
        ("stress", "file"),
        ("stresses",),
    ],
)
def test_a_digest_does_not_ask_where_inputs_lie(path: tuple[Any, ...]) -> None:
    assert digest_of(changed(DOCUMENT, path, "other")) == digest_of(DOCUMENT)


def test_a_digest_knows_curves_by_parameters_and_not_that_nobody_walks() -> None:
    curves = [{"logistic": {"A": {"midpoint": 0.1, "slope": slope}}} for slope in (40, 41)]
    found = [digest_of(changed(DOCUMENT, ("response", "churn"), one)) for one in (*curves, "none", "c.csv")]
    assert len(set(found)) == 3
    assert found[2] == found[3]


def test_a_digest_changes_with_every_input() -> None:
    assert digest_of(DOCUMENT, portfolio="sha256:1") != digest_of(DOCUMENT)
    assert digest_of(DOCUMENT, churn="sha256:0") != digest_of(DOCUMENT)
    assert len(digest_of(DOCUMENT)) == 64


def test_figures_by_hand() -> None:
    """Two of A at 1/8, where all draw, one of them refused; one of B at 1/4, where half of it is drawn."""
    book = portfolio(list("ABA"), pd=0.25, lgd=0.5, term=2.0, relationship_value=[64.0, 32.0, 16.0])
    rules = policy(
        1_024.0,
        limit("cap", "drawn", "at_most", 384.0),
        rates=dict.fromkeys("AB", (0.125, 0.25)),
        ticket=(1.0, 512.0),
        funding_rate=0.03125,
        churn_cost_rate=0.125,
        decline_churn=0.5,
        processing_cost=4.0,
        idle_rate=0.25,
    )
    case = Case(book, churn_table([0.125, 0.25], A=[0.0, 0.5], B=[0.0, 0.5]), rules)
    decisions = Decisions(np.array([256.0, 256.0, 0.0]), np.array([0.125, 0.25, 0.0]))
    found = recheck(case.scenario, case.inputs, decisions, {"budget": 0.0, "cap": 0.0})
    said = figures(found)
    a = {
        "borrowers": 2, "funded": 1, "offered": 256.0, "drawn": 256.0, "mean_rate": 0.125, "interest": 48.0,
        "expected_loss": 32.0, "funding_cost": 16.0, "churn_cost": 0.0, "processing_cost": 4.0,
        "relationship_cost": -32.0, "value": 28.0,
    }  # fmt: skip
    b = {
        "borrowers": 1, "funded": 1, "offered": 256.0, "drawn": 128.0, "mean_rate": 0.25, "interest": 48.0,
        "expected_loss": 16.0, "funding_cost": 8.0, "churn_cost": 16.0, "processing_cost": 2.0,
        "relationship_cost": 0.0, "value": 6.0,
    }  # fmt: skip
    assert said["by_grade"] == {"A": a, "B": b}
    of_all = ("offered", "drawn", "interest", "expected_loss", "funding_cost", "churn_cost")
    for name in (*of_all, "processing_cost", "relationship_cost"):
        assert said[name] == a[name] + b[name], name
    assert (said["borrowers"], said["funded"], said["strategy"]) == (3, 2, "optimal")
    assert (said["budget_unspent"], said["idle_income"], said["refusal_constant"]) == (512.0, 128.0, -56.0)
    assert (said["certified_bound"], said["certified_gap"]) == (
        found.certificate.bound,
        found.certificate.gap,
    )
    assert (said["limits_broken"], said["terms_broken"]) == ([], {})
    assert said["limits"] == [
        {
            "name": "budget", "measure": "offered", "sense": "at_most", "used": 512.0, "bound": 1_024.0,
            "slack": 512.0, "price": 0.0, "binding": False, "broken": False,
        },
        {
            "name": "cap", "measure": "drawn", "sense": "at_most", "used": 384.0, "bound": 384.0,
            "slack": 0.0, "price": 0.0, "binding": True, "broken": False,
        },
    ]  # fmt: skip
    spent = case.under(budget=replace(rules.budget, spend="exactly"))
    broken = recheck(spent.scenario, case.inputs, decisions, {"budget": 0.0, "cap": 0.0})
    other = figures(broken)
    assert (other["budget_unspent"], other["idle_income"], other["limits_broken"]) == (0.0, 0.0, ["budget"])
    nobody = Decisions(np.zeros(3), np.zeros(3))
    none = figures(recheck(case.scenario, case.inputs, nobody, {"budget": 0.0, "cap": 0.0}))
    assert (none["by_grade"]["A"]["mean_rate"], none["offered"], none["funded"]) == (0.0, 0.0, 0)


def test_a_summary_word_by_word() -> None:
    """Every key there is, what the solver says of itself among them."""
    book = portfolio(["A"], pd=0.0, max_amount=256.0)
    rules = policy(1_024.0, rates={"A": (0.125, 0.25)}, ticket=(1.0, 512.0), currency="EUR")
    case = Case(book, churn_table([0.125, 0.25], A=[0.0, 0.75]), rules)
    scenario = replace(case.scenario, document={"portfolio": {"source": "borrowers.csv"}})
    decisions = Decisions(np.array([256.0]), np.array([0.125]))
    found = recheck(scenario, Inputs(book, case.table, {"churn": "sha256:1"}), decisions, {"budget": 0.0})
    searched = found.searched(solution(48.0, "prices"))
    said = summarise(searched, "reduced", {"solve": 1.5}, ["a note"])
    memory, versions = said.pop("peak_memory_mb"), said.pop("versions")
    assert 1.0 < memory < 1e6
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said.pop("solved_at"))
    libraries = ("allocator", "highspy", "numpy", "pandas", "pyarrow", "pyomo", "scipy")
    assert versions == {"python": platform.python_version(), **{name: version(name) for name in libraries}}
    certificate = found.certificate
    assert said == {
        "schema": 1,
        "name": "case",
        "status": "optimal",
        "stop": "gap",
        "proof": "prices",
        "currency": "EUR",
        "objective": certificate.value,
        "bound": certificate.bound,
        "gap": relative_gap(certificate.bound, certificate.value),
        **figures(found),
        "notes": ["a note"],
        "seconds": {"solve": 1.5},
        "method": "reduced",
        "digest": digest(scenario, certificate),
    }
    assert summarise(searched, "reduced", {})["notes"] == []


def test_a_digest_goes_by_what_is_said_in_any_order_and_by_how_invoices_are_read() -> None:
    def of(**source: Any) -> str:
        return digest_of({"portfolio": {"source": source}, "name": "n"})

    plain = of(invoices={"path": "a.csv", "sep": ";"})
    assert of(invoices={"path": "elsewhere.csv", "sep": ";"}) == plain
    assert of(invoices={"path": "a.csv", "sep": ","}) != plain
    turned = {"name": "n", "portfolio": {"source": {"invoices": {"sep": ";", "path": "a.csv"}}}}
    assert digest_of(turned) == plain
    text, path = (digest_of({"portfolio": {"source": "a.csv"}, "x": x}) for x in ("models", Path("models")))
    assert text == path
