"""A report as one HTML file: readable without scripts, without a request, on paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rich.cells import cell_len

from allocator.report.colours import INK, TONES
from allocator.report.committee.blocks import (
    Bar,
    Block,
    Cell,
    Code,
    Column,
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
from allocator.report.committee.figure import Figure, pointer
from allocator.report.committee.style import CSS
from allocator.report.drawing.cells import shaded
from allocator.report.drawing.paper import panel_svg
from allocator.report.markup import Markup, escaped, tag, together

_NOT_KNOWN = "\N{EN DASH}"
_THICK, _THIN = 14.0, 9.0
_STACKED_FROM = 5
"""Columns from which a phone shows a row as a block of its own; of one without bars one less."""
_WORD, _SHORT, _LETTER = 22, 12, 0.58
"""Letters of a word beside bars that is never broken, of a name that is not, and how wide one is, in em of a
heading."""
_LONG = 40
"""Letters of a name that takes room from the bars beside it."""
_FIGURES = 42
"""Digits and signs of figures side by side in half a page that leave their headings room."""
_DRAWN = 390.0
"""Pixels that a drawing is made for; on paper and on a phone it is about as wide."""


def html_of(report: Report) -> str:
    """The whole page."""
    body = tag(
        "main",
        _header(report),
        *(_block(block, report.front_behind) for block in report.front),
        _cards(report) if report.cards else Markup(),
        tag("div", *(_section(section) for section in report.sections), class_="grid"),
        _foot(report),
        _annex(report.annex) if report.annex else Markup(),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width,initial-scale=1"),
        tag("title", report.title),
        tag("style", Markup(CSS)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def _header(report: Report) -> Markup:
    verdict = together(*(tag("p", *_words(line, report.front_behind)) for line in report.seal))
    return tag(
        "header",
        tag("div", tag("h1", report.title), tag("p", report.subtitle, class_="sub")),
        tag("div", verdict, class_="seal" if report.certified else "seal open"),
    )


def _cards(report: Report) -> Markup:
    cards = [
        tag(
            "div",
            tag("p", card.title),
            tag("p", *_words([card.figure], card.behind), class_="big"),
            tag("p", *_words(card.words, card.behind)),
            class_=f"card {card.tone or ''}".rstrip(),
        )
        for card in report.cards
    ]
    return tag("div", *cards, class_="cards")


def _section(section: Section) -> Markup:
    link = tag("a", "rows and formula", href=f"#{section.behind}") if section.behind else Markup()
    blocks = (_block(block, section.behind) for block in section.blocks)
    return tag("section", tag("h2", link, section.question), *blocks, id=section.key, class_=section.width)


def _annex(sections: Iterable[Section]) -> Markup:
    parts = (
        tag("section", tag("h2", part.question), *(_block(block, "") for block in part.blocks), id=part.key)
        for part in sections
    )
    return tag("div", tag("h2", "Annex: the rows and formulas behind every figure", class_="part"), *parts,
               class_="annexes")  # fmt: skip


def _foot(report: Report) -> Markup:
    lines = (tag("p", *_words(line, "a-proof")) for line in report.foot)
    signatures = (tag("span", name) for name in report.signatures)
    return tag("footer", tag("div", *lines), tag("div", *signatures, class_="sign"))


def _block(block: Block, behind: str) -> Markup:
    match block:
        case Paragraph(words, kind):
            return tag("p", *_words(words, behind), class_=None if kind == "plain" else kind)
        case Listing(points, heading):
            listed = tag("ul", *(tag("li", *_words(point, behind)) for point in points))
            return tag("div", tag("p", tag("b", heading)), listed, class_="ask") if heading else listed
        case Verbatim(said):
            lines = (escaped(line) for line in said.expandtabs(4).splitlines())
            return tag("pre", Markup("\n".join(lines)))
        case Picture(panel, label, said):
            drawing = panel_svg(panel, _DRAWN, label)
            return tag("div", drawing, tag("p", said, class_="note"), class_="drawing")
        case Table():
            return _table(block, behind)


def _words(parts: Sequence[Inline], behind: str) -> list[Markup]:
    return [_inline(part, behind) for part in parts]


def _inline(part: Inline, behind: str) -> Markup:
    match part:
        case Strong(inner):
            return tag("b", _inline(inner, behind))
        case Code(text):
            return tag("code", text)
        case Figure():
            return _figure(part, behind)
    return escaped(part)


def _figure(figure: Figure, behind: str) -> Markup:
    """The number with its place; on the front it leads to the rows behind it."""
    if math.isnan(figure.value):
        return Markup(_NOT_KNOWN)
    data = tag(
        "data",
        figure.text,
        value=repr(figure.value),
        data_of=pointer(figure.place),
        data_per=pointer(figure.per) or None,
    )
    return tag("a", data, href=f"#{behind}") if behind else data


def _table(table: Table, behind: str) -> Markup:
    barred = any(column.kind == "bar" for column in table.columns)
    stacked = len(table.columns) >= (_STACKED_FROM if barred else _STACKED_FROM - 1)
    named = table.columns[0].kind == "text"
    names = [_written(row.cells[0]) for row in table.rows] if named else []
    crowded = _crowded(table)
    columns = _folded(table.columns) if crowded else table.columns
    head = tag("tr", _heading(columns[0], _room_for(names)), *map(_heading, columns[1:]))
    shades = table.shades or ((),) * len(table.rows)
    rows = [_row(table, row, shade, behind, stacked) for row, shade in zip(table.rows, shades, strict=True)]
    parts = [tag("caption", table.caption)] if table.caption else []
    parts += [tag("thead", head), tag("tbody", *rows)]
    parts += [tag("tfoot", _row(table, table.total, (), behind, stacked))] if table.total else []
    looks = ["stack"] * stacked + ["h"] * bool(table.shades)
    looks += ["bars"] * barred + ["crowd"] * crowded
    looks += ["long"] * any(len(name) > _LONG for name in names)
    drawn = tag("table", *parts, class_=" ".join(looks) or None)
    return together(drawn, tag("p", table.more, class_="note")) if table.more else drawn


def _crowded(table: Table) -> bool:
    """Whether figures take so much room that units go on below their headings."""
    rows = [*table.rows, *([table.total] if table.total else [])]
    columns = zip(*(row.cells for row in rows), strict=True)
    widest = (max(len(cell.text) if isinstance(cell, Figure) else 0 for cell in cells) for cells in columns)
    return sum(widest) > _FIGURES


def _folded(columns: Sequence[Column]) -> list[Column]:
    """The columns with headings that fold before their units."""
    return [replace(column, heading=column.heading.replace("\N{NO-BREAK SPACE}", " ")) for column in columns]


def _written(cell: Cell) -> str:
    """The words of a cell, its figures aside."""
    return "".join(part for part in (cell if isinstance(cell, tuple) else (cell,)) if isinstance(part, str))


def _room_for(names: Sequence[str]) -> str | None:
    """A width in which neither short `names` nor the longest word need break; a very long one may."""
    words = [word for name in names for word in name.split()]
    longest = max(map(cell_len, words), default=0)
    short = max((cell_len(name) for name in names if cell_len(name) <= _SHORT), default=0)
    width = max(min(longest, _WORD), short)
    return f"min-width:{width * _LETTER:.3g}em" if width else None


def _heading(column: Column, style: str | None = None) -> Markup:
    """A heading; above a bar, whose numbers stand beside it, an empty cell."""
    if not column.heading:
        return tag("td", style=style)
    kind = None if column.kind == "number" else "t"
    return tag("th", column.heading, scope="col", class_=kind, style=style)


def _row(table: Table, row: Row, shades: Sequence[float], behind: str, stacked: bool) -> Markup:
    cells = []
    for i, (column, cell) in enumerate(zip(table.columns, row.cells, strict=True)):
        kind = {"text": "t", "number": "n", "bar": "b"}[column.kind]
        shade = shades[i - 1] if 0 < i <= len(shades) else 0.0
        cells.append(
            tag("td", _cell(cell, behind), class_=kind,
                style=f"background:{shaded(shade)}" if shade else None,
                data_h=column.heading if stacked and i and cell is not None and column.heading else None)
        )  # fmt: skip
    marks = " ".join(["s"] * row.strong + ["w"] * (row.tone == "warn"))
    return tag("tr", *cells, class_=marks or None)


def _cell(cell: Cell, behind: str) -> Markup:
    match cell:
        case None:
            return Markup()
        case Bar():
            return _bar(cell)
        case tuple():
            return together(*_words(cell, behind))
    return _inline(cell, behind)


def _bar(bar: Bar) -> Markup:
    """Stretches along the cell, whatever its width; shapes without text, since text would stretch too."""
    thick = _THICK if len(bar.lines) == 1 else _THIN
    height = thick * len(bar.lines) + 2.0 * (len(bar.lines) - 1)
    shapes = [
        tag("rect", x=100 * part.start, y=i * (thick + 2.0), height=thick, fill=TONES[part.tone],
            width=max(100 * (part.end - part.start), 0.4 if part.end > part.start else 0.0))
        for i, line in enumerate(bar.lines)
        for part in line
    ]  # fmt: skip
    if bar.mark is not None:
        i = min(max(100 * bar.mark, 0.3), 99.7)
        shapes.append(
            tag("line", x1=i, x2=i, y1=0.0, y2=height, stroke=INK, stroke_width=1.5,
                vector_effect="non-scaling-stroke")
        )  # fmt: skip
    return tag(
        "svg", *shapes, viewBox=f"0 0 100 {height:g}", height=height, preserveAspectRatio="none",
        aria_hidden="true",
    )  # fmt: skip
