"""Simulated years: how bad a year can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allocator.insight.simulate.simulate import Simulation
from allocator.records.portfolio import Floats
from allocator.report.broken import standing_lines
from allocator.report.drawing.chart import Axis, Chart, Mark, Plot
from allocator.report.drawing.units import short
from allocator.report.drawing.usual import histogram
from allocator.report.money import percent

_CELLS = 60
_LOSS_LEVEL = 0.99


def simulation_chart(simulation: Simulation, assumed: str) -> Chart:
    """Histograms of net and loss, with the worst years marked."""
    run, years = simulation.run, simulation.years
    net = dict(simulation.net.quantiles)
    marks = [
        Mark(net[level], f"1 in {1 / level:.0f} below {short(net[level])}")
        for level in (0.01, 0.05)
        if level in net
    ]
    marks.append(Mark(simulation.net.mean, f"mean {short(simulation.net.mean)}"))
    tail = next((tail for tail in simulation.loss.tails if tail.level == _LOSS_LEVEL), None)
    losses = [Mark(simulation.loss.mean, f"mean {short(simulation.loss.mean)}")]
    losses += [Mark(tail.var.value, f"1 in 100 above {short(tail.var.value)}")] if tail else []
    panels = (
        _panel("Net: interest less losses and costs", years.net, marks, "net of one year", run.currency),
        _panel("Loss", years.loss, losses, "loss of one year", run.currency),
    )
    notes = (*standing_lines(run), f"{assumed}: assumed, not estimated")
    return Chart(
        f"{run.name}: {len(years.net):,} simulated years, seed {simulation.seed}",
        simulation_answer(simulation),
        panels,
        notes,
    )


def simulation_answer(simulation: Simulation) -> str:
    """What a bad year nets, how many lose money, and what a year nets on average."""
    currency, net = simulation.run.currency, dict(simulation.net.quantiles)
    worst = f"One year in a hundred nets less than {short(net[0.01])} {currency}; " if 0.01 in net else ""
    lose, mean = percent(simulation.below_zero.value), short(simulation.net.mean)
    return f"{worst}{lose} of the years lose money; {mean} on average."


def _panel(heading: str, values: Floats, marks: Sequence[Mark], axis: str, currency: str) -> Plot:
    edges = np.histogram_bin_edges(values, _CELLS)
    counts = np.histogram(values, edges)[0]
    return histogram(edges.tolist(), counts.tolist(), marks, Axis(axis, "money", currency), heading)
