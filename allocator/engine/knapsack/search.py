"""Rounds of beam search: over the whole problem, and over a part of it around the best choice so far.

Everything that decides is drawn from seeded generators and counted in work, not in seconds: the clock only
says when to stop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from allocator.engine.knapsack.beam import beam
from allocator.engine.knapsack.gibbs import Measure, measure, positive
from allocator.engine.knapsack.lagrangian import Priced
from allocator.engine.knapsack.problem import Knapsack
from allocator.records.portfolio import Floats, Integers

ROUNDS_A_WIDTH = 12
"""Rounds before beams become twice as wide."""
_FIRST_WORK = 100_000
"""States extended in a round of the first width, over all classes."""
_LARGEST_MEMORY = 15_000_000
"""Parents remembered by one beam, over all classes: 120 MB with their items."""
_LARGEST_STAGE = 5_000_000
"""Extensions looked at at once: 120 MB."""
_COOLING = (0.5, 1.0, 0.25)
"""Factors on the expected temperature, in turn: colder beams are greedier."""
_HEATING = 1.5
"""Factor on the temperature after each round without a choice that fits: more slack is left for one."""
_SHARES = (1.0, 0.7, 0.85, 0.5)
"""Shares of the classes that a round decides anew, in turn; the rest stays as it is."""
_SHUFFLES = (0.5, 0.2, 1.0, 4.0)
"""How far, in standard deviations of a log, the order of classes strays from most spread first."""


@dataclass
class Search:
    """What is known so far; nothing in it is ever lost to a worse finding."""

    problem: Knapsack
    priced: Priced
    seed: int
    deadline: float
    """perf_counter seconds."""
    best: Integers | None = None
    """(n,)"""
    value: float = -np.inf
    rounds: int = 0
    heat: float = 1.0
    """Factor on all temperatures: grows until a first choice fits."""
    _walker: Integers | None = field(default=None, repr=False)
    """(n,) where neighbourhoods are centred: the best choice or one slightly worse."""

    @property
    def left(self) -> float:
        """Seconds."""
        return self.deadline - perf_counter()

    @property
    def distance(self) -> float:
        """What an item may lose and still be in a choice no worse than the best one."""
        return self.priced.bound - self.value + 1e-12 * abs(self.priced.bound)

    def offer(self, choice: Integers | None) -> None:
        """Keeps `choice` if it fits and is the best so far."""
        if choice is None or not self.problem.fits(choice):
            return
        value = self.problem.value(choice)
        if value > self.value:
            self.best, self.value, self._walker = choice, value, choice

    def shrink(self) -> None:
        """Drops items that are in no choice as good as the best one (Dembo and Hammer, 1980)."""
        mask = self.priced.loss <= self.distance
        if mask.all() or self.best is None:
            return
        mask[self.best] = True
        position = np.cumsum(mask) - 1
        walker = self._walker if self._walker is not None and mask[self._walker].all() else self.best
        self.problem = self.problem.keep(mask)
        self.priced = Priced(self.priced.prices, self.priced.loss[mask], self.priced.bound)
        self.best, self._walker = position[self.best], position[walker]

    def round(self, expected: Measure) -> None:
        """One beam: whole or part, hot or cold, as its number says."""
        number = self.rounds
        self.rounds += 1
        if number % ROUNDS_A_WIDTH == 0:
            self._walker = self.best
        chance = np.random.default_rng([self.seed, number])
        temperature = self.heat * expected.temperature * _COOLING[number % len(_COOLING)]
        share = _SHARES[number % len(_SHARES)]
        work = _FIRST_WORK * 2.0 ** (number // ROUNDS_A_WIDTH)
        if share == 1.0 or self._walker is None or len(self.problem) < 4:
            self._whole(temperature, expected.prices, work, chance)
        else:
            self._part(share, temperature, expected.prices, work, chance)
        if self.best is None:
            self.heat *= _HEATING

    def _whole(self, temperature: float, prices: Floats, work: float, chance: np.random.Generator) -> None:
        at = measure(self.problem, temperature, prices)
        for choice in self._beam(self.problem, at, work, self._to_beat(self.value), chance)[:1]:
            self.offer(choice)

    def _part(
        self, share: float, temperature: float, prices: Floats, work: float, chance: np.random.Generator
    ) -> None:
        """Decides some classes anew; a choice up to about a temperature worse may become the next centre."""
        walker = self._walker
        assert walker is not None
        count = max(2, round(share * len(self.problem)))
        free = np.sort(chance.choice(len(self.problem), count, replace=False))
        part, items = self.problem.part(free, walker)
        held = self.problem.value(walker) - self.problem.value(walker[free])
        accept = self.problem.value(walker) - chance.exponential(temperature) - held
        at = measure(part, temperature, positive(part, prices))
        for found in self._beam(part, at, work, accept, chance):
            if np.array_equal(items[found], walker[free]):
                continue
            choice = walker.copy()
            choice[free] = items[found]
            if self.problem.fits(choice):
                self._walker = choice
                self.offer(choice)
            return

    def _beam(
        self, problem: Knapsack, at: Measure, work: float, beat: float, chance: np.random.Generator
    ) -> Integers:
        """The two best choices found, best first."""
        spread = np.add.reduceat(
            at.probability
            * np.einsum("nm,m->n", (problem.weights - at.mean[problem.owner]) ** 2, at.prices**2),
            problem.start[:-1],
        )
        stray = _SHUFFLES[int(chance.integers(len(_SHUFFLES)))]
        order = np.argsort(
            -np.log(spread + 1e-300) + stray * chance.standard_normal(len(problem)), kind="stable"
        )
        most = min(_LARGEST_MEMORY / len(problem), _LARGEST_STAGE / int(np.max(np.diff(problem.start))))
        width = int(np.clip(work / len(problem), 1, most))
        choices = beam(problem, at, order, width, beat, self.deadline)
        if choices is None:
            return np.zeros((0, len(problem)), dtype=np.int64)
        worth = problem.values[choices].sum(axis=1)
        return choices[np.argsort(-worth, kind="stable")[:2]]

    def _to_beat(self, value: float) -> float:
        return value + 0.5 * self.problem.step if np.isfinite(value) else -np.inf
