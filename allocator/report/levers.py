"""The price of everything on one page: what each change would add, the largest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType

from allocator.insight.variants import Best, Worth
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


def levers_view(levers: Levers, run: Outcome) -> View:
    """What each change would add to the value of `run`."""
    return View(
        page=lambda: _page(levers, run),
        document=lambda: _document(levers, run),
        chart=lambda: _chart(levers.worths, run),
    )


def _page(levers: Levers, run: Outcome) -> RenderableType:
    """The changes with the range in which what they add lies."""
    best, found = levers.best, levers.worths
    table = plain_table()
    table.add_column("change of", overflow="fold", max_width=27)
    table.add_column("from, to", overflow="fold", max_width=30)
    for heading in ("at least", "at most", "of value"):
        table.add_column(heading, justify="right", no_wrap=True)
    shown, hidden = cut(found, _MOST, "changes worth less")
    for one in shown:
        share = percent(one.high / best.value) if best.value > 0 and np.isfinite(one.high) else ""
        table.add_row(Text(one.name), Text(one.change), _money(one.low), _money(one.high), share)
    solved = all(one.solved for one in found)
    how = (
        "each solved again"
        if solved
        else "by the run's prices; at least: what the present allocation would add"
    )
    gap = f"; that is known to a gap of {small(best.gap)}" if np.isfinite(best.value) else ""
    note = Text(f"{run.currency} added to the best value; {how}{gap}")
    return Group(*_title(best, run), "", table, *hidden, note)


def _title(best: Best, run: Outcome) -> Iterator[RenderableType]:
    """Of the run's own value where it is the optimum, else of the best, with what the run is."""
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


def _document(levers: Levers, run: Outcome) -> dict[str, Any]:
    """The changes as plain values; null where a range has no end."""
    return {
        **standing_figures(run),
        "best_at_least": levers.best.value,
        "best_at_most": levers.best.bound,
        "levers": [vars(one) for one in levers.worths],
    }


def _chart(found: Sequence[Worth], run: Outcome) -> Chart:
    """The dearest levers as bars."""
    drawn = [one for one in found if np.isfinite(one.high)][:_DRAWN]
    words = [one.name for one in drawn]
    low = [max(one.low, 0.0) if np.isfinite(one.low) else 0.0 for one in drawn]
    series = (
        Series("at least", words, low, "bars"),
        Series("at most", words, [one.high for one in drawn], "bars"),
    )
    return Chart(f"{run.name}: what each change would add", Axis("change"), Axis(run.currency), series)
