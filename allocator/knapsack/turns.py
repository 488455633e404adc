"""Search and core by turns, until value and bound meet, or time or rounds run out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from allocator.engine.program import Effort
from allocator.engine.solving import solve
from allocator.errors import InfeasibleError
from allocator.knapsack.gibbs import find_measure
from allocator.knapsack.lagrangian import program_of, unit_of
from allocator.knapsack.problem import Knapsack
from allocator.knapsack.search import ROUNDS_A_WIDTH, Search
from allocator.records.portfolio import Integers
from allocator.records.progress import Progress

_SMALL_CORE = 400
"""Items; a tree search over so few is expected to end, and is tried again whenever it did not."""
_LARGEST_CORE = 1_500
"""Items; beyond it a tree search seldom leaves its root in so few nodes."""
_SMALL_NODES, _LARGE_NODES = 400, 40
"""Nodes of a first core, small or larger; four times as many each time that one is tried again."""
_RETRY = 0.5
"""Share of its items that such a core may have left when it is tried again."""

Stop = Literal["optimal", "gap", "time_limit", "rounds"]


@dataclass
class Turns:
    """The rounds of one width, then a core if it may end, then the rounds of twice that width."""

    search: Search
    gap: float
    """Relative."""
    rounds: float
    progress: Progress
    tree_bound: float = np.inf
    _cores: int = 0
    _worth: float = _LARGEST_CORE
    """Items that the next core may have."""

    @property
    def bound(self) -> float:
        """The tightest proof, rounded down to a multiple of the values' step."""
        bound, step = min(self.search.priced.bound, self.tree_bound), self.search.problem.step
        if step > 0:
            bound = step * float(np.floor((bound + 1e-9 * max(abs(bound), 1.0)) / step + 1e-9))
        return max(bound, self.search.value)

    def until_done(self) -> Stop:
        """Turns until the gap is met or something runs out; says which."""
        while True:
            self._search()
            whole_width = self.search.rounds > 0 and self.search.rounds % ROUNDS_A_WIDTH == 0
            if whole_width and self._met() is None and self.search.left > 0:
                self._solve_core()
            stop = self._met()
            if stop is not None:
                return stop
            if self.search.left <= 0:
                return "time_limit"
            if self.search.rounds >= self.rounds:
                return "rounds"

    def _met(self) -> Stop | None:
        apart, scale = self.bound - self.search.value, max(abs(self.bound), 1.0)
        if apart <= 1e-9 * scale:
            return "optimal"
        return "gap" if apart <= self.gap * scale else None

    def _search(self) -> None:
        """The rounds of one width."""
        search = self.search
        if self._met() is not None or search.rounds >= self.rounds:
            return
        search.shrink()
        self.progress(f"searching {len(search.problem.values):,} items: {self._so_far()}")
        expected = find_measure(search.problem, search.priced.prices)
        for _ in range(ROUNDS_A_WIDTH):
            search.round(expected)
            if self._met() is not None or search.left <= 0 or search.rounds >= self.rounds:
                return

    def _solve_core(self) -> None:
        """The core of what can still be better, if it is small enough to be worth it."""
        search = self.search
        step = (1.0 - 1e-6) * search.problem.step
        inside = search.priced.loss <= search.distance - step
        if search.best is not None:
            inside[search.best] = True
        items = np.flatnonzero(inside)
        if search.best is not None and len(items) > self._worth:
            return
        self.progress(f"solving a core of {len(items):,} items: {self._so_far()}")
        distance = self.gap / 2 * max(abs(self.bound), 1.0)
        nodes = (_SMALL_NODES if len(items) <= _SMALL_CORE else _LARGE_NODES) * 4**self._cores
        effort = Effort(distance, search.left, search.seed, nodes=nodes)
        choice, bound = solve_core(search.problem, items, search.best, effort)
        if bound == -np.inf and search.best is None:
            names = [f"capacity {row}" for row in search.problem.rows]
            raise InfeasibleError(f"no choice of whole items fits: {', '.join(names)} together", names)
        search.offer(choice)
        self.tree_bound = min(self.tree_bound, max(bound, search.value))
        self._cores += 1
        self._worth = max(_SMALL_CORE, _RETRY * len(items))

    def _so_far(self) -> str:
        return "no choice yet" if self.search.best is None else f"{self.search.value:,g} of {self.bound:,g}"


def solve_core(
    problem: Knapsack, items: Integers, start: Integers | None, effort: Effort
) -> tuple[Integers | None, float]:
    """The best choice among `items`, which hold those of `start` (n,), and what none among them is worth more
    than, -inf where none fits; `effort.distance` is in value."""
    point = None if start is None else np.isin(items, start).astype(np.float64)
    unit = unit_of(problem)
    effort = replace(effort, distance=effort.distance / unit)
    answer = solve(program_of(problem, items, whole=True), effort, start=point)
    bound = -np.inf if answer.stop == "infeasible" else answer.bound * unit
    taken = np.zeros(0, dtype=items.dtype) if answer.point is None else items[answer.point > 0.5]
    return taken if len(taken) == len(problem) else None, bound
