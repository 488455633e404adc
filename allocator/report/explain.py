"""A run explained on the terminal: the book's ledger, what each limit costs, ranges of shadow prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.console import Group, RenderableType

from allocator.insight.explain.book import BookExplanation, LimitExplanation
from allocator.insight.explain.ledger import PricedAccount
from allocator.insight.explain.ranges import Range
from allocator.insight.variants import Worth
from allocator.records.ledger import LINES
from allocator.records.outcome import Outcome
from allocator.report.broken import standing_figures, standing_lines
from allocator.report.charts import Axis, Chart, Series
from allocator.report.limits import limits_shown
from allocator.report.money import figure, small, unit_for
from allocator.report.plain import WIDTH, Text, plain_table, reasons_table, unheaded_table
from allocator.report.view import View

_MOST = 25
_WIDEST = 18
"""Of a segment's name."""


def book_view(found: BookExplanation, run: Outcome, where: str | None = None) -> View:
    """A whole run; the ledger by segment is of those in `where` alone."""
    return View(
        page=lambda: _page(found, run, where),
        document=lambda: _document(found, run, where),
        chart=lambda: _chart(found, run, where),
    )


def _page(found: BookExplanation, run: Outcome, where: str | None = None) -> RenderableType:
    """The page of a run; the ledger by segment is of those in `where` alone."""
    currency = run.currency
    parts: list[RenderableType] = [
        Text(f"{run.name}: where its value comes from and what its limits cost", style="bold"),
        *map(Text, standing_lines(run)),
        "",
        _segments(found, currency, where),
        "",
        *_sums(found, currency),
        "",
        _limits(found.limits, currency),
    ]
    parts += ["", _costs(found.costs, currency)] if found.costs else []
    parts += ["", _declined(found.refusals)] if found.refusals else []
    return Group(*parts)


def _document(found: BookExplanation, run: Outcome, where: str | None) -> dict[str, Any]:
    ledger = found.ledger
    limits = [
        {**asdict(limit.use), "charge": limit.line.charge, "unused": limit.line.unused,
         "range": None if limit.range is None else asdict(limit.range)}
        for limit in found.limits
    ]  # fmt: skip
    return {
        **standing_figures(run),
        "where": where,
        "value": ledger.value,
        "value_of_lines": ledger.value_of_lines,
        "bound_at_prices": ledger.bound,
        "gap_of_lines": ledger.gap_of_lines,
        "certified_bound": ledger.certified_bound,
        "tree": ledger.tree,
        "idle_income": ledger.idle_income,
        "book": ledger.account.figures | {"lost": ledger.account.lost},
        "by": found.by,
        "segments": [segment.figures | {"lost": segment.lost} for segment in found.segments],
        "limits": limits,
        "costs": [
            {"limit": cost.name, "low": cost.low, "high": cost.high, "solved": cost.solved}
            for cost in found.costs
        ],
        "refusals": found.refusals,
    }


def _segments(found: BookExplanation, currency: str, where: str | None) -> RenderableType:
    """Ledger by segment; `charged` is shadow prices times use, `reduced` the reduced value."""
    shown, whole = [*found.segments[:_MOST]], found.whole
    lines = [line for line in LINES if any(segment.account.lines[line.name] for segment in found.segments)]

    def money(segment: PricedAccount) -> dict[str, float]:
        own = {line.heading: segment.account.lines[line.name] for line in lines}
        charged = sum(segment.charges.values())
        return {**own, "value": segment.account.value, "charged": charged, "reduced": segment.chosen}

    def cells(segment: PricedAccount) -> list[str]:
        counts = (f"{segment.account.borrowers:,}", f"{segment.account.funded:,}")
        return [*counts, *map(unit.write, money(segment).values())]

    headings = [*money(whole)]
    columns = {heading: [money(segment)[heading] for segment in (*shown, whole)] for heading in headings}
    count = max(len("funded"), len(f"{whole.account.borrowers:,}"))
    names = max(map(cell_len, [found.by, "total", *(segment.account.name for segment in shown)]))
    unit = unit_for(columns, currency, WIDTH - min(names, _WIDEST) - 2 * (2 + count))
    table = plain_table(totals=True)
    table.add_column(Text(found.by), "total", no_wrap=True, overflow="ellipsis", max_width=_WIDEST)
    for heading, total in zip(("asked", "funded", *headings), cells(whole), strict=True):
        table.add_column(heading, total, justify="right", no_wrap=True)
    for segment in shown:
        table.add_row(Text(segment.account.name), *cells(segment))
    hidden = len(found.segments) - len(shown)
    more = [f"the total includes {hidden} more"] if hidden else []
    whom = "" if where is None else f" of those with {where}"
    explained = "charged: shadow prices times use; reduced: the rest"
    title = f"Ledger by {found.by}{whom}, amounts in {unit}; {explained}"
    return Group(Text(title, style="bold"), table, *more)


