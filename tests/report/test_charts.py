"""Pictures stand alone, say what they show, and are the same each time."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from allocator.errors import InputError
from allocator.report.charts import Axis, Chart, Series, chart_text

LINES = Chart(
    "Value against the budget",
    Axis("budget, CNY"),
    Axis("value, share", "percent"),
    (
        Series("value", [1.0, 2.0, 3.0], [0.1, 0.2, 0.25], low=[0.1, 0.19, 0.24], high=[0.1, 0.21, 0.26]),
        Series("solved", [1.0, 3.0], [0.1, 0.25], "points"),
        Series("rule", [1.0, 3.0], [0.05, 0.1], "steps"),
    ),
    marks=((2.0, "today"),),
)
BARS = Chart(
    "Value by strategy",
    Axis("strategy"),
    Axis("CNY", "log"),
    (
        Series("a", ["optimal", "equal"], [3.0, 2.0], "bars"),
        Series("b", ["optimal", "equal"], [2.0, 1.0], "bars"),
    ),
)


HORIZONTAL = replace(
    BARS, series=tuple(replace(one, x=[f"{name}, {'long ' * 9}" for name in one.x]) for one in BARS.series)
)


@pytest.mark.parametrize("chart", [LINES, BARS, HORIZONTAL], ids=["lines", "bars", "lying"])
@pytest.mark.parametrize("ending", ["html", "svg"])
def test_a_picture_is_the_same_each_time_and_asks_for_nothing_outside(chart: Chart, ending: str) -> None:
    text = chart_text(chart, Path(f"x.{ending}"))
    assert text == chart_text(chart, Path(f"x.{ending}"))
    assert chart.title in text
    assert not re.findall(r"<(?:script|link|img|image)[^>]+(?:src|href)=[\"']?https?:", text)


@pytest.mark.parametrize("chart", [LINES, BARS, HORIZONTAL], ids=["lines", "bars", "lying"])
def test_a_drawing_names_its_axes_and_series(chart: Chart) -> None:
    drawing = ElementTree.fromstring(chart_text(chart, Path("x.svg")))
    words = {"".join(element.itertext()).strip() for element in drawing.iter()}
    assert {chart.title, chart.x.label, chart.y.label, *(s.name for s in chart.series)} <= words
    assert {words for _, words in chart.marks} <= words


@pytest.mark.parametrize("name", ["方案一", "\u0642\u0631\u0636", "a $x^$ b$"])
def test_names_in_any_script_stand_in_a_drawing_as_they_are(name: str) -> None:
    chart = replace(LINES, title=name, x=Axis(name), marks=((2.0, name),))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = chart_text(chart, Path("x.svg"))
    shown = [element for element in ElementTree.fromstring(text).iter() if element.text == name]
    drawn = [element.get("style", "") for element in shown if element.tag.endswith("}text")]
    assert len(drawn) == 3
    assert all("'DejaVu Sans', sans-serif" in style for style in drawn)
    assert text == chart_text(chart, Path("x.svg"))


def test_bars_are_horizontal_where_their_words_are_too_long_to_stand_below() -> None:
    many = [f"{at}, a name of some length" for at in range(60)]
    chart = replace(BARS, series=(Series("a", many, [float(at + 1) for at in range(60)], "bars"),))
    assert [chart.horizontal for chart in (LINES, BARS, HORIZONTAL, chart)] == [False, False, True, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawing = ElementTree.fromstring(chart_text(chart, Path("x.svg")))
    assert float(drawing.get("height", "0").removesuffix("pt")) > 1_200
    places = [float(e.get("y", "0")) for e in drawing.iter() if (e.text or "").endswith("of some length")]
    assert len(places) == 60
    assert min(b - a for a, b in pairwise(places)) > 8
    assert '"orientation":"h"' in chart_text(chart, Path("x.html"))


def test_fractions_are_shown_as_percentages() -> None:
    assert re.search(r">\d+(\.\d+)?%<", chart_text(LINES, Path("x.svg")))


def test_another_ending_is_refused_with_the_ones_that_can_be_written() -> None:
    with pytest.raises(InputError) as caught:
        chart_text(LINES, Path("x.png"))
    [fault] = caught.value.faults
    assert str(fault) == "x.png: no picture can be written as .png; let its name end in .html or .svg"
