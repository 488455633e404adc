"""Rows in rational numbers by hand: whole ones to the last cent at any size, others to their tolerance."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from allocator.certification import recheck
from allocator.certification.exact import ExactCase, nearest
from allocator.certification.rationals import curves_of, offers_made
from allocator.records.run import Decisions
from allocator.records.scenario import Limit
from tests.builders import Case, churn_table, limit, policy, portfolio

TABLE = churn_table([0.04, 0.08], A=[0.0, 0.0], B=[0.0, 0.0])
AMOUNTS = (3_000_000_000.01, 2_000_000_000.0)
"""A and B: a billionth of their sum is 5, five hundred times a cent."""
A = {"grade": ["A"]}


def broken(
    entry: Limit, amounts: tuple[float, ...] = AMOUNTS, budget: float = 1e12, **columns: Any
) -> list[str]:
    """The rows that both readings, in doubles and in rational numbers, find broken."""
    book = portfolio(["A", "B"], max_amount=1e10, **columns)
    case = Case(book, TABLE, policy(budget, entry, ticket=(1_000.0, 1e10)))
    decisions = Decisions(np.array(amounts), np.array([0.08, 0.08]))
    exact = ExactCase.of(case.scenario, book, TABLE)
    made = list(offers_made(book, exact.terms, exact.curves, decisions.amount, decisions.rate))
    names = list(exact.broken(made))
    prices = dict.fromkeys(("budget", entry.name), 0.0)
    assert recheck(case.scenario, case.inputs, decisions, prices).certificate.limits_broken == names
    return names


CENT_MORE: Mapping[str, tuple[Limit, dict[str, Any]]] = {
    "money": (limit("l", "offered", "at_most", 5_000_000_000.0), {}),
    "a floor": (limit("l", "offered", "at_least", 5_000_000_000.02), {}),
    "exactly": (limit("l", "offered", "exactly", 5_000_000_000.0), {}),
    "a share of the total": (limit("l", "offered", "at_most", 0.6, of="total", where=A), {}),
    "a share of the budget": (limit("l", "offered", "at_most", 0.003, of="budget", where=A), {}),
    "one weight": (
        limit("l", "offered", "at_most", 2_500_000_000.0, weight="w"),
        {"numbers": {"w": [0.5, 0.5]}},
    ),
    "what is lent": (limit("l", "offered", "at_most", 5_000_000_100.0), {"exposure": [0.0, 100.0]}),
    "a share of what is lent too": (
        limit("l", "offered", "at_most", 0.6, of="total", where=A),
        {"exposure": [60.0, 40.0]},
    ),
    "loans": (limit("l", "loans", "at_most", 0.9999999999, weight="w"), {"numbers": {"w": [0.5, 0.5]}}),
}


@pytest.mark.parametrize("kind", CENT_MORE)
def test_a_whole_row_is_broken_by_a_cent_whatever_its_size(kind: str) -> None:
    entry, columns = CENT_MORE[kind]
    assert broken(entry, **columns) == ["l"]


KEPT: Mapping[str, tuple[Limit, dict[str, Any]]] = {
    "money": (limit("l", "offered", "at_most", 5_000_000_000.01), {}),
    "a floor": (limit("l", "offered", "at_least", 5_000_000_000.01), {}),
    "exactly": (limit("l", "offered", "exactly", 5_000_000_000.01), {}),
    "several weights": (
        limit("l", "offered", "at_most", 5e9, weight="w"),
        {"numbers": {"w": [1.0, 1.000000000001]}},
    ),
    "a weight of nothing": (
        limit("l", "offered", "at_most", 3e9, weight="w"),
        {"numbers": {"w": [1.0, 0.0]}},
    ),
    "half a cent offered": (limit("l", "offered", "at_most", 5e9), {"amounts": (3_000_000_000.005, 2e9)}),
    "no whole cents lent": (limit("l", "offered", "at_most", 5e9), {"exposure": [0.001, 0.0]}),
    "money drawn": (limit("l", "drawn", "at_most", 5e9), {}),
    "of what is drawn": (limit("l", "offered", "at_most", 0.6, of="drawn", where=A), {}),
    "loans": (limit("l", "loans", "at_most", 1.0, weight="w"), {"numbers": {"w": [0.5, 0.5]}}),
    "nobody": (limit("l", "offered", "at_most", 0.0, where={"grade": ["C"]}), {}),
    "nobody's weight": (
        limit("l", "offered", "at_most", 0.0, weight="w", where={"grade": ["C"]}),
        {"numbers": {"w": [2.0, 2.0]}},
    ),
}


@pytest.mark.parametrize("kind", KEPT)
def test_a_row_is_kept_at_its_bound_or_within_its_tolerance(kind: str) -> None:
    entry, columns = KEPT[kind]
    assert broken(entry, **columns) == []


@pytest.mark.parametrize(("cents", "names"), [(0, []), (1, ["budget"])])
def test_the_budget_counts_new_offers_to_the_cent(cents: int, names: list[str]) -> None:
    roomy = limit("l", "offered", "at_most", 1e12)
    budget = round(sum(AMOUNTS) - cents / 100, 2)
    assert broken(roomy, budget=budget, exposure=[1e9, 0.0]) == names


@pytest.mark.parametrize(("part", "names"), [(0.9, []), (1.1, ["l"])])
def test_another_row_has_a_billionth_of_its_scale(part: float, names: list[str]) -> None:
    """Interest of 400 million: at the bound, below it by less and by more than a billionth."""
    interest = 0.08 * sum(AMOUNTS)
    assert broken(limit("l", "gross_interest", "at_most", interest * (1 - part * 1e-9))) == names


@pytest.mark.parametrize(("over", "names"), [(4e-4, []), (6e-4, ["l"])])
def test_weighted_loans_have_at_most_half_of_the_least_weight(over: float, names: list[str]) -> None:
    weights = {"numbers": {"w": [1e6, 1e-3]}}
    assert broken(limit("l", "loans", "at_most", 1e6 + 1e-3 - over, weight="w"), **weights) == names


def test_a_share_of_what_is_drawn_is_of_what_the_offers_draw() -> None:
    of_drawn = limit("l", "drawn", "at_most", 0.5, of="drawn", where=A)
    assert broken(of_drawn, (0.6, 0.4)) == ["l"]
    assert broken(of_drawn, (0.5, 0.5)) == []


@pytest.mark.parametrize(("over", "names"), [(3.4e-13, []), (5.7e-13, ["l"])])
def test_no_tolerance_falls_below_the_rounding_of_its_row(over: float, names: list[str]) -> None:
    """4 x 2^-53 of 1,024 are 4.5e-13, whatever the least weight."""
    weights = {"numbers": {"w": [1_024.0, 1e-17]}}
    assert broken(limit("l", "loans", "at_most", 1_024.0 - over, weight="w"), **weights) == names


DYADIC = churn_table([0.25, 0.5], A=[0.0, 0.75], B=[0.0, 0.75])


def dyadic(*limits: Limit, **columns: Any) -> ExactCase:
    """Two of A: 262,144 (2^18) are worth 2^16 at a quarter, and 2^15 at a half, where a quarter is drawn."""
    book = portfolio(["A", "A"], pd=0.0, lgd=0.0, max_amount=262_144.0, **columns)
    rules = policy(524_288.0, *limits, rates={"A": (0.25, 0.5)}, ticket=(1_024.0, 262_144.0))
    return ExactCase.of(Case(book, DYADIC, rules).scenario, book, DYADIC)


def up(number: float) -> float:
    """The next double: a bound in rational numbers is rounded outwards once."""
    return float(np.nextafter(number, np.inf))


def test_every_price_has_its_part_in_a_bound() -> None:
    case = dyadic(limit("few", "loans", "at_most", 3.0), limit("d", "drawn", "at_most", 64.0))
    assert case.bound({}) == up(2 * 65_536.0)
    assert case.bound({"few": 1_024.0, "d": 0.125}) == up(3_072 + 8 + 2 * (65_536 - 32_768 - 1_024))
    assert case.bound({"budget": 0.125, "few": 1_024.0}) == up(65_536 + 3_072 + 2 * (32_768 - 1_024))


def test_what_is_lent_takes_room_and_years_count() -> None:
    cap = limit("cap", "offered", "at_most", 65_536.0)
    assert dyadic(cap).bound({"cap": 0.25}) == up(16_384.0)
    assert dyadic(cap, exposure=[16_384.0, 0.0]).bound({"cap": 0.25}) == up(12_288.0)
    assert dyadic(term=2.0).bound({}) == up(262_144.0)
    interest = 2 * 0.08 * sum(AMOUNTS)
    for bound, names in ((interest, []), (interest * (1 - 2e-9), ["l"])):
        assert broken(limit("l", "gross_interest", "at_most", bound), term=2.0) == names


@pytest.mark.parametrize(
    ("smoothing", "churn"), [("none", [0.5, 0.25, 0.75]), ("isotonic", [0.375, 0.375, 0.75])]
)
def test_a_curve_is_smoothed_where_the_scenario_says_so(smoothing: Any, churn: list[float]) -> None:
    table = churn_table([0.25, 0.5, 0.75], A=[0.5, 0.25, 0.75])
    response = Case(portfolio(["A"]), table, policy(1.0), smoothing).scenario.response
    assert list(curves_of(table, response)["A"].churn) == churn


def leaf(bound: float, **prices: float) -> dict[str, Any]:
    return {"prices": prices, "bound": bound}


def test_a_side_without_any_option_proves_0_and_no_other_does() -> None:
    case, most = dyadic(), up(131_072.0)
    for borrower in ("b000", "b001"):
        split = {"borrower": borrower, "split": [[0.25, 0.5, "none"], []], "children": [1, 2]}
        assert case.tree_faults({"bound": most, "nodes": [split, leaf(most), leaf(0.0)]}) == []
        [fault] = case.tree_faults({"bound": most, "nodes": [split, leaf(131_071.0), leaf(0.0)]})
        assert f"states the bound 131071.0, its prices prove {most}" in str(fault)


def test_what_loses_just_what_a_cut_keeps_is_kept() -> None:
    """The rate of a half loses 2^15 and a refusal 2^16: at high prices they are the best that is left."""
    case, most = dyadic(limit("d", "drawn", "at_most", 0.0)), up(131_072.0)
    for keeps, prices, proved in ((32_768.0, {"d": 0.5}, 0.0), (65_536.0, {"budget": 1.0}, 524_288.0)):
        cut = {**leaf(most), "keeps": keeps, "children": [1]}
        assert case.tree_faults({"bound": 1e6, "nodes": [cut, leaf(up(proved), **prices)]}) == []
        [fault] = case.tree_faults({"bound": 1e6, "nodes": [cut, leaf(proved - 1.0, **prices)]})
        assert str(fault).startswith(f"tree.nodes[1]: states the bound {proved - 1.0}, its prices prove")


@pytest.mark.parametrize(("price", "bound"), [(None, 9_500.0), (0.004, 9_500.0), (0.02, 19_000.0)])
def test_idle_money_is_worth_what_its_price_leaves(price: float | None, bound: float) -> None:
    """950,000 at 1 %, or at the price where that is more: the only borrower earns nothing at all."""
    book = portfolio(["A"], pd=0.9, lgd=1.0, max_amount=4e5)
    case = Case(book, TABLE, policy(950_000.0, idle_rate=0.01))
    exact = ExactCase.of(case.scenario, book, TABLE)
    assert exact.bound({} if price is None else {"budget": price}) == pytest.approx(bound, rel=1e-14)


def test_idle_money_below_a_whole_lot_is_worth_its_rate_whatever_the_price() -> None:
    """Of 950,000 only 900,000 can be lent in steps of 100,000: 50,000 x 1 % + 900,000 x 2 %."""
    book = portfolio(["A"], pd=0.9, lgd=1.0, max_amount=4e5)
    case = Case(book, TABLE, policy(950_000.0, idle_rate=0.01, step=100_000.0))
    exact = ExactCase.of(case.scenario, book, TABLE)
    leaf = {"prices": {"budget": 0.02}, "bound": 18_500.0 * (1 + 1e-15)}
    tree = {"bound": leaf["bound"], "lots": {"budget": 900_000.0}, "nodes": [leaf]}
    assert exact.tree_faults(tree) == []
    lower = {**leaf, "bound": 18_499.999}
    [fault] = exact.tree_faults({**tree, "bound": lower["bound"], "nodes": [lower]})
    assert "states the bound 18499.999, its prices prove 18500" in str(fault)


def test_a_rate_next_to_one_of_the_tariff_is_that_rate() -> None:
    """The take-up is the tariff's within 1e-12 of its rate; of a pinned offer it is at its own rate."""
    book = portfolio(
        ["A", "A", "A", "A", "D"],
        max_amount=4e5,
        fixed_amount=[np.nan, np.nan, 2e5, np.nan, np.nan],
        fixed_rate=[np.nan, np.nan, 0.06, np.nan, np.nan],
    )
    table = churn_table([0.04, 0.08], A=[0.0, 0.5])
    case = Case(book, table, policy(1e6, rates={"A": (0.04, 0.08)}))
    exact = ExactCase.of(case.scenario, book, table)
    rates = np.array([0.08 - 4e-13, 0.08 - 4e-12, 0.06, 0.04, 0.05])
    amounts = np.array([1e5, 1e5, 2e5, 0.5, 1e5])
    made = {
        offer.borrower: (offer.take_up, offer.rate, offer.amount)
        for offer in offers_made(book, exact.terms, exact.curves, amounts, rates)
    }
    below = 1 - (Fraction(rates[1]) - Fraction(0.04)) / (Fraction(0.08) - Fraction(0.04)) / 2
    middle = 1 - (Fraction(0.06) - Fraction(0.04)) / (Fraction(0.08) - Fraction(0.04)) / 2
    assert made == {
        0: (Fraction(1, 2), Fraction(rates[0]), 10**5),
        1: (below, Fraction(rates[1]), 10**5),
        2: (middle, Fraction(0.06), 2 * 10**5),
        3: (1, Fraction(0.04), Fraction(1, 2)),
        4: (0, Fraction(0.05), 10**5),
    }


def test_what_no_double_holds_is_told_as_infinite() -> None:
    large = Fraction(10) ** 400
    assert [nearest(large), nearest(-large), nearest(Fraction(1, 2))] == [np.inf, -np.inf, 0.5]
