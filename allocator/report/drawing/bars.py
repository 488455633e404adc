"""Panels of bars: names beside them, or above them on a narrow page; figures behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allocator.report.colours import FILLS, INK, MUTED, RULE
from allocator.report.drawing.chart import Bars, Key, Line, Part, Row
from allocator.report.drawing.lettering import LEADING, SIZE, paragraph, text, width_of
from allocator.report.drawing.scale import Ruler, named, spaced_ticks, unit_on, writer
from allocator.report.markup import Markup, tag

NARROW = 560.0
"""Pixels below which names stand above their bars."""
_NAMES = 0.34
"""Of the width, that names beside bars take at most."""
_THICK, _THIN = 15.0, 11.0
_GAP = 8.0
_LIFTED = 0.3
"""Of the width, from which on figures stand above narrow bars."""
_CUT = 13.0
"""Pixels before the end of a bar that the axis cuts, where its gap is."""
_BETWEEN = 9.0
"""Pixels between two rows."""


def lined(
    x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0, dashes: str = ""
) -> Markup:
    """A straight line."""
    return tag("line", x1=round(x1, 1), y1=round(y1, 1), x2=round(x2, 1), y2=round(y2, 1), stroke=colour,
               stroke_width=width, stroke_dasharray=dashes or None)  # fmt: skip


def _key_of(keys: Sequence[Key], width: float) -> tuple[list[Markup], float]:
    """What colours stand for, in as many lines as it takes."""
    shapes: list[Markup] = []
    x, y = 0.0, 0.0
    for key in keys:
        needed = 16 + width_of(key.label) + 14
        if x and x + needed > width:
            x, y = 0.0, y + LEADING + 2
        lines, high = paragraph(x + 16, y, key.label, width - 16 - x, fill=MUTED)
        shapes += [
            tag("rect", x=round(x, 1), y=round(y + 3, 1), width=10, height=10, fill=FILLS[key.shade]),
            *lines,
        ]
        x, y = (x + needed, y) if high <= LEADING else (width, y + high - LEADING)
    return shapes, y + LEADING + 4 if keys else 0.0


@dataclass(frozen=True)
class _Layout:
    """Where names, bars and figures stand."""

    ruler: Ruler
    names: float
    """Pixels that a name may take."""
    above: bool
    figures: float
    """Where figures end."""
    lifted: bool
    """Whether figures stand beside names, above their bars."""


def draw_bars(panel: Bars, width: float) -> tuple[list[Markup], float]:
    """The panel without its heading, and how high it is."""
    layout = _layout(panel, width)
    shapes, y = _key_of(panel.keys, width)
    top = y
    rows: list[Markup] = []
    spans: list[tuple[float, float]] = []
    for row in panel.rows:
        drawn, high = _row(row, layout, y)
        rows += drawn
        spans.append((y + high - _thickness(row), y + high))
        if panel.mark is not None and layout.above:
            rows.append(_upright(layout.ruler.pixel(panel.mark), y + high - _THICK - 3, y + high + 3))
        y += high + _BETWEEN
    bottom = y - _BETWEEN + 4
    mark = []
    if panel.mark is not None and not layout.above:
        mark.append(_upright(layout.ruler.pixel(panel.mark), top - 4, bottom))
    under, high = _below(panel, layout, bottom)
    behind = spans if layout.above else [(top, bottom)]
    return [*shapes, *_behind(panel, layout, behind), *rows, *mark, *under], bottom + high


def _layout(panel: Bars, width: float) -> _Layout:
    above = width < NARROW
    figures = max(
        (width_of(line.figure, strong=row.strong) for row in panel.rows for line in row.lines), default=0.0
    )
    widths = [max(width_of(row.name, strong=row.strong), width_of(row.note)) for row in panel.rows]
    names = width if above else min(max(widths, default=0.0) + 2, width * _NAMES)
    low, high = _ends(panel)
    lifted = above and figures > _LIFTED * width and all(len(row.lines) == 1 for row in panel.rows)
    start = 0.0 if above else names + _GAP
    end = width - 2.0 if lifted else width - figures - _GAP
    return _Layout(Ruler(low, high, start, end), names, above, width, lifted)


def _ends(panel: Bars) -> tuple[float, float]:
    """From where to where the axis goes: zero is on it."""
    places = [0.0]
    for row in panel.rows:
        for line in row.lines:
            places += [end for part in line.parts for end in (part.start, part.end)]
            places += line.whisker or ()
    low, high = min(places), max(places)
    high = panel.most if panel.most is not None else high
    return (low, high) if high > low else (low, low + 1.0)


def _row(row: Row, layout: _Layout, y: float) -> tuple[list[Markup], float]:
    """A row from the top `y` on, and how high it is."""
    beside = width_of(row.lines[0].figure, strong=row.strong) + _GAP if layout.lifted else 0.0
    name, high = paragraph(0, y, row.name, layout.names - beside, strong=row.strong)
    note_lines, more = (
        paragraph(0, y + high, row.note, layout.names, fill=FILLS["warn"]) if row.note else ([], 0.0)
    )
    words, taken = [*name, *note_lines], high + more
    thick, bars = _THICK if len(row.lines) == 1 else _THIN, _thickness(row)
    level = y + taken + 3 if layout.above else y + max((taken - bars) / 2, 0.0)
    shapes = [*words]
    for line in row.lines:
        shapes += _line(line, layout, level, thick)
        middle = y + SIZE * 0.64 if layout.lifted else level + thick / 2
        shapes.append(
            text(layout.figures, middle + SIZE * 0.36, line.figure, "end", strong=row.strong, fill=INK)
        )
        level += thick + 3.0
    return shapes, taken + 3 + bars if layout.above else max(taken, bars)


def _thickness(row: Row) -> float:
    """Pixels that the bars of a row take together."""
    count = len(row.lines)
    return _THICK if count == 1 else _THIN * count + 3.0 * (count - 1)


def _line(line: Line, layout: _Layout, y: float, thick: float) -> list[Markup]:
    ruler, middle = layout.ruler, y + thick / 2
    shapes = [_part(part, ruler, y, thick) for part in line.parts]
    if line.whisker is not None:
        low, high = (ruler.pixel(min(end, ruler.high)) for end in line.whisker)
        shapes += [lined(low, middle, high, middle, INK, 1.5)]
        shapes += [lined(end, middle - 4, end, middle + 4, INK, 1.5) for end in (low, high)]
    return shapes


def _part(part: Part, ruler: Ruler, y: float, thick: float) -> Markup:
    """A stretch; it is never nothing where there is something."""
    left, right = sorted((ruler.pixel(min(part.start, ruler.high)), ruler.pixel(min(part.end, ruler.high))))
    wide = max(right - left, 1.0 if part.start != part.end else 0.0)
    shape: dict[str, float] = {
        "x": round(left, 2),
        "y": round(y, 1),
        "width": round(wide, 2),
        "height": thick,
    }
    title = [tag("title", part.tooltip)] if part.tooltip else []
    edge = 0.7 if wide > 3 else None
    drawn = [tag("rect", **shape, fill=FILLS[part.shade], stroke=edge and "#fff", stroke_width=edge)]
    if max(part.start, part.end) > ruler.high:
        drawn.append(_gap(right - _CUT, y, thick))
    return tag("g", *title, *drawn)


def _gap(x: float, y: float, thick: float) -> Markup:
    """A slanting gap from `x`, that says that a bar goes on."""
    slope = f"M{x:.1f} {y + thick + 1:.1f}l4 {-thick - 2:.1f}h3l-4 {thick + 2:.1f}z"
    return tag("path", d=slope, fill="#fff")


def _behind(panel: Bars, layout: _Layout, spans: Sequence[tuple[float, float]]) -> list[Markup]:
    """Lines behind the bars, the one at zero darker; `spans` are from where to where, so that none crosses a
    name above its bars.
    """
    ruler = layout.ruler
    write = writer(panel.axis, unit_on(panel.axis, [ruler.low, ruler.high]))
    places = [*map(ruler.pixel, spaced_ticks(ruler, write))]
    lines = [lined(x, top - 2, x, bottom, RULE) for top, bottom in spans for x in places]
    if layout.above and ruler.low == 0.0:
        return lines
    zero = ruler.pixel(0.0)
    return [*lines, *(lined(zero, top - 2, zero, bottom, MUTED) for top, bottom in spans)]


def _below(panel: Bars, layout: _Layout, bottom: float) -> tuple[list[Markup], float]:
    """What the axis says, and how high it is."""
    ruler = layout.ruler
    unit = unit_on(panel.axis, [ruler.low, ruler.high])
    write, name = writer(panel.axis, unit), named(panel.axis, unit)
    shapes = [
        text(inside(ruler.pixel(tick), write(tick), layout.figures), bottom + 14, write(tick), "middle")
        for tick in spaced_ticks(ruler, write)
    ]
    y = bottom + 14 + LEADING
    shapes.append(text(ruler.start, y, name))
    if panel.figures:
        y += 0.0 if width_of(name) + width_of(panel.figures) + 12 <= layout.figures - ruler.start else LEADING
        shapes.append(text(layout.figures, y, panel.figures, "end"))
    return shapes, y - bottom + 10


def inside(x: float, label: str, width: float) -> float:
    """The middle of words that stay on the page."""
    half = width_of(label) / 2
    return min(max(x, half), width - half)


def _upright(x: float, top: float, bottom: float) -> Markup:
    return lined(x, top, x, bottom, INK, 1.5)
