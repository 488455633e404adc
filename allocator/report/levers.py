"""The price of everything on one page: what each change would add, the largest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import Group, RenderableType

from allocator.insight.variants import Best
from allocator.insight.whatif.levers import Levers
from allocator.records.outcome import Outcome
from allocator.report.broken import standing_figures, standing_lines
from allocator.report.charts import Axis, Chart, Series
from allocator.report.money import percent, small
from allocator.report.plain import Text, cut, plain_table
from allocator.report.view import View

_MOST = 40
SURE = 1e-6
"""Gap up to which a value is called the best."""
_DRAWN = 12


def levers_view(levers: Levers) -> View:
    """What each change would add to the value of a run."""
    return View.of(levers, _page, _document, _chart)


def _page(levers: Levers) -> RenderableType:
    """The changes with the range in which what they add lies."""
    run, best, worths = levers.run, levers.best, levers.worths
    table = plain_table(("change of", 27), ("from, to", 30), "at least", "at most", "of value")
    shown, hidden = cut(worths, _MOST, "changes worth less")
    for worth in shown:
        share = percent(worth.high / best.value) if best.value > 0 and np.isfinite(worth.high) else ""
        table.add_row(Text(worth.name), Text(worth.change), _money(worth.low), _money(worth.high), share)
    solved = all(worth.solved for worth in worths)
    how = (
        "each solved again"
        if solved
        else "by the run's prices; at least: what the present allocation would add"
    )
    gap = f"; that is known to a gap of {small(best.gap)}" if np.isfinite(best.value) else ""
    note = Text(f"{run.currency} added to the best value; {how}{gap}")
    return Group(*_title(best, run), "", table, *hidden, note)


def _title(best: Best, run: Outcome) -> Iterator[RenderableType]:
    """The value to be raised: the run's own where it is the optimum, else the best; and what the run is."""
    if run.optimal:
        yield Text(f"{run.name}: what would raise its value of {run.value:,.2f} {run.currency}", style="bold")
    else:
        known = f"{best.value:,.2f}"
        if best.gap > SURE:
            known = f"at most {best.bound:,.2f}"
            known += f", at least {best.value:,.2f}" if np.isfinite(best.value) else ""
        yield Text(f"{run.name}: what would raise the best value, {known} {run.currency}", style="bold")
        yield Text(f"this run is worth {run.value:,.2f}")
    yield from map(Text, standing_lines(run))


def _money(amount: float) -> str:
    return f"{amount:z,.2f}" if np.isfinite(amount) else "not known"


def _document(levers: Levers) -> dict[str, Any]:
    """The changes as plain values; null where a range has no end."""
    return {
        **standing_figures(levers.run),
        "best_at_least": levers.best.value,
        "best_at_most": levers.best.bound,
        "levers": [vars(worth) for worth in levers.worths],
    }


def _chart(levers: Levers) -> Chart:
    """The dearest levers as bars."""
    run, drawn = levers.run, [worth for worth in levers.worths if np.isfinite(worth.high)][:_DRAWN]
    words = [worth.name for worth in drawn]
    low = [max(worth.low, 0.0) if np.isfinite(worth.low) else 0.0 for worth in drawn]
    series = (
        Series("at least", words, low, "bars"),
        Series("at most", words, [worth.high for worth in drawn], "bars"),
    )
    return Chart(f"{run.name}: what each change would add", Axis("change"), Axis(run.currency), series)
