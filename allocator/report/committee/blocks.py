"""What a report consists of, whatever it is written as: paragraphs, tables with bars, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from allocator.report.colours import Tone
from allocator.report.committee.figure import Figure
from allocator.report.drawing.chart import Panel


@dataclass(frozen=True)
class Strong:
    """Words or a figure that carry the sentence."""

    part: str | Figure


@dataclass(frozen=True)
class Code:
    """A command or a file, as it is typed."""

    text: str


UNITS = "k = thousand, m = million, bn = billion".replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
"""What amounts on a report's front are written in."""

Inline = str | Figure | Strong | Code
Words = Sequence[Inline]


@dataclass(frozen=True)
class Stretch:
    """A part of a bar, from `start` to `end` of its width, 0 to 1."""

    start: float
    end: float
    tone: Tone = "deep"


@dataclass(frozen=True)
class Bar:
    """A bar inside a table: one or two lines of stretches; the numbers stand beside it."""

    lines: tuple[tuple[Stretch, ...], ...]
    mark: float | None = None
    """Where a line crosses it: a bound, or zero."""


Cell = Inline | Bar | tuple[Inline, ...] | None


@dataclass(frozen=True)
class Column:
    """A column's heading and what stands in it."""

    heading: str
    kind: Literal["text", "number", "bar"] = "number"


@dataclass(frozen=True)
class Row:
    cells: tuple[Cell, ...]
    strong: bool = False
    tone: Tone | None = None


@dataclass(frozen=True)
class Table:
    """Rows under headings; of many rows the others are counted in `more`."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""
    total: Row | None = None
    more: str = ""
    shades: tuple[tuple[float, ...], ...] = ()
    """How dark each number's cell is, 0 to 1, by row; empty for a plain table."""


@dataclass(frozen=True)
class Paragraph:
    words: tuple[Inline, ...]
    kind: Literal["plain", "lead", "note"] = "plain"


@dataclass(frozen=True)
class Listing:
    """Points, one per line."""

    points: tuple[tuple[Inline, ...], ...]
    heading: str = ""
    """With it the points are what is asked of whoever reads."""


@dataclass(frozen=True)
class Picture:
    """A drawing, its name where it cannot be seen, and in words what it shows."""

    panel: Panel
    label: str
    words: str


@dataclass(frozen=True)
class Verbatim:
    """A file's text, as it is."""

    text: str


Block = Paragraph | Table | Picture | Listing | Verbatim


@dataclass(frozen=True)
class Section:
    """A question and its answer."""

    key: str
    """The anchor."""
    question: str
    blocks: tuple[Block, ...]
    behind: str = ""
    """The anchor of the rows and the formula behind its figures."""
    width: Literal["third", "half", "half tall", "whole"] = "half"
    """Of the page; a tall one stands beside two others."""


@dataclass(frozen=True)
class Card:
    """One of the figures that are seen first."""

    title: str
    figure: Figure | str
    words: tuple[Inline, ...]
    behind: str
    tone: Tone | None = None


@dataclass(frozen=True)
class Report:
    """A whole report."""

    title: str
    subtitle: str
    seal: tuple[tuple[Inline, ...], ...]
    """Its first line is the verdict."""
    certified: bool
    front: tuple[Block, ...]
    cards: tuple[Card, ...]
    sections: tuple[Section, ...]
    foot: tuple[tuple[Inline, ...], ...]
    annex: tuple[Section, ...] = field(default=())
    front_behind: str = "a-value"
    signatures: tuple[str, ...] = ("Decision", "Treasurer", "Risk", "Date")


def words(*parts: Inline) -> Paragraph:
    return Paragraph(parts)


def note(*parts: Inline) -> Paragraph:
    return Paragraph(parts, "note")


def joined(parts: Sequence[Inline], last: str = " and ") -> tuple[Inline, ...]:
    """`a, b and c`."""
    out: list[Inline] = []
    for i, part in enumerate(parts):
        if i:
            out.append(last if i == len(parts) - 1 else ", ")
        out.append(part)
    return tuple(out)


def typed(text: str) -> tuple[Inline, ...]:
    """A sentence of the report's own in which what stands between backticks is typed as it is."""
    return tuple(Code(part) if i % 2 else part for i, part in enumerate(text.split("`")))
