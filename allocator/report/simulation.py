"""Simulated years on a page: distributions, tails, where the loss comes from, and a histogram."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Group, RenderableType

from allocator.insight.simulate.concentration import Concentration
from allocator.insight.simulate.measures import Distribution
from allocator.insight.simulate.record import Risk, Years
from allocator.insight.simulate.simulate import SEGMENT_LEVEL, Simulation
from allocator.records.estimate import Estimate
from allocator.report.broken import standing_figures, standing_lines
from allocator.report.money import Unit, part_of_all, percent, unit_for
from allocator.report.named import Figures, figures_of, named_table
from allocator.report.pictures.simulation import simulation_answer, simulation_chart
from allocator.report.plain import Text, cut
from allocator.report.room import room
from allocator.report.view import View

_MOST_SEGMENTS = 12
_OTHERS = 12
"""Columns of the page that names take."""
_HOW = {
    "each": "borrower by borrower",
    "binned": "defaults one by one, take-up by bins",
}


def simulation_view(simulation: Simulation) -> View:
    """The simulated years of a run."""
    return View.of(
        simulation, _page, _document, lambda record: simulation_chart(record, _assumed(record.risk))
    )


def _page(simulation: Simulation) -> RenderableType:
    """The page of one allocation's years."""
    run, years, unit = simulation.run, simulation.years, _unit(simulation)
    lines = [
        *standing_lines(run),
        f"{_HOW[years.method]}; {_assumed(simulation.risk)}",
        *_pooled(years),
        f"amounts in {unit}; intervals hold 95 %",
    ]
    return Group(
        Text(f"{run.name}: {len(years.net):,} simulated years, seed {simulation.seed}", style="bold"),
        Text(simulation_answer(simulation)),
        *map(Text, lines),
        "",
        _distributions(simulation, unit),
        "",
        _tails(simulation, unit),
        "",
        *map(Text, _remarks(simulation)),
        "",
        _segments(simulation, unit),
        *map(Text, ["", *_concentrations(simulation)]),
    )


def _document(simulation: Simulation) -> dict[str, Any]:
    """The simulation as plain values; amounts in currency units, shares as fractions."""
    years = simulation.years
    return {
        **standing_figures(simulation.run),
        "years": len(years.net),
        "seed": simulation.seed,
        "method": years.method,
        "risk": asdict(simulation.risk),
        "expected": dict(years.expected),
        "exact_bins": years.exact_bins,
        "pooled": years.pooled,
        "normal_error": years.normal_error,
        **{
            name: _distribution_figures(getattr(simulation, name))
            for name in ("interest", "loss", "net", "shortfall", "systematic")
        },
        "below_zero": asdict(simulation.below_zero),
        "segment_level": SEGMENT_LEVEL,
        "segments": [asdict(segment) for segment in simulation.segments],
        "concentration": {"names": _spread(simulation.names), "segments": _spread(simulation.by_segment)},
    }


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


def _unit(simulation: Simulation) -> Unit:
    rows, expected = (simulation.interest, simulation.loss, simulation.net), simulation.years.expected
    columns = {
        "certificate": [expected["interest"], expected["net"]],
        "mean": [row.mean for row in rows],
        "s.e.": [row.standard_error for row in rows],
        "sd": [row.sd for row in rows],
        **{
            f"{number}": [row.quantiles[number][1] for row in rows]
            for number in range(len(simulation.net.quantiles))
        },
    }
    return unit_for(columns, simulation.run.currency, room() - _OTHERS)


def _distributions(simulation: Simulation, unit: Unit) -> RenderableType:
    levels = [f"{100 * level:g} %" for level, _ in simulation.net.quantiles]
    names, rows = ("interest", "loss", "net"), []
    for name in names:
        row: Distribution = getattr(simulation, name)
        expected = simulation.years.expected[name]
        cells = [expected, row.mean, row.standard_error, row.sd, *(value for _, value in row.quantiles)]
        rows.append([*map(unit.write, cells)])
    headings = ("certificate", "mean", "s.e.", "sd", *levels)
    columns = figures_of(headings, rows)
    return named_table("", names, columns)


