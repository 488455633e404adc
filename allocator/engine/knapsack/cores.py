"""The core: every item that may be in a better choice, solved by HiGHS as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.engine.knapsack.lagrangian import Priced, program_of
from allocator.engine.knapsack.problem import Knapsack
from allocator.engine.program import Effort
from allocator.engine.solving import solve
from allocator.records.portfolio import Floats, Integers


@dataclass(frozen=True)
class Outcome:
    """What the tree search says about every choice better than the one at hand."""

    choice: Integers | None
    bound: float
    """No choice is worth more than this or than the one at hand; -inf: none is worth more."""
    stop: str


def survivors(priced: Priced, distance: float) -> Integers:
    """Items that lose at most `distance` (inf: all)."""
    return np.flatnonzero(priced.loss <= distance)


def solve_core(problem: Knapsack, items: Integers, start: Integers | None, effort: Effort) -> Outcome:
    """The best choice among `items`; a class without one proves that there is none."""
    if len(np.unique(problem.owner[items])) < len(problem):
        return Outcome(None, -np.inf, "infeasible")
    answer = solve(program_of(problem, items, whole=True), effort, start=_point(items, start))
    bound = -np.inf if answer.stop == "infeasible" else answer.bound
    if answer.point is None:
        return Outcome(None, bound, answer.stop)
    taken = items[answer.point > 0.5]
    return Outcome(taken if len(taken) == len(problem) else None, bound, answer.stop)


def _point(items: Integers, start: Integers | None) -> Floats | None:
    if start is None or not np.isin(start, items).all():
        return None
    return np.isin(items, start).astype(np.float64)
