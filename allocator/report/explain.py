"""A run explained on the terminal: the book's ledger, what each limit costs and how firm its price is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table

from allocator.insight.book import BookView, Cost, LimitView
from allocator.insight.ledger import Account
from allocator.insight.ranges import Range
from allocator.insight.standing import Standing
from allocator.report.broken import standing_lines
from allocator.report.charts import Axis, Chart, Series
from allocator.report.limits import own_first_kept
from allocator.report.money import figure, small, unit_for
from allocator.report.plain import Text, plain_table

WIDTH = 100
_MOST = 25
_WIDEST = 18
"""Of a segment's name."""
_LINES = {
    "interest": "interest",
    "expected_loss": "loss",
    "funding_cost": "funding",
    "churn_cost": "churn",
    "processing_cost": "processing",
    "relationship_cost": "relations",
}


def book_page(view: BookView, run: Standing, where: str | None = None) -> RenderableType:
    """The page of a run: ledgers, sums, limits, refusals; the ledger by segment of those in `where` alone."""
    currency = run.currency
    parts: list[RenderableType] = [
        Text(f"{run.name}: where its value comes from and what its limits cost", style="bold"),
        *map(Text, standing_lines(run)),
        "",
        _segments(view, currency, where),
        "",
        *_sums(view, currency),
        "",
        _limits(view.limits, currency),
    ]
    parts += ["", _costs(view.costs, currency)] if view.costs else []
    parts += ["", _refusals(view.refusals)] if view.refusals else []
    return Group(*parts)


def _segments(view: BookView, currency: str, where: str | None) -> RenderableType:
    """Ledger by segment; `charged` is what the limits charge at their prices, `kept` what is left."""
    shown = [*view.segments[:_MOST]]
    lines = {line: label for line, label in _LINES.items() if any(getattr(a, line) for a in view.segments)}

    def money(account: Account) -> dict[str, float]:
        own = {label: getattr(account, line) for line, label in lines.items()}
        charged = sum(account.charges.values())
        return {**own, "value": account.value, "charged": charged, "kept": account.chosen}

    headings = [*lines.values(), "value", "charged", "kept"]
    whole = _total(view.segments)
    columns = {heading: [money(a)[heading] for a in (*shown, whole)] for heading in headings}
    count = max(len("funded"), len(f"{whole.borrowers:,}"))
    names = max(map(cell_len, [view.by, "total", *(account.name for account in shown)]))
    unit = unit_for(columns, currency, WIDTH - min(names, _WIDEST) - 2 * (2 + count))
    table = plain_table(totals=True)
    table.add_column(Text(view.by), "total", no_wrap=True, overflow="ellipsis", max_width=_WIDEST)
    totals = [f"{whole.borrowers:,}", f"{whole.funded:,}", *(unit.write(money(whole)[h]) for h in headings)]
    for heading, total in zip(("asked", "funded", *headings), totals, strict=True):
        table.add_column(heading, total, justify="right", no_wrap=True)
    for account in shown:
        cells = [unit.write(money(account)[heading]) for heading in headings]
        table.add_row(Text(account.name), f"{account.borrowers:,}", f"{account.funded:,}", *cells)
    hidden = len(view.segments) - len(shown)
    more = [f"the total includes {hidden} more"] if hidden else []
    whom = "" if where is None else f" of those with {where}"
    title = f"Ledger by {view.by}{whom}, amounts in {unit}; charged: by the limits at their prices"
    return Group(Text(title, style="bold"), table, *more)


def _total(segments: Sequence[Account]) -> Account:
    figures = ("borrowers", "funded", "offered", "drawn", *_LINES, "value", "chosen", "best")
    sums = {figure: sum(getattr(account, figure) for account in segments) for figure in figures}
    limits = dict.fromkeys(limit for account in segments for limit in account.charges)
    charges = {limit: sum(account.charges.get(limit, 0.0) for account in segments) for limit in limits}
    return Account(name="total", charges=charges, **sums)


