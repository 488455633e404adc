"""Pictures stand alone, cut nothing off, put no words over others, and are the same each time."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from allocator.report.drawing.chart import (
    Axis,
    Bars,
    Box,
    Cells,
    Chart,
    Curve,
    Key,
    Line,
    Mark,
    Panel,
    Part,
    Plot,
    Row,
)
from allocator.report.drawing.paper import NARROW, WIDE, html_of, svg_of
from allocator.report.drawing.plot import draw_plot
from allocator.report.drawing.units import short
from tests.report.drawing.sheet import faults_of, words_of

LONG = [f"sector {at}, manufacture of machinery and equipment not elsewhere classified" for at in range(40)]
MONEY = Axis("value", "money", "CNY")


def bar(name: str, value: float, figure: str = "", note: str = "") -> Row:
    return Row(name, (Line((Part(0.0, value, "deep", name),), figure or short(value)),), note)


PANELS: dict[str, Panel] = {
    "many bars with long names": Bars(
        "Value by sector", MONEY, tuple(bar(name, 1e5 * at) for at, name in enumerate(LONG)),
        (Key("deep", LONG[0]), Key("warn", "breaks limits"), Key("rest", "38 others")), figures="value",
        more="and 3 more",
    ),
    "bars with long figures": Bars(
        "", MONEY, tuple(bar(f"s{at}", 2.5e6, f"{at}.25 m · 902 k less, 47.92%") for at in range(9)),
        figures="value · less than the first, as a share of it",
    ),
    "bars on both sides of zero": Bars(
        "", MONEY, (bar("gain", 3e6), bar("a loss with a note", -2e6, note=f"breaks {LONG[1]}")), mark=0.0
    ),
    "pairs with whiskers": Bars(
        "", MONEY,
        (Row("pair", (Line((Part(0, 5.0),), "5", (5.0, 7.0)), Line((Part(0, 4.0, "pale"),), "4"))),),
    ),
    "a word longer than the page": Bars("", MONEY, (bar("x" * 300, 4.0), bar("y_" * 150, 5.0))),
    "marks beside one another": Plot(
        "Years", Axis("net of one year", "money", "CNY"), Axis("years"),
        boxes=tuple(Box(at * 1e5, (at + 1) * 1e5, 0, at) for at in range(-5, 40)),
        marks=tuple(Mark(at * 1e5, f"1 in {at} below {at / 10:.2f} m") for at in (1, 2, 3, 38)), zero=True,
    ),
    "curves that end together": Plot(
        "", Axis("period", words=tuple(f"2020-{at:02}" for at in range(1, 49))), MONEY,
        tuple(Curve(f"strategy {at}", ((0, 0), (47, 1e6 + at))) for at in range(5)),
        levels=(Mark(5e5, "the line, 500 k"),),
    ),
    "one point": Plot("", Axis("rate", "percent"), MONEY, (Curve("", ((0.05, 0.0),), look="points"),)),
    "cells": Cells(
        "Value", Axis("budget", words=tuple(f"{at}00 m" for at in range(1, 31))),
        Axis("loss rate", words=("1%", "2%")),
        (tuple(1e6 * at for at in range(30)), (None,) * 30), "CNY", (0, 29), "outlined: worth most",
    ),
    "nothing": Bars("", MONEY, ()),
}  # fmt: skip


def chart(panel: Panel, title: str = "small: a picture", answer: str = "Worth 1.5 m CNY.") -> Chart:
    return Chart(title, answer, (panel,), ("a note",))


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("panel", PANELS)
def test_nothing_is_cut_off_or_stands_over_another(panel: str, width: float) -> None:
    assert faults_of(svg_of(chart(PANELS[panel]), width)) == []


@pytest.mark.parametrize("panel", PANELS)
def test_a_drawing_says_what_it_shows(panel: str) -> None:
    svg = svg_of(chart(PANELS[panel]))
    assert svg == svg_of(chart(PANELS[panel]))
    told = " ".join(words.said for words in words_of(svg))
    for said in ("small: a picture", "Worth 1.5 m CNY.", "a note", PANELS[panel].heading):
        assert said in told
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == "small: a picture. Worth 1.5 m CNY."
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "small: a picture"
    assert not re.findall(r"<(?:script|link|img|image|style)|url\(|href|on\w+=", svg)


def test_every_row_is_drawn_and_what_is_not_is_counted() -> None:
    told = " ".join(words.said for words in words_of(svg_of(chart(PANELS["many bars with long names"]))))
    assert all(f"sector {at}, manufacture" in told for at in range(40))
    assert told.count("and 3 more") == 1


def test_money_stands_on_axes_in_thousands_and_millions() -> None:
    told = [words.said for words in words_of(svg_of(chart(PANELS["bars on both sides of zero"])))]
    assert {"value, m CNY", "0", "2", "\N{MINUS SIGN}2"} <= {*told}
    assert not [said for said in told if re.search(r"\d{5}|\de\+?\d", said)]


def test_bars_begin_at_zero() -> None:
    [svg] = [svg_of(chart(Bars("", MONEY, (bar("a", 100.0), bar("b", 97.0)))))]
    wide = [
        float(rect.get("width", ""))
        for rect in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect")
    ][1:]
    assert wide[1] / wide[0] == pytest.approx(0.97, abs=1e-3)


def test_the_page_has_a_drawing_for_a_screen_and_one_for_a_phone() -> None:
    page = html_of(chart(PANELS["cells"]))
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert "<title>small: a picture</title>" in page
    assert re.findall(r'viewBox="0 0 (\d+) ', page) == [f"{WIDE:.0f}", f"{NARROW:.0f}"]
    assert not re.findall(r"<script|url\(|href|src=", page)
    assert len(page.encode()) < 100_000


@pytest.mark.parametrize("name", ["方案一", "\u0642\u0631\u0636", "a $x^$ b$", "<b>&amp;"])
def test_names_in_any_script_stand_in_a_drawing_as_they_are(name: str) -> None:
    svg = svg_of(chart(Bars(name, MONEY, (bar(name, 1.0),)), name))
    told = [words.said for words in words_of(svg)]
    assert told.count(name) == 3


def test_no_line_of_a_mark_goes_through_the_words_of_another() -> None:
    """With room on one side of them all words stand there, and lines begin below what they would cross."""
    marks = (Mark(2.0, "1 in 100 below 2"), Mark(2.5, "1 in 20 below 2.5"), Mark(2.9, "mean 2.9"))
    panel = Plot("", Axis("net"), Axis("years"), boxes=(Box(0.0, 3.0, 0.0, 5.0),), marks=marks)
    shapes, _ = draw_plot(panel, 420.0)
    drawn = "".join(shapes)
    words = {said: float(y) for y, said in re.findall(r'<text[^>]* y="([\d.]+)"[^>]*>([^<]+)</text>', drawn)}
    assert words["mean 2.9"] < words["1 in 20 below 2.5"] < words["1 in 100 below 2"]
