"""The last cents of a row that amounts of two take-ups use by different parts of one.

A row on what is drawn is used by the cent times a take-up. The one amount that the prices leave open fills
it to a cent; two that the prices leave open, one more and one less, fill it far closer, at no loss. How many
cents is found by trying: for each number of one the best of the other follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from allocator.engine.cores import PricedPoint
from allocator.engine.options import options_of, uses_of
from allocator.engine.search import Search, candidate
from allocator.records.lots import CENT, lots_to_money, money_to_lots
from allocator.records.portfolio import Codes, Floats

_OPEN = 12
"""Amounts that are tried in pairs."""
_LOTS = 20_000
"""By which the first of two may change."""
_TRIED = 5
"""Pairs, those that fill the row best."""
_INDIFFERENT = 1e-9
"""Of the largest value of a unit: what a unit may lose at the prices and count as open."""

_Pair = tuple[float, tuple[int, int], tuple[float, float]]
"""What is left of the row, whose two amounts change, and by how many lots."""


def fill_by_pairs(search: Search, priced: PricedPoint) -> None:
    """Offers the search allocations in which two amounts fill a priced row that is no whole row."""
    columns, best = search.book.columns, search.best
    if best is None or search.done or columns.offers.bands is not None:
        return
    whole = set(columns.whole.row)
    room = columns.limits.rhs - columns.usage(best.option, best.amount)
    for j in np.flatnonzero(priced.prices).tolist():
        if j not in whole and columns.limits.senses[j] != "exactly" and j not in columns.limits.soft:
            sign = 1.0 if columns.limits.senses[j] == "at_most" else -1.0
            for amount in _filled(search, priced, best.option, best.amount, j, sign, sign * float(room[j])):
                search.offer(candidate(search.book, best.option, amount))


def _filled(
    search: Search, priced: PricedPoint, option: Codes, amount: Floats, row: int, sign: float, room: float
) -> Iterator[Floats]:
    """Amounts (n,) beside `amount`, of which two use `room` of the row, that of the fullest pair first."""
    columns = search.book.columns
    offers, lot = columns.offers, columns.offers.step or CENT
    taken = np.flatnonzero((option >= 0) & ~offers.must & (offers.low < offers.high))
    options = options_of(columns, taken)
    options = options.keep(options.option == option[taken][options.owner])
    use = uses_of(columns, options).unit
    lost = np.abs(options.margin - priced.prices @ use)
    near = _INDIFFERENT * float(np.max(np.abs(options.margin), initial=0.0))
    close = np.flatnonzero((lost <= near) & (use[row] != 0.0))[:_OPEN]
    lots, low, high = (money_to_lots(x[taken[close]], lot) for x in (amount, offers.low, offers.high))
    pairs = _pairs(sign * use[row, close] * lot, low - lots, high - lots, room)
    for _, pair, change in sorted(pairs)[:_TRIED]:
        changed = amount.copy()
        changed[taken[close[list(pair)]]] = lots_to_money(lots[list(pair)] + np.array(change), lot)
        yield changed


def _pairs(per_lot: Floats, least: Floats, most: Floats, room: float) -> Iterator[_Pair]:
    """What each two of amounts, which may change from `least` to `most` lots (c,), leave of `room`."""
    for i, k in permutations(range(len(per_lot)), 2):
        first = np.arange(max(least[i], -_LOTS), min(most[i], _LOTS) + 1.0)
        if per_lot[i] == per_lot[k]:
            continue
        left = room - per_lot[i] * first
        ends = left / per_lot[k]
        second = np.clip(np.floor(ends) if per_lot[k] > 0 else np.ceil(ends), least[k], most[k])
        left = left - per_lot[k] * second
        left[left < 0.0] = np.inf
        best = int(np.argmin(left))
        yield float(left[best]), (i, k), (float(first[best]), float(second[best]))
