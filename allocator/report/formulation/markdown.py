"""A statement as Markdown that reads as well unrendered, as a terminal shows it."""

from __future__ import annotations

import re
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


def markdown_of(statement: Statement) -> str:
    """The whole page."""
    lines = [f"# {escaped(statement.title)}"]
    for block in statement.blocks:
        lines += ["", *_block(block)]
    return "\n".join(lines) + "\n"


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
