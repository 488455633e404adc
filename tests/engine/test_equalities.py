"""Rows without slack are found, and what cannot hold is told, whatever the size of the amounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allocator.errors import InfeasibleError
from allocator.records.scenario import Limit
from allocator.records.ticket import Ticket
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, solve

TABLE = churn_table([0.05, 0.08, 0.12], A=[0.1, 0.4, 0.8], B=[0.1, 0.4, 0.8])
SIZES = (1.0, 1e3, 1e7, 1e11)
"""Factors on all money."""


def case(*limits: Limit, money: float = 1.0, budget: float = 1_000.0, n: int = 9, **rest: object) -> Case:
    """n borrowers in three regions who ask for up to 200 each."""
    regions = [f"r{i % 3}" for i in range(n)]
    book = portfolio(
        ["A"] * n, max_amount=[(110.0 + 10 * (i % 7)) * money for i in range(n)], texts={"region": regions}
    )
    ticket = (10.0 * money, 200.0 * money)
    return Case(book, TABLE, policy(budget * money, *limits, ticket=ticket, **rest))  # type: ignore[arg-type]


def shares(*parts: float, of: str = "total") -> list[Limit]:
    return [
        limit(f"r{k}", "offered", "at_most", part, of=of, where={"region": [f"r{k}"]})
        for k, part in enumerate(parts)
    ]


def equal(found: Case) -> set[str]:
    columns = columns_of(found)
    return {columns.limits.rows[columns.whole.row[r]].name for r in columns.equal}


@pytest.mark.parametrize("money", SIZES)
def test_shares_that_add_up_to_all_of_the_total_leave_no_slack(money: float) -> None:
    assert equal(case(*shares(0.63, 0.23, 0.14), money=money)) == {"r0", "r1", "r2"}
    assert equal(case(*shares(0.63, 0.23, 0.15), money=money)) == set()


@pytest.mark.parametrize("money", SIZES)
def test_floors_that_fill_the_budget_leave_no_slack(money: float) -> None:
    floors = [
        limit("first", "offered", "at_least", 250.0 * money, where={"region": ["r0"]}),
        limit("others", "offered", "at_least", 350.0 * money, where={"region": ["r1", "r2"]}),
    ]
    assert equal(case(*floors, money=money, budget=600.0)) == {"budget", "first", "others"}
    assert equal(case(*floors, money=money, budget=601.0)) == set()


def test_a_floor_and_a_cap_that_meet_are_one_equality() -> None:
    ends = [
        limit("least", "offered", "at_least", 400.0),
        limit("most", "offered", "at_most", 0.4, of="budget"),
    ]
    assert equal(case(*ends)) == {"least", "most"}


def test_floors_that_pass_the_budget_by_a_cent_are_a_conflict_at_every_size() -> None:
    for money in (1.0, 1e7, 1e10):
        floors = [
            limit("first", "offered", "at_least", 250.0 * money, where={"region": ["r0"]}),
            limit("others", "offered", "at_least", 350.0 * money + 0.01, where={"region": ["r1", "r2"]}),
        ]
        with pytest.raises(InfeasibleError) as caught:
            solve(case(*floors, money=money, budget=600.0))
        assert set(caught.value.conflict) == {"budget", "first", "others"}


def test_sums_that_fixed_requests_cannot_reach_are_told_with_what_they_reach() -> None:
    book = portfolio(["A"] * 4, min_amount=[30.0, 48.0, 60.0, 90.0], max_amount=[30.0, 48.0, 60.0, 90.0])
    terms = policy(100.0, ticket=(10.0, 200.0), spend="exactly")
    with pytest.raises(InfeasibleError, match=r"every sum is a multiple of 6\.00") as caught:
        solve(Case(book, TABLE, terms))
    assert caught.value.conflict == ("budget",)


def test_a_half_of_an_odd_total_is_no_whole_lots() -> None:
    half = limit("half", "offered", "exactly", 0.5, of="total", where={"region": ["r0"]})
    odd = case(half, spend="exactly", budget=601.0)
    odd = odd.under(ticket=Ticket(10.0, 200.0, 1.0))
    with pytest.raises(InfeasibleError, match="'budget' and 'half' exactly"):
        solve(odd)
    even = solve(odd.under(budget=replace(odd.policy.budget, amount=600.0)))
    assert even.decisions.amount.sum() == 600.0


def test_right_hand_sides_are_rounded_to_what_the_equalities_leave() -> None:
    half = limit("half", "offered", "exactly", 0.5, of="total", where={"region": ["r0"]})
    rounded = columns_of(case(half, budget=601.0).under(ticket=Ticket(10.0, 200.0, 1.0)))
    assert rounded.tight_rhs[0] == 600.0
    assert rounded.limits.rhs[0] == 601.0


def test_a_row_that_nobody_can_use_and_exposure_all_but_meets_is_told() -> None:
    """50,000 are lent; 3.846... of 13,000 are 2e-12 more: a solver sees no difference, decimals do."""
    row = limit("lent", "offered", "exactly", 3.8461538461538463, of="budget")
    book = portfolio(["B"], exposure=50_000.0, exclude=True)
    terms = policy(13_000.0, row, ticket=(20_000.0, 20_000.0), step=20_000.0)
    with pytest.raises(InfeasibleError, match="meet 'lent' exactly"):
        solve(Case(book, TABLE, terms))
