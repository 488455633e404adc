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
