"""Panels of curves and areas over two axes, with marks whose words never stand over one another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from allocator.report.colours import FILLS, INK, MUTED, RULE
from allocator.report.drawing.bars import lined
from allocator.report.drawing.chart import Axis, Box, Curve, Mark, Plot
from allocator.report.drawing.lettering import LEADING, SIZE, text, width_of
from allocator.report.drawing.scale import Ruler, named, spaced_ticks, ticks, unit_on, writer
from allocator.report.markup import Markup, tag

_DASHES = {"line": "", "dashed": "7 4", "dotted": "2 3", "points": ""}
_HEIGHT = 0.42
"""Of the width; between these:"""
_LOWEST, _HIGHEST = 130.0, 250.0
_HEADROOM = 0.06
"""Of the height, above what is highest."""


@dataclass(frozen=True)
class _Frame:
    x: Ruler
    y: Ruler


def draw_plot(panel: Plot, width: float) -> tuple[list[Markup], float]:
    """The panel without its heading, and how high it is."""
    x_ends, y_ends = _ends(panel)
    unit_x, unit_y = unit_on(panel.x, x_ends), unit_on(panel.y, y_ends)
    write_x, write_y = writer(panel.x, unit_x), writer(panel.y, unit_y)
    up = ticks(*y_ends, 4)
    left = max((width_of(write_y(tick)) for tick in up), default=0.0) + 8
    ends = [curve for curve in panel.curves if curve.name and curve.look != "points"]
    right = width - min(max((width_of(curve.name) + 8 for curve in ends), default=6.0), width * 0.3)
    ordered = sorted(panel.marks, key=lambda mark: mark.place)
    high = min(max(width * _HEIGHT, _LOWEST), _HIGHEST)
    top = LEADING + 10 + len(ordered) * LEADING
    frame = _Frame(Ruler(*x_ends, left, right), Ruler(*y_ends, top + high, top))
    shapes = [text(0, SIZE, named(panel.y, unit_y))]
    shapes += _across(frame, up, write_y)
    shapes += _below(panel.x, frame, write_x, width)
    shapes += [_box(box, frame) for box in panel.boxes]
    shapes += [shape for level in panel.levels for shape in _level(level, frame)]
    shapes += [_curve(curve, frame) for curve in panel.curves]
    shapes += _names(ends, frame)
    shapes += _marks(ordered, frame, width)
    bottom = top + high + 16
    below = named(panel.x, unit_x)
    shapes.append(text(max(right, width_of(below)), bottom + LEADING + 2, below, "end"))
    return shapes, bottom + LEADING + 8


def _ends(panel: Plot) -> tuple[tuple[float, float], tuple[float, float]]:
    """From where to where both axes go: zero is on that of `y`, whatever is marked on either."""
    xs = [box_end for box in panel.boxes for box_end in (box.left, box.right)]
    xs += [x for curve in panel.curves for x, _ in curve.points] + [mark.place for mark in panel.marks]
    xs += [*range(len(panel.x.words)), *([0.0] if panel.zero else [])]
    ys = [0.0, *(end for box in panel.boxes for end in (box.low, box.high))]
    ys += [y for curve in panel.curves for _, y in curve.points] + [level.place for level in panel.levels]
    low, high = min(ys), max(ys)
    room = (high - low) * _HEADROOM
    return _apart(min(xs, default=0.0), max(xs, default=1.0)), _apart(
        low - (room if low < 0 else 0.0), high + room
    )


def _apart(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 0.5, low + 0.5) if low else (0.0, 1.0)


def _across(frame: _Frame, up: Iterable[float], write: Callable[[float], str]) -> list[Markup]:
    shapes = []
    for tick in up:
        y = frame.y.pixel(tick)
        shapes += [
            lined(frame.x.start, y, frame.x.end, y, RULE),
            text(frame.x.start - 5, y + 4, write(tick), "end"),
        ]
    zero = frame.y.pixel(0.0)
    return [*shapes, lined(frame.x.start, zero, frame.x.end, zero, INK)]


def _below(axis: Axis, frame: _Frame, write: Callable[[float], str], width: float) -> list[Markup]:
    bottom = frame.y.start
    places = _words_that_fit(axis, frame) if axis.words else spaced_ticks(frame.x, write)
    shapes = []
    for tick in places:
        label, x = (axis.words[int(tick)] if axis.words else write(tick)), frame.x.pixel(tick)
        half = width_of(label) / 2
        shapes += [lined(x, bottom, x, bottom + 4, MUTED)]
        shapes += [text(min(max(x, half), width - half), bottom + 16, label, "middle")]
    return shapes


def _words_that_fit(axis: Axis, frame: _Frame) -> list[float]:
    """Every so many of the words, so that none touches another."""
    count = len(axis.words)
    room = (frame.x.end - frame.x.start) / max(count - 1, 1)
    widest = max(map(width_of, axis.words), default=0.0) + 10
    every = next((step for step in range(1, count) if widest <= step * room), max(count - 1, 1))
    return [float(i) for i in range(0, count, every)]


def _box(box: Box, frame: _Frame) -> Markup:
    left, right = frame.x.pixel(box.left), frame.x.pixel(box.right)
    top, bottom = sorted((frame.y.pixel(box.low), frame.y.pixel(box.high)))
    gap = 0.6 if right - left > 2 else 0.0
    return tag("rect", x=round(left, 2), y=round(top, 2), width=round(max(right - left - gap, 0.4), 2),
               height=round(bottom - top, 2), fill=FILLS[box.shade])  # fmt: skip


def _curve(curve: Curve, frame: _Frame) -> Markup:
    places = [(frame.x.pixel(x), frame.y.pixel(y)) for x, y in curve.points]
    fill = FILLS[curve.shade]
    if curve.look == "points":
        return tag("g", *(tag("circle", cx=round(x, 1), cy=round(y, 1), r=3, fill=fill) for x, y in places))
    path = "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(places))
    return tag("path", d=path, fill="none", stroke=fill, stroke_width=2.0,
               stroke_dasharray=_DASHES[curve.look] or None)  # fmt: skip


def _names(curves: Iterable[Curve], frame: _Frame) -> list[Markup]:
    """Each curve's name where it ends, pushed down where it would stand over another."""
    ends = [(frame.x.pixel(x), frame.y.pixel(y), curve) for curve in curves for x, y in curve.points[-1:]]
    shapes, last = [], (0.0, -1e9)
    for x, y, curve in sorted(ends, key=lambda end: end[:2]):
        below = max(y, last[1] + LEADING - 1) if x == last[0] else y
        last = (x, below)
        fill = INK if curve.shade in ("pale", "fourth", "fifth") else FILLS[curve.shade]
        shapes.append(text(x + 6, below + 4, curve.name, fill=fill, halo=True))
    return shapes


