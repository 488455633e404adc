"""A report and pictures in a real browser without a network: at 1,280 pixels, at 390, between, and on A4."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from allocator.report.committee.blocks import Column, Row, Section, Table
from allocator.report.committee.figure import Figure
from allocator.report.committee.paper import paper_of
from allocator.report.committee.web import html_of
from allocator.report.drawing.paper import html_of as picture_of
from allocator.report.printing import printed
from tests.browser import printed_words, seen_by, tool, words_of
from tests.report.drawing.test_paper import PANELS, chart
from tests.report.test_paper import report_with

REPORT = report_with("regions of the north", 90)
WIDTH = 595.5
"""Of A4, in points."""


def test_everything_stands_inside_the_window_and_nothing_is_asked_for(tmp_path: Path) -> None:
    pictures = (picture_of(chart(PANELS[name])) for name in ("cells", "marks beside one another"))
    pages = [html_of(report_with("regions of the north", 9)), *pictures]
    widths = [390, 900, 1280]
    told = seen_by(tmp_path, pages, widths)
    assert sorted(told) == sorted(f"{width}: 0 outside, no faults" for width in widths for _ in pages)


def test_nine_columns_of_millions_stand_inside_their_half(tmp_path: Path) -> None:
    count = Figure("1,000,000", 1e6, ("x",))
    columns = [Column("", "text"), *(Column("Offered,\N{NO-BREAK SPACE}bn") for _ in range(8))]
    grades = Table(
        columns, [Row(("regions: manufacturing", *[count] * 2, *[replace(count, text="100.00")] * 6))]
    )
    half = Section("s", "Who?", (grades,), width="half")
    page = html_of(replace(report_with("x"), sections=(half, replace(half, key="t"))))
    assert seen_by(tmp_path, [page], [390, 1280], checked=False) == [
        f"{width}: 0 outside, no faults" for width in (1280, 390)
    ]


def test_on_paper_no_word_is_cut_off(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html_of(REPORT), encoding="utf-8")
    words = printed_words(tmp_path, page)
    assert max(right for right, _ in words) <= WIDTH
    assert [word for _, word in words].count("2.79") >= 3 * 90


def test_the_pdf_has_every_row(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(printed(paper_of(REPORT), {}, ".pdf"))
    words = words_of(tool("pdftotext", package="poppler-utils"), path)
    assert max(right for right, _ in words) <= WIDTH
    assert {str(at) for at in range(90)} <= {word for _, word in words}
