"""Multiple-choice multidimensional knapsacks given as values and weights.

The method is that of the allocation: shadow prices from the LP relaxation, the bound that they prove, items
whose regret exceeds the fixing threshold dropped, and the core of the others through HiGHS. Between bound and
core stands a primal heuristic (beam.py), because public instances are hard for a tree search alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from allocator.errors import Fault, InputError, NoAllocationError
from allocator.knapsack.lagrangian import evaluate, relax
from allocator.knapsack.problem import Choose, Knapsack, presolve, read_knapsack
from allocator.knapsack.search import Search
from allocator.knapsack.turns import Stop, Turns
from allocator.records.portfolio import Floats, Integers
from allocator.records.progress import Progress


@dataclass(frozen=True)
class KnapsackSolution:
    """A choice, and how far it can be from the best one."""

    choice: Integers
    """(n,) position of the item taken in each class, classes in ascending order; -1: none."""
    classes: Integers
    """(n,) the class labels, ascending."""
    value: float
    bound: float
    """No choice is worth more: the tighter of the two below, rounded down to what values can add up to."""
    price_bound: float
    """U(prices) over all items, as `price_bound` recomputes it without a solver."""
    tree_bound: float
    """What HiGHS proved over a core outside which nothing better lies; inf where it proved nothing."""
    prices: Floats
    """(m,) at least 0; value per unit more of each capacity."""
    stop: Stop
    """optimal: nothing better exists; gap: the gap asked for is met; else what ran out."""
    rounds: int
    """Rounds of search."""
    seconds: float

    @property
    def gap(self) -> float:
        """(bound - value) / max(|bound|, 1)."""
        return (self.bound - self.value) / max(abs(self.bound), 1.0)


def price_bound(
    values: Any,
    weights: Any,
    capacities: Any,
    classes: Any,
    prices: Any,
    *,
    choose: Choose = "exactly_one",
) -> float:
    """U(prices) = capacities'prices + sum over classes of max (value - weights'prices), for any prices >= 0.

    No choice is worth more (Lagrangian duality). Arguments as in `solve_knapsack`.
    """
    problem, _ = read_knapsack(values, weights, capacities, classes, choose)
    array = np.asarray(prices, dtype=np.float64)
    if array.shape != problem.capacities.shape or not np.all(np.isfinite(array)) or np.any(array < 0):
        wanted = f"expected {len(problem.capacities)} finite numbers of at least 0"
        raise InputError.of([Fault(wanted, "give one price a capacity", field="prices")], "knapsack")
    return evaluate(problem, array).bound


def solve_knapsack(
    values: Any,
    weights: Any,
    capacities: Any,
    classes: Any,
    *,
    choose: Choose = "exactly_one",
    gap: float = 0.0,
    time_limit: float = 60.0,
    rounds: int | None = None,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> KnapsackSolution:
    """The most valuable choice of items, one of each class, that keeps every capacity.

    `values` (N,), `weights` (m, N) and `capacities` (m,) are finite numbers of any sign; `classes` (N,) are
    whole numbers in any order. `gap` is relative, `time_limit` in seconds. `rounds` ends the search after so
    many beams: the same arguments then give the same answer on a slow machine and on a fast one, as long as
    the time limit is not reached. `progress` is told in words what goes on.

    Where all values are multiples of one step (whole numbers: 1), a bound less than a step above the value
    proves it optimal.

    Raises InputError with every fault of the arguments, InfeasibleError with the capacities that cannot be
    kept, NoAllocationError where time or rounds ran out before any choice was found.
    """
    started = perf_counter()
    full, labels = read_knapsack(values, weights, capacities, classes, choose)
    _check_settings(gap, time_limit, rounds)
    problem = presolve(full)
    progress(f"pricing {len(problem.rows)} capacities over {len(problem.values):,} items")
    priced, whole = relax(problem, time_limit)
    search = Search(problem, priced, seed, started + time_limit)
    search.offer(whole)
    turns = Turns(search, gap, np.inf if rounds is None else rounds, progress)
    stop = turns.until_done()
    if search.best is None:
        within = (
            f"{time_limit:g} seconds; raise time_limit"
            if stop == "time_limit"
            else f"{rounds} rounds; raise rounds"
        )
        raise NoAllocationError(f"no choice was found within {within}")
    return _solution(full, labels, turns, stop, started)


def _solution(full: Knapsack, labels: Integers, turns: Turns, stop: Stop, started: float) -> KnapsackSolution:
    search = turns.search
    assert search.best is not None
    prices = np.zeros(len(full.rows))
    prices[search.problem.rows] = search.priced.prices
    return KnapsackSolution(
        choice=search.problem.origin[search.best],
        classes=labels,
        value=search.value,
        bound=turns.bound,
        price_bound=evaluate(full, prices).bound,
        tree_bound=turns.tree_bound,
        prices=prices,
        stop=stop,
        rounds=search.rounds,
        seconds=perf_counter() - started,
    )


def _check_settings(gap: float, time_limit: float, rounds: int | None) -> None:
    faults = []
    if not 0 <= gap < np.inf:
        faults.append(Fault(f"{gap} is no gap", "give a number of at least 0", field="gap"))
    if not time_limit > 0:
        faults.append(Fault(f"{time_limit} is no time", "give seconds above 0", field="time_limit"))
    if rounds is not None and rounds < 0:
        faults.append(Fault(f"{rounds} is no number of rounds", "give 0 or more", field="rounds"))
    if faults:
        raise InputError.of(faults, "knapsack")
