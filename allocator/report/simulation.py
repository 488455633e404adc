"""Simulated years on a page: distributions, tails, where the loss comes from, and a histogram."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Group, RenderableType

from allocator.insight.simulate.concentration import Concentration
from allocator.insight.simulate.measures import Distribution, Estimate
from allocator.insight.simulate.record import Risk, Simulation, Years
from allocator.insight.simulate.summary import YearsSummary
from allocator.records.outcome import Outcome
from allocator.report.broken import standing_figures, standing_lines
from allocator.report.charts import Axis, Chart, Series
from allocator.report.money import Unit, percent, unit_for
from allocator.report.plain import Text, cut, plain_table
from allocator.report.view import View

_MOST_SEGMENTS = 12
_CELLS = 80
"""Columns of the histogram."""
_ROOM = 88
_HOW = {
    "each": "borrower by borrower",
    "binned": "defaults one by one, take-up by bins",
}


def simulation_view(run: Outcome, simulation: Simulation, found: YearsSummary) -> View:
    """The years of `run`, one of those that were simulated."""
    years = simulation.books[run.name]
    return View(
        page=lambda: _page(run, simulation, years, found),
        document=lambda: _document(run, simulation, years, found),
        chart=lambda: _chart(run, years, found),
    )


def _page(run: Outcome, simulation: Simulation, years: Years, found: YearsSummary) -> RenderableType:
    """The page of one allocation's years."""
    unit = _unit(years, found, run.currency)
    count = len(years.net)
    lines = [
        *standing_lines(run),
        f"{_HOW[simulation.method]}; {_assumed(simulation.risk)}",
        *_pooled(years),
        f"amounts in {unit}; intervals hold 95 %",
    ]
    return Group(
        Text(f"{run.name}: {count:,} simulated years, seed {simulation.seed}", style="bold"),
        *map(Text, lines),
        "",
        _distributions(years, found, unit),
        "",
        _tails(found, unit),
        "",
        *map(Text, _remarks(found, unit)),
        "",
        _segments(simulation, found, unit),
        *map(Text, ["", *_concentrations(simulation, found)]),
    )


def _document(run: Outcome, simulation: Simulation, years: Years, found: YearsSummary) -> dict[str, Any]:
    """The same as plain values; amounts in currency units, shares as fractions."""
    return {
        **standing_figures(run),
        "years": len(years.net),
        "seed": simulation.seed,
        "method": simulation.method,
        "risk": asdict(simulation.risk),
        "expected": dict(years.expected),
        "exact_bins": years.exact_bins,
        "pooled": years.pooled,
        "normal_error": years.normal_error,
        **{
            name: _distribution_figures(getattr(found, name))
            for name in ("interest", "loss", "net", "shortfall", "systematic")
        },
        "below_zero": asdict(found.below_zero),
        "segment_level": found.segment_level,
        "segments": [asdict(segment) for segment in found.segments],
        "concentration": {"names": _spread(found.names), "segments": _spread(found.by_segment)},
    }


def _chart(run: Outcome, years: Years, found: YearsSummary) -> Chart:
    """Histograms of net and loss over one scale, with what is expected and the worst years marked."""
    edges = np.histogram_bin_edges(np.concatenate([years.net, years.loss]), _CELLS)
    series = []
    for heading, values in (("net", years.net), ("loss", years.loss)):
        shares = np.histogram(values, edges)[0] / len(values)
        series.append(Series(heading, edges.tolist(), [*shares.tolist(), 0.0], "steps"))
    worst = found.shortfall.tails[-2 if len(found.shortfall.tails) > 1 else 0]
    marks = (
        (years.expected["net"], "net expected"),
        (-worst.var.value, f"net, worst {percent(1 - worst.level)} of years"),
        (years.expected["loss"], "loss expected"),
    )
    title = f"{run.name}: {len(years.net):,} simulated years"
    return Chart(title, Axis(run.currency), Axis("share of years", "percent"), tuple(series), marks)


def _assumed(risk: Risk) -> str:
    recovery = "loss given default fixed" if risk.lgd_spread == 0 else (
        f"loss given default Beta of variance {risk.lgd_spread:g} L (1 - L)"
    )  # fmt: skip
    if risk.by is None:
        return f"asset correlation {percent(risk.rho)}; {recovery}"
    within, across = percent(risk.rho), percent(risk.rho * risk.between)
    return f"asset correlation {within} in a {risk.by}, {across} between two; {recovery}"


def _pooled(years: Years) -> Iterator[str]:
    if years.pooled:
        yield (
            f"take-up: {years.exact_bins:,} bins exact, {years.pooled:,} further offers as a normal sum, "
            f"off by {percent(years.normal_error)} at most"
        )


