"""The knapsack solver on public multiple-choice knapsacks: reader, exact recheck, measurement.

The instances lie in $ALLOCATOR_DATA/mmkp: `n m`, the m capacities, then for each class its number of items
and one line an item, `value weight_1 .. weight_m`; exactly one item of each class is taken. What a run claims
is recomputed here from the file in decimals and fractions, by code that shares nothing with the engine.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from benchmarks.measure import ROOT, child

SECONDS = 60.0
"""Time limit of each instance."""
EXACT = ("hh", "khan")
"""Families whose best value is proved; of the others only the best one known is published."""


@dataclass(frozen=True)
class Instance:
    """One problem as its file has it."""

    capacities: tuple[Decimal, ...]
    classes: tuple[tuple[tuple[Decimal, tuple[Decimal, ...]], ...], ...]
    """Of each class its items: value, weights."""

    def arrays(self) -> tuple[Any, Any, Any, Any]:
        """values (N,), weights (m, N), capacities (m,), classes (N,): what `solve_knapsack` takes."""
        items = [item for items in self.classes for item in items]
        owner = [at for at, items in enumerate(self.classes) for _ in items]
        values = np.array([float(value) for value, _ in items])
        weights = np.array([[float(w) for w in weights] for _, weights in items]).T
        return values, weights, np.array([float(c) for c in self.capacities]), np.array(owner)


@dataclass(frozen=True)
class Published:
    """What index.csv says of an instance."""

    name: str
    value: Decimal
    """Published as exact or as best known."""
    solved: Decimal
    """The value that HiGHS found in 15 seconds or the published one, whichever is greater."""
    weak: bool
    """Whether the published value lies percents below the LP bound."""

    @property
    def family(self) -> str:
        """hh, khan, a, b, c or d."""
        parts = self.name.split("_")
        return parts[1] if parts[0] == "mmkp" else parts[0]

    @property
    def target(self) -> Decimal:
        """What a run is held to."""
        return self.solved if self.family in EXACT else self.value


def folder() -> Path:
    """Where the instances lie."""
    data = os.environ.get("ALLOCATOR_DATA")
    return (Path(data) if data else ROOT.parent / "shared" / "data") / "mmkp"


def read_instance(path: Path) -> Instance:
    """The problem in a file. Raises ValueError where numbers are missing or left over."""
    words = iter(path.read_text("utf-8").split())
    try:
        n, m = int(next(words)), int(next(words))
        capacities = tuple(Decimal(next(words)) for _ in range(m))
        classes = []
        for _ in range(n):
            count = int(next(words))
            rows = [[Decimal(next(words)) for _ in range(1 + m)] for _ in range(count)]
            classes.append(tuple((row[0], tuple(row[1:])) for row in rows))
    except StopIteration:
        raise ValueError(f"{path.name} ends before its last class is complete") from None
    left = sum(1 for _ in words)
    if left:
        raise ValueError(f"{path.name} has {left} numbers after its last class")
    return Instance(capacities, tuple(classes))


def read_index(path: Path) -> dict[str, Published]:
    """The published values by instance."""
    with path.open(encoding="utf-8", newline="") as file:
        found = {}
        for row in csv.DictReader(file):
            name, value = row["file"].removesuffix(".txt"), Decimal(row["published_value"])
            solved = max(value, Decimal(row["highs_15s_value"] or 0))
            found[name] = Published(name, value, solved, "WEAK" in row["status"])
    return found


def recheck(instance: Instance, choice: Sequence[int]) -> Decimal:
    """The exact worth of the items at `choice`, positions as in `arrays`, one a class in order.

    Raises ValueError where a class is missed or a capacity exceeded.
    """
    first = 0
    taken = []
    for items, at in zip(instance.classes, choice, strict=True):
        if not first <= at < first + len(items):
            raise ValueError(f"item {at} is not of the class that begins at {first}")
        taken.append(items[at - first])
        first += len(items)
    for row, capacity in enumerate(instance.capacities):
        load = sum(weights[row] for _, weights in taken)
        if load > capacity:
            raise ValueError(f"capacity {row} is {capacity}, the choice needs {load}")
    return sum((value for value, _ in taken), Decimal(0))


def exact_bound(instance: Instance, prices: Sequence[float]) -> Fraction:
    """U(prices) in fractions: capacities'prices + sum over classes of max (value - weights'prices)."""
    exact = [Fraction(price) for price in prices]
    if min(exact, default=Fraction(0)) < 0:
        raise ValueError("a price is below 0")
    bound = sum((Fraction(c) * p for c, p in zip(instance.capacities, exact, strict=True)), Fraction(0))
    for items in instance.classes:
        bound += max(
            Fraction(value) - sum(Fraction(w) * p for w, p in zip(weights, exact, strict=True) if p)
            for value, weights in items
        )
    return bound


def measure_instance(name: str, seconds: float) -> dict[str, Any]:
    """One instance, solved and rechecked; runs in a process of its own."""
    from allocator.knapsack import solve_knapsack

    instance = read_instance(folder() / f"{name}.txt")
    values, weights, capacities, classes = instance.arrays()
    before = process_time()
    found = solve_knapsack(values, weights, capacities, classes, time_limit=seconds)
    spent = process_time() - before
    worth = recheck(instance, found.choice.tolist())
    return {
        "classes": len(instance.classes),
        "items": len(values),
        "capacities": len(capacities),
        "value": float(worth),
        "bound": found.bound,
        "price_bound": float(exact_bound(instance, found.prices.tolist())),
        "tree_bound": found.tree_bound if np.isfinite(found.tree_bound) else None,
        "claimed": {"value": found.value, "price_bound": found.price_bound},
        "stop": found.stop,
        "rounds": found.rounds,
        "seconds": found.seconds,
        "cpu_seconds": spent,
    }


def measured(known: Mapping[str, Any], names: Sequence[str], seconds: float) -> Iterator[dict[str, Any]]:
    """The record with one of `names` more each time; `known` is a former one, whose other figures stay."""
    index = read_index(folder() / "index.csv")
    instances = {result["instance"]: result for result in known.get("instances", [])}
    for name in names:
        published = index[name]
        found = child(["-m", "benchmarks.worker", "mmkp", name, str(seconds)], 2 * seconds + 120)
        instances[name] = {
            "instance": name,
            "family": published.family,
            "published": float(published.value),
            "target": float(published.target),
            "weak": published.weak,
            **found,
        }
        yield {"limit": seconds, "instances": [instances[one] for one in index if one in instances]}
