"""Pictures of figures, each one file that needs nothing else: `.html` to explore, `.svg` to print."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from allocator.errors import Fault, InputError
from allocator.extras import require
from allocator.report.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Drawing = TypeVar("Drawing", bound="Figure")
Kind = Literal["line", "points", "bars", "steps"]
Scale = Literal["linear", "log", "percent"]
ENDINGS = (".html", ".svg")
_SVG: Any = {
    "svg.hashsalt": "allocator", "svg.fonttype": "none", "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
}  # fmt: skip
"""Text stays text: measured by the font that matplotlib carries, shown in the viewer's own."""
_COLOURS = ("#1f5a96", "#c8553d", "#3a7d44", "#8a5a9e", "#b8860b", "#5c677d")


@dataclass(frozen=True)
class Series:
    """One thing drawn over the axes; `x` may be words where it is drawn as bars."""

    name: str
    x: Sequence[Any]
    y: Sequence[float]
    kind: Kind = "line"
    low: Sequence[float] | None = None
    """Lower edge of a band around `y`; with `high`."""
    high: Sequence[float] | None = None


_SIDE_BY_SIDE = 70
"""Characters that stand below the bars of a drawing."""
_LONGEST = 60
"""Characters of one word beside a horizontal bar."""
_INCHES = 0.3
_PIXELS = 30
"""Height of a horizontal bar."""


@dataclass(frozen=True)
class Axis:
    """An axis with the unit in its label; a `percent` axis takes fractions."""

    label: str
    scale: Scale = "linear"


@dataclass(frozen=True)
class Chart:
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    marks: tuple[tuple[float, str], ...] = ()
    """Vertical lines: where, and what they mark."""

    @property
    def words(self) -> list[str]:
        """Below the bars; none where nothing is drawn as bars."""
        return next((list(map(str, series.x)) for series in self.series if series.kind == "bars"), [])

    @property
    def horizontal(self) -> bool:
        """Whether bars are horizontal: their words are too long to stand side by side below them."""
        return sum(map(len, self.words)) > _SIDE_BY_SIDE


def _require_drawable(path: Path) -> None:
    """Raises InputError where `chart_text` cannot draw for `path`: its ending, or what is not installed."""
    if path.suffix.lower() not in ENDINGS:
        fault = Fault(
            f"no picture can be written as {path.suffix or 'a file without ending'}",
            "let its name end in .html or .svg",
            file=str(path),
        )
        raise InputError.of([fault], "picture")
    require("plot")


def chart_text(chart: Chart, path: Path) -> str:
    """The file's text, HTML or SVG by the ending of `path`; the same chart gives the same text."""
    _require_drawable(path)
    chart = _visible(chart)
    return _html(chart) if path.suffix.lower() == ".html" else _svg(chart)


def _visible(chart: Chart) -> Chart:
    """`chart` with words that can be seen: an SVG holds no control characters."""

    def shown(series: Series) -> Series:
        words = [visible(word) if isinstance(word, str) else word for word in series.x]
        return replace(series, name=visible(series.name), x=words)

    return Chart(
        visible(chart.title),
        replace(chart.x, label=visible(chart.x.label)),
        replace(chart.y, label=visible(chart.y.label)),
        tuple(map(shown, chart.series)),
        tuple((x, visible(words)) for x, words in chart.marks),
    )


def _html(chart: Chart) -> str:
    """A page with its script inlined: no outside request."""
    from plotly import graph_objects, io

    figure = graph_objects.Figure()
    for series, colour in zip(chart.series, _colours(chart), strict=True):
        _band_in_plotly(figure, series, colour)
        figure.add_trace(_trace(series, colour, chart.horizontal))
    for x, words in chart.marks:
        figure.add_vline(x=x, line_dash="dot", annotation_text=words)
    figure.update_layout(title=chart.title, template="plotly_white", barmode="group")
    updates = [figure.update_xaxes, figure.update_yaxes]
    if chart.horizontal:
        figure.update_yaxes(autorange="reversed", automargin=True)
        figure.update_layout(height=max(450, 150 + _PIXELS * len(chart.words)))
        updates.reverse()
    for update, axis in zip(updates, (chart.x, chart.y), strict=True):
        update(
            title_text=axis.label,
            type="log" if axis.scale == "log" else None,
            tickformat=".2~%" if axis.scale == "percent" else None,
        )
    return str(io.to_html(figure, include_plotlyjs=True, full_html=True, div_id="chart"))


