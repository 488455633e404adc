"""From figures to places on a picture, and back to what stands along an axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from allocator.records.percentages import as_percentage
from allocator.report.drawing.chart import Axis
from allocator.report.drawing.lettering import width_of
from allocator.report.drawing.units import PLAIN, Unit, signed, unit_of
from allocator.report.money import figure

_GAP = 14.0
"""Pixels between what stands at two ticks."""


@dataclass(frozen=True)
class Ruler:
    """Figures from `low` to `high` along pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def pixel(self, value: float) -> float:
        """The pixel of `value`."""
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, about so many at `most`."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    raw = span / max(most, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) + 0.0 for i in range(first, math.floor(high / step + 1e-9) + 1)]


def unit_on(axis: Axis, values: Sequence[float]) -> Unit:
    """What the figures along `axis` are written in."""
    return unit_of(values) if axis.scale == "money" else PLAIN


def writer(axis: Axis, unit: Unit) -> Callable[[float], str]:
    """How a figure stands at a tick."""
    match axis.scale:
        case "percent":
            return lambda value: signed(as_percentage(value))
        case "money":
            return lambda value: signed(f"{value / unit.size:,.6g}")
    return lambda value: signed(figure(value))


def named(axis: Axis, unit: Unit) -> str:
    """The axis with its unit: `budget, m CNY`."""
    unit_name = unit.of(axis.unit) if axis.scale == "money" else axis.unit
    return ", ".join(filter(None, (axis.label, unit_name)))


def spaced_ticks(ruler: Ruler, write: Callable[[float], str], most: int = 7) -> list[float]:
    """As many ticks as stand beside one another without touching."""
    for count in range(most, 0, -1):
        places = ticks(ruler.low, ruler.high, count)
        halves = [(ruler.pixel(tick), width_of(write(tick)) / 2) for tick in places]
        if all(b - a >= half + other + _GAP for (a, half), (b, other) in pairwise(halves)):
            return places
    return [ruler.low]
