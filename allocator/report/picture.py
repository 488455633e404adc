"""A chart as a figure of matplotlib that a notebook shows as it is."""

from __future__ import annotations

from matplotlib.figure import Figure

from allocator.report.charts import Chart, drawn, svg_text


class Picture(Figure):
    """A figure that needs no backend to be shown: in a notebook it is the SVG itself."""

    def _repr_html_(self) -> str:
        text = svg_text(self, self.axes[0].get_title() if self.axes else "")
        return text[text.index("<svg") :]


def picture(chart: Chart) -> Picture:
    """The chart as it is drawn to a file, to be changed and saved as matplotlib's figures are."""
    return drawn(chart, Picture)
