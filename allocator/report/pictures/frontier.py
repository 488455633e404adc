"""A frontier: the value as a limit moves, and what one more unit of its bound brings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from allocator.insight.whatif.frontier import Frontier, FrontierPoint
from allocator.report.drawing.chart import Axis, Cells, Chart, Curve, Mark, Plot
from allocator.report.drawing.units import short
from allocator.report.drawing.usual import SolvedBound, ladder, steps_between
from allocator.report.money import small

_LARGE = 10_000.0
"""From here on a bound is written in thousands or millions."""
_POINT = 0.01
"""Of a share: what one more percentage point of it is."""


def frontier_chart(frontier: Frontier, write: Callable[[float, bool], str]) -> Chart:
    """Of one limit curves from zero; of two a cell for each pair of their bounds."""
    solved = [point for point in frontier.points if point.solved]
    title = f"{frontier.name}: value against {' and '.join(frontier.limits)}"
    missing = len(frontier.points) - len(solved)
    notes = (f"{missing} of {len(frontier.points)} points have no allocation",) if missing else ()
    answer = frontier_answer(frontier, write)
    if not solved:
        return Chart(title, answer, (), notes)
    best = max(solved, key=lambda point: point.value)
    panels = (_value(frontier, solved), _slope(frontier, solved)) if len(frontier.limits) == 1 else (
        _pairs(frontier, best, write),
    )  # fmt: skip
    return Chart(title, answer, panels, notes)


def frontier_answer(frontier: Frontier, write: Callable[[float, bool], str]) -> str:
    """Where the value is largest, and what it is as things are."""
    solved = [point for point in frontier.points if point.solved]
    if not solved:
        return "No point has an allocation."
    best = max(solved, key=lambda point: point.value)
    bounds = ", ".join(
        f"{name} {_short(bound, share, write)}"
        for name, bound, share in zip(frontier.limits, best.at, frontier.percentages, strict=True)
    )
    worth = f"Worth most, {short(best.value)} {frontier.currency}, at {bounds}."
    return f"{worth} {_now(frontier, solved)}".strip()


def _short(bound: float, share: bool, write: Callable[[float, bool], str]) -> str:
    """A bound as it stands beside others: thousands and millions as such."""
    return short(bound) if not share and abs(bound) >= _LARGE else write(bound, share)


def _now(frontier: Frontier, solved: list[FrontierPoint]) -> str:
    """What it is worth as it is, where that point was solved."""
    now = [point for point in solved if _is_now(frontier, point)]
    return f"As it is: {short(now[0].value)}." if now else ""


def _is_now(frontier: Frontier, point: FrontierPoint) -> bool:
    return all(abs(a - b) <= 1e-9 * abs(b) for a, b in zip(point.at, frontier.now, strict=True))


def _axis(frontier: Frontier) -> Axis:
    limit, share = frontier.limits[0], frontier.percentages[0]
    money = not share and max(abs(point.at[0]) for point in frontier.points) >= _LARGE
    unit = frontier.currency if limit == "budget" else ""
    return Axis(limit, "percent" if share else "money" if money else "number", unit)


def _value(frontier: Frontier, solved: list[FrontierPoint]) -> Plot:
    bound = tuple((point.at[0], point.envelope) for point in solved if math.isfinite(point.envelope))
    return Plot(
        "Value (dots), and the bound that no allocation exceeds (line)",
        _axis(frontier), Axis("value", "money", frontier.currency),
        (Curve("", bound, "fourth"), Curve("", tuple((p.at[0], p.value) for p in solved), look="points")),
        marks=(Mark(frontier.now[0], "as it is", "warn"),),
    )  # fmt: skip


def _slope(frontier: Frontier, solved: list[FrontierPoint]) -> Plot:
    """What one more unit brings; a share moves by a percentage point."""
    share = frontier.percentages[0]
    size = _POINT if share else 1.0
    points = [SolvedBound(p.at[0], p.slopes[0] * size, p.low, p.high) for p in solved]
    unit = "percentage point" if share else "unit"
    own = [point for point in points if abs(point.at - frontier.now[0]) <= 1e-9 * abs(frontier.now[0])]
    label = f"as it is: {short(own[0].slope) if share else small(own[0].slope)}" if own else "as it is"
    between = "; light: between two points, from least to most" if frontier.concave else ""
    return ladder(
        steps_between(points, between=frontier.concave), [Mark(frontier.now[0], label, "warn")],
        _axis(frontier), Axis("gain", "money" if share else "number", frontier.currency),
        f"What one more {unit} of the bound brings",
        f"Dark: exact, over as much as the same shadow prices hold{between}.",
    )  # fmt: skip


def _pairs(frontier: Frontier, best: FrontierPoint, write: Callable[[float, bool], str]) -> Cells:
    ways: list[Any] = [sorted({point.at[way] for point in frontier.points}) for way in (0, 1)]
    values = {point.at: point.value for point in frontier.points if point.solved}
    heads = [
        Axis(
            frontier.limits[way],
            words=tuple(_short(bound, frontier.percentages[way], write) for bound in ways[way]),
        )
        for way in (0, 1)
    ]
    return Cells(
        "Value at each pair of bounds", heads[0], heads[1],
        tuple(tuple(values.get((first, second)) for first in ways[0]) for second in ways[1]),
        frontier.currency,
        (ways[1].index(best.at[1]), ways[0].index(best.at[0])), "outlined: worth most; a dash: no allocation",
    )  # fmt: skip
