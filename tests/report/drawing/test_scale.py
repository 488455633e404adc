"""Axes: round numbers that have room, in units that people read."""

from __future__ import annotations

from itertools import pairwise

import pytest

from allocator.report.drawing.chart import Axis
from allocator.report.drawing.lettering import width_of
from allocator.report.drawing.scale import Ruler, named, spaced_ticks, ticks, unit_on, writer


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.0, 3_900_000.0, [0.0, 1e6, 2e6, 3e6]),
        (-1.2, 4.0, [0.0, 2.0, 4.0]),
        (5.0, 5.0, [5.0]),
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_ticks_are_round(low: float, high: float, told: list[float]) -> None:
    assert ticks(low, high) == told


@pytest.mark.parametrize(
    ("axis", "value", "told", "name"),
    [
        (Axis("value", "money", "CNY"), 2_500_000.0, "2.5", "value, m CNY"),
        (Axis("value", "money", "CNY"), -40_000.0, "\N{MINUS SIGN}40", "value, k CNY"),
        (Axis("rate", "percent"), 0.085, "8.5%", "rate"),
        (Axis("loans"), 12_000.0, "12,000", "loans"),
    ],
)
def test_figures_along_an_axis(axis: Axis, value: float, told: str, name: str) -> None:
    unit = unit_on(axis, [0.0, value])
    assert writer(axis, unit)(value) == told
    assert named(axis, unit) == name


@pytest.mark.parametrize("wide", [60.0, 200.0, 700.0])
def test_ticks_have_room(wide: float) -> None:
    ruler = Ruler(0.0, 1_234_567_890.0, 0.0, wide)
    found = spaced_ticks(ruler, lambda value: f"{value:,.0f}")
    ends = [(ruler.pixel(at), width_of(f"{at:,.0f}") / 2) for at in found]
    assert all(a + half < b - other for (a, half), (b, other) in pairwise(ends))
    assert len(found) == {60.0: 1, 200.0: 2, 700.0: 7}[wide]
