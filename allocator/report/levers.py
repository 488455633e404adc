"""The price of everything on one page: what each change would add, the largest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import Group, RenderableType

from allocator.insight.variants import BestKnown
from allocator.insight.whatif.levers import Levers
from allocator.records.outcome import Outcome
from allocator.report.broken import standing_figures, standing_lines
from allocator.report.money import gap, percent
from allocator.report.named import Figures, named_table
from allocator.report.pictures.levers import levers_chart
from allocator.report.plain import Text, cut
from allocator.report.view import View

_MOST = 40
_PRICED = "by the run's prices; at least: what the present allocation would add"
SURE = 1e-6
"""Gap up to which a value is called the best."""


def levers_view(levers: Levers) -> View:
    """What each change would add to the value of a run."""
    return View.of(levers, _page, _document, levers_chart)


def _page(levers: Levers) -> RenderableType:
    """The changes with the range in which what they add lies."""
    run, best, worths = levers.run, levers.best, levers.worths
    shown, hidden = cut(worths, _MOST, "changes worth less")
    parts = [
        percent(worth.high / best.value) if best.value > 0 and np.isfinite(worth.high) else ""
        for worth in shown
    ]
    columns = [
        Figures("from, to", [worth.change for worth in shown], "left"),
        Figures("at least", [_money(worth.low) for worth in shown]),
        Figures("at most", [_money(worth.high) for worth in shown]),
        Figures("of value", parts),
    ]
    table = named_table("change of", [worth.name for worth in shown], columns)
    solved = sum(worth.solved for worth in worths)
    how = "each solved again" if solved == len(worths) else _PRICED
    how = f"{solved} solved again, the others {_PRICED}" if 0 < solved < len(worths) else how
    known = f"; the best value is known to a gap of {gap(best.gap)}" if np.isfinite(best.value) else ""
    note = Text(f"{run.currency} added to the best value; {how}{known}")
    return Group(*_title(best, run), "", table, *hidden, note)


def _title(best: BestKnown, run: Outcome) -> Iterator[RenderableType]:
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
