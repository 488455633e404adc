"""Panels of shaded cells: a figure by two things."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.report.colours import DEEP, INK, MUTED, RULE, WARN
from allocator.report.drawing.bars import inside, lined
from allocator.report.drawing.chart import Cells
from allocator.report.drawing.lettering import LEADING, SIZE, paragraph, text, width_of
from allocator.report.drawing.units import Unit, unit_of
from allocator.report.markup import Markup, tag

_HIGH = 24.0
_DARKEST = 0.62
"""Of the deep blue, in a shaded cell: ink on it has a contrast of 4.5."""


def shaded(shade: float) -> str:
    """From nearly white to a blue on which the ink can still be read."""
    ends = [int(DEEP[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 + (end - 255) * _DARKEST * shade):02x}" for end in ends)


def draw_cells(panel: Cells, width: float) -> tuple[list[Markup], float]:
    """The panel without its heading, and how high it is; figures stand in cells that have room for them."""
    values = [value for row in panel.values for value in row if value is not None]
    unit = unit_of(values)
    left = max(map(width_of, [*panel.y.words, panel.y.label]), default=0.0) + 10
    wide = (width - left) / max(len(panel.x.words), 1)
    spelt = max((width_of(unit.bare(value)) for value in values), default=0.0) + 6 <= wide
    shapes = [text(left, SIZE, panel.x.label)]
    shapes += _heads(panel.x.words, left, wide)
    top = 2 * LEADING + 6
    shapes.append(text(0, 2 * LEADING, panel.y.label))
    low, high = min(values, default=0.0), max(values, default=0.0)
    for i, (name, row) in enumerate(zip(panel.y.words, panel.values, strict=True)):
        y = top + i * _HIGH
        shapes.append(text(left - 8, y + 16, name, "end"))
        for across, value in enumerate(row):
            shade = 0.0 if value is None else (value - low) / ((high - low) or 1.0)
            shapes += _cell(value, left + across * wide, y, wide, shade, unit, spelt)
    bottom = top + len(panel.values) * _HIGH
    if panel.boxed is not None:
        row_at, column_at = panel.boxed
        shapes.append(
            tag("rect", x=round(left + column_at * wide, 1), y=top + row_at * _HIGH, width=round(wide - 1, 1),
                height=_HIGH - 1, fill="none", stroke=WARN, stroke_width=2.5)
        )  # fmt: skip
    measured_in = unit.of(panel.unit)
    ends = "" if spelt else f"from {unit.bare(low)} (light) to {unit.bare(high)} (dark) "
    told = ", ".join(filter(None, (f"{ends}{measured_in}", panel.outlined)))
    below, high = paragraph(0, bottom + 4, told, width, fill=MUTED)
    return [*shapes, *below], bottom + 4 + high + 4


def _heads(words: Sequence[str], left: float, wide: float) -> list[Markup]:
    """Every so many of the columns' words, so that none touches another."""
    widest = max(map(width_of, words), default=0.0) + 6
    every = next((step for step in range(1, len(words) + 1) if widest <= step * wide), 1)
    return [
        text(
            inside(left + (i + 0.5) * wide, words[i], left + len(words) * wide),
            2 * LEADING,
            words[i],
            "middle",
        )
        for i in range(0, len(words), every)
    ]


def _cell(
    value: float | None, x: float, y: float, wide: float, shade: float, unit: Unit, spelt: bool
) -> list[Markup]:
    if value is None:
        return [lined(x + wide / 2 - 4, y + 12, x + wide / 2 + 4, y + 12, MUTED)]
    figure = unit.bare(value)
    box = tag("rect", x=round(x, 1), y=y, width=round(wide - 1, 1), height=_HIGH - 1, fill=shaded(shade),
              stroke=RULE, stroke_width=0.5)  # fmt: skip
    words = [text(x + wide / 2, y + 16, figure, "middle", fill=INK)] if spelt else []
    return [tag("g", tag("title", figure), box), *words]
