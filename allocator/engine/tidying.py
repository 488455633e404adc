"""Fewer loans where the gap leaves a choice: one of a cent that no more than the gap is worth is not made.

Of allocations whose values lie within the gap of one another people want the one with fewer loans. One at
its smallest amount that is worth less than the gap is left out, and the amounts of the others are found
anew: what comes out is a vertex of the program over the loans that stay, and often worth more.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.engine.amounts import FrozenOffers, best_amounts, chosen_of, in_band
from allocator.engine.kernel.columns import Columns
from allocator.engine.options import options_of, uses_of
from allocator.engine.repair import no_offers
from allocator.engine.search import Candidate, Search, candidate
from allocator.records.portfolio import Integers

_TRIED = 10
"""Loans that are tried."""
_NUMBERS = 1_000_000
"""Entries of the table, a row of the limits and a loan each, up to which amounts are found anew."""


def tidy(search: Search) -> None:
    """Leaves out loans of `search.best` that are worth no more than the gap, if the rest keeps within it."""
    room = search.settings.gap * max(abs(search.bound), 1.0)
    for i in _needless(search, room).tolist():
        best = search.best
        if best is None or search.left <= 0:
            return
        fewer = _without(search, best, i)
        if fewer is not None and fewer.value >= min(best.value, search.bound - room):
            search.best = fewer


def _needless(search: Search, room: float) -> Integers:
    """Borrowers whose loan has its smallest amount and is worth no more than `room`, the least first."""
    best, columns = search.best, search.book.columns
    if best is None:
        return np.zeros(0, dtype=np.int64)
    offers = columns.offers
    least = np.flatnonzero((best.option >= 0) & ~offers.must & (best.amount <= offers.low))
    if not len(least) or np.count_nonzero(best.option >= 0) * len(columns.limits) > _NUMBERS:
        return np.zeros(0, dtype=np.int64)
    few = columns.subset(least)
    margin, kept = few.offers.worth(few.rate(best.option[least]), few.take_up(best.option[least]))
    worth = np.abs(margin * best.amount[least] + kept)
    order = np.argsort(worth, kind="stable")
    return least[order[worth[order] <= room]][:_TRIED]


def _without(search: Search, best: Candidate, i: int) -> Candidate | None:
    """The other loans of `best` with the best amounts that they may have; None where there are none."""
    columns = search.book.columns
    option = best.option.copy()
    option[i] = -1
    amount = _amounts(columns, replace(best, option=option))
    return None if amount is None else candidate(search.book, option, amount)


def _amounts(columns: Columns, best: Candidate) -> np.ndarray | None:
    """(n,) the best amounts of the loans of `best` in whole lots."""
    taken = np.flatnonzero(best.option >= 0)
    options = options_of(columns, taken)
    options = options.keep(options.option == best.option[taken][options.owner])
    nobody = FrozenOffers(*no_offers(columns), np.zeros(len(columns.limits)))
    lines, who = np.arange(len(options)), options.position
    ends = in_band(columns, who, best.amount[who], columns.offers.low[who], columns.offers.high[who])
    amounts = best_amounts(chosen_of(columns, options, uses_of(columns, options), lines, nobody, ends))
    if amounts is None:
        return None
    amount = np.zeros(len(columns))
    must = columns.offers.must[options.position]
    amount[options.position] = np.where(must, columns.offers.low[options.position], amounts)
    return amount
