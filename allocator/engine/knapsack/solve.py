"""Multiple-choice multidimensional knapsacks given as values and weights: the engine's general core.

The machinery is that of the allocation: prices from the LP relaxation, the bound that they prove, items that
cannot matter fixed by what they lose, and the core of the others through HiGHS. Between bound and core stands
a search of its own (beam.py), because public instances of this problem are hard for a tree search alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

import numpy as np

from allocator.engine.knapsack.cores import solve_core, survivors
from allocator.engine.knapsack.gibbs import Measure, find_measure
from allocator.engine.knapsack.lagrangian import evaluate, relax
from allocator.engine.knapsack.problem import Choose, Knapsack, presolve, read_knapsack
from allocator.engine.knapsack.search import ROUNDS_A_WIDTH, Search
from allocator.engine.program import Effort
from allocator.errors import Fault, InfeasibleError, InputError, NoAllocationError
from allocator.records.portfolio import Floats, Integers

_LARGEST_CORE = 1_500
"""Items; beyond it the tree search seldom leaves its root in the time it is given."""
_ROUNDS_BEFORE_CORE = 4
_FIRST_NODES = 400
"""Nodes of the first core; four times as many each time that it is tried again."""
_CORE_SHARE = 0.1
"""Share of the time limit that one core may take."""

Stop = Literal["optimal", "gap", "time_limit", "rounds"]


@dataclass(frozen=True)
class KnapsackSolution:
    """A choice, and how far it can be from the best one."""

    choice: Integers
    """(n,) position of the item taken in each class, classes in ascending order; -1: none."""
    classes: Integers
    """(n,) the class labels, ascending."""
    value: float
    bound: float
    """No choice is worth more: the tightest of all proofs, rounded down to what values can add up to."""
    price_bound: float
    """U(prices) over all items, as `price_bound` recomputes it without a solver."""
    tree_bound: float
    """What HiGHS proved over a core outside which nothing better lies; inf where it proved nothing."""
    prices: Floats
    """(m,) at least 0; value a unit more of each capacity."""
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
    classes: Any,
    capacities: Any,
    prices: Any,
    *,
    choose: Choose = "exactly_one",
) -> float:
    """U(prices) = capacities'prices + sum over classes of max (value - weights'prices), for any prices >= 0.

    No choice is worth more (Lagrangian duality). Arguments as in `solve_knapsack`.
    """
    problem, _ = read_knapsack(values, weights, classes, capacities, choose)
    return evaluate(problem, _checked_prices(problem, prices, "prices")).bound


def solve_knapsack(
    values: Any,
    weights: Any,
    classes: Any,
    capacities: Any,
    *,
    choose: Choose = "exactly_one",
    gap: float = 0.0,
    time_limit: float = 60.0,
    rounds: int | None = None,
    seed: int = 0,
    start_prices: Any = None,
) -> KnapsackSolution:
    """The most valuable choice of items, one of each class, that keeps every capacity.

    `values` (N,), `weights` (m, N) and `capacities` (m,) are finite numbers of any sign; `classes` (N,) are
    whole numbers in any order. `gap` is relative; `time_limit` in seconds. `rounds` ends the search after so many
    beams: then the same arguments give the same answer on a slow machine and a fast one, as long as the time
    limit is not reached. `start_prices` (m,), of a former run on similar data, make the relaxation start from few items.

    Where all values are multiples of one step (whole numbers: 1), a bound less than a step above the value proves
    it optimal.

    Raises InputError with every fault of the arguments, InfeasibleError with the capacities that cannot be kept,
    NoAllocationError where the time passed before any choice was found.
    """
    started = perf_counter()
    full, labels = read_knapsack(values, weights, classes, capacities, choose)
    _check_settings(gap, time_limit, rounds)
    start = None if start_prices is None else _checked_prices(full, start_prices, "start_prices")
    problem = presolve(full)
    priced, whole = relax(problem, None if start is None else evaluate(problem, start[problem.rows]))
    search = Search(problem, priced, seed, started + time_limit)
    search.offer(whole)
    run = _Run(search, gap, time_limit, np.inf if rounds is None else rounds)
    stop = run.until_done()
    if search.best is None:
        raise NoAllocationError(f"no choice was found within {time_limit:g} seconds; raise time_limit")
    prices = np.zeros(len(full.rows))
    prices[problem.rows] = priced.prices
    return KnapsackSolution(
        choice=search.problem.origin[search.best],
        classes=labels,
        value=search.value,
        bound=run.bound,
        price_bound=evaluate(full, prices).bound,
        tree_bound=run.tree_bound,
        prices=prices,
        stop=stop,
        rounds=search.rounds,
        seconds=perf_counter() - started,
    )


@dataclass
class _Run:
    """Search and core by turns."""

    search: Search
    gap: float
    time_limit: float
    rounds: float
    tree_bound: float = np.inf
    expected: Measure | None = None
    cores: int = 0
    last_core: int = -1
    """Rounds before the last core."""
    worth_solving: float = np.inf
    """Items that the next core may have at most."""

    @property
    def bound(self) -> float:
        """The tightest proof, rounded down to a multiple of the values' step."""
        bound, step = min(self.search.priced.bound, self.tree_bound), self.search.problem.step
        if step > 0:
            bound = step * float(np.floor((bound + 1e-9 * max(abs(bound), 1.0)) / step + 1e-9))
        return max(bound, self.search.value)

    def until_done(self) -> Stop:
        """Rounds and cores until the gap is met or time or rounds run out; says which."""
        while True:
            apart = self.bound - self.search.value
            if apart <= 1e-9 * max(abs(self.bound), 1.0):
                return "optimal"
            if apart <= self.gap * max(abs(self.bound), 1.0):
                return "gap"
            if self.search.left <= 0:
                return "time_limit"
            if self._core_is_due():
                self._solve_core()
            elif self.search.rounds >= self.rounds:
                return "rounds"
            else:
                self._search()

    def _search(self) -> None:
        search = self.search
        if search.rounds % ROUNDS_A_WIDTH == 0:
            search.shrink()
            self.expected = find_measure(search.problem, search.priced.prices)
        assert self.expected is not None
        search.round(self.expected)

    def _core_is_due(self) -> bool:
        """After the first rounds, then whenever beams widen: while few items survive, fewer than last time."""
        search = self.search
        if search.rounds < min(_ROUNDS_BEFORE_CORE, self.rounds) or search.rounds == self.last_core:
            return False
        if search.best is None:
            return search.rounds % ROUNDS_A_WIDTH == 0 or search.rounds >= self.rounds
        if search.rounds % ROUNDS_A_WIDTH not in (0, _ROUNDS_BEFORE_CORE):
            return False
        count = len(self._survivors())
        return count <= min(_LARGEST_CORE, self.worth_solving)

    def _survivors(self) -> Integers:
        """Items of choices better than the best one, by a whole step where values go by steps."""
        search = self.search
        step = 0.0 if search.best is None else (1.0 - 1e-6) * search.problem.step
        return survivors(search.priced, search.distance - step)

    def _solve_core(self) -> None:
        search = self.search
        items = self._survivors()
        if search.best is None:
            effort = Effort(self.gap / 2, search.left, search.seed)
        else:
            share = min(search.left, _CORE_SHARE * self.time_limit)
            effort = Effort(self.gap / 2, share, search.seed, nodes=_FIRST_NODES * 4**self.cores)
        outcome = solve_core(search.problem, items, search.best, effort)
        if outcome.stop == "infeasible" and search.best is None:
            names = [f"capacity {row}" for row in search.problem.rows]
            raise InfeasibleError(f"no choice of whole items fits: {', '.join(names)} together", names)
        search.offer(outcome.choice)
        self.tree_bound = min(self.tree_bound, max(outcome.bound, search.value))
        self.last_core, self.cores = search.rounds, self.cores + 1
        closed = search.priced.bound - self.tree_bound > 0.3 * search.distance
        self.worth_solving = len(items) if closed else 0.4 * len(items)


def _checked_prices(problem: Knapsack, prices: Any, field: str) -> Floats:
    array = np.asarray(prices, dtype=np.float64)
    if array.shape != problem.capacities.shape or not np.all(np.isfinite(array)) or np.any(array < 0):
        wanted = f"expected {len(problem.capacities)} finite numbers of at least 0"
        raise InputError.of([Fault(wanted, "give one price a capacity", field=field)], "knapsack")
    return array


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
