"""A frontier on the terminal and as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.console import Group, RenderableType

from allocator.insight.whatif.frontier import Frontier, FrontierPoint
from allocator.records.percentages import as_percentage
from allocator.report.money import figure, gap, small
from allocator.report.pictures.frontier import frontier_answer, frontier_chart
from allocator.report.plain import STOPPED_NOTE, Text, marked, notes_of, plain_table
from allocator.report.view import View

_HUGE = 1e12


def frontier_view(frontier: Frontier) -> View:
    """The frontier, a point a line."""
    return View.of(frontier, _page, _document, lambda record: frontier_chart(record, _bound))


def _page(frontier: Frontier) -> RenderableType:
    """The points, one per line, and what is known of the curve between them."""
    names = " and ".join(frontier.limits)
    solved = sum(point.solved for point in frontier.points)
    title = Text(f"{frontier.name}: value against {names}", style="bold")
    feasible = f"{solved} of {len(frontier.points)} points feasible, value in {frontier.currency}"
    answer = Text(frontier_answer(frontier, _bound))
    return Group(title, answer, feasible, "", _table(frontier), *_notes(frontier))


def _table(frontier: Frontier) -> RenderableType:
    alone = len(frontier.limits) == 1
    table = plain_table()
    for name in frontier.limits:
        table.add_column(Text(name), justify="right", no_wrap=True, max_width=24)
    for heading in (
        "value",
        "gap",
        *(["slope"] * len(frontier.limits)),
        *(["from", "to"] if alone else []),
        "funded",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for point in frontier.points:
        bounds = [_bound(bound, share) for bound, share in zip(point.at, frontier.percentages, strict=True)]
        if point.solved:
            slopes = [small(slope) for slope in point.slopes]
            ends = [_bound(end, frontier.percentages[0]) for end in (point.low, point.high)] if alone else []
            cells = [
                _value(point.value),
                marked(gap(point.gap), point.stopped),
                *slopes,
                *ends,
                f"{point.account.funded:,}",
            ]
        else:
            cells = [_unsolved(point)]
        near = all(abs(a - b) <= 1e-9 * abs(b) for a, b in zip(point.at, frontier.now, strict=True))
        mark = " <" if near else ""
        table.add_row(*bounds[:-1], bounds[-1] + mark, *cells)
    return table


def _unsolved(point: FrontierPoint) -> str:
    if point.status == "no_allocation":
        return marked("none in time", point.stopped)
    return "infeasible"


def _value(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < _HUGE else f"{value:,.0f}"


def _bound(bound: float, share: bool) -> str:
    if not np.isfinite(bound):
        return "" if np.isnan(bound) else "any"
    return as_percentage(bound) if share else figure(bound)


def _notes(frontier: Frontier) -> list[RenderableType]:
    alone = "slope: what a unit more of the bound is worth; from, to: where the same shadow prices hold"
    pair = "slope: what a unit more of each bound is worth, in their order"
    notes = ["", alone if len(frontier.limits) == 1 else pair]
    if any(point.stopped for point in frontier.points):
        notes.append(STOPPED_NOTE)
    if frontier.strategy != "optimal":
        notes.append(
            f"every point is an optimum, whatever the scenario's strategy {frontier.strategy} decides"
        )
    conflicts = dict.fromkeys(point.conflict for point in frontier.points if point.conflict)
    notes += [_conflict(conflict) for conflict in conflicts]
    if frontier.breakpoints:
        notes.append(f"known breakpoints of the slope: {len(frontier.breakpoints)} (--json lists them)")
    if not frontier.concave:
        share, other = "a share of what is lent moves coefficients", "not every limit is a row"
        notes.append(f"{share if any(frontier.shares) else other}: this curve need not be concave")
    return [*map(Text, notes), *notes_of(frontier.notes)]


def _conflict(names: tuple[str, ...]) -> str:
    return f"infeasible: {' and '.join(names)} cannot hold{' together' if len(names) > 1 else ''}"


def _document(frontier: Frontier) -> dict[str, Any]:
    """The frontier as plain values."""
    points = [
        {
            "at": dict(zip(frontier.limits, point.at, strict=True)),
            "status": point.status,
            "stopped": point.stopped,
            **(_figures(frontier, point) if point.solved else {"conflict": list(point.conflict)}),
        }
        for point in frontier.points
    ]
    return {
        "name": frontier.name,
        "currency": frontier.currency,
        "strategy": frontier.strategy,
        "limits": list(frontier.limits),
        "now": dict(zip(frontier.limits, frontier.now, strict=True)),
        "concave": frontier.concave,
        "points": points,
        "breakpoints": [vars(place) for place in frontier.breakpoints],
        "notes": frontier.notes,
    }


def _figures(frontier: Frontier, point: FrontierPoint) -> dict[str, Any]:
    return {
        "value": point.value,
        "bound": point.bound,
        "envelope": point.envelope,
        "gap": point.gap,
        "slopes": dict(zip(frontier.limits, point.slopes, strict=True)),
        "stands_from": point.low,
        "stands_to": point.high,
        "funded": point.account.funded,
        "offered": point.account.offered,
        "drawn": point.account.drawn,
        "expected_loss": point.account.lines["expected_loss"],
        "prices": {limit: price for limit, price in (point.prices or {}).items() if price},
    }
