"""A statement as Markdown that reads as well unrendered, as a terminal shows it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from allocator.report.formulation.blocks import (
    Block,
    Display,
    Heading,
    Math,
    Named,
    Sentence,
    Statement,
    Table,
    Words,
)
from allocator.report.visible import visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")

_MARKER = re.compile(r" (?=(?:[-+*=]|\d+[.)]) )")
"""The blank before what would begin an item of a list, were it the first of its line."""


def markdown_of(statement: Statement, width: int | None = None) -> str:
    """The whole page; for a terminal of `width` columns words fold there, and a wider table is a list.

    Mathematics on lines of its own stays as it is.
    """
    lines = [f"# {escaped(statement.title)}"]
    for block in statement.blocks:
        own = [*_block(block)]
        if width is not None and any(len(line) > width for line in own):
            own = [*_folded(block, own, width)]
        lines += ["", *own]
    return "\n".join(lines) + "\n"


def _folded(block: Block, lines: Sequence[str], width: int) -> Iterator[str]:
    """The lines of a block of which one is too wide."""
    match block:
        case Sentence() | Named():
            yield from _wrapped(lines[0], width)
        case Table(headings, rows):
            for row in rows:
                yield from _wrapped(_item(headings, [line_of(cell) for cell in row]), width, "  ")
        case _:
            yield from lines


def _item(headings: Sequence[str], cells: Sequence[str]) -> str:
    """A row of a table as an item of a list: its first two cells, then the others under their headings."""
    symbol, what, *others = cells
    told = [f"{heading}: {cell}" for heading, cell in zip(headings[2:], others, strict=True) if cell]
    return "; ".join([f"- {symbol}: {what}", *told])


def _wrapped(line: str, width: int, indent: str = "") -> list[str]:
    """`line` in lines of at most `width` columns, none of which begins as an item of a list would."""
    glued = _MARKER.sub("\0", line)
    lines = textwrap.wrap(
        glued, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [own.replace("\0", " ") for own in lines]


def escaped(text: str) -> str:
    """`text` in which nothing is markup and all is seen."""
    return _SPECIAL.sub(r"\\\1", visible(text))


def line_of(words: Words) -> str:
    """Words and mathematics in one line; a bar in either would end a cell."""
    return "".join(word.replace("|", r"\|") if isinstance(word, Math) else escaped(word) for word in words)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"## {escaped(text)}"
        case Sentence(words):
            yield line_of(words)
        case Named(name, words):
            yield f"**{escaped(name)}**: {line_of(words)}"
        case Display(lines):
            yield from (f"    {line}" for line in lines)
        case Table(headings, rows):
            yield from _table(headings, [[line_of(cell) for cell in row] for row in rows])


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    yield _row(headings, widths)
    yield _row(["-" * width for width in widths], widths)
    for row in rows:
        yield _row(row, widths)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"
