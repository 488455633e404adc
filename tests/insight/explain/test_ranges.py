"""A price's range: inside it the run's prices prove the best bound; outside nothing is claimed."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.insight.explain.book import price_ranges
from allocator.insight.explain.position import position_of
from allocator.insight.variants import answer, with_policy
from tests.insight.explain.test_explanation import crowded
from tests.stages import prepared

BUDGETS = (0.0, 1.0, 1e5, 3e6, 6e6, 5e7, 1e9, 1e12)
"""From none, over one that no offer fits into, to one that is never spent."""
LONG = (1e5, 3e6)
"""Budgets whose cases are solved in seconds each."""


@pytest.mark.parametrize(
    "amount", [pytest.param(one, marks=pytest.mark.full) if one in LONG else one for one in BUDGETS]
)
@pytest.mark.parametrize("limit", ["budget", "book"])
def test_inside_its_range_a_price_proves_the_best_bound(amount: float, limit: str) -> None:
    case = prepared(crowded(budget=amount))
    policy = case.scenario.policy
    position = position_of(answer(case))
    ranges = [*price_ranges(position).values()]
    at = [row.name for row in case.limits.rows].index(limit)
    found = ranges[at]
    assert found is not None
    assert found.low <= 0.0 <= found.high
    bound = amount if limit == "budget" else policy.limits[-1].bound
    for share in (0.5, 0.999):
        for end in (found.low, found.high):
            move = share * (end if np.isfinite(end) else np.sign(end) * max(bound, 1e6))
            moved = with_policy(case, policy.with_bound(limit, bound + move))
            best = position_of(answer(moved)).bound
            stated = position.bound + position.prices[limit] * move
            assert best == pytest.approx(stated, rel=1e-8, abs=1e-3)


@pytest.mark.parametrize("amount", [1e9, 1e12])
def test_a_budget_that_is_never_spent_may_fall_to_what_is_spent(amount: float) -> None:
    case = prepared(crowded(budget=amount))
    run = answer(case)
    [found, *_] = price_ranges(position_of(run)).values()
    assert found is not None
    assert found.high == np.inf
    assert amount + found.low == pytest.approx(float(np.sum(run.decisions.amount)), rel=0.01)
