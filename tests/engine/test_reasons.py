"""Why each borrower is refused: the first thing that stands in the way, or the largest price."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.engine.kernel.columns import BestResponses
from allocator.engine.reasons import _largest_charge, reasons
from allocator.testing.books import random_case
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, solve

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])


def reasons_of(case: Case) -> list[str]:
    solved = solve(case)
    return reasons(solved.columns, solved.solution.amount == 0, solved.solution.prices, threads=1).tolist()


def test_what_makes_an_offer_impossible_comes_first() -> None:
    book = portfolio(
        ["D", "A", "A", "A"], exclude=[False, True, False, False], max_amount=[1e6, 1e6, 50_000.0, 1e6]
    )
    assert reasons_of(Case(book, TABLE, policy(1e6))) == [
        "no rates for this grade",
        "excluded",
        "request below the smallest loan",
        "",
    ]


def test_a_loan_that_never_pays_is_no_fault_of_the_limits() -> None:
    book = portfolio(["A", "A"], pd=[0.01, 0.9])
    assert reasons_of(Case(book, TABLE, policy(1e6))) == ["", "never profitable, whatever the limits"]


def test_the_budget_crowds_out_the_less_profitable() -> None:
    book = portfolio(["A"] * 3, pd=[0.01, 0.02, 0.03], max_amount=500_000.0)
    assert reasons_of(Case(book, TABLE, policy(1e6))) == ["", "", "crowded out by the budget"]


def test_the_limit_that_charges_most_is_named() -> None:
    book = portfolio(
        ["A", "A", "B", "B"],
        pd=[0.01, 0.011, 0.01, 0.011],
        max_amount=300_000.0,
        texts={"sector": ["food", "steel", "food", "steel"]},
    )
    terms = policy(1e6, limit("sectors", "offered", "at_most", 300_000.0, each="sector"))
    found = reasons_of(Case(book, TABLE, terms))
    assert sorted(found) == [
        "",
        "",
        "crowded out by limit sectors[food]",
        "crowded out by limit sectors[steel]",
    ]


def test_a_row_of_negative_weight_crowds_out_too() -> None:
    book = portfolio(["A", "A"], max_amount=[5e5, 2e5], numbers={"w": [-1.0, 1.0]})
    terms = policy(2e6, limit("fresh", "drawn", "at_least", 2e5, weight="w"), rates={"A": (0.04, 0.04)})
    solved = solve(Case(book, TABLE, terms))
    found = reasons(solved.columns, solved.solution.amount == 0, solved.solution.prices, threads=1)
    assert found.tolist() == ["crowded out by limit fresh", ""]


def test_a_price_that_would_lend_but_for_whole_loans_is_said() -> None:
    """Two loans of 60 fit no budget of 100: the second has no part of it, though the price allows it."""
    book = portfolio(["A", "A"], pd=[0.01, 0.01], min_amount=600_000.0, max_amount=600_000.0)
    found = reasons_of(Case(book, TABLE, policy(1e6)))
    assert found.count("") == 1
    (other,) = (reason for reason in found if reason)
    assert other in ("decided by the integer step: lost within the gap", "crowded out by the budget")


def test_every_refusal_has_a_reason_and_no_offer_has_one() -> None:
    random = np.random.default_rng(1)
    n = 120
    book = portfolio(
        random.choice(["A", "B", "D"], n).tolist(),
        pd=random.uniform(0, 0.3, n),
        max_amount=np.round(random.uniform(5e4, 8e5, n)),
        texts={"sector": random.choice(["food", "steel", "NO"], n).tolist()},
    )
    terms = policy(
        1e7,
        limit("sectors", "offered", "at_most", 0.4, of="total", each="sector"),
        limit("loss", "expected_loss", "at_most", 0.012, of="drawn"),
        limit("few", "loans", "at_most", 30.0),
    )
    solved = solve(Case(book, TABLE, terms))
    found = reasons(solved.columns, solved.solution.amount == 0, solved.solution.prices, threads=1)
    assert [reason == "" for reason in found] == (solved.decisions.amount > 0).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_the_largest_charge_is_found_among_all_rows(seed: int) -> None:
    """Against every row's charge written out, for rows that count some borrowers or everybody."""
    columns = columns_of(random_case(seed))
    draw = np.random.default_rng(seed)
    limits, n = columns.limits, len(columns)
    prices = draw.normal(size=len(limits)) * (draw.random(len(limits)) < 0.7)
    offered = np.flatnonzero(columns.offers.menu >= 0)
    option = np.full(n, -1, dtype=np.int32)
    option[offered] = 0
    free = BestResponses(option, np.where(option >= 0, columns.offers.high, 0.0), np.zeros(n), np.zeros(n))
    found = _largest_charge(columns, prices, offered, free)
    take, rate = columns.take_up(option), columns.rate(option)
    drawn = take * free.amount
    bases = np.array([free.amount, drawn, drawn * rate * columns.offers.term, option >= 0, take])
    charges = prices[:, None] * np.einsum("bjn,bn->jn", limits.coefficients(np.arange(n)), bases)
    charges = np.where(prices[:, None] != 0.0, charges, -np.inf)[:, offered]
    largest = charges[found, np.arange(len(offered))]
    sunk = charges.max(axis=0) > 0.0  # by some row: nobody else is asked about
    assert sunk.any()
    np.testing.assert_allclose(largest[sunk], charges.max(axis=0)[sunk], rtol=1e-9)
