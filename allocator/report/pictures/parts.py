"""What several pictures consist of: parts of a sum, steps of a waterfall, limits by how full they are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from allocator.report.colours import PARTS, Shade
from allocator.report.drawing.chart import Axis, Bars, Key, Line, Part, Row
from allocator.report.drawing.units import short
from allocator.report.limits import (
    Used,
    floors_of,
    fullest_of,
    fullness,
    is_tight,
    limit_in_words,
    nearest_first,
    state_of,
    used_of,
    without_cuts,
)
from allocator.report.money import small
from allocator.report.plain import more

MOST = 12
"""Limits of a picture."""
_FULL, _LONGEST = 1.001, 1.25
"""Where the axis of a gauge ends, and where it does as a limit is broken: the bound stands at 1."""


def stacked(amounts: Sequence[tuple[float, Shade, str]]) -> tuple[Part, ...]:
    """Parts of one sum behind one another, what is below zero to its left."""
    ends = {True: 0.0, False: 0.0}
    parts = []
    for amount, shade, name in amounts:
        start = ends[amount > 0]
        ends[amount > 0] = start + amount
        if amount:
            parts.append(Part(start, start + amount, shade, f"{name}: {short(amount)}"))
    return tuple(parts)


def shades_of(names: Sequence[str]) -> tuple[Shade, ...]:
    """A shade for each of the parts of a sum, dark to light."""
    return tuple(PARTS[i] for i in range(len(names)))


def steps(entries: Sequence[tuple[str, float, Shade]], total: str) -> Iterator[Row]:
    """A waterfall: each amount begins where the one before ended; `total` is where they come to."""
    level = 0.0
    for name, amount, shade in entries:
        part = Part(level, level + amount, shade, f"{name}: {short(amount)}")
        yield Row(name, (Line((part,), short(amount)),))
        level += amount
    yield Row(
        total, (Line((Part(0.0, level, "deep", f"{total}: {short(level)}"),), short(level)),), strong=True
    )


def gauge(uses: Sequence[Used]) -> Bars:
    """How full the nearest limits are, and the shadow price of each."""
    ordered = nearest_first(without_cuts(uses))
    shown, others = ordered[:MOST], ordered[MOST:]
    rows = []
    for use in shown:
        full = used_of(use)
        tight, state = is_tight(use), state_of(use, "binds")
        price = f" · {small(use['price'])}" if use["price"] else ""
        name = limit_in_words(use["name"])
        share = _share(use, full, tight)
        bar = Part(0.0, min(full, 2 * _LONGEST), "warn" if tight else "deep", f"{name}: {share}")
        word = f" ({state})" if state else ""
        rows.append(Row(f"{name}{word}", (Line((bar,), f"{share}{price}"),), strong=tight))
    beyond = any(used_of(use) > _FULL for use in shown)
    cut = ["a bar with a gap near its end goes on"] * any(used_of(use) > _LONGEST for use in shown)
    return Bars(
        "Which limits shape it: how full each is, and its shadow price",
        Axis("used, of the bound", "percent"), tuple(rows),
        keys=(Key("warn", "binds, is missed or broken"), Key("deep", "has room")),
        mark=1.0, most=_LONGEST if beyond else _FULL, figures="used · shadow price",
        more="; ".join([*more(len(others), f"limits, {fullest_of(others)}"), *floors_of(shown), *cut]),
    )  # fmt: skip


def _share(use: Used, full: float, tight: bool) -> str:
    """How full, never 100% where there is room; no share of nothing is told."""
    if not math.isfinite(full):
        return f"{short(use['used'])} of {short(use['bound'])}"
    return fullness(full, tight=tight)
