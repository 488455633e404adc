"""Small knapsacks of many shapes, and what trying every choice finds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from allocator.knapsack import KnapsackSolution, price_bound, solve_knapsack

SHAPES = ("whole", "real", "one value", "zeros and ones", "other units", "equal rows")


@dataclass(frozen=True)
class Small:
    """A problem of up to six classes and five capacities, some of them tight, some impossible."""

    values: Any
    weights: Any
    capacities: Any
    classes: Any

    def solve(self, **settings: Any) -> KnapsackSolution:
        return solve_knapsack(self.values, self.weights, self.capacities, self.classes, **settings)

    def price_bound(self, prices: Any) -> float:
        return price_bound(self.values, self.weights, self.capacities, self.classes, prices)

    def fits(self, choice: Any) -> bool:
        room = self.capacities - self.weights[:, choice].sum(axis=1)
        return bool(np.all(room >= -1e-9 * np.maximum(np.abs(self.capacities), 1.0)))

    def best(self) -> float:
        """Over every choice; -inf where none fits."""
        groups = [np.flatnonzero(self.classes == label) for label in np.unique(self.classes)]
        every = (list(choice) for choice in itertools.product(*groups))
        return max((self.values[choice].sum() for choice in every if self.fits(choice)), default=-np.inf)

    def permuted(self, seed: int) -> Small:
        """The same items in another order, the same classes by other names."""
        chance = np.random.default_rng(seed)
        order = chance.permutation(len(self.values))
        names = chance.permutation(100)
        return Small(self.values[order], self.weights[:, order], self.capacities, names[self.classes[order]])

    def looser(self, row: int, by: float) -> Small:
        capacities = self.capacities.copy()
        capacities[row] += by
        return replace(self, capacities=capacities)


def small(seed: int) -> Small:
    chance = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    n, m = int(chance.integers(1, 7)), int(chance.integers(1, 6))
    counts = chance.integers(1, 6, n)
    classes = np.repeat(np.arange(n), counts)
    values = chance.integers(0, 20, len(classes)).astype(float)
    weights = chance.integers(0, 10, (m, len(classes))).astype(float)
    if shape == "real":
        values, weights = chance.normal(size=len(classes)), chance.normal(size=weights.shape)
    elif shape == "one value":
        values[:] = 1.0
    elif shape == "zeros and ones":
        weights = (weights > 7).astype(float)
    elif shape == "other units":
        values, weights = values * 1e6, weights * 1e-3
    elif shape == "equal rows":
        weights[:] = weights[:1]
    first = np.cumsum(counts) - counts
    fitting = first + chance.integers(0, counts)
    share = chance.choice([1.0, 1.0, 1.1, 0.9, 0.7])
    return Small(values, weights, weights[:, fitting].sum(axis=1) * share, classes)


def large(seed: int, n: int = 200, m: int = 12, k: int = 8) -> Small:
    """A correlated problem that no search closes in seconds; too many items for a core."""
    chance = np.random.default_rng(seed)
    weights = chance.integers(0, 40, (m, n * k)).astype(float)
    values = np.floor(weights.sum(axis=0) + chance.integers(0, 60, n * k))
    return Small(values, weights, np.floor(n * weights.mean(axis=1)), np.repeat(np.arange(n), k))
