"""Rows in rational numbers by hand: whole ones to the last cent at any size, others to their tolerance."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from allocator.certification import recheck
from allocator.certification.exact import Exactly, nearest
from allocator.certification.rationals import offers_made
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
    exact = Exactly.of(case.scenario, book, TABLE)
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
    "no whole cents lent": (limit("l", "offered", "at_most", 5e9), {"exposure": [0.001, 0.0]}),
    "money drawn": (limit("l", "drawn", "at_most", 5e9), {}),
    "of what is drawn": (limit("l", "offered", "at_most", 0.6, of="drawn", where=A), {}),
    "loans": (limit("l", "loans", "at_most", 1.0, weight="w"), {"numbers": {"w": [0.5, 0.5]}}),
    "nobody": (limit("l", "offered", "at_most", 0.0, where={"grade": ["C"]}), {}),
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


@pytest.mark.parametrize(("price", "bound"), [(None, 9_500.0), (0.004, 9_500.0), (0.02, 19_000.0)])
def test_idle_money_is_worth_what_its_price_leaves(price: float | None, bound: float) -> None:
    """950,000 at 1 %, or at the price where that is more: the only borrower earns nothing at all."""
    book = portfolio(["A"], pd=0.9, lgd=1.0, max_amount=4e5)
    case = Case(book, TABLE, policy(950_000.0, idle_rate=0.01))
    exact = Exactly.of(case.scenario, book, TABLE)
    assert exact.bound({} if price is None else {"budget": price}) == pytest.approx(bound, rel=1e-14)


def test_idle_money_below_a_whole_lot_is_worth_its_rate_whatever_the_price() -> None:
    """Of 950,000 only 900,000 can be lent in steps of 100,000: 50,000 x 1 % + 900,000 x 2 %."""
    book = portfolio(["A"], pd=0.9, lgd=1.0, max_amount=4e5)
    case = Case(book, TABLE, policy(950_000.0, idle_rate=0.01, step=100_000.0))
    exact = Exactly.of(case.scenario, book, TABLE)
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
    exact = Exactly.of(case.scenario, book, table)
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
