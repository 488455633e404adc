"""Prices for the capacities: the bound that they prove, and what every item loses at them.

For any prices p >= 0, U(p) = capacities'p + sum over classes of max (value - weights'p) is no less than
any choice's value (Lagrangian duality); a choice x is worth U(p) - sum of its items' losses - p'(slack). So
an item that loses more than U(p) - V is in no choice better than V. The LP relaxation finds the best p.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from allocator.engine.program import Effort, Program
from allocator.engine.solving import SolverError, solve
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.knapsack.problem import Knapsack
from allocator.records.portfolio import Floats, Integers

_MOST_STEPS = 1e5
"""Steps in a value up to which the solver counts in steps; its simplex fails on very large costs."""


@dataclass(frozen=True)
class ProvenPrices:
    """Prices, and what they prove."""

    prices: Floats
    """(m,), at least 0."""
    loss: Floats
    """(N,) what each item loses against the best of its class; at least 0."""
    bound: float
    """U(prices)."""


def evaluate(problem: Knapsack, prices: Floats) -> ProvenPrices:
    """One pass over the items, unsmoothed: a bound whatever `prices` (m,) >= 0 come from."""
    reduced = problem.values - np.einsum("nm,m->n", problem.weights, prices)
    best = np.maximum.reduceat(reduced, problem.start[:-1])
    bound = float(np.einsum("m,m->", problem.capacities, prices)) + float(np.sum(best))
    return ProvenPrices(prices, np.repeat(best, np.diff(problem.start)) - reduced, bound)


def relax(problem: Knapsack, seconds: float) -> tuple[ProvenPrices, Integers | None]:
    """The LP relaxation's prices, and its items (n,) where it happens to be whole.

    Raises InfeasibleError, naming capacities that cannot be kept together, and NoAllocationError where
    `seconds` passed first.
    """
    items = np.arange(len(problem.values))
    answer = solve(program_of(problem, items, whole=False), Effort(time_limit=seconds))
    if answer.stop == "infeasible":
        raise _conflict(problem)
    if answer.stop == "time_limit":
        raise NoAllocationError(f"no time was left after the LP of {len(items):,} items; raise time_limit")
    if answer.stop != "optimal" or answer.point is None:
        raise SolverError(f"the LP relaxation ended with status {answer.stop}")
    prices = np.maximum(answer.row_prices[: len(problem.rows)], 0.0) * unit_of(problem) / _scale(problem)
    return evaluate(problem, prices), _whole(problem, items, answer.point)


def program_of(problem: Knapsack, items: Integers, *, whole: bool) -> Program:
    """max value over shares of `items`, capacities first (each in its own scale), then one row a class.

    Values are in units of `unit_of`.
    """
    count = len(items)
    scale = _scale(problem)
    owner = problem.owner[items]
    classes = sparse.csc_array((np.ones(count), (owner, np.arange(count))), shape=(len(problem), count))
    loads = sparse.csc_array((problem.weights[items] / scale).T)
    return Program(
        cost=_in_units(problem, problem.values[items]),
        matrix=sparse.csc_array(sparse.vstack([loads, classes], format="csc")),
        row_lower=np.concatenate([np.full(len(scale), -np.inf), np.ones(len(problem))]),
        row_upper=np.concatenate([problem.capacities / scale, np.ones(len(problem))]),
        column_lower=np.zeros(count),
        column_upper=np.ones(count),
        integer=np.full(count, whole, dtype=bool),
    )


def unit_of(problem: Knapsack) -> float:
    """What the solver counts values in: their step, or a power of two where that left large numbers."""
    largest = float(np.max(np.abs(problem.values))) or 1.0
    if 0 < largest <= _MOST_STEPS * problem.step:
        return problem.step
    return float(2.0 ** (np.floor(np.log2(largest)) - 10))


def _in_units(problem: Knapsack, values: Floats) -> Floats:
    unit = unit_of(problem)
    return np.round(values / unit) if unit == problem.step else values / unit


def _scale(problem: Knapsack) -> Floats:
    """(m,) the power of two below the largest weight of each row: scaling by it rounds nothing."""
    largest = np.max(np.abs(problem.weights), axis=0, initial=0.0)
    return np.exp2(np.floor(np.log2(np.where(largest > 0, largest, 1.0))))


def _whole(problem: Knapsack, items: Integers, point: Floats) -> Integers | None:
    taken = items[point > 1.0 - 1e-6]
    return taken if len(taken) == len(problem) and problem.fits(taken) else None


def _conflict(problem: Knapsack) -> InfeasibleError:
    """Capacities that no mixture of items can keep together, none of them needless (a deletion filter)."""
    program = program_of(problem, np.arange(len(problem.values)), whole=False)
    upper = program.row_upper.copy()
    needed = []
    for row in range(len(problem.rows)):
        kept, upper[row] = upper[row], np.inf
        freed = replace(program, row_upper=upper)
        if solve(freed, Effort()).stop != "infeasible":
            upper[row] = kept
            needed.append(f"capacity {problem.rows[row]}")
    return InfeasibleError(f"no choice of items fits: {', '.join(needed)} cannot be kept together", needed)
