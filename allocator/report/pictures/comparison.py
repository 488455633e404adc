"""A comparison: what each side is worth, of which segments, and how much less than the first."""

from __future__ import annotations

from allocator.insight.compare import Comparison
from allocator.report.drawing.chart import Axis, Bars, Chart, Key, Line, Row
from allocator.report.drawing.units import short
from allocator.report.money import relative, visible
from allocator.report.pictures.parts import shades_of, stacked

_PARTS = 4
"""Segments that are parts of their own."""


def comparison_chart(comparison: Comparison, title: str, answer: str, broken: dict[int, str]) -> Chart:
    """A bar a side, its parts the segments; `broken` says by the side's place what it breaks."""
    sides, first = comparison.sides, comparison.sides[0]
    named, others = _largest(comparison)
    keys = [*zip(shades_of(named), named, strict=True)]
    rows = []
    for i, (side, segments) in enumerate(zip(sides, comparison.segments, strict=True)):
        worth = {name: segment.value for name, segment in segments.items()}
        parts = [(worth.get(name, 0.0), shade, name) for shade, name in keys]
        parts += [(sum(worth.get(name, 0.0) for name in others), "rest", "others")]
        idle = side.value - sum(worth.values())
        parts += [(idle, "pale", "idle budget")] if visible(idle) else []
        less = first.value - side.value
        figure = short(side.value) + (_apart(less, side.value) if side is not first else "")
        rows.append(Row(side.name, (Line(stacked(parts), figure),), broken.get(i, ""), strong=side is first))
    rest = [Key("rest", f"{len(others)} others of {comparison.by}")] if others else []
    panel = Bars(
        f"Value, by {comparison.by}", Axis("value", "money", first.currency), tuple(rows),
        keys=(*(Key(shade, name) for shade, name in keys), *rest),
        figures=f"value · against {first.name}, as a share of it",
    )  # fmt: skip
    return Chart(title, answer, (panel,))


def _apart(less: float, value: float) -> str:
    """How much less than the first, or more."""
    if not visible(less):
        return " · as much"
    share = relative(abs(less), value)
    return f" · {short(abs(less))} {'less' if less > 0 else 'more'}" + (f", {share}" if share else "")


def _largest(comparison: Comparison) -> tuple[list[str], list[str]]:
    """The segments that are worth most over all sides, by name, and the others."""
    worth: dict[str, float] = {}
    for segments in comparison.segments:
        for name, account in segments.items():
            worth[name] = worth.get(name, 0.0) + abs(account.value)
    ordered = sorted((name for name in worth if worth[name]), key=lambda name: (-worth[name], name))
    room = _PARTS + 1 if len(ordered) == _PARTS + 1 else _PARTS
    return sorted(ordered[:room]), sorted(ordered[room:])
