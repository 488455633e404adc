"""Levers: what each change would add, at least and at most."""

from __future__ import annotations

import math

from allocator.insight.variants import AddedValue
from allocator.insight.whatif.levers import Levers
from allocator.report.broken import standing_lines
from allocator.report.drawing.chart import Axis, Bars, Chart, Key, Line, Part, Row
from allocator.report.drawing.units import short
from allocator.report.money import visible

_MOST = 15
"""Money that is nothing."""


def levers_chart(levers: Levers) -> Chart:
    """A bar a change, the largest first; a whisker where at least and at most differ."""
    run = levers.run
    adding = [worth for worth in levers.worths if visible(max(worth.high, 0.0))]
    shown = adding[:_MOST]
    rows = [Row(f"{worth.name}: {worth.change}", (_line(worth),)) for worth in shown]
    ends = [worth.high for worth in shown if math.isfinite(worth.high)] + [
        max(worth.low, 0.0) for worth in shown
    ]
    hidden, idle = len(adding) - len(shown), len(levers.worths) - len(adding)
    notes = [
        *([f"and {hidden} more, adding less"] if hidden else []),
        *([f"{idle} add nothing"] if idle else []),
    ]
    apart = any(line.whisker for row in rows for line in row.lines)
    keys = (
        Key("deep", "added at least"),
        *((Key("pale", "at most, line: where it may lie"),) if apart else ()),
    )
    best = shown[0] if shown else None
    answer = f"Most is added by {best.name}, {best.change}: {_figure(best)} {run.currency}." if best else (
        "Nothing that was tried adds anything."
    )  # fmt: skip
    panel = Bars(
        "What each change adds", Axis("added", "money", run.currency), tuple(rows), keys if rows else (),
        most=max(ends, default=None), more="; ".join(notes),
    )  # fmt: skip
    return Chart(f"{run.name}: what would raise the value", answer, (panel,), tuple(standing_lines(run)))


def _line(worth: AddedValue) -> Line:
    low = max(worth.low, 0.0)
    sure = Part(0.0, low, "deep", f"{worth.change}: {_figure(worth)}")
    if not math.isfinite(worth.high) or short(worth.high) == short(low):
        return Line((sure,), _figure(worth))
    return Line((sure, Part(low, worth.high, "pale", worth.change)), _figure(worth), (low, worth.high))


def _figure(worth: AddedValue) -> str:
    low, high = short(max(worth.low, 0.0)), short(worth.high) if math.isfinite(worth.high) else ""
    if not high:
        return f"at least {low}"
    if not math.isfinite(worth.low):
        return f"at most {high}"
    return low if low == high else f"{low} to {high}"
