"""Whatever is altered in decisions, prices or inputs is found, and said with its place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from allocator.certification import certify, recheck
from allocator.certification.rounding import Rounded
from allocator.errors import CertificateError
from allocator.records.outcome import Outcome
from allocator.records.run import Decisions
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import price_map, solve

TABLE = churn_table([0.04, 0.06, 0.08, 0.1], A=[0.0, 0.2, 0.3, 0.6], B=[0.05, 0.1, 0.25, 0.5])
CASE = Case(
    portfolio(
        ["A", "B", "A", "B", "D", "A"],
        pd=[0.01, 0.02, 0.015, 0.03, 0.2, 0.01],
        max_amount=[300_000, 400_000, 250_000, 500_000, 100_000, np.inf],
        min_rate=[np.nan, 0.06, np.nan, np.nan, np.nan, np.nan],
        fixed_amount=[np.nan] * 5 + [120_000.0],
        fixed_rate=[np.nan] * 5 + [0.05],
        texts={"sector": ["food", "food", "steel", "steel", "food", "steel"]},
    ),
    TABLE,
    policy(
        1_000_000.0,
        limit("sectors", "offered", "at_most", 0.6, of="budget", each="sector"),
        limit("rate", "gross_interest", "at_least", 0.05, of="drawn"),
        step=10_000.0,
    ),
)
SOLVED = solve(CASE)
PRICES = price_map(SOLVED.columns, SOLVED.solution.prices)


def judged(case: Case, decisions: Decisions, prices: dict[str, float]) -> Outcome:
    return recheck(case.scenario, case.inputs, decisions, prices)


def refused(case: Case, decisions: Decisions, prices: dict[str, float]) -> str:
    with pytest.raises(CertificateError) as caught:
        certify(case.scenario, case.inputs, decisions, prices)
    return str(caught.value)


def decided(**changes: tuple[int, float]) -> Decisions:
    """The solver's decisions with one amount or one rate replaced: (borrower, value)."""
    columns = {"amount": SOLVED.decisions.amount.copy(), "rate": SOLVED.decisions.rate.copy()}
    for name, (i, value) in changes.items():
        columns[name][i] = value
    return Decisions(**columns)


def test_the_solver_s_own_decisions_pass() -> None:
    outcome = judged(CASE, SOLVED.decisions, PRICES)
    assert outcome.faults == ()
    assert outcome.certificate.value == pytest.approx(SOLVED.solution.value, rel=1e-12)
    assert SOLVED.decisions.amount[[0, 1, 2, 3]].min() > 0, "the cases below alter offers"


ALTERED: dict[str, tuple[Decisions, str]] = {
    "off the step": (
        decided(amount=(0, SOLVED.decisions.amount[0] - 5_000)),
        "row 1, b000: amount that is no multiple of 10000",
    ),
    "below the smallest": (
        decided(amount=(1, 90_000.0)),
        "row 2, b001: amount outside the borrower's smallest and largest loan: 90,000; "
        "allowed are 100,000.00 to 400,000.00 at the rates of the grade's band",
    ),
    "above the request": (
        decided(amount=(2, 260_000.0)),
        "row 3, b002: amount outside the borrower's smallest and largest loan: 260,000",
    ),
    "negative": (
        decided(amount=(3, -100_000.0)),
        "row 4, b003: amount: -100,000",
    ),
    "no number": (decided(amount=(3, np.nan)), "row 4, b003: amount: nan"),
    "to a grade without a band": (
        decided(amount=(4, 100_000.0)),
        "row 5, b004: amount to a borrower who may not be offered anything: 100,000",
    ),
    "off the grid": (decided(rate=(0, 0.0601)), "row 1, b000: rate that may not be offered: 0.0601"),
    "below the borrower's minimum": (
        decided(rate=(1, 0.04)),
        "row 2, b001: rate that may not be offered: 0.04",
    ),
    "a pinned rate moved": (decided(rate=(5, 0.06)), "row 6, b005: rate that may not be offered: 0.06"),
    "a pinned amount moved": (
        decided(amount=(5, 130_000.0)),
        "row 6, b005: amount outside the borrower's smallest and largest loan: 130,000",
    ),
    "a pinned offer not made": (decided(amount=(5, 0.0)), "row 6, b005: pinned offer not made: 0"),
}


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_decision_is_refused(name: str) -> None:
    decisions, message = ALTERED[name]
    assert message in refused(CASE, decisions, PRICES)


def test_a_limit_that_is_broken_is_named_with_its_use() -> None:
    decisions = decided(amount=(3, 500_000.0))
    assert decisions.amount.sum() > 1_000_000.0
    text = refused(CASE, decisions, PRICES)
    assert f"limit budget: uses {decisions.amount.sum():,.2f} against at most 1,000,000.00" in text


