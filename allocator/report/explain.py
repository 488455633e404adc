"""A run explained on the terminal: the book's ledger, what each limit costs, ranges of shadow prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.console import Group, RenderableType

from allocator.insight.explain.book import BookExplanation
from allocator.insight.explain.ledger import LimitLine, PricedAccount
from allocator.insight.explain.ranges import PriceRange
from allocator.insight.variants import AddedValue
from allocator.records.cuts import HHI
from allocator.records.ledger import lines_among
from allocator.records.limits import conditional
from allocator.records.run import per_point
from allocator.records.scenario import COUNTED, Limit
from allocator.report.broken import standing_figures, standing_lines
from allocator.report.limits import (
    by_entry,
    cut_in_words,
    for_one,
    is_average,
    limit_of_row,
    limits_shown,
    one_more,
    part_stated,
    points_of,
    reasons_of,
)
from allocator.report.money import Unit, figure, percent, small, unit_for, visible
from allocator.report.named import figures_of, named_table
from allocator.report.pictures.book import book_answer, book_chart
from allocator.report.plain import Text, plain_table, reasons_table, unheaded_table
from allocator.report.room import room
from allocator.report.view import View

_MOST = 25
_BOUND, _BEST = "bound at these shadow prices", "best responses to these shadow prices"
_WIDEST = 18
"""Columns of the page that the name of a segment or limit takes at most."""
_FINEST_COUNT = 6
"""Decimals of a count at most: what is smaller comes of rounding."""


def book_view(book: BookExplanation) -> View:
    """A whole run; the ledger by segment is of those in its filter alone."""
    return View.of(book, _page, _document, lambda record: book_chart(record, _whom(record)))


def _page(book: BookExplanation) -> RenderableType:
    """The page of a run; the ledger by segment is of those in its filter alone."""
    run, currency = book.run, book.run.currency
    parts: list[RenderableType] = [
        Text(f"{run.name}: where its value comes from and what its limits cost", style="bold"),
        Text(book_answer(book)),
        *map(Text, standing_lines(run)),
        "",
        _segments(book, currency),
        "",
        *_sums(book, currency),
        "",
        _limits(book, currency),
    ]
    parts += ["", _costs(book.costs, currency)] if book.costs else []
    parts += ["", _declined(book)] if book.refusals else []
    return Group(*parts)


def _document(book: BookExplanation) -> dict[str, Any]:
    ledger = book.ledger
    limits = [
        {**limit.use.figures, "charge": limit.charge, "unused": limit.unused,
         "range": None if limit.range is None else asdict(limit.range)}
        for limit in ledger.limits
    ]  # fmt: skip
    return {
        **standing_figures(book.run),
        "where": book.where,
        "value": ledger.value,
        "value_of_lines": ledger.value_of_lines,
        "bound_at_prices": None if _split(book) else ledger.bound,
        "gap_of_lines": ledger.gap_of_lines,
        "certified_bound": ledger.certified_bound,
        "tree": ledger.tree,
        "idle_income": ledger.idle_income,
        "limit_penalty": ledger.penalty,
        "above_worst": ledger.above_worst,
        "book": ledger.account.figures | {"lost": ledger.account.lost},
        "by": book.by,
        "segments": [segment.figures | {"lost": segment.lost} for segment in book.segments],
        "limits": limits,
        "per_point": per_point(_rows(book), book.run.scenario.policy.limits),
        "costs": [
            {"limit": cost.name, "low": cost.low, "high": cost.high, "solved": cost.solved}
            for cost in book.costs
        ],
        "refusals": book.refusals,
    }


def _segments(book: BookExplanation, currency: str) -> RenderableType:
    """Ledger by segment; `charged` is shadow prices times use, `reduced` the reduced value."""
    shown, whole = [*book.segments[:_MOST]], book.whole
    lines = [line for line in lines_among(whole.account.lines)
             if any(segment.account.lines[line.name] for segment in book.segments)]  # fmt: skip
    on_capital = [*whole.account.on_capital][1:]

    def money(segment: PricedAccount) -> dict[str, float]:
        own = {line.heading: segment.account.lines[line.name] for line in lines}
        charged = sum(segment.charges.values())
        return {**own, "value": segment.account.value, "charged": charged, "reduced": segment.chosen}

    def cells(segment: PricedAccount) -> list[str]:
        counts = (f"{segment.account.borrowers:,}", f"{segment.account.funded:,}")
        lends, returns = bool(segment.account.offered), segment.account.on_capital
        told = (percent(returns[key]) if lends else "" for key in on_capital)
        return [*counts, *told, *map(unit.write, money(segment).values())]

    headings = [*money(whole)]
    columns = {heading: [money(segment)[heading] for segment in (*shown, whole)] for heading in headings}
    count = max(len("funded"), len(f"{whole.account.borrowers:,}"))
    names = max(map(cell_len, [book.by, "total", *(segment.account.name for segment in shown)]))
    unit = unit_for(columns, currency, room() - min(names, _WIDEST) - 2 * (2 + count) - 9 * len(on_capital))
    figures = figures_of(
        ("asked", "funded", *map(str.upper, on_capital), *headings), [*map(cells, (*shown, whole))]
    )
    listed = [*(segment.account.name for segment in shown), "total"]
    table = named_table(book.by, listed, figures, total=True)
    hidden = len(book.segments) - len(shown)
    more = [f"the total includes {hidden} more"] if hidden else []
    explained = "charged: shadow prices times use; reduced: the rest"
    title = f"Ledger by {book.by}{_whom(book)}, amounts in {unit}; {explained}"
    return Group(Text(title, style="bold"), table, *more)


def _whom(book: BookExplanation) -> str:
    return "" if book.where is None else f" of those with {book.where}"


def _sums(book: BookExplanation, currency: str) -> list[RenderableType]:
    """The two identities of formulation.md, section 5, to the cent."""
    ledger = book.ledger
    charged = sum(line.charge for line in ledger.limits)
    unused = sum(line.unused for line in ledger.limits)
    value = [("reduced values of borrowers", ledger.account.chosen), ("charged by limits", charged)]
    value += [("earned by idle budget", ledger.idle_income)] if ledger.idle_income else []
    value += [("paid for soft limits that are missed", -ledger.penalty)] if ledger.penalty else []
    gap = [
        ("regret against the best responses", ledger.account.lost),
        ("slack of limits, at shadow prices", unused),
    ]
    if book.run.certificate.weights:
        value.append(("mean over the stresses above the least", -ledger.above_worst))
        gap.append(("mean over the stresses above the least", ledger.above_worst))
    out: list[RenderableType] = [
        Text(f"Value and gap, term by term, {currency}", style="bold"),
        _sum("value", ledger.value, value),
        _sum(f"{_BEST if _split(book) else _BOUND} - value", ledger.bound - ledger.value, gap),
    ]
    certified = f"{ledger.certified_bound:,.2f} is certified"
    if _split(book):
        out.append(f"prices alone bound nothing beside limits on a condition: by a proof tree {certified}")
    elif visible(ledger.tree):
        out.append(f"a proof tree takes {ledger.tree:,.2f} off that bound: {certified}")
    return out


def _split(book: BookExplanation) -> bool:
    """Whether limits hang on a condition, so that prices are those of one case and bound no other."""
    return bool(conditional(book.run.scenario.policy))


def _sum(name: str, total: float, parts: Sequence[tuple[str, float]]) -> RenderableType:
    table = unheaded_table("left", "right", least=38)
    for label, money in parts:
        table.add_row(f"  {label}", f"{money:z,.2f}")
    table.add_row(f"= {name}", f"{total:z,.2f}")
    return table


def _limits(book: BookExplanation, currency: str) -> RenderableType:
    """Limits with a shadow price first, by price times use, then those with the least slack."""
    budget, *others = book.ledger.limits
    policy = book.run.scenario.policy.limits
    ordered = [budget, *sorted(others, key=_importance)]
    names = [limit.use.name for limit in ordered]
    shown, hidden = limits_shown(ordered, names, "values of such limits")
    unit = _unit_of(shown, currency)
    headings = ("used", "bound", "shadow price", "charges", "decrease", "increase")
    columns = figures_of(headings, [_cells(limit, policy, unit) for limit in shown])
    title = f"Limits, amounts in {unit}; decrease, increase: allowable at the same shadow price"
    prices = [{"name": line.use.name, "price": line.use.price} for line in book.ledger.limits]
    more = one_more(prices, policy, currency)
    more += map(Text, points_of(_rows(book), policy, currency))
    named = named_table("limit", [cut_in_words(limit.use.name, names) for limit in shown], columns)
    priced = sum(line.use.price != 0 for line in ordered if line not in shown)
    hidden = [f"{line}, {priced} of them with a price" if priced else line for line in hidden]
    return Group(Text(title, style="bold"), named, *hidden, *_missed(book), *more)


def _missed(book: BookExplanation) -> list[str]:
    """Limits that need not hold and do not, in a line for each kind."""
    uses = [line.use for line in book.ledger.limits if line.use.missed]
    kinds = {kind: [use.name for use in uses if use.soft == (kind == "soft")]
             for kind in ("soft", "reported only")}  # fmt: skip
    return [f"missed, {kind}: {', '.join(by_entry(names))}" for kind, names in kinds.items() if names]


def _rows(book: BookExplanation) -> list[tuple[str, float, float]]:
    """Name, bound and price of every row."""
    return [(line.use.name, line.use.bound, line.use.price) for line in book.ledger.limits]


def _unit_of(limits: Sequence[LimitLine], currency: str) -> Unit:
    """The unit in which the table of the limits fits the page."""
    amounts = [limit for limit in limits if limit.use.measure not in (*COUNTED, HHI)]
    moved = [end for limit in amounts if limit.range for end in (limit.range.low, limit.range.high)]
    columns = {
        "used": [limit.use.used for limit in amounts],
        "bound": [limit.use.bound for limit in amounts],
        "charges": [limit.charge for limit in limits],
        "decrease": [end for end in moved if np.isfinite(end) and end < 0],
        "increase": [end for end in moved if np.isfinite(end) and end > 0],
    }
    names = max(cell_len(limit.use.name) for limit in limits)
    return unit_for(columns, currency, room() - min(names, _WIDEST) - 2 - len("shadow price"))


def _cells(limit: LimitLine, policy: Sequence[Limit], unit: Unit) -> list[str]:
    """A use of money in the unit; a count, and what is narrow as it is, to the last digit that tells."""
    use, entry = limit.use, limit_of_row(policy, limit.use.name)
    money = figure if unit.size == 1 else unit.write
    write: Callable[[float], str] = _whole if use.measure in COUNTED else money
    if use.measure == HHI:
        write = percent
    elif entry is not None and is_average(entry) and use.bound:
        write = partial(part_stated, bound=use.bound, entry=entry)
    low, high = _range(limit.range, write)
    if entry is not None and entry.by is not None and entry.name == use.name:
        low, high = "", ""  # its cuts have prices, and ranges
    price = f"{small(use.price)}{for_one(use.measure, entry)}" if use.price else ""
    charge = money(limit.charge) if use.price else ""
    return [write(use.used), write(use.bound), price, charge, low, high]


def _whole(count: float) -> str:
    """A count, without what comes of rounding."""
    return figure(round(count, _FINEST_COUNT))


def _importance(limit: LimitLine) -> tuple[float, float]:
    """What comes first: price times all of its use; a row of a share of the total charges next to nothing."""
    return -abs(limit.use.price * limit.use.used), limit.use.slack / max(abs(limit.use.bound), 1.0)


def _range(range_: PriceRange | None, write: Callable[[float], str]) -> tuple[str, str]:
    if range_ is None:
        return "not known", "not known"
    ends = (-range_.low, range_.high)
    low, high = (write(end) if np.isfinite(end) else "any" for end in ends)
    return low, high


def _costs(costs: Sequence[AddedValue], currency: str) -> RenderableType:
    table = plain_table()
    table.add_column("without", overflow="fold", max_width=40)
    for heading in ("adds at least", "at most", "known by"):
        table.add_column(heading, justify="right")
    for cost in sorted(costs, key=lambda cost: -cost.low):
        most = f"{cost.high:,.2f}" if np.isfinite(cost.high) else ""
        unsolved = "its shadow price of 0" if most else "its absence alone"
        how = "solving without it" if cost.solved else unsolved
        table.add_row(Text(cost.name), f"{cost.low:,.2f}", most, how)
    named = any(cost.name == "budget" for cost in costs)
    title = Text(f"What each limit costs: value that dropping it adds, {currency}", style="bold")
    return Group(title, table, *([] if named else ["not the budget, whose idle part earns"]))


def _declined(book: BookExplanation) -> RenderableType:
    reasons = reasons_of(book.refusals, [line.use.name for line in book.ledger.limits])
    return Group(Text(f"{sum(reasons.values()):,} declined", style="bold"), reasons_table(reasons))
