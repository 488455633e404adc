"""A model card as a report shows it: the headings, tables, points and paragraphs of its Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from allocator.report.committee.blocks import (
    Block,
    Code,
    Column,
    Inline,
    Listing,
    Paragraph,
    Row,
    Strong,
    Table,
    Verbatim,
)

_RULE = re.compile(r"\|?[\s:|-]*-[\s:|-]*")
"""The line below the headings of a table."""
_MARKED = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_POINT = re.compile(r"[-*] +")


def card_blocks(markdown: str) -> Iterator[Block]:
    """The blocks of a card; what is no heading, table or list is a paragraph."""
    for blank, lines in groupby(markdown.splitlines(), lambda line: not line.strip()):
        if not blank:
            yield from _stretch([*lines])


def _stretch(lines: Sequence[str]) -> Iterator[Block]:
    """Lines between two empty ones."""
    first, rest = lines[0].strip(), lines[1:]
    if first.startswith("#"):
        yield Paragraph((Strong(first.lstrip("# ")),))
        if rest:
            yield from _stretch(rest)
    elif first.startswith("|") and len(lines) > 1 and _RULE.fullmatch(lines[1].strip()):
        yield _table(lines)
    elif first.startswith("```"):
        yield Verbatim("\n".join(line for line in lines if not line.startswith("```")))
    else:
        yield from _text(lines)


def _text(lines: Sequence[str]) -> Iterator[Block]:
    """A paragraph, and the points that may follow it, each over one line or more."""
    points = [i for i, line in enumerate(lines) if _POINT.match(line)]
    ends = [*points, len(lines)]
    if lines[: ends[0]]:
        yield Paragraph(_inline(" ".join(map(str.strip, lines[: ends[0]]))))
    if points:
        told = (" ".join(map(str.strip, lines[i:end])) for i, end in zip(points, ends[1:], strict=True))
        yield Listing(tuple(_inline(_POINT.sub("", point, count=1)) for point in told))


def _table(lines: Sequence[str]) -> Table:
    heads, *rows = (_cells(line) for line in (lines[0], *lines[2:]))
    columns = tuple(Column(head.replace("`", ""), "text") for head in heads)
    padded = ((*row, *[""] * len(heads))[: len(heads)] for row in rows)
    return Table(columns, tuple(Row(tuple(map(_inline, row))) for row in padded))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _inline(text: str) -> tuple[Inline, ...]:
    """Words, with what is typed and what is strong told apart."""
    out: list[Inline] = []
    end = 0
    for mark in _MARKED.finditer(text):
        out += [text[end : mark.start()], Code(mark[1]) if mark[1] else Strong(mark[2])]
        end = mark.end()
    return tuple(part for part in (*out, text[end:]) if part != "")