def test_violations_are_measured_as_the_contract_says() -> None:
    """violation / max(|b|, bound x reference, budget / 1000)."""
    dear = Decisions(SOLVED.decisions.amount, np.where(SOLVED.decisions.amount > 0, 0.04, 0.0))
    uses = {use.name: use for use in judged(CASE, dear, PRICES).certificate.limits}
    rate = uses["rate"]
    assert rate.violation == pytest.approx((rate.bound - rate.used) / rate.bound)
    assert rate.slack == pytest.approx(rate.used - rate.bound)
    assert uses["sectors[food]"].violation == 0.0


def test_faults_beyond_the_twentieth_are_counted() -> None:
    many = Case(portfolio(["D"] * 25), TABLE, policy(1e9))
    decisions = Decisions(np.full(25, 100_000.0), np.full(25, 0.04))
    faults = judged(many, decisions, {"budget": 0.0}).broken
    assert len(faults) == 21
    assert faults[-1].problem == "amount to a borrower who may not be offered anything: 5 more"


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"budget": 0.01}, "limit sectors[food]: has no price; price every limit"),
        ({**PRICES, "sectors": 0.1}, "sectors: is no limit of the policy; drop its price"),
        ({**PRICES, "budget": np.inf}, "limit budget: has the price inf; a price is a finite number"),
        ({**PRICES, "budget": -0.01}, "limit budget: has the price -0.01, which a limit at most cannot have"),
        ({**PRICES, "rate": 0.01}, "limit rate: has the price 0.01, which a limit at least cannot have"),
    ],
)
def test_prices_that_do_not_fit_the_policy_are_refused(prices: dict[str, float], message: str) -> None:
    assert message in refused(CASE, SOLVED.decisions, prices)


STEEP = churn_table([0.04, 0.06, 0.08, 0.1], A=[0.9, 0.0, 0.0, 0.0], B=[0.9, 0.0, 0.0, 0.0])
INPUTS: dict[str, Callable[[Case], Case]] = {
    "pd": lambda case: _with(case, "pd", 0, 0.02),
    "lgd": lambda case: _with(case, "lgd", 1, 0.6),
    "term": lambda case: _with(case, "term", 2, 1.5),
    "relationship": lambda case: _with(case, "relationship_value", 3, 1_000.0),
    "churn": lambda case: replace(case, table=STEEP),
    "smoothing": lambda case: replace(case, smoothing="isotonic", table=STEEP),
    "funding": lambda case: case.under(funding_rate=0.01),
    "kappa": lambda case: case.under(churn_cost_rate=0.01),
    "processing": lambda case: case.under(processing_cost=10.0),
}


def _with(case: Case, column: str, i: int, value: float) -> Case:
    values = getattr(case.portfolio, column).copy()
    values[i] = value
    return replace(case, portfolio=replace(case.portfolio, **{column: values}))


@pytest.mark.parametrize("name", INPUTS)
def test_an_altered_input_changes_the_value(name: str) -> None:
    before, after = (judged(case, SOLVED.decisions, PRICES) for case in (CASE, INPUTS[name](CASE)))
    assert abs(after.certificate.value - before.certificate.value) > 1e-3


@pytest.mark.parametrize("name", PRICES)
def test_an_altered_price_changes_the_bound(name: str) -> None:
    """But never to below the value."""
    sign = -1.0 if name == "rate" else 1.0
    altered = {**PRICES, name: PRICES[name] + sign * 0.01}
    bound = judged(CASE, SOLVED.decisions, altered).certificate.bound
    assert bound > SOLVED.bound + 1e-3
    assert bound >= SOLVED.value


def test_a_value_above_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sound code gives one; if it did, it would not pass."""
    module = import_module("allocator.certification.bound")
    monkeypatch.setattr(module, "_idle", lambda *_: Rounded(-1e6, 0.0))
    assert "lies above bound" in refused(CASE, SOLVED.decisions, PRICES)


def test_idle_money_earns_only_where_the_budget_need_not_be_spent() -> None:
    nothing = Decisions(np.zeros(2), np.zeros(2))
    for spend, value in (("at_most", 20_000.0), ("exactly", 0.0)):
        case = Case(portfolio(["A", "B"]), TABLE, policy(1e6, spend=spend, idle_rate=0.02))
        assert judged(case, nothing, {"budget": 0.0}).certificate.value == pytest.approx(value, rel=1e-14)


def test_records_are_left_as_they_were() -> None:
    before = copy.deepcopy((CASE.portfolio, SOLVED.decisions))
    judged(CASE, SOLVED.decisions, PRICES)
    for held, now in zip(before, (CASE.portfolio, SOLVED.decisions), strict=True):
        for name, value in vars(held).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(value, getattr(now, name))
