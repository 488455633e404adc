"""The report on A4: every word of it is set as it is, the same bytes each time."""

from __future__ import annotations

import re

import pytest

from allocator.report.committee.blocks import (
    Bar,
    Card,
    Code,
    Column,
    Listing,
    Paragraph,
    Picture,
    Report,
    Row,
    Section,
    Stretch,
    Strong,
    Table,
    Verbatim,
)
from allocator.report.committee.figure import Figure
from allocator.report.committee.paper import paper_of
from allocator.report.drawing.usual import lorenz
from allocator.report.printing import printed

FIGURE = Figure("2.79 m", 2_785_643.46, ("summary", "objective"))


def report_with(name: str, rows: int = 3) -> Report:
    bar = Bar(((Stretch(0.0, 0.5), Stretch(0.5, 0.7, "pale")), (Stretch(0.2, 0.4, "warn"),)), mark=0.3)
    rows_of = tuple(Row((f"{name} {at}", FIGURE, bar), tone="warn" if at else None) for at in range(rows))
    shades = ((0.5, 0.0), *(((0.0, 0.0),) * (rows - 1)))
    columns = (Column("Limit", "text"), Column("Used"), Column("", "bar"))
    total = Row((name, FIGURE, None), strong=True)
    table = Table(columns, rows_of, name, total, f"and 3 more of {name}", shades)
    blocks = (
        Paragraph((name, Strong(FIGURE), Code(name)), "lead"),
        Listing(((name,),), "Asked"), Listing(((name,),)),
        table, Picture(lorenz([(0.0, 0.0), (1.0, 1.0)], name), name, name), Verbatim(f"{name}\n\tx"),
    )  # fmt: skip
    section = Section("s", name, blocks, "a-s")
    annex = (Section("a-s", name, blocks),)
    cards = (Card(name, FIGURE, (name,), "a-s", "warn"),)
    return Report(name, name, (("Certified",), (name,)), True, blocks, cards, (section,), ((name,),), annex)


@pytest.mark.parametrize(
    "name", ["plain", '"#eval(1)" \\ ] } $x$ @a <b> `c`', "方案 \u202e\x1b[2J", "*_~", ""]
)
def test_whatever_stands_in_a_name_is_set(name: str) -> None:
    markup = paper_of(report_with(name))
    assert "\u202e" not in markup
    assert "\x1b" not in markup
    first, again = printed(markup, {}, ".pdf"), printed(markup, {}, ".pdf")
    assert first.startswith(b"%PDF-")
    assert first == again


def test_long_tables_go_on_over_pages() -> None:
    pages = [
        len(re.findall(rb"/Type\s*/Page\b", printed(paper_of(report_with("x", rows)), {}, ".pdf")))
        for rows in (3, 200)
    ]
    assert pages[1] > pages[0] + 3