def _level(level: Mark, frame: _Frame) -> list[Markup]:
    y, fill = frame.y.pixel(level.place), FILLS[level.shade] if level.shade else INK
    shapes = [lined(frame.x.start, y, frame.x.end, y, fill, 1.2, "5 3")]
    return (
        [*shapes, text(frame.x.start + 4, y - 5, level.label, fill=fill, strong=True)]
        if level.label
        else shapes
    )


def _marks(marks: list[Mark], frame: _Frame, width: float) -> list[Markup]:
    """Upright lines, each with its words on a line of its own above the plot.

    With all words on one side of their lines, and the line that they point away from the highest, no line
    crosses a word; only where there is room on neither side for all do they stand on both.
    """
    places = [(mark, frame.x.pixel(mark.place), width_of(mark.label, strong=True)) for mark in marks]
    if all(x + 5 + wide <= width for _, x, wide in places):
        before = False
    else:
        before = all(wide <= x - 5 for _, x, wide in places)
    shapes = []
    for row, (mark, x, wide) in enumerate(reversed(places) if before else places, start=2):
        y = row * LEADING + 1
        fill = FILLS[mark.shade] if mark.shade else INK
        shapes.append(lined(x, y - 8, x, frame.y.start, fill, 1.2, "4 3"))
        right = not before and x + 5 + wide <= width
        place, anchor = (x + 5, "start") if right else (max(x - 5, wide), "end")
        shapes.append(text(place, y, mark.label, anchor, strong=True, fill=INK, halo=True))
    return shapes
