"""A chart as one SVG, or as an HTML page that is right on a screen and on a phone; text stays text."""

from __future__ import annotations

from allocator.report.colours import FAMILY, INK, MUTED
from allocator.report.drawing.bars import draw_bars
from allocator.report.drawing.cells import draw_cells
from allocator.report.drawing.chart import Bars, Cells, Chart, Panel, Plot
from allocator.report.drawing.lettering import SIZE, paragraph
from allocator.report.drawing.plot import draw_plot
from allocator.report.markup import Markup, tag

WIDE, NARROW = 760.0, 358.0
"""Pixels of a picture, and of one for a phone."""
_MARGIN = 16.0
_CSS = f"""
body{{margin:0;background:#fff;color:{INK};font-family:{FAMILY}}}
main{{max-width:{WIDE + 32:.0f}px;margin:0 auto}}
svg{{display:block;width:100%;height:auto}}
.narrow{{display:none}}
@media screen and (max-width:600px){{.wide{{display:none}}.narrow{{display:block}}}}
@media print{{@page{{size:A4;margin:12mm}}}}
""".strip()


def svg_of(chart: Chart, width: float = WIDE) -> str:
    """The whole picture as a file."""
    return f"{_picture(chart, width, alone=True)}\n"


def html_of(chart: Chart) -> str:
    """The whole picture as a page: one drawing for a screen and paper, one for a phone."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width,initial-scale=1"),
        tag("title", chart.title),
        tag("style", Markup(_CSS)),
    )
    drawings = [
        tag("div", _picture(chart, width), class_=name)
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    ]
    return f"<!doctype html>\n{tag('html', head, tag('body', tag('main', *drawings)), lang='en')}\n"


def panel_svg(panel: Panel, width: float, label: str) -> Markup:
    """One panel alone, with a name that is read aloud in its place."""
    shapes, high = _panel(panel, width)
    return tag("svg", *shapes, viewBox=f"0 0 {width:g} {high:.0f}", role="img", aria_label=label)


def panel_file(panel: Panel, width: float) -> str:
    """One panel as a file of its own."""
    shapes, high = _panel(panel, width)
    return tag("svg", *shapes, viewBox=f"0 0 {width:g} {high:.0f}", font_family=FAMILY, **_alone(width, high))


def _alone(width: float, high: float) -> dict[str, str]:
    """What an SVG needs that is no part of a page."""
    return {"xmlns": "http://www.w3.org/2000/svg", "width": f"{width:g}", "height": f"{high:.0f}"}


def _picture(chart: Chart, width: float, *, alone: bool = False) -> Markup:
    inner = width - 2 * _MARGIN
    y = _MARGIN - 4
    parts: list[Markup] = []

    def put(shapes: list[Markup], high: float) -> None:
        nonlocal y
        parts.append(tag("g", *shapes, transform=f"translate({_MARGIN:g} {y:.1f})"))
        y += high

    put(*paragraph(0, 0, chart.title, inner, strong=True, size=17.0))
    y += 4
    if chart.answer:
        put(*paragraph(0, 0, chart.answer, inner, size=13.5))
    for panel in chart.panels:
        y += 16
        put(*_panel(panel, inner))
    for note in chart.notes:
        y += 4
        put(*paragraph(0, 0, note, inner, fill=MUTED))
    high = y + _MARGIN
    about = _alone(width, high) if alone else {}
    return tag(
        "svg", tag("title", chart.title), tag("desc", chart.answer),
        tag("rect", width=width, height=round(high), fill="#fff"), *parts,
        viewBox=f"0 0 {width:g} {high:.0f}", role="img", aria_label=f"{chart.title}. {chart.answer}",
        font_family=FAMILY, font_size=SIZE, **about,
    )  # fmt: skip


def _panel(panel: Panel, width: float) -> tuple[list[Markup], float]:
    """Heading, drawing, and what is not shown."""
    shapes, y = paragraph(0, 0, panel.heading, width, strong=True, size=13.5) if panel.heading else ([], 0.0)
    y += 6 if panel.heading else 0.0
    match panel:
        case Bars():
            drawn, high = draw_bars(panel, width)
        case Plot():
            drawn, high = draw_plot(panel, width)
        case Cells():
            drawn, high = draw_cells(panel, width)
    shapes.append(tag("g", *drawn, transform=f"translate(0 {y:.1f})"))
    y += high
    more = "" if isinstance(panel, Cells) else panel.more
    if more:
        lines, high = paragraph(0, y, more, width, fill=MUTED)
        shapes += lines
        y += high
    return shapes, y
