"""A run: where its value comes from, and which limits shape it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from allocator.records.ledger import lines_among
from allocator.report.broken import broken_lines, broken_of
from allocator.report.colours import Shade
from allocator.report.drawing.chart import Axis, Bars, Chart
from allocator.report.drawing.units import short
from allocator.report.money import visible
from allocator.report.pictures.parts import gauge, steps


def run_chart(summary: Mapping[str, Any]) -> Chart:
    """A waterfall from interest to value, and a gauge of the limits."""
    currency, broken = summary["currency"], [*broken_lines(*broken_of(summary))]
    rule = "" if summary["strategy"] == "optimal" else f" by the strategy {summary['strategy']}"
    answer = (
        f"{short(summary['objective'])} {currency} expected{rule}; no allocation is worth more than "
        f"{short(summary['bound'])}. {short(summary['offered'])} offered to {summary['funded']:,} of "
        f"{summary['borrowers']:,} borrowers."
    )
    value = Bars(
        "Where the value comes from", Axis("", "money", currency), tuple(steps([*_lines(summary)], "Value"))
    )
    return Chart(
        f"{summary['name']}: {summary['status'].replace('_', ' ')}",
        answer,
        (value, gauge(summary["limits"])),
        tuple(broken),
    )


def _lines(summary: Mapping[str, Any]) -> Iterator[tuple[str, float, Shade]]:
    for line in lines_among(summary):
        amount = line.sign * summary[line.name]
        if amount:
            shade: Shade = "deep" if line.sign > 0 else "warn" if line.name == "expected_loss" else "rest"
            yield line.label.capitalize(), amount, shade
    if summary["idle_income"]:
        yield "Idle budget", summary["idle_income"], "pale"
    if summary.get("limit_penalty"):
        yield "Missed soft limits", -summary["limit_penalty"], "warn"
    if visible(summary.get("above_worst", 0.0)):
        yield "Mean above worst", -summary["above_worst"], "warn"
