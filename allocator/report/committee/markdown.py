"""A report as Markdown: the same figures, tables and sentences; bars and drawings are left to the page."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from allocator.report.committee.blocks import (
    Bar,
    Block,
    Cell,
    Code,
    Inline,
    Listing,
    Paragraph,
    Picture,
    Report,
    Row,
    Section,
    Strong,
    Table,
    Verbatim,
)
from allocator.report.committee.figure import Figure
from allocator.report.visible import visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_NOT_KNOWN = "\N{EN DASH}"


def markdown_of(report: Report) -> str:
    """The whole report."""
    verdict, *further = (_line(line) for line in report.seal)
    lines = [f"# {_text(report.title)}", "", _text(report.subtitle), "", f"**{verdict}**", ""]
    lines += [f"{line}  " for line in further]
    for block in report.front:
        lines += ["", *_block(block)]
    lines += ["", *(_card(card.title, (card.figure, ": ", *card.words)) for card in report.cards)]
    for section in report.sections:
        lines += ["", *_section(section, 2)]
    lines += ["", *(f"{_line(line)}  " for line in report.foot)]
    if report.annex:
        lines += ["", "# Annex: the rows and formulas behind every figure"]
        for section in report.annex:
            lines += ["", *_section(section, 2)]
    return "\n".join(lines) + "\n"


def _card(title: str, parts: Sequence[Inline]) -> str:
    return f"- {_text(title)}: {_line(parts)}".rstrip(": ")


def _section(section: Section, depth: int) -> Iterator[str]:
    yield f"{'#' * depth} {_text(section.question)}"
    for block in section.blocks:
        yield ""
        yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(words):
            yield _line(words)
        case Listing(points, heading):
            yield from ([f"**{_text(heading)}**", ""] if heading else [])
            yield from (f"- {_line(point)}" for point in points)
        case Picture(words=said):
            yield _text(said)
        case Verbatim(said):
            yield from (f"    {visible(line)}" for line in said.splitlines())
        case Table():
            yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    shown = [i for i, column in enumerate(table.columns) if column.kind != "bar"]
    if table.caption:
        yield _text(table.caption)
        yield ""
    yield _cells(_text(table.columns[i].heading) for i in shown)
    yield _cells("---" if table.columns[i].kind == "text" else "---:" for i in shown)
    for row in (*table.rows, *([table.total] if table.total else [])):
        yield _cells(_strong(_cell(row.cells[i]), row) for i in shown)
    if table.more:
        yield ""
        yield _text(table.more)


def _cells(texts: Iterator[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _strong(text: str, row: Row) -> str:
    return f"**{text}**" if text and row.strong else text


def _cell(cell: Cell) -> str:
    match cell:
        case None | Bar():
            return ""
        case tuple():
            return _line(cell)
    return _line([cell])


def _line(parts: Sequence[Inline]) -> str:
    return "".join(map(_inline, parts))


def _inline(part: Inline) -> str:
    match part:
        case Strong(inner):
            return f"**{_inline(inner)}**"
        case Code(text):
            return f"`` {visible(text).replace('`', '')} ``" if "`" in text else f"`{visible(text)}`"
        case Figure():
            return _NOT_KNOWN if math.isnan(part.value) else part.text
    return _text(part)


def _text(text: str) -> str:
    """`text` with what Markdown or HTML would read as its own marked as plain characters."""
    return _SPECIAL.sub(r"\\\1", visible(text))
