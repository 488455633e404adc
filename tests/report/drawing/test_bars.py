"""Bars on a page of any width."""

from __future__ import annotations

import re

import pytest

from allocator.report.drawing.bars import draw_bars
from allocator.report.drawing.chart import Axis, Bars, Line, Part, Row


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_no_grid_line_crosses_a_name_above_its_bar(low: float) -> None:
    rows = tuple(Row(name, (Line((Part(low, 3.0),), "3"),)) for name in ("north-east", "south"))
    drawn, _ = draw_bars(Bars("", Axis("loans"), rows), 390.0)
    page = "".join(map(str, drawn))
    lines = [
        (float(top), float(end))
        for top, end in re.findall(r'<line[^>]* y1="([-\d.]+)"[^>]* y2="([-\d.]+)"', page)
    ]
    names = [float(y) for y in re.findall(r'<text[^>]* y="([-\d.]+)"[^>]*>(?:north-east|south)<', page)]
    assert len(names) == 2
    assert lines
    assert not [(line, y) for line in lines for y in names if line[0] < y < line[1]]


@pytest.mark.parametrize(("length", "gaps"), [(1.2, 0), (1.25, 0), (2.2, 1)])
def test_a_bar_that_the_axis_cuts_has_a_gap(length: float, gaps: int) -> None:
    panel = Bars("", Axis("used"), (Row("loss", (Line((Part(0.0, length),)),)),), most=1.25)
    assert "".join(map(str, draw_bars(panel, 600.0)[0])).count("<path") == gaps
