"""Shares of the total that add up to all of it, budgets spent exactly, floors that fill them: any of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allocator.records.portfolio import Floats
from allocator.records.strategy import SolverSettings
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import solve
from tests.strategies import random_cases

TABLE = churn_table([0.05, 0.08, 0.12], A=[0.1, 0.3, 0.7], B=[0.0, 0.4, 0.8])
MONEY = st.sampled_from((1.0, 1e3, 1e6, 1e8))
STEPS = st.sampled_from((None, 1.0, 7.0, 0.25))


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[str], list[float]]:
    """Regions of three borrowers each, and parts of a hundred that add up to it."""
    count = draw(st.integers(3, 6))
    cuts = sorted(draw(st.sets(st.integers(1, 99), min_size=count - 1, max_size=count - 1)))
    parts = [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    return [f"r{i // 3}" for i in range(3 * count)], [part / 100 for part in parts]


def book_case(
    regions: list[str], money: float, step: float | None, budget: float, spend: str = "at_most"
) -> Case:
    random = np.random.default_rng(len(regions))
    book = portfolio(
        ["A", "B", "A"] * (len(regions) // 3),
        pd=random.uniform(0.0, 0.03, len(regions)),
        max_amount=np.round(random.uniform(3_000.0, 90_000.0, len(regions))) * money,
        texts={"region": regions},
    )
    terms = policy(budget, ticket=(70.0 * money, 80_000.0 * money), step=step, spend=spend)
    return Case(book, TABLE, terms, settings=SolverSettings(gap=1e-4, time_limit=30.0))


def sums(case: Case, amount: Floats) -> list[int]:
    """The cents lent to each region."""
    cents = np.rint(amount * 100).astype(np.int64)
    regions = case.portfolio.text("region").codes
    return [int(cents[regions == code].sum()) for code in range(int(regions.max()) + 1)]


@random_cases(5, full=200)
@given(groups(), MONEY, STEPS)
def test_shares_that_add_up_are_met_to_the_cent(
    drawn: tuple[list[str], list[float]], money: float, step: float | None
) -> None:
    regions, parts = drawn
    case = book_case(regions, money, step, 1e5 * len(regions) * money)
    shares = tuple(
        limit(f"r{k}", "offered", "at_most", part, of="total", where={"region": [f"r{k}"]})
        for k, part in enumerate(parts)
    )
    solved = solve(case.under(limits=shares))
    cents = sums(case, solved.decisions.amount)
    assert sum(cents) > 0, "every region has room for its share"
    assert [100 * own for own in cents] == [round(100 * part) * sum(cents) for part in parts]


@random_cases(5, full=100)
@given(st.integers(50_000, 100_000), MONEY, STEPS)
def test_a_budget_of_any_whole_lots_is_spent_exactly(lots: int, money: float, step: float | None) -> None:
    budget = lots * money
    budget -= budget % (step or 1.0)
    regions = [f"r{i // 3}" for i in range(9)]
    solved = solve(book_case(regions, money, step, budget, "exactly"))
    assert float(np.sum(np.rint(solved.decisions.amount * 100))) == round(budget * 100)
