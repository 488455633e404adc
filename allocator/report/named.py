"""Tables of names with their figures: no figure is cut, and a name folds where its words do."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile, zip_longest
from typing import Literal

from rich.cells import cell_len
from rich.console import Group, RenderableType

from allocator.report.plain import Text, side_by_side
from allocator.report.room import room

NAME = 34
"""Columns that a name takes before it folds."""
_BROKEN = 24
"""Columns that a name takes where figures go on below."""
LEAST = 12
"""Columns down to which names fold beside their figures."""
_HEADING = 24
"""Columns that a heading takes before it folds."""
_LINES = 2
"""Lines of a name beside its figures; a longer one stands above them."""
_RULE = "\N{BOX DRAWINGS LIGHT HORIZONTAL}"
_PIECES = re.compile(r"[^ \-_./\[,]*[\-_./\[,]+ *|[^ \-_./\[,]+ *| +")
"""A name in the parts between which it may fold."""


@dataclass(frozen=True)
class Figures:
    """A column of a table: its heading and what stands in it, row by row."""

    heading: str
    cells: Sequence[str]
    side: Literal["left", "right"] = "right"
    fold_at: int | None = None
    """Columns from which its cells fold where their words do; None: never."""

    @property
    def width(self) -> int:
        whole = max([min(cell_len(self.heading), _HEADING), *map(cell_len, self.cells)])
        if self.fold_at is None:
            return whole
        words = (word for text in (self.heading, *self.cells) for word in text.split())
        return max(min(whole, self.fold_at), *map(cell_len, words), 0)

    @property
    def head(self) -> list[str]:
        """The heading in lines."""
        return folded(self.heading, self.width)

    def lines(self, i: int) -> list[str]:
        """What stands in row `at`, in lines."""
        return [self.cells[i]] if self.fold_at is None else folded(self.cells[i], self.width)

    def set(self, cell: str) -> str:
        """A cell as wide as the column."""
        blanks = " " * (self.width - cell_len(cell))
        return f"{blanks}{cell}" if self.side == "right" else f"{cell}{blanks}"


def figures_of(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Figures]:
    """The columns of `rows`, one under each heading."""
    return [Figures(heading, [row[i] for row in rows]) for i, heading in enumerate(headings)]


def named_table(
    heading: str, names: Sequence[str], columns: Sequence[Figures], *, total: bool = False
) -> RenderableType:
    """Names with their columns, as many beside one another as the page has room for, the others below.

    A name that would take more than two lines beside its figures stands above them. Words in the last column
    fold where that keeps all columns together. The last row may be the `total`, below a line of its own.
    """
    longest = min(max(map(cell_len, [heading, *names]), default=0), NAME)
    columns = _together(columns)
    widths = [2 + column.width for column in columns]
    left = room() - sum(widths)
    beside = min(longest, left if left >= LEAST else _BROKEN)
    blocks = [[columns[i] for i in block] for block in side_by_side(widths, room() - beside)]
    ends = {len(names) - 1} if total else set()
    return Group(*(line for block in blocks for line in _lines(heading, names, block, beside, ends)))


def _together(columns: Sequence[Figures]) -> Sequence[Figures]:
    """The columns, the last one folded where they have room beside one another only so."""
    left = room() - LEAST - sum(2 + column.width for column in columns)
    if left >= 0 or not columns or columns[-1].side == "right":
        return columns
    *others, last = columns
    folded_last = replace(last, fold_at=0)
    return [*others, folded_last] if left + last.width - folded_last.width >= 0 else columns


def _lines(
    heading: str, names: Sequence[str], columns: Sequence[Figures], width: int, ruled: Container[int]
) -> Iterator[Text]:
    """The rows, each of those that are `ruled` below a line."""

    def row(name: str, cells: Sequence[str], style: str = "") -> Text:
        figures = "".join(f"  {column.set(cell)}" for column, cell in zip(columns, cells, strict=True))
        return Text(f"{name}{' ' * (width - cell_len(name))}{figures}".rstrip(), style, no_wrap=True)

    heads = [column.head for column in columns]
    for i in range(-max(map(len, heads), default=1), 0):
        cells = [head[i] if len(head) >= -i else "" for head in heads]
        yield row(heading if i == -1 else "", cells, "bold")
    rule = Text(_RULE * (width + sum(2 + column.width for column in columns)), no_wrap=True)
    yield rule
    for i, name in enumerate(names):
        if i in ruled:
            yield rule
        above, *below = folded(name, width)
        if len(below) >= _LINES:
            yield from (Text(line, no_wrap=True) for line in folded(name, room()))
            above, below = "", []
        cell_lines = [column.lines(i) for column in columns]
        for part, *parts in zip_longest([above, *below], *cell_lines, fillvalue=""):
            yield row(part, parts)


def folded(name: str, width: int) -> list[str]:
    """`name` in lines of at most `width` columns: between words, else after a dash, a dot or a bracket."""
    lines = [""]
    for piece in _PIECES.findall(name):
        if cell_len(f"{lines[-1]}{piece}".rstrip()) <= width:
            lines[-1] += piece
            continue
        lines += [piece] if lines[-1] else []
        lines[-1] = piece
        while cell_len(lines[-1].rstrip()) > width:
            lines[-1:] = _cut(lines[-1], width)
    return [line.rstrip() for line in lines]


def _cut(word: str, width: int) -> tuple[str, str]:
    """A word that may fold nowhere, where the line ends."""
    ends = accumulate(cell_len(sign) for sign in word)
    length = max(sum(1 for _ in takewhile(lambda end: end <= width, ends)), 1)
    while length > 1 and cell_len(word[:length]) > width:  # signs that make their neighbour wider
        length -= 1
    return word[:length], word[length:]