def _sums(found: BookExplanation, currency: str) -> list[RenderableType]:
    """The two identities of formulation.md, section 5, to the cent."""
    ledger = found.ledger
    charged = sum(line.charge for line in ledger.limits)
    unused = sum(line.unused for line in ledger.limits)
    value = [("reduced values of borrowers", ledger.account.chosen), ("charged by limits", charged)]
    value += [("earned by idle budget", ledger.idle_income)] if ledger.idle_income else []
    gap = [
        ("regret against the best responses", ledger.account.lost),
        ("slack of limits, at shadow prices", unused),
    ]
    out: list[RenderableType] = [
        Text(f"Value and gap, term by term, {currency}", style="bold"),
        _sum("value", ledger.value, value),
        _sum("bound at these shadow prices - value", ledger.bound - ledger.value, gap),
    ]
    if ledger.tree > 0.005:
        certified = f"{ledger.certified_bound:,.2f} is certified"
        out.append(f"a proof tree takes {ledger.tree:,.2f} off that bound: {certified}")
    return out


def _sum(name: str, total: float, parts: Sequence[tuple[str, float]]) -> RenderableType:
    table = unheaded_table("left", "right", least=38)
    for label, money in parts:
        table.add_row(f"  {label}", f"{money:z,.2f}")
    table.add_row(f"= {name}", f"{total:z,.2f}")
    return table


def _limits(limits: Sequence[LimitExplanation], currency: str) -> RenderableType:
    """Limits with a shadow price first, by what they charge, then those with the least slack."""
    ordered = [limits[0], *sorted(limits[1:], key=_importance)]
    table = plain_table()
    table.add_column("limit", overflow="fold", max_width=28)
    for heading in ("used", "bound", "shadow price", "charges", "decrease", "increase"):
        table.add_column(heading, justify="right", no_wrap=True)
    names = [limit.use.name for limit in ordered]
    shown, hidden = limits_shown(ordered, names, "values of such limits")
    for limit in shown:
        low, high = _range(limit.range)
        price = small(limit.use.price) if limit.use.price else ""
        charge = figure(limit.line.charge) if limit.use.price else ""
        used, bound = figure(limit.use.used), figure(limit.use.bound)
        table.add_row(Text(limit.use.name), used, bound, price, charge, low, high)
    title = f"Limits, amounts in {currency}; decrease, increase: allowable at the same shadow price"
    return Group(Text(title, style="bold"), table, *hidden)


def _importance(limit: LimitExplanation) -> tuple[float, float]:
    return -abs(limit.line.charge), limit.use.slack / max(abs(limit.use.bound), 1.0)


def _range(found: Range | None) -> tuple[str, str]:
    if found is None:
        return "not known", "not known"
    ends = (-found.low, found.high)
    low, high = (figure(end) if np.isfinite(end) else "any" for end in ends)
    return low, high


def _costs(costs: Sequence[Worth], currency: str) -> RenderableType:
    table = plain_table()
    table.add_column("without", overflow="fold", max_width=40)
    for heading in ("adds at least", "at most", "known by"):
        table.add_column(heading, justify="right")
    for cost in sorted(costs, key=lambda one: -one.low):
        most = f"{cost.high:,.2f}" if np.isfinite(cost.high) else ""
        unsolved = "its shadow price of 0" if most else "its absence alone"
        how = "solving without it" if cost.solved else unsolved
        table.add_row(Text(cost.name), f"{cost.low:,.2f}", most, how)
    named = any(cost.name == "budget" for cost in costs)
    title = Text(f"What each limit costs: value that dropping it adds, {currency}", style="bold")
    return Group(title, table, *([] if named else ["not the budget, whose idle part earns"]))


def _declined(reasons: Mapping[str, int]) -> RenderableType:
    return Group(Text(f"{sum(reasons.values()):,} declined", style="bold"), reasons_table(reasons))


def _chart(found: BookExplanation, run: Outcome, where: str | None = None) -> Chart:
    """Value by segment: the reduced value, and what each limit charges."""
    words = [segment.account.name for segment in found.segments]
    reduced = Series("reduced value", words, [segment.chosen for segment in found.segments], "bars")
    limits = sorted({limit for segment in found.segments for limit in segment.charges})
    charges = [
        Series(limit, words, [segment.charges[limit] for segment in found.segments], "bars")
        for limit in limits
    ]
    whom = "" if where is None else f" of those with {where}"
    title = f"{run.name}: value by {found.by}{whom}"
    return Chart(title, Axis(found.by), Axis(run.currency), (reduced, *charges[:5]))
