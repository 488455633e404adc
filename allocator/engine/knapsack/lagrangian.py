"""Prices for the capacities: the bound that they prove, and what every item loses at them.

For any prices p >= 0, U(p) = capacities'p + sum over classes of max (value - weights'p) is no less than
any choice's value (Lagrangian duality); a choice x is worth U(p) - sum of its items' losses - p'(slack). So an
item that loses more than U(p) - V is in no choice better than V. The LP relaxation finds the best p.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from allocator.engine.knapsack.problem import Knapsack
from allocator.engine.program import Effort, Program
from allocator.engine.solving import SolverError, solve
from allocator.errors import InfeasibleError
from allocator.records.portfolio import Floats, Integers

ROUNDING = 1e-12
"""Relative error of a sum of reduced values: what a bound may be off by."""


@dataclass(frozen=True)
class Priced:
    """Prices, and what they prove."""

    prices: Floats
    """(m,), at least 0."""
    loss: Floats
    """(N,) what each item loses against the best of its class; at least 0."""
    bound: float
    """U(prices)."""


def evaluate(problem: Knapsack, prices: Floats) -> Priced:
    """One pass over the items, unsmoothed: a bound whatever `prices` (m,) >= 0 come from."""
    reduced = problem.values - np.einsum("nm,m->n", problem.weights, prices)
    best = np.maximum.reduceat(reduced, problem.start[:-1])
    bound = float(np.einsum("m,m->", problem.capacities, prices)) + float(np.sum(best))
    return Priced(prices, np.repeat(best, np.diff(problem.start)) - reduced, bound)


def relax(problem: Knapsack, start: Priced | None = None) -> tuple[Priced, Integers | None]:
    """The LP relaxation's prices, and its items (n,) where it happens to be whole.

    With a `start`, only items that lose little there enter; others join while they would gain.
    Raises InfeasibleError, naming capacities that cannot be kept together.
    """
    scale = _scale(problem)
    inside = np.ones(len(problem.values), dtype=bool) if start is None else _near(problem, start)
    while True:
        items = np.flatnonzero(inside)
        answer = solve(program_of(problem, items, whole=False), Effort())
        if answer.stop == "infeasible" and not inside.all():
            inside[:] = True
            continue
        if answer.stop == "infeasible":
            raise _conflict(problem)
        if answer.stop != "optimal" or answer.point is None:
            raise SolverError(f"the LP relaxation ended with status {answer.stop}")
        priced = evaluate(problem, np.maximum(answer.row_prices[: len(problem.rows)], 0.0) / scale + 0.0)
        outside = (priced.loss == 0.0) & ~inside
        if not outside.any() or priced.bound <= answer.value * (1 + 1e-12) + 1e-9:
            return priced, _whole(problem, items, answer.point)
        inside |= outside


def _near(problem: Knapsack, start: Priced) -> np.ndarray:
    """The items of least loss, four a class on average, and the best of every class."""
    size = min(4 * len(problem), len(start.loss) - 1)
    return np.asarray((start.loss <= np.partition(start.loss, size)[size]) | (start.loss == 0.0))


def program_of(problem: Knapsack, items: Integers, *, whole: bool) -> Program:
    """max value over shares of `items`, capacities first (each in its own scale), then one row a class."""
    count = len(items)
    scale = _scale(problem)
    owner = problem.owner[items]
    classes = sparse.csc_array((np.ones(count), (owner, np.arange(count))), shape=(len(problem), count))
    loads = sparse.csc_array((problem.weights[items] / scale).T)
    return Program(
        cost=problem.values[items],
        matrix=sparse.csc_array(sparse.vstack([loads, classes], format="csc")),
        row_lower=np.concatenate([np.full(len(scale), -np.inf), np.ones(len(problem))]),
        row_upper=np.concatenate([problem.capacities / scale, np.ones(len(problem))]),
        column_lower=np.zeros(count),
        column_upper=np.ones(count),
        integer=np.full(count, whole, dtype=bool),
    )


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
        freed = Program(
            program.cost,
            program.matrix,
            program.row_lower,
            upper,
            program.column_lower,
            program.column_upper,
            program.integer,
        )
        if solve(freed, Effort()).stop != "infeasible":
            upper[row] = kept
            needed.append(f"capacity {problem.rows[row]}")
    return InfeasibleError(f"no choice of items fits: {', '.join(needed)} cannot be kept together", needed)
