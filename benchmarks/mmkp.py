"""The general core on public multiple-choice knapsacks: reader, exact recheck, and the page's section.

The instances lie in $ALLOCATOR_DATA/mmkp: `n m`, the m capacities, then for each class its number of items
and one line an item, `value weight_1 .. weight_m`; exactly one item of each class is taken. What a run claims
is recomputed here from the file in decimals and fractions, by code that shares nothing with the engine.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from benchmarks.machine import BUSY
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
    from allocator.engine.knapsack import solve_knapsack

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


def measured(known: Mapping[str, Any], only: str | None, seconds: float) -> Iterator[dict[str, Any]]:
    """The record with one instance more each time; `known` is a former one, whose other figures stay."""
    instances = {record["instance"]: record for record in known.get("instances", [])}
    for name, published in read_index(folder() / "index.csv").items():
        if only is not None and not name.startswith(only):
            continue
        found = child(["-m", "benchmarks.worker", "mmkp", name, str(seconds)], 2 * seconds + 120)
        instances[name] = {
            "instance": name,
            "family": published.family,
            "published": float(published.value),
            "target": float(published.target),
            "weak": published.weak,
            **found,
        }
        yield {"limit": seconds, "instances": list(instances.values())}


TEXT = """\
## Public knapsacks

The engine's general core ([how](decisions/general-core.md)) on published multiple-choice multidimensional
knapsacks, one core, {limit:.0f} seconds each, seed 0. Values are recomputed from the files in decimals, price
bounds in fractions. *hh* (Hiremath and Hill) and *khan* (Khan and others, 2002) have proved values; of *a*
(Khan's I07 to I13), *b* and *c* (Hifi and others; irregular classes) and *d* the best values known to their
source are published, of *d* many weak ones. gap = (bound - value) / bound.
"""


def section(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The page's section; empty where nothing was measured."""
    if "mmkp" not in found:
        return ""
    record = found["mmkp"]["mmkp"]
    done = [result for result in record["instances"] if "failed" not in result]
    families = list(dict.fromkeys(result["family"] for result in done))
    summary = [_family([result for result in done if result["family"] == family]) for family in families]
    head = (
        "family",
        "instances",
        "reached",
        "above",
        "proved optimal",
        "largest gap",
        "median s",
        "longest s",
    )
    single = [_row(result) for result in done if result["family"] not in EXACT]
    names = ("instance", "n", "m", "published", "value", "more", "bound", "gap", "machine")
    return "\n".join(
        [
            TEXT.format(limit=record["limit"]),
            _table(head, summary),
            "Those without a proved value. *more* is value less published; ! marks a published value that",
            "lies percents below the LP bound.\n",
            _table(names, single),
        ]
    )


def _family(results: Sequence[Mapping[str, Any]]) -> list[str]:
    took = [result["seconds"] for result in results]
    return [
        results[0]["family"],
        str(len(results)),
        str(sum(result["value"] >= result["target"] for result in results)),
        str(sum(result["value"] > result["published"] for result in results)),
        str(sum(result["stop"] == "optimal" for result in results)),
        _percent(max(_gap(result) for result in results)),
        f"{median(took):.1f}",
        f"{max(took):.1f}",
    ]


def _row(result: Mapping[str, Any]) -> list[str]:
    return [
        result["instance"].removeprefix("mmkp_"),
        str(result["classes"]),
        str(result["capacities"]),
        f"{result['published']:,.0f}{' !' if result['weak'] else ''}",
        f"{result['value']:,.0f}",
        f"{result['value'] - result['published']:+,.0f}",
        f"{result['bound']:,.0f}",
        _percent(_gap(result)),
        "quiet" if result["load"] <= BUSY else f"busy, {result['load']:.1f}",
    ]


def _gap(result: Mapping[str, Any]) -> float:
    return float((result["bound"] - result["value"]) / result["bound"])


def _percent(share: float) -> str:
    return f"{share:.3%}" if share > 0 else "0"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])


def keep_all(only: str | None, seconds: float, tell: Any) -> None:
    """Measure the instances whose names begin with `only` (None: all), keeping what is done after each."""
    from benchmarks.measure import keep, results

    for record in measured(results().get("mmkp", {}).get("mmkp", {}), only, seconds):
        keep("mmkp", {"mmkp": record})
        last = record["instances"][-1]
        tell(
            json.dumps({key: last.get(key) for key in ("instance", "published", "value", "bound", "failed")})
        )
