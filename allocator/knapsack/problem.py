"""A multiple-choice multidimensional knapsack as arrays: read, checked, and cut down to what can matter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from allocator.errors import Fault, InfeasibleError, InputError
from allocator.records.portfolio import Booleans, Floats, Integers

Choose = Literal["exactly_one", "at_most_one"]

TOLERANCE = 1e-9
"""Largest excess over a capacity, relative to max(|capacity|, 1); whole numbers are compared as they are."""


@dataclass(frozen=True)
class Knapsack:
    """max sum of values, one item of each class, every capacity kept; N items, n classes, m capacities."""

    values: Floats
    """(N,)"""
    weights: Floats
    """(N, m), of any sign."""
    capacities: Floats
    """(m,)"""
    start: Integers
    """(n + 1,) class i holds the items start[i] .. start[i + 1] - 1, at least one."""
    origin: Integers
    """(N,) position of each item among the caller's; -1 is taking none."""
    rows: Integers
    """(m,) position of each capacity among the caller's."""
    step: float
    """Every value is a whole multiple of it; 0 where no step was found."""

    def __len__(self) -> int:
        return len(self.start) - 1

    @cached_property
    def owner(self) -> Integers:
        """(N,) class of each item."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def value(self, choice: Integers) -> float:
        """Worth of the items `choice` (n,), whatever their order."""
        return math.fsum(self.values[choice])

    def fits(self, choice: Integers) -> bool:
        """Whether the items `choice` (n,) keep every capacity."""
        excess = self.weights[choice].sum(axis=0) - self.capacities
        return bool(np.all(excess <= TOLERANCE * np.maximum(np.abs(self.capacities), 1.0)))

    def keep(self, mask: Booleans) -> Knapsack:
        """The items of `mask` only; every class keeps one at least."""
        start = np.concatenate([[0], np.cumsum(np.add.reduceat(mask.astype(np.int64), self.start[:-1]))])
        return replace(
            self,
            values=self.values[mask],
            weights=self.weights[mask],
            start=start,
            origin=self.origin[mask],
        )


def read_knapsack(
    values: Any, weights: Any, capacities: Any, classes: Any, choose: Choose
) -> tuple[Knapsack, Integers]:
    """The problem with its items class by class, and the class labels (n,) in ascending order.

    Within a class items stand by value, then by their weights, so that the caller's order of items changes
    nothing. Taking none becomes an item of value and weights 0. Raises InputError with every fault.
    """
    value, weight, label, capacity = _arrays(values, weights, capacities, classes, choose)
    origin = np.arange(len(value))
    labels, owner = np.unique(label, return_inverse=True)
    if choose == "at_most_one":
        none = len(labels)
        value = np.concatenate([value, np.zeros(none)])
        weight = np.concatenate([weight, np.zeros((none, weight.shape[1]))])
        owner = np.concatenate([owner, np.arange(none)])
        origin = np.concatenate([origin, np.full(none, -1)])
    order = np.lexsort([*weight.T[::-1], value, owner])
    problem = Knapsack(
        values=value[order],
        weights=np.ascontiguousarray(weight[order]),
        capacities=capacity,
        start=np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(labels)))]).astype(np.int64),
        origin=origin[order],
        rows=np.arange(len(capacity)),
        step=_step(value),
    )
    return problem, labels


def _arrays(
    values: Any, weights: Any, capacities: Any, classes: Any, choose: str
) -> tuple[Floats, Floats, Integers, Floats]:
    faults: list[Fault] = []
    value = _numbers(values, "values", 1, faults)
    weight = _numbers(weights, "weights", 2, faults)
    capacity = _numbers(capacities, "capacities", 1, faults)
    label = np.asarray(classes)
    if label.ndim != 1 or not np.issubdtype(label.dtype, np.integer):
        faults.append(
            Fault(
                f"expected whole numbers in one dimension, found {label.dtype} of shape {label.shape}",
                "give each item the number of its class",
                field="classes",
            )
        )
    if choose not in ("exactly_one", "at_most_one"):
        faults.append(Fault(f"unknown rule {choose!r}", "use exactly_one or at_most_one", field="choose"))
    if not faults:
        faults += _shape_faults(value, weight, label, capacity)
    if faults:
        raise InputError.of(faults, "knapsack")
    return value, weight.T, label, capacity


def _numbers(given: Any, field: str, dimensions: int, faults: list[Fault]) -> Floats:
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        faults.append(Fault("is no array of numbers", "give numbers", field=field))
        return np.zeros((0,) * dimensions)
    if array.ndim != dimensions:
        faults.append(
            Fault(
                f"expected {dimensions} dimension(s), found {array.ndim}",
                "weights are one row a capacity, one column an item; the others are plain lists",
                field=field,
            )
        )
    elif not np.all(np.isfinite(array)):
        bad = np.argwhere(~np.isfinite(array))
        place = ", ".join(str(index) for index in bad[0])
        faults.append(
            Fault(
                f"{len(bad)} without a finite number, first at [{place}]", "give finite numbers", field=field
            )
        )
    return array


def _shape_faults(value: Floats, weight: Floats, label: Any, capacity: Floats) -> Sequence[Fault]:
    faults = []
    if len(value) == 0:
        faults.append(Fault("there is no item", "give one item at least", field="values"))
    if len(label) != len(value):
        faults.append(
            Fault(f"{len(label)} classes for {len(value)} items", "give one class an item", field="classes")
        )
    if weight.shape != (len(capacity), len(value)):
        faults.append(
            Fault(
                f"shape {weight.shape}, expected {(len(capacity), len(value))}",
                "give one row a capacity and one column an item",
                field="weights",
            )
        )
    return faults


def _step(values: Floats) -> float:
    """The largest step, a whole number of some 10^-k, k <= 6, that every value is a multiple of.

    A value counts as a multiple only if it is the very double that the decimal number reads as.
    """
    for digits in range(7):
        power = 10.0**digits
        whole = np.round(values * power)
        if np.max(np.abs(whole)) < 2.0**53 and np.array_equal(whole / power, values):
            return float(np.gcd.reduce(whole.astype(np.int64))) / power
    return 0.0


def presolve(problem: Knapsack) -> Knapsack:
    """Without items that fit no choice at all and without capacities that no choice can exceed.

    Raises InfeasibleError where a class has no item left.
    """
    first = problem.start[:-1]
    blamed = np.zeros(len(problem.rows), dtype=bool)
    while True:
        least = np.minimum.reduceat(problem.weights, first, axis=0)
        room = problem.capacities - least.sum(axis=0) + least
        slack = TOLERANCE * np.maximum(np.abs(problem.capacities), 1.0)
        over = problem.weights > room[problem.owner] + slack
        mask = ~over.any(axis=1)
        blamed |= over.any(axis=0)
        if mask.all():
            return _drop_slack_rows(problem)
        if np.any(np.add.reduceat(mask.astype(np.int64), first) == 0):
            names = [f"capacity {row}" for row in problem.rows[blamed]]
            raise InfeasibleError(f"no choice of items fits: {', '.join(names)} cannot be kept", names)
        problem = problem.keep(mask)
        first = problem.start[:-1]


def _drop_slack_rows(problem: Knapsack) -> Knapsack:
    most = np.maximum.reduceat(problem.weights, problem.start[:-1], axis=0).sum(axis=0)
    used = most > problem.capacities
    return replace(
        problem,
        weights=np.ascontiguousarray(problem.weights[:, used]),
        capacities=problem.capacities[used],
        rows=problem.rows[used],
    )