def _unit(years: Years, found: YearsSummary, currency: str) -> Unit:
    rows = (found.interest, found.loss, found.net)
    columns = {
        "certificate": [years.expected["interest"], years.expected["net"]],
        "mean": [row.mean for row in rows],
        "s.e.": [row.standard_error for row in rows],
        "sd": [row.sd for row in rows],
        **{f"{at}": [row.quantiles[at][1] for row in rows] for at in range(len(found.net.quantiles))},
    }
    return unit_for(columns, currency, _ROOM)


def _distributions(years: Years, found: YearsSummary, unit: Unit) -> RenderableType:
    table = plain_table()
    table.add_column("")
    headings = [f"{100 * level:g} %" for level, _ in found.net.quantiles]
    for heading in ("certificate", "mean", "s.e.", "sd", *headings):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in ("interest", "loss", "net"):
        row: Distribution = getattr(found, name)
        cells = [years.expected[name], row.mean, row.standard_error, row.sd, *(v for _, v in row.quantiles)]
        table.add_row(name, *map(unit.write, cells))
    return table


def _tails(found: YearsSummary, unit: Unit) -> RenderableType:
    table = plain_table()
    table.add_column("level", justify="right")
    for heading in ("loss: VaR", "interval", "CVaR", "interval", "systematic", "net: VaR", "CVaR"):
        table.add_column(heading, justify="right", no_wrap=True)
    every = zip(found.loss.tails, found.systematic.tails, found.shortfall.tails, strict=True)
    for loss, systematic, shortfall in every:
        table.add_row(
            f"{100 * loss.level:g} %",
            unit.write(loss.var.value),
            _interval(loss.var, unit),
            unit.write(loss.cvar.value),
            _interval(loss.cvar, unit),
            unit.write(systematic.cvar.value),
            unit.write(-shortfall.var.value),
            unit.write(-shortfall.cvar.value),
        )
    return table


def _interval(estimate: Estimate, unit: Unit) -> str:
    ends = [unit.write(end) if np.isfinite(end) else "?" for end in (estimate.low, estimate.high)]
    return " to ".join(ends)


def _remarks(found: YearsSummary, unit: Unit) -> Iterator[str]:
    chance = found.below_zero
    yield (
        f"probability of a loss-making year: {percent(chance.value)} "
        f"({percent(chance.low)} to {percent(chance.high)})"
    )
    for loss, systematic in zip(found.loss.tails, found.systematic.tails, strict=True):
        if loss.level == found.segment_level and systematic.cvar.value > 0:
            more = loss.cvar.value / systematic.cvar.value - 1  # never below 0 in countless years
            adds = f"adds {percent(more)}" if more >= 0 else "adds what so few years do not show"
            yield (
                f"systematic: the CVaR of the loss that the factors alone lead to expect; "
                f"the risk of single firms {adds} at {100 * loss.level:g} %"
            )


def _segments(simulation: Simulation, found: YearsSummary, unit: Unit) -> RenderableType:
    table = plain_table()
    table.add_column(simulation.risk.by or "grade", overflow="ellipsis", max_width=30, no_wrap=True)
    for heading in ("mean loss", f"part of CVaR {100 * found.segment_level:g} %", "share"):
        table.add_column(heading, justify="right", no_wrap=True)
    total = sum(segment.tail for segment in found.segments)
    ordered = sorted(found.segments, key=lambda segment: (-segment.tail, segment.name))
    shown, hidden = cut(ordered, _MOST_SEGMENTS)
    for segment in shown:
        share = percent(segment.tail / total) if total else ""
        table.add_row(Text(segment.name), unit.write(segment.mean), unit.write(segment.tail), share)
    return Group(table, *hidden)


def _concentrations(simulation: Simulation, found: YearsSummary) -> Iterator[str]:
    names, column = found.names, simulation.risk.by or "grade"
    if names.names < 2:
        yield f"money drawn: {'by 1 name' if names.names else 'none'}"
        return
    top = ", ".join(f"the largest {count} hold {percent(share)}" for count, share in names.top)
    yield (
        f"money drawn: {names.names:,} names, effective number {names.effective:,.1f} "
        f"(HHI {names.hhi:.4g}); {top}"
    )
    yield f"by {column}: effective number {found.by_segment.effective:.1f} (HHI {found.by_segment.hhi:.4g})"


def _distribution_figures(row: Distribution) -> dict[str, Any]:
    return {**asdict(row), "quantiles": {f"{level:g}": value for level, value in row.quantiles}}


def _spread(found: Concentration) -> Mapping[str, Any]:
    top = {str(count): share for count, share in found.top}
    return {"names": found.names, "hhi": found.hhi, "effective": found.effective, "top": top}
