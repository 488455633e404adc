"""The core: every item that may be in a better choice, solved by HiGHS as a whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.engine.program import Effort
from allocator.engine.solving import solve
from allocator.knapsack.lagrangian import program_of, unit_of
from allocator.knapsack.problem import Knapsack
from allocator.records.portfolio import Integers


@dataclass(frozen=True)
class _CoreResult:
    """What the tree search found among the items that it was given."""

    choice: Integers | None
    bound: float
    """No choice among them is worth more; -inf: none fits."""
    stop: str


def solve_core(problem: Knapsack, items: Integers, start: Integers | None, effort: Effort) -> _CoreResult:
    """The best choice among `items`, which hold those of `start` (n,); `effort.distance` is in value."""
    point = None if start is None else np.isin(items, start).astype(np.float64)
    unit = unit_of(problem)
    effort = replace(effort, distance=effort.distance / unit)
    answer = solve(program_of(problem, items, whole=True), effort, start=point)
    bound = -np.inf if answer.stop == "infeasible" else answer.bound * unit
    if answer.point is None:
        return _CoreResult(None, bound, answer.stop)
    taken = items[answer.point > 0.5]
    return _CoreResult(taken if len(taken) == len(problem) else None, bound, answer.stop)
