"""A proof that no offer fits: a cut at a price of the budget at which each loses more than the bound.

Where the smallest loan alone is above the budget B, prices alone prove no less than (best worth a unit) B,
and a tree would split every borrower. At a price p of the budget the bound is p B, and an offer of x that is
worth w loses p x - w. Where p (x - B) > w that is more than the bound: the cut leaves nobody an offer, and
nothing, at no price, is worth no more than what the whole budget earns idle.
"""

from __future__ import annotations

import numpy as np

from allocator.engine.cores import PricedPoint
from allocator.engine.finish import at_prices
from allocator.engine.kernel.passes import Pass
from allocator.engine.proof import cut_fits, given_of, lots_of
from allocator.engine.search import Search

_FIRST, _HIGHER, _TIMES = 1.0, 16.0, 8
"""The first price of the budget, how much higher the next one is, and how many are tried."""
_CLEAR = 1e-12
"""Share of a bound that is more than rounding comes to."""


def prove_empty(search: Search) -> None:
    """Where nothing is lent and no offer fits the budget, keeps the tree that says so."""
    columns, best = search.book.columns, search.best
    if best is None or search.done or np.any(best.option >= 0) or not cut_fits(columns):
        return
    if len(columns.limits.soft):  # what nothing misses of them, only prices say
        return
    priced = _refusing(search.book, best.value)
    if priced is None:
        return
    limits = columns.limits
    name, value = limits.rows[0].name, float(best.value)
    keeps = priced.bound * (1.0 + _CLEAR) - value
    bound = value + _CLEAR * abs(value)
    cut = {"prices": {name: float(priced.prices[0])}, "bound": priced.bound, "keeps": keeps, "children": [1]}
    leaf = {"prices": {}, "bound": bound}
    search.tree = {
        "bound": bound,
        "lots": lots_of(limits, limits.rhs, given_of(search)),
        "nodes": [cut, leaf],
    }
    search.tighten(bound, "tree")


def _refusing(book: Pass, value: float) -> PricedPoint | None:
    """A price of the budget at which every offer loses more than the bound less `value`; None: none found."""
    prices = np.zeros(len(book.columns.limits))
    for price in _FIRST * _HIGHER ** np.arange(_TIMES):
        prices[0] = price
        priced = at_prices(book.columns, prices, book.respond(prices))
        response = priced.response
        lost = (1.0 + 4 * _CLEAR) * priced.bound - value
        if np.all(response.option < 0) and np.all(response.margin > lost):
            return priced
    return None
