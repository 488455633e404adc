"""Rounds of beam search, each at another temperature and in another order of classes, wider and wider.

Everything that decides is drawn from seeded generators and counted in work, not in seconds: the clock only
says when to stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from allocator.knapsack.beam import beam
from allocator.knapsack.gibbs import GibbsMeasure, measure
from allocator.knapsack.lagrangian import ProvenPrices
from allocator.knapsack.problem import Knapsack
from allocator.records.portfolio import Integers

ROUNDS_A_WIDTH = 6
"""Rounds before beams become twice as wide."""
_FIRST_WORK = 100_000
"""States extended in a round of the first width, over all classes."""
_LARGEST_MEMORY = 15_000_000
"""Parents remembered by one beam, over all classes: 120 MB with their items."""
_LARGEST_STAGE = 5_000_000
"""Extensions looked at at once: 120 MB."""
_COOLING = (0.5, 1.0, 0.25)
"""Factors on the expected temperature, in turn: colder beams are greedier."""
_HEATING = 2.0
"""Factor on the temperature after each round without a choice that fits: more slack is left for one."""
_SHUFFLES = (0.5, 0.2, 1.0, 4.0)
"""How far, in standard deviations of a log, the order of classes strays from most spread first."""


@dataclass
class Search:
    """What is known so far; nothing in it is ever lost to a worse finding."""

    problem: Knapsack
    priced: ProvenPrices
    seed: int
    deadline: float
    """perf_counter seconds."""
    best: Integers | None = None
    """(n,)"""
    value: float = -np.inf
    rounds: int = 0
    heat: float = 1.0
    """Factor on all temperatures: grows until a first choice fits."""

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
            self.best, self.value = choice, value

    def shrink(self) -> None:
        """Drops items that are in no choice as good as the best one (Dembo and Hammer, 1980)."""
        mask = self.priced.loss <= self.distance
        if mask.all() or self.best is None:
            return
        mask[self.best] = True
        self.problem = self.problem.keep(mask)
        self.priced = ProvenPrices(self.priced.prices, self.priced.loss[mask], self.priced.bound)
        self.best = (np.cumsum(mask) - 1)[self.best]

    def round(self, expected: GibbsMeasure) -> None:
        """One beam, at the temperature and in the order of classes that its number gives."""
        number = self.rounds
        self.rounds += 1
        temperature = self.heat * expected.temperature * _COOLING[number % len(_COOLING)]
        guide = measure(self.problem, temperature, expected.prices)
        width = self._width(_FIRST_WORK * 2.0 ** (number // ROUNDS_A_WIDTH))
        choices = beam(self.problem, guide, self._order(guide, number), width, self._to_beat, self.deadline)
        if choices is not None:
            worth = self.problem.values[choices].sum(axis=1)
            self.offer(choices[int(np.argmax(worth))])
        if self.best is None:
            self.heat *= _HEATING

    def _order(self, guide: GibbsMeasure, number: int) -> Integers:
        """(n,) classes with the widest spread of priced weights first, somewhat shuffled."""
        away = self.problem.weights - guide.mean[self.problem.owner]
        variance = guide.probability * np.einsum("nm,m->n", away**2, guide.prices**2)
        spread = np.log(np.add.reduceat(variance, self.problem.start[:-1]) + 1e-300)
        chance = np.random.default_rng([self.seed, number])
        stray = _SHUFFLES[int(chance.integers(len(_SHUFFLES)))]
        return np.argsort(stray * chance.standard_normal(len(spread)) - spread, kind="stable")

    def _width(self, work: float) -> int:
        most = min(
            _LARGEST_MEMORY / len(self.problem), _LARGEST_STAGE / int(np.max(np.diff(self.problem.start)))
        )
        return int(np.clip(work / len(self.problem), 1, most))

    @property
    def _to_beat(self) -> float:
        """What a choice must be worth to be of use."""
        return self.value + 0.5 * self.problem.step if self.best is not None else -np.inf