def _sums(view: BookView, currency: str) -> list[RenderableType]:
    """The two sums of formulation.md, section 5, to the cent."""
    ledger = view.ledger
    charged = sum(line.charge for line in ledger.limits)
    unused = sum(line.unused for line in ledger.limits)
    value = [("kept by borrowers", ledger.account.chosen), ("charged by limits", charged)]
    value += [("earned by idle budget", ledger.idle_income)] if ledger.idle_income else []
    gap = [
        ("given up against the best answers", ledger.account.lost),
        ("room left unused, priced", unused),
    ]
    out: list[RenderableType] = [
        Text(f"Two sums that come out, {currency}", style="bold"),
        _sum("value", ledger.value, value),
        _sum("bound at these prices - value", ledger.bound - ledger.value, gap),
    ]
    if ledger.tree > 0.005:
        certified = f"{ledger.certified_bound:,.2f} is certified"
        out.append(f"a proof tree takes {ledger.tree:,.2f} off that bound: {certified}")
    return out


def _sum(name: str, total: float, parts: Sequence[tuple[str, float]]) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=38)
    table.add_column(justify="right")
    for label, money in parts:
        table.add_row(f"  {label}", f"{money + 0.0:,.2f}")
    table.add_row(f"= {name}", f"{total + 0.0:,.2f}")
    return table


def _limits(limits: Sequence[LimitView], currency: str) -> RenderableType:
    """Priced limits first by what they charge, then those with the least room."""
    ordered = [limits[0], *sorted(limits[1:], key=_importance)]
    table = plain_table()
    table.add_column("limit", overflow="fold", max_width=28)
    for heading in ("used", "bound", "price", "charges", "may fall by", "may rise by"):
        table.add_column(heading, justify="right", no_wrap=True)
    shown = own_first_kept([view.use.name for view in ordered], _MOST)
    for view in (ordered[at] for at in shown):
        low, high = _range(view.range)
        price = small(view.use.price) if view.use.price else ""
        charge = figure(view.line.charge) if view.use.price else ""
        used, bound = figure(view.use.used), figure(view.use.bound)
        table.add_row(Text(view.use.name), used, bound, price, charge, low, high)
    hidden = len(ordered) - len(shown)
    more = [f"and {hidden:,} more values of such limits"] if hidden else []
    title = f"Limits, amounts in {currency}; the price stands while the right-hand side moves no further"
    return Group(Text(title, style="bold"), table, *more)


def _importance(view: LimitView) -> tuple[float, float]:
    return -abs(view.line.charge), view.use.slack / max(abs(view.use.bound), 1.0)


def _range(found: Range | None) -> tuple[str, str]:
    if found is None:
        return "not known", "not known"
    ends = (-found.low, found.high)
    low, high = (figure(end + 0.0) if np.isfinite(end) else "any" for end in ends)
    return low, high


def _costs(costs: Sequence[Cost], currency: str) -> RenderableType:
    table = plain_table()
    table.add_column("without", overflow="fold", max_width=40)
    for heading in ("adds at least", "at most", "known by"):
        table.add_column(heading, justify="right")
    for cost in sorted(costs, key=lambda one: -one.low):
        most = f"{cost.high:,.2f}" if np.isfinite(cost.high) else ""
        how = "solving without it" if cost.solved else "its price of 0" if most else "its absence alone"
        table.add_row(Text(cost.limit), f"{cost.low:,.2f}", most, how)
    named = any(cost.limit == "budget" for cost in costs)
    title = Text(f"What each limit costs: value that dropping it adds, {currency}", style="bold")
    return Group(title, table, *([] if named else ["not the budget, whose idle part earns"]))


def _refusals(refusals: Mapping[str, int]) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column()
    for reason, count in list(refusals.items())[:_MOST]:
        table.add_row(f"{count:,}", Text(reason))
    total = sum(refusals.values())
    return Group(Text(f"{total:,} refused", style="bold"), table)


def book_chart(view: BookView, run: Standing, where: str | None = None) -> Chart:
    """Value by segment: what is kept, and what each limit charges."""
    words = [account.name for account in view.segments]
    kept = Series("kept", words, [account.chosen for account in view.segments], "bars")
    limits = sorted({limit for account in view.segments for limit in account.charges})
    charges = [
        Series(limit, words, [account.charges[limit] for account in view.segments], "bars")
        for limit in limits
    ]
    whom = "" if where is None else f" of those with {where}"
    title = f"{run.name}: value by {view.by}{whom}"
    return Chart(title, Axis(view.by), Axis(run.currency), (kept, *charges[:5]))