def _trace(series: Series, colour: str, horizontal: bool) -> Any:
    from plotly import graph_objects

    if series.kind == "bars" and horizontal:
        ends, words = list(series.y), [_shortened(str(word)) for word in series.x]
        return graph_objects.Bar(x=ends, y=words, name=series.name, marker_color=colour, orientation="h")
    if series.kind == "bars":
        return graph_objects.Bar(x=list(series.x), y=list(series.y), name=series.name, marker_color=colour)
    return graph_objects.Scatter(
        x=list(series.x),
        y=list(series.y),
        name=series.name,
        mode="markers" if series.kind == "points" else "lines",
        line={"color": colour, "shape": "hv" if series.kind == "steps" else "linear"},
    )


def _band_in_plotly(figure: Any, series: Series, colour: str) -> None:
    if series.low is None or series.high is None:
        return
    figure.add_scatter(
        x=[*series.x, *reversed(list(series.x))],
        y=[*series.high, *reversed(list(series.low))],
        fill="toself",
        fillcolor=colour,
        opacity=0.15,
        mode="none",
        showlegend=False,
        hoverinfo="skip",
    )


def _svg(chart: Chart) -> str:
    from matplotlib.figure import Figure

    return svg_text(drawn(chart, Figure), chart.title)


def drawn(chart: Chart, kind: type[Drawing]) -> Drawing:
    """`chart` as a figure of `kind`, drawn without a display."""
    from matplotlib import rc_context

    chart = _visible(chart)
    with rc_context(_SVG), _own_font_only():
        height = 1.5 + _INCHES * len(chart.words) if chart.horizontal else 4.5
        figure = kind(figsize=(7.2, max(height, 4.5)), layout="constrained")
        _draw(figure.add_subplot(), chart)
    return figure


def svg_text(figure: Figure, title: str) -> str:
    """`figure` as SVG without a date, with identifiers that depend on the drawing alone."""
    import io

    from matplotlib import rc_context

    out = io.StringIO()
    with rc_context(_SVG), _own_font_only():
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    return out.getvalue()


@contextmanager
def _own_font_only() -> Iterator[None]:
    """Without warnings of glyphs that the font for measuring lacks: whoever views the text has his own."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ ", UserWarning)
        yield


def _draw(axes: Axes, chart: Chart) -> None:
    from matplotlib.ticker import PercentFormatter

    bars = [series for series in chart.series if series.kind == "bars"]
    for series, colour in zip(chart.series, _colours(chart), strict=True):
        if series.kind == "bars":
            _draw_bars(axes, series, bars.index(series), len(bars), colour, chart.horizontal)
            continue
        axes.plot(
            series.x,
            series.y,
            label=_literal(series.name),
            color=colour,
            marker="o" if series.kind == "points" else "",
            linestyle="none" if series.kind == "points" else "solid",
            drawstyle="steps-post" if series.kind == "steps" else "default",
        )
        if series.low is not None and series.high is not None:
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.15, linewidth=0)
    for where, words in chart.marks:
        axes.axvline(where, linestyle=":", color="#444", linewidth=1)
        axes.annotate(
            _literal(words), (where, 1), xycoords=("data", "axes fraction"), fontsize=8, va="top", rotation=90
        )
    below, beside = (chart.y, chart.x) if chart.horizontal else (chart.x, chart.y)
    for axis, scale, ruler in (
        (below, axes.set_xscale, axes.xaxis),
        (beside, axes.set_yscale, axes.yaxis),
    ):
        if axis.scale == "log":
            scale("log")
        elif axis.scale == "percent":
            ruler.set_major_formatter(PercentFormatter(1.0))
    title, x, y = map(_literal, (chart.title, below.label, beside.label))
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.grid(alpha=0.25)
    if len(chart.series) > 1:
        axes.legend(frameon=False, fontsize=9)


def _draw_bars(axes: Axes, series: Series, number: int, of: int, colour: str, horizontal: bool) -> None:
    """Bars side by side where several series share their words; the words stand beside horizontal bars."""
    width = 0.8 / of
    places = [place - 0.4 + width * (number + 0.5) for place in range(len(series.x))]
    words = [_literal(str(word)) for word in series.x]
    if not horizontal:
        axes.bar(places, series.y, width, label=_literal(series.name), color=colour)
        axes.set_xticks(range(len(words)), words)
        return
    axes.barh(places, series.y, width, label=_literal(series.name), color=colour)
    axes.set_yticks(range(len(words)), [_shortened(word) for word in words], fontsize=8)
    axes.set_ylim(len(words) - 0.4, -0.6)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _literal(text: str) -> str:
    """`text` for matplotlib, which would set what stands between two dollars as mathematics."""
    return text.replace("$", r"\$")


def _colours(chart: Chart) -> list[str]:
    return [_COLOURS[number % len(_COLOURS)] for number in range(len(chart.series))]
