"""Pictures as files: SVG and HTML as text, PNG and PDF set by typst, each standing alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from allocator.report.drawing.chart import Chart
from allocator.report.drawing.paper import html_of, svg_of
from allocator.report.printing import printed

ENDINGS = (".html", ".svg", ".png", ".pdf")
_SHEET = """
#set document(title: sys.inputs.title, date: none)
#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", alt: sys.inputs.title)
"""


@dataclass(frozen=True, repr=False)
class Picture:
    """A chart that a notebook shows as it is; `svg` is its drawing as text."""

    chart: Chart

    @property
    def title(self) -> str:
        return self.chart.title

    @property
    def svg(self) -> str:
        return svg_of(self.chart)

    def _repr_html_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Picture({self.title!r}: {self.chart.answer})"


def picture_content(chart: Chart, path: Path) -> bytes:
    """What stands in the file, in the format of its ending; the same chart gives the same bytes."""
    ending = path.suffix.lower()
    if ending == ".html":
        return html_of(chart).encode("utf-8")
    svg = svg_of(chart)
    if ending == ".svg":
        return svg.encode("utf-8")
    return printed(_SHEET, {"title": chart.title, "svg": svg}, ending)
