"""Limits that are valid and may not be meant so: notes in words for people, before and after solving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import inf

import numpy as np

from allocator.limits.measures import OF_PARTS
from allocator.limits.possible import PossibleOffers
from allocator.limits.shares import only_an_empty_book
from allocator.records.cuts import HHI
from allocator.records.limits import Limits, Row, entry_of
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Portfolio
from allocator.records.scenario import COUNTED, Limit, Policy

_SHARE = 1.0
"""Money up to this much is likely a share."""
_ROUNDING = 1e-9
_COUNTS = {"loans": " loans", "clients_changed": " clients"}
_WORDS = {"at_most": "at most", "at_least": "at least", "exactly": "exactly"}


def slips(policy: Policy, offers: OfferBook, limits: Limits) -> tuple[str, ...]:
    """Bounds that leave room for less than one loan, and shares that were written as money."""
    written_as_money = [
        f"limit {limit.name!r}: {_WORDS[limit.sense]} {limit.bound:g} {policy.currency} is next to nothing; "
        f"if a share is meant, add `of: budget`, `of: total` or `of: drawn`"
        for limit in policy.limits
        if limit.of is None
        and limit.measure not in COUNTED
        and not limit.weight
        and 0 < limit.bound <= _SHARE
    ]
    return (*written_as_money, *_too_small(policy, offers, limits))


def hopeless(policy: Policy, portfolio: Portfolio, offers: OfferBook, limits: Limits) -> tuple[str, ...]:
    """Limits that no book keeps, or none but an empty one, as far as each or their shares alone tell."""
    return (
        *_too_large(policy, offers, limits),
        *too_few_groups(policy, portfolio, offers),
        *only_an_empty_book(policy, portfolio, offers, limits),
    )


def too_few_groups(policy: Policy, portfolio: Portfolio, offers: OfferBook) -> Iterator[str]:
    """Limits on the Herfindahl index below that of all groups alike: 1 / n of n groups, and no less."""
    for limit in policy.convex:
        if limit.measure != HHI:
            continue
        codes = portfolio.text(limit.by or "").codes
        groups = len(np.unique(codes[(offers.menu >= 0) | (portfolio.exposure > 0)]))
        if limit.of == "total" and groups * limit.bound < 1.0 + _ROUNDING:
            many = "1 value" if groups == 1 else f"{groups:,} values"
            yield (
                f"limit {limit.name!r}: {many} of {limit.by} can be lent to, whose Herfindahl index is "
                f"{1.0 / max(groups, 1):.4g} at least, when all have the same: "
                f"no book with a loan in it keeps at most {limit.bound:.4g} with room to spare"
            )


def beyond_reach(offers: OfferBook, limits: Limits) -> dict[int, float]:
    """Rows that ask for more than offers to all, the largest, come to; and what these come to."""
    rows = limits.rows
    floors = [
        j
        for j, row in enumerate(rows)
        if row.sense != "at_most"
        and row.rhs > 0
        and not row.reference
        and row.penalty == inf
        and row.measure not in OF_PARTS
    ]
    most = PossibleOffers(offers, limits).most(floors)
    return {j: reach for j, reach in most.items() if reach < rows[j].rhs * (1 - _ROUNDING)}


def _too_small(policy: Policy, offers: OfferBook, limits: Limits) -> Iterator[str]:
    """Caps below the least that one offer uses, and those that what is already lent exceeds."""
    possible = PossibleOffers(offers, limits)
    least = possible.least(
        [place for place in _capped(limits) if limits.rows[place].rhs < possible.surely_more(place)]
    )
    for limit, rows in _by_limit(policy, limits):
        over = [
            row
            for place, row in rows
            if row.sense != "at_least" and row.rhs < 0 and not _relative(limit) and row.penalty == inf
        ]
        small = [
            (row, least[place])
            for place, row in rows
            if place in least
            and not _relative(limit)
            and np.isfinite(least[place])
            and row.penalty == inf
            and 0 < row.rhs < least[place] * (1 - _ROUNDING)
        ]
        name = _subject(limit, over)
        known = limit is not None and limit.measure not in (*COUNTED, *OF_PARTS)
        if over and known and limit is not None and limit.weight is None:
            yield f"{name}: what is already lent is more than it allows, so that {_so(limit, 'keeps it')}"
        name = _subject(limit, [row for row, _ in small])
        if small:
            row, use = small[0]
            yield (
                f"{name} leaves room for {row.rhs:,.12g}, and the least that one loan can use of it "
                f"is {use:,.12g}: nothing can be lent under it{_if(limit)}"
            )


def _too_large(policy: Policy, offers: OfferBook, limits: Limits) -> Iterator[str]:
    """Floors above all that could be lent, and numbers of loans whose smallest sizes exceed the budget."""
    possible, most = PossibleOffers(offers, limits), beyond_reach(offers, limits)
    for limit, rows in _by_limit(policy, limits):
        short = [(row, most[place]) for place, row in rows if place in most]
        if short:
            row, reach = short[0]
            what = _COUNTS.get(row.measure, "")
            name = _subject(limit, [row for row, _ in short])
            yield (
                f"{name} asks for {_WORDS[row.sense]} {row.rhs:,.12g}{what}, "
                f"and {reach:,.12g} is the most that is possible: {_so(limit, 'keeps it')}"
            )
        elif limit is not None and limit.measure == "loans" and policy.budget.basis == "offered":
            yield from _too_many(limit, rows, possible, policy)


def _too_many(
    limit: Limit, rows: Sequence[tuple[int, Row]], possible: PossibleOffers, policy: Policy
) -> Iterator[str]:
    """Numbers of loans whose smallest sizes are together more than the budget."""
    if limit.weight is not None:
        return
    for place, row in rows:
        if row.sense == "at_most" or row.rhs < 1 or row.penalty < inf:
            continue
        count = int(np.ceil(row.rhs - _ROUNDING))
        money = float(np.sum(np.sort(possible.smallest(place))[:count]))
        if money > policy.budget.amount * (1 + _ROUNDING):
            yield (
                f"{_subject(limit, [row])} asks for {count:,} loans, whose smallest sizes are together "
                f"{money:,.12g}, more than the budget: {_so(limit, 'keeps both')}"
            )
            return


def _capped(limits: Limits) -> list[int]:
    """Rows that allow more than nothing, and of which no loan uses less than nothing."""
    rows = enumerate(limits.rows)
    return [
        place
        for place, row in rows
        if row.sense != "at_least" and row.rhs > 0 and row.measure not in OF_PARTS
    ]


def _by_limit(policy: Policy, limits: Limits) -> Iterator[tuple[Limit | None, list[tuple[int, Row]]]]:
    """The rows of each limit with their places; the budget's, of None, first."""
    named = {limit.name: limit for limit in policy.limits}
    rows = enumerate(limits.rows)
    for name, group in groupby(rows, key=lambda entry: entry_of(entry[1].name)):
        yield named.get(name), list(group)


def _relative(limit: Limit | None) -> bool:
    """Whether it is a share of what is lent."""
    return limit is not None and limit.reference is not None


def _so(limit: Limit | None, keeps: str) -> str:
    """What follows of a limit that cannot be kept."""
    if limit is None or not limit.if_lent_to:
        return f"no allocation {keeps}"
    return f"nothing can be lent to {{{', '.join(map(str, limit.if_lent_to))}}}"


def _if(limit: Limit | None) -> str:
    return "" if limit is None or not limit.if_lent_to else " where it must hold"


def _subject(limit: Limit | None, rows: Sequence[Row]) -> str:
    if limit is None:
        return "the budget"
    if limit.each is None or not rows:
        return f"limit {limit.name!r}"
    more = f" and {len(rows) - 1:,} more of its values" if len(rows) > 1 else ""
    return f"limit {rows[0].name!r}{more}"
