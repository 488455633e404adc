"""Drawings that a table of bars cannot be: years by net, value by budget, a Lorenz curve. One style for "
"all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from allocator.report.committee.figure import unit_of
from allocator.report.committee.markup import Markup, tag
from allocator.report.committee.style import DEEP, INK, MUTED, PALE, RULE, WARN

WIDTH, HEIGHT = 360.0, 208.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 8.0, 30.0, 38.0
_SIZE = 11.0


@dataclass(frozen=True)
class Frame:
    """A plot's window: data of x and y to places on the drawing."""

    left: float
    right: float
    low: float
    high: float

    def x(self, value: float) -> float:
        span = (self.right - self.left) or 1.0
        return _LEFT + (value - self.left) / span * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return HEIGHT - _BOTTOM - (value - self.low) / span * (HEIGHT - _TOP - _BOTTOM)


def text(
    x: float, y: float, said: str, anchor: str = "middle", *, strong: bool = False, fill: str = MUTED
) -> Markup:
    return tag(
        "text", said, x=round(x, 1), y=round(y, 1), font_size=_SIZE, text_anchor=anchor, fill=fill,
        font_weight="700" if strong else None,
    )  # fmt: skip


def line(
    x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0, dashes: str | None = None
) -> Markup:
    return tag("line", x1=round(x1, 1), y1=round(y1, 1), x2=round(x2, 1), y2=round(y2, 1), stroke=colour,
               stroke_width=width, stroke_dasharray=dashes)  # fmt: skip


def box(frame: Frame, left: float, right: float, low: float, high: float, fill: str) -> Markup:
    width = max(frame.x(right) - frame.x(left) - 0.6, 0.4)
    top, height = frame.y(high), max(frame.y(low) - frame.y(high), 0.0)
    return tag("rect", x=round(frame.x(left), 2), y=round(top, 2), width=round(width, 2),
               height=round(height, 2), fill=fill)  # fmt: skip


def drawing(label: str, *shapes: Markup) -> Markup:
    """The shapes with a name that is read aloud in their place."""
    return tag("svg", *shapes, viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="img", aria_label=label)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from `low` to `high`."""
    span = high - low
    if not span > 0:
        return [low]
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(at * step, 12) + 0.0 for at in range(first, math.floor(high / step + 1e-9) + 1)]


def money_writer(amounts: Sequence[float], currency: str) -> tuple[Callable[[float], str], str]:
    """How ticks of money are written, and what their axis is called."""
    size, suffix = (unit := unit_of(amounts)).size, unit.suffix
    return (lambda amount: f"{amount / size:g}"), f"{suffix} {currency}".strip()


def axes(
    frame: Frame,
    across: str,
    up: str,
    write_x: Callable[[float], str],
    write_y: Callable[[float], str] | None,
) -> list[Markup]:
    """Ticks, light lines across and names."""
    bottom = HEIGHT - _BOTTOM
    shapes = []
    if write_y is not None:
        for at in ticks(frame.low, frame.high, 4):
            shapes += [line(_LEFT, frame.y(at), WIDTH - _RIGHT, frame.y(at), RULE),
                       text(_LEFT - 5, frame.y(at) + 4, write_y(at), "end")]  # fmt: skip
    for at in ticks(frame.left, frame.right):
        shapes += [line(frame.x(at), bottom, frame.x(at), bottom + 4, MUTED),
                   text(frame.x(at), bottom + 16, write_x(at))]  # fmt: skip
    shapes += [line(_LEFT, frame.y(max(frame.low, 0.0)), WIDTH - _RIGHT, frame.y(max(frame.low, 0.0)), INK)]
    shapes += [text(WIDTH - _RIGHT, HEIGHT - 6, across, "end"), text(2, 12, up, "start")]
    return shapes


def histogram(
    edges: Sequence[float], counts: Sequence[int], marks: Sequence[tuple[float, str]], currency: str
) -> Markup:
    """How many years end where, with lines at `marks`, ascending; years below zero in orange."""
    top = max(counts, default=1) or 1
    frame = Frame(min(edges[0], 0.0), edges[-1], 0.0, top * 1.32)
    write, unit = money_writer(edges, currency)
    bars = [
        box(frame, left, right, 0.0, count, WARN if right <= 0 else DEEP)
        for left, right, count in zip(edges, edges[1:], counts, strict=False)
        if count
    ]
    shapes = []
    for at, (value, name) in enumerate(marks):
        height = top * (1.05 + 0.11 * at)
        x = frame.x(value)
        shapes.append(line(x, frame.y(0.0), x, frame.y(height), INK, 1.0, "4 3"))
        shapes.append(text(x - 4, frame.y(height) + 4, name, "end", strong=True, fill=INK))
    said = "; ".join(name for _, name in marks)
    return drawing(
        f"Histogram of simulated years by net: {said}",
        *axes(frame, f"net of one year, {unit}", "years", write, None),
        *bars,
        *shapes,
    )


@dataclass(frozen=True)
class Step:
    """Budgets from `start` to `end` at which one more unit brings from `least` to `most`."""

    start: float
    end: float
    least: float
    most: float
    exact: bool


def budget_worth_chart(steps: Sequence[Step], now: float, worth: float, currency: str, name: str) -> Markup:
    """What one more unit of budget brings, by budget; the budget as it is in the middle."""
    top = max((step.most for step in steps), default=0.0) or 1.0
    frame = Frame(
        min((s.start for s in steps), default=0.0), max((s.end for s in steps), default=1.0), 0.0, top * 1.15
    )
    write, unit = money_writer([now], currency)
    shapes = [
        box(frame, step.start, step.end, 0.0, step.least, DEEP if step.exact else PALE) for step in steps
    ]
    shapes += [
        box(frame, step.start, step.end, step.least, step.most, "#dce8f3")
        for step in steps
        if step.most > step.least
    ]
    x = frame.x(now)
    side = "start" if x < WIDTH / 2 + 30 else "end"
    shapes += [line(x, HEIGHT - _BOTTOM, x, frame.y(top * 1.08), WARN, 1.5),
               text(x + (5 if side == "start" else -5), frame.y(top * 1.08) + 3, name, side, strong=True,
                    fill=INK)]  # fmt: skip
    return drawing(
        f"What one more {currency} of budget brings at each budget; {name}: {worth:.4g}",
        *axes(frame, f"budget, {unit}", f"one more {currency} brings", write, lambda at: f"{at:g}"),
        *shapes,
    )


def curve(points: Sequence[tuple[float, float]], name: str) -> Markup:
    """A Lorenz curve below the line of equal shares."""
    frame = Frame(0.0, 1.0, 0.0, 1.0)
    path = "".join(
        f"{'L' if at else 'M'}{frame.x(x):.1f} {frame.y(y):.1f}" for at, (x, y) in enumerate(points)
    )

    def write(share: float) -> str:
        return f"{100 * share:.0f}%"

    return drawing(
        f"Lorenz curve of {name}",
        *axes(frame, "of the loans, the smallest first", f"of {name}", write, write),
        line(frame.x(0), frame.y(0), frame.x(1), frame.y(1), MUTED, 1.0, "4 3"),
        tag("path", d=path, fill="none", stroke=DEEP, stroke_width=2.0),
    )
