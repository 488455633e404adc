"""What a picture consists of: panels of bars, of curves or of shaded cells, whatever they are drawn for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from allocator.report.colours import Shade

Scale = Literal["money", "percent", "number"]


@dataclass(frozen=True)
class Axis:
    """What is measured: money in thousands or millions of `unit`, a percentage as a fraction, or a number."""

    label: str
    scale: Scale = "number"
    unit: str = ""
    words: tuple[str, ...] = ()
    """Of places 0, 1, ... where they are no numbers."""


@dataclass(frozen=True)
class Key:
    """What a colour stands for."""

    shade: Shade
    label: str


@dataclass(frozen=True)
class Part:
    """A stretch of a bar, in what the axis measures."""

    start: float
    end: float
    shade: Shade = "deep"
    tooltip: str = ""
    """Shown where a pointer rests on it."""


@dataclass(frozen=True)
class Line:
    """One bar of a row: its parts, and the figure that stands behind it."""

    parts: tuple[Part, ...]
    figure: str = ""
    whisker: tuple[float, float] | None = None
    """From at least to at most, where they differ."""


@dataclass(frozen=True)
class Row:
    """What one or more bars are about; `note` stands below its name."""

    name: str
    lines: tuple[Line, ...]
    note: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Bars:
    """Horizontal bars from zero, names beside them, or above them where it is narrow."""

    heading: str
    axis: Axis
    rows: tuple[Row, ...]
    keys: tuple[Key, ...] = ()
    mark: float | None = None
    """Where a line crosses all bars."""
    most: float | None = None
    """Where the axis ends, whatever bars are longer."""
    figures: str = ""
    """What the figures behind the bars are."""
    more: str = ""
    """What is not shown."""


@dataclass(frozen=True)
class Mark:
    """A line across at one place of an axis, with its words."""

    place: float
    label: str
    shade: Shade | None = None


@dataclass(frozen=True)
class Box:
    """An area from `left` to `right` and `low` to `high`."""

    left: float
    right: float
    low: float
    high: float
    shade: Shade = "deep"


@dataclass(frozen=True)
class Curve:
    """Points that are joined; the name stands where it ends."""

    name: str
    points: tuple[tuple[float, float], ...]
    shade: Shade = "deep"
    look: Literal["line", "dashed", "dotted", "points"] = "line"


@dataclass(frozen=True)
class Plot:
    """Curves and areas over two axes, that of `y` from zero."""

    heading: str
    x: Axis
    y: Axis
    curves: tuple[Curve, ...] = ()
    boxes: tuple[Box, ...] = ()
    marks: tuple[Mark, ...] = ()
    """Upright lines."""
    levels: tuple[Mark, ...] = ()
    """Lines across."""
    more: str = ""
    zero: bool = False
    """Whether zero is on the axis of `x` too."""


@dataclass(frozen=True)
class Cells:
    """Figures by two things, the larger the darker."""

    heading: str
    x: Axis
    y: Axis
    """Their words head columns and rows."""
    values: tuple[tuple[float | None, ...], ...]
    """By row; None where there is nothing."""
    unit: str = ""
    boxed: tuple[int, int] | None = None
    """Row and column that are outlined, as `outlined`."""
    outlined: str = ""


Panel = Bars | Plot | Cells


@dataclass(frozen=True)
class Chart:
    """A picture: what it is about, its answer in a sentence, and panels."""

    title: str
    answer: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()
