"""A policy changed: every change is another policy, and says what becomes of budget and limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allocator.records.scenario import Budget, Limit, Policy
from allocator.records.stress import FundingShock, LimitShock, Stress
from allocator.records.ticket import Ticket

CAP = Limit("cap", "offered", "at_most", 0.5, of="budget")
FLOOR = Limit("floor", "loans", "at_least", 10.0)
POLICY = Policy(
    Budget(1_000.0), Ticket(1.0, 100.0), {"A": (0.04, 0.1)}, funding_rate=0.02, idle_rate=0.01,
    limits=(CAP, FLOOR),
)  # fmt: skip
EXACTLY = replace(POLICY, budget=Budget(1_000.0, spend="exactly"))


def test_what_may_stay_unspent() -> None:
    assert (POLICY.unspent(400.0), POLICY.idle_yield) == (600.0, 0.01)
    assert (EXACTLY.unspent(400.0), EXACTLY.idle_yield) == (0.0, 0.0)


def test_another_bound_is_that_of_one_limit_or_the_budget() -> None:
    assert POLICY.with_bound("floor", 7.0).limits == (CAP, replace(FLOOR, bound=7.0))
    assert POLICY.with_bound("budget", 7.0) == POLICY.with_budget(7.0) == replace(POLICY, budget=Budget(7.0))
    assert POLICY.with_bound("cap", 0.5) == POLICY


@pytest.mark.parametrize(("room", "amount"), [(5_000.0, 5_000.0), (10.0, 1_000.0)])
def test_without_the_budget_its_shares_stand_in_money(room: float, amount: float) -> None:
    free = EXACTLY.without("budget", room)
    assert free.budget == Budget(amount)
    assert free.limits == (replace(CAP, bound=500.0, of=None), FLOOR)
    assert POLICY.without("cap").limits == (FLOOR,)


def test_a_stress_moves_funding_and_bounds_and_leaves_the_policy_as_written() -> None:
    limits = LimitShock(0.5, (("cap", 0.8), ("floor", 2.0), ("budget", 0.9)))
    stressed = POLICY.stressed(Stress(funding=FundingShock(1.5, 0.01), limits=limits))
    assert stressed.budget.amount == 900.0
    assert stressed.funding_rate == pytest.approx(0.04)
    assert [limit.bound for limit in stressed.limits] == [0.2, 20.0]  # what must be kept has no `all`
    assert (POLICY.funding_rate, POLICY.limits) == (0.02, (CAP, FLOOR))
