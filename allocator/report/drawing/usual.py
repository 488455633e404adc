"""Panels that a command and the report both draw: simulated years, what more budget brings, equal shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from allocator.report.colours import Shade
from allocator.report.drawing.chart import Axis, Box, Curve, Mark, Plot


def histogram(
    edges: Sequence[float], counts: Sequence[int], marks: Sequence[Mark], x: Axis, heading: str = ""
) -> Plot:
    """How many years end where; years below zero in orange. The axis goes through zero."""
    boxes = [
        Box(left, right, 0.0, float(count), "warn" if right <= 0 else "deep")
        for left, right, count in zip(edges, edges[1:], counts, strict=False)
        if count
    ]
    return Plot(heading, x, Axis("years"), boxes=tuple(boxes), marks=tuple(marks), zero=True)


@dataclass(frozen=True)
class SolvedBound:
    """A bound that was solved for: what one more unit brings there, and over which bounds it does."""

    at: float
    slope: float
    low: float
    """NaN: not known."""
    high: float


@dataclass(frozen=True)
class SlopeStep:
    """Bounds from `start` to `end` at which one more unit brings from `least` to `most`."""

    start: float
    end: float
    least: float
    most: float
    exact: bool


def steps_between(points: Sequence[SolvedBound], *, between: bool = True) -> list[SlopeStep]:
    """Exact stretches around the `points`, ascending; what lies `between` two of them where it is concave."""
    if not points:
        return []
    first, last = points[0].at, points[-1].at
    exact = []
    for point in points:
        start, end = (point.at if math.isnan(end) else end for end in (point.low, point.high))
        exact.append(SlopeStep(max(start, first), min(end, last), point.slope, point.slope, exact=True))
    steps: list[SlopeStep] = []
    for exact_step, following in pairwise([*exact, None]):
        if exact_step is None:
            continue
        steps.append(exact_step)
        if between and following is not None and following.start > exact_step.end:
            least, most = sorted((exact_step.least, following.least))
            steps.append(SlopeStep(exact_step.end, following.start, least, most, exact=False))
    return [step for step in steps if step.end > step.start or step.exact]


def ladder(
    steps: Sequence[SlopeStep], now: Sequence[Mark], x: Axis, y: Axis, heading: str = "", more: str = ""
) -> Plot:
    """What one more unit of a bound brings, by bound: dark where it is exact, light where it lies between."""
    boxes = []
    for step in steps:
        near, far = sorted((step.least, step.most), key=abs)
        boxes.append(_between(step, 0.0, near, "deep" if step.exact else "pale"))
        boxes += [_between(step, near, far, "fifth")] if near != far else []
    return Plot(heading, x, y, boxes=tuple(boxes), marks=tuple(now), more=more)


def _between(step: SlopeStep, start: float, end: float, shade: Shade) -> Box:
    return Box(step.start, step.end, min(start, end), max(start, end), shade)


def lorenz(points: Sequence[tuple[float, float]], name: str) -> Plot:
    """A Lorenz curve below the line of equal shares."""
    return Plot(
        "", Axis("of the loans, the smallest first", "percent"), Axis(f"of {name}", "percent"),
        (Curve("", ((0.0, 0.0), (1.0, 1.0)), "rest", "dashed"), Curve("", tuple(points), "deep")),
    )  # fmt: skip
