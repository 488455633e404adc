"""Bounds by hand, and prices that were chosen to make a false one."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.certification.bound import upper_bound
from allocator.certification.certify import ProvedFigures, recheck_with_proof
from allocator.certification.exact import ExactCase
from allocator.certification.limits import blocks_of
from allocator.certification.terms import terms_of
from allocator.records.outcome import Outcome
from allocator.records.run import Decisions
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.strategies import cases, random_cases

TABLE = churn_table([0.04, 0.08], A=[0.0, 0.5], B=[0.0, 0.5])


def judged(case: Case, prices: dict[str, float], amount: Any = None, rate: float = 0.04) -> Outcome:
    return with_proof(case, prices, amount, rate)[0]


def with_proof(
    case: Case, prices: dict[str, float], amount: Any = None, rate: float = 0.04
) -> tuple[Outcome, ProvedFigures]:
    n = len(case.portfolio)
    offered = np.zeros(n) if amount is None else np.asarray(amount, dtype=float)
    decisions = Decisions(offered, np.where(offered > 0, rate, 0.0))
    return recheck_with_proof(case.scenario, case.inputs, decisions, prices)


def bound(case: Case, **prices: float) -> float:
    """U less what is added for rounding, which is little."""
    proved = with_proof(case, prices)[1].prices
    assert proved.error <= 1e-12 * max(abs(proved.value), 1e4)
    return proved.value


def one(**columns: Any) -> Any:
    return portfolio(["A"], pd=0.0, lgd=0.0, max_amount=200_000.0, **columns)


def test_a_bound_is_the_best_offers_and_what_the_limits_leave() -> None:
    """200,000 at 4 % all drawn is worth 8,000; at 8 % half is drawn, worth 8,000 as well."""
    case = Case(one(), TABLE, policy(1e6))
    assert bound(case, budget=0.0) == pytest.approx(8_000.0)
    assert bound(case, budget=0.01) == pytest.approx(1e6 * 0.01 + 6_000.0)
    assert bound(case, budget=0.05) == pytest.approx(50_000.0), "nobody is worth that price"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pd": [0.1], "lgd": [0.5]}, 200_000 * (0.04 * 0.9 - 0.05)),
        ({"pd": [0.1], "lgd": [0.1]}, 200_000 * (0.04 * 0.9 - 0.01)),
        ({"term": [2.0]}, 16_000.0),
    ],
)
def test_a_borrowers_columns_count(changes: dict[str, Any], expected: float) -> None:
    book = portfolio(["A"], **{"pd": 0.0, "lgd": 0.0, "max_amount": 200_000.0, **changes})
    flat = churn_table([0.04], A=[0.0], B=[0.0])
    assert bound(Case(book, flat, policy(1e6)), budget=0.0) == pytest.approx(max(expected, 0.0))


def test_a_policys_costs_count() -> None:
    def of(**rest: Any) -> float:
        return bound(Case(one(relationship_value=1_000.0), TABLE, policy(1e6, **rest)), budget=0.0)

    assert of() == pytest.approx(8_000.0)
    assert of(funding_rate=0.01) == pytest.approx(200_000 * 0.5 * (0.08 - 0.01) - 500)
    assert of(funding_rate=0.01, decline_churn=0.5) == pytest.approx(200_000 * 0.035)
    assert of(processing_cost=1_000.0) == pytest.approx(8_000 - 0.5 * 1_000 - 500)
    assert of(churn_cost_rate=0.01) == pytest.approx(8_000.0), "nobody walks at 4 %"


def test_idle_money_is_worth_what_it_earns_beyond_its_price() -> None:
    case = Case(one(), TABLE, policy(1e6, idle_rate=0.01))
    assert bound(case, budget=0.0) == pytest.approx(8_000 + 10_000)
    assert bound(case, budget=0.004) == pytest.approx(4_000 + 200_000 * 0.036 + 1e6 * 0.006)
    spent = Case(one(), TABLE, policy(1e6, idle_rate=0.01, spend="exactly"))
    assert bound(spent, budget=0.0) == pytest.approx(8_000.0)
    assert bound(spent, budget=-0.01) == pytest.approx(-10_000 + 10_000.0)


def test_a_pinned_offer_is_made_at_a_loss_too() -> None:
    lossy = portfolio(["A"], pd=0.5, lgd=1.0, fixed_amount=100_000.0, fixed_rate=0.06)
    case = Case(lossy, TABLE, policy(1e6))
    assert bound(case, budget=0.0) == pytest.approx(100_000 * 0.75 * (0.06 * 0.5 - 0.5))


def test_the_smallest_amount_is_better_where_more_of_it_loses() -> None:
    """Made for the relationship: 5,000 are kept, 1,000 lost on the smallest loan."""
    book = portfolio(["A"], pd=0.05, lgd=1.0, max_amount=500_000.0, relationship_value=10_000.0)
    case = Case(book, churn_table([0.04], A=[0.0], B=[0.0]), policy(1e6, decline_churn=0.5))
    assert bound(case, budget=0.0) == pytest.approx(5_000 + 100_000 * (0.04 * 0.95 - 0.05))


@pytest.mark.parametrize(
    ("entry", "price", "expected"),
    [
        (limit("l", "offered", "at_most", 50_000.0), 0.01, 500 + 6_000),
        (limit("l", "drawn", "at_most", 50_000.0), 0.01, 500 + 200_000 * 0.5 * 0.07),
        (limit("l", "loans", "at_most", 3.0), 1_000.0, 3_000 + 7_000),
        (limit("l", "gross_interest", "at_least", 900.0), -0.5, -450 + 200_000 * 0.04 * 1.5),
        (limit("l", "offered", "at_most", 0.5, of="total"), 0.01, 8_000 - 200_000 * 0.01 * 0.5),
        (limit("l", "offered", "at_most", 0.5, of="budget"), 0.01, 5_000 + 6_000),
        (limit("l", "offered", "at_most", 50_000.0, weight="w"), 0.01, 500 + 8_000 - 200_000 * 0.03),
        (limit("l", "drawn", "exactly", 0.5, of="drawn"), -0.02, 8_000 + 200_000 * 0.02 * 0.5),
    ],
)
def test_a_limit_charges_what_it_counts(entry: Any, price: float, expected: float) -> None:
    case = Case(one(numbers={"w": [3.0]}), TABLE, policy(1e6, entry))
    assert bound(case, budget=0.0, l=price) == pytest.approx(expected)


def test_exposure_takes_room() -> None:
    book = portfolio(["A"], pd=0.0, lgd=0.0, max_amount=200_000.0, exposure=30_000.0)
    cap = Case(book, TABLE, policy(1e6, limit("l", "offered", "at_most", 50_000.0)))
    assert bound(cap, budget=0.0, l=0.01) == pytest.approx(200 + 6_000)
    share = Case(book, TABLE, policy(1e6, limit("l", "offered", "at_most", 0.5, of="total")))
    assert bound(share, budget=0.0, l=0.01) == pytest.approx(-150 + 7_000)


def forged(price: float, budget: float = 0.0) -> tuple[Case, dict[str, float]]:
    """Ten pinned offers that fill a limit exactly: its price cancels, whatever it is."""
    pins = [1_392_912.73] * 9 + [1_392_912.79]
    book = portfolio(
        ["A"] * 12,
        pd=0.01,
        fixed_amount=[*pins, np.nan, np.nan],
        fixed_rate=[*[0.04] * 10, np.nan, np.nan],
        max_amount=2e6,
        texts={"sector": ["legacy"] * 10 + ["new"] * 2},
    )
    cap = limit("legacy", "offered", "at_most", 13_929_127.36, where={"sector": ["legacy"]})
    return Case(book, TABLE, policy(1e9, cap, ticket=(1e5, 2e6))), {"budget": budget, "legacy": price}


SIZES = [1e-300, 1.0, 1e5, 9.7e10, 3e15, 1e40, 1e150, 1e290, 1e300, 1.7e308]


@pytest.mark.parametrize("price", SIZES)
def test_a_price_that_cancels_gives_a_weak_bound_and_never_a_false_one(price: float) -> None:
    case, prices = forged(price)
    exact = ExactCase.of(case.scenario, case.portfolio, case.table).bound(prices)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = with_proof(case, prices)[1].prices
    assert found.most >= exact
    assert found.above >= found.most
    assert found.known == (price < 1e200)
    if price <= 1.0:
        assert found.above <= exact * (1 + 1e-11)


@pytest.mark.parametrize("size", [1e16, 1e200, 1e300])
@pytest.mark.parametrize("measure", ["offered", "drawn", "interest", "loans"])
def test_two_limits_that_undo_each_other_prove_nothing_false(measure: str, size: float) -> None:
    """At most and at least the same: prices of both signs cancel in every charge."""
    one_side = limit("most", measure, "at_most", 1.0, weight="w")
    other = limit("least", measure, "at_least", 1.0, weight="w")
    book = portfolio(["A"] * 3, pd=0.01, max_amount=3e5, numbers={"w": [1.1, 0.7, 1e-3]})
    case = Case(book, TABLE, policy(1e6, one_side, other))
    prices = {"budget": 0.0, "most": size, "least": -size}
    exact = ExactCase.of(case.scenario, case.portfolio, case.table).bound(prices)
    found = with_proof(case, prices)[1].prices
    assert found.most >= exact


def test_an_overflow_below_is_no_refusal() -> None:
    """A charge of -inf by overflow would refuse everybody: the bound is unknown instead."""
    case = Case(
        one(numbers={"w": [1e300]}), TABLE, policy(1e6, limit("l", "offered", "at_most", 1.0, weight="w"))
    )
    found = with_proof(case, {"budget": 0.0, "l": 1e300})[1].prices
    assert not found.known
    assert math.isinf(found.above)
    terms = terms_of(case.portfolio, TABLE, case.scenario.response, case.policy)
    blocks = blocks_of(case.policy, case.portfolio)
    assert upper_bound(case.portfolio, case.policy, terms, blocks, {"budget": 0.0, "l": 1e300}) == math.inf


def test_a_bound_by_prices_alone_is_the_certificates() -> None:
    case, prices = forged(0.5, budget=0.003)
    terms = terms_of(case.portfolio, TABLE, case.scenario.response, case.policy)
    blocks = blocks_of(case.policy, case.portfolio)
    own = upper_bound(case.portfolio, case.policy, terms, blocks, prices)
    assert own == pytest.approx(judged(case, prices).certificate.bound, rel=1e-12)


PRICES = st.floats(-1e3, 1e3) | st.sampled_from([0.0, 1e-9, 0.01, 1e12, 1e18, -1e18, 1e300, -1e300])


@random_cases(60, full=1_000)
@given(cases(borrowers=6, rates=4), st.data())
def test_every_bound_and_value_holds_in_rational_numbers(case: Case, data: st.DataObject) -> None:
    blocks = blocks_of(case.policy, case.portfolio)
    prices = {
        name: price if block.sense == "exactly" else abs(price) * (1 if block.sense == "at_most" else -1)
        for block in blocks
        for name in block.names
        for price in [data.draw(PRICES)]
    }
    exact = ExactCase.of(case.scenario, case.portfolio, case.table)
    proved = with_proof(case, prices)[1].prices
    real = exact.bound(prices)
    assert proved.most >= real
    if proved.known:
        assert proved.least <= real


def test_a_value_is_stated_below_what_it_is() -> None:
    book = portfolio(["A"] * 40, pd=[k / 97 for k in range(40)], lgd=0.3, max_amount=1e6)
    case = Case(book, TABLE, policy(1e9, idle_rate=0.003))
    amounts = [100_000.01 + 7_777.77 * k for k in range(40)]
    outcome, proved = with_proof(case, {"budget": 0.0}, amounts)
    value = Fraction(0.003) * (10**9 - sum(map(Fraction, amounts)))
    for amount, pd in zip(amounts, book.pd.tolist(), strict=True):
        default = Fraction(pd)
        value += Fraction(amount) * (Fraction(0.04) * (1 - default) - default * Fraction(0.3))
    assert proved.value.least <= value <= proved.value.most
    assert value * (1 - Fraction(1, 10**12)) <= Fraction(outcome.certificate.value) <= value
    assert proved.is_value(outcome.certificate.value)
    assert not proved.is_value(proved.value.value)
    assert not proved.is_value(outcome.certificate.value * (1 - 2e-9))