def _tails(simulation: Simulation, unit: Unit) -> RenderableType:
    headings = ("loss: VaR", "interval", "loss: CVaR", "interval", "systematic", "net: VaR", "net: CVaR")
    levels, rows = [], []
    every = zip(simulation.loss.tails, simulation.systematic.tails, simulation.shortfall.tails, strict=True)
    for loss, systematic, shortfall in every:
        levels.append(f"{100 * loss.level:g} %")
        rows.append(
            (
                unit.write(loss.var.value),
                _interval(loss.var, unit),
                unit.write(loss.cvar.value),
                _interval(loss.cvar, unit),
                unit.write(systematic.cvar.value),
                unit.write(-shortfall.var.value),
                unit.write(-shortfall.cvar.value),
            )
        )
    columns = figures_of(headings, rows)
    return named_table("level", levels, columns)


def _interval(estimate: Estimate, unit: Unit) -> str:
    ends = [unit.write(end) if np.isfinite(end) else "?" for end in (estimate.low, estimate.high)]
    return " to ".join(ends)


def _remarks(simulation: Simulation) -> Iterator[str]:
    chance = simulation.below_zero
    yield (
        f"probability of a loss-making year: {percent(chance.value)} "
        f"({percent(chance.low)} to {percent(chance.high)})"
    )
    for loss, systematic in zip(simulation.loss.tails, simulation.systematic.tails, strict=True):
        if loss.level == SEGMENT_LEVEL and systematic.cvar.value > 0:
            more = loss.cvar.value / systematic.cvar.value - 1  # never below 0 in countless years
            adds = f"adds {percent(more)}" if more >= 0 else "adds what so few years do not show"
            yield (
                f"systematic: the CVaR of the loss that the factors alone lead to expect; "
                f"the risk of single firms {adds} at {100 * loss.level:g} %"
            )


def _segments(simulation: Simulation, unit: Unit) -> RenderableType:
    total = sum(segment.tail for segment in simulation.segments)
    ordered = sorted(simulation.segments, key=lambda segment: (-segment.tail, segment.name))
    shown, hidden = cut(ordered, _MOST_SEGMENTS)
    columns = [
        Figures("mean loss", [unit.write(segment.mean) for segment in shown]),
        Figures(f"part of CVaR {100 * SEGMENT_LEVEL:g} %", [unit.write(segment.tail) for segment in shown]),
        Figures("share", [percent(segment.tail / total) if total else "" for segment in shown]),
    ]
    table = named_table(simulation.risk.by or "grade", [segment.name for segment in shown], columns)
    return Group(table, *hidden)


def _concentrations(simulation: Simulation) -> Iterator[str]:
    names, parts, column = simulation.names, simulation.by_segment, simulation.risk.by or "grade"
    if names.names < 2:
        yield f"money drawn: {'by 1 name' if names.names else 'none'}"
        return
    top = ", ".join(
        f"the largest {'holds' if count == 1 else f'{count} hold'} {part_of_all(share)}"
        for count, share in names.top
    )
    yield (
        f"money drawn: {names.names:,} names, effective number {names.effective:,.1f} "
        f"(HHI {names.hhi:.4g}); {top}"
    )
    yield f"by {column}: effective number {parts.effective:.1f} (HHI {parts.hhi:.4g})"


def _distribution_figures(row: Distribution) -> dict[str, Any]:
    return {**asdict(row), "quantiles": {f"{level:g}": value for level, value in row.quantiles}}


def _spread(amounts: Concentration) -> Mapping[str, Any]:
    top = {str(count): share for count, share in amounts.top}
    return {"names": amounts.names, "hhi": amounts.hhi, "effective": amounts.effective, "top": top}
