"""Prices at which no decision to decline depends on rounding.

A bound is stated with what rounding may have done to it, and whoever is declined by a margin adds nothing to
that (docs/formulation.md, section 4, Rounding). The prices of a book that lends next to nothing stand where
every borrower is indifferent: what all their sums may be off is then more than the gap asked for. Prices a
little higher, or those of a book in which whoever is declined is worth a little more, prove as much and
refuse clearly (strict complementarity: of a linear program such optimal prices always exist).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from allocator.engine.cores import PricedPoint
from allocator.engine.finish import at_prices
from allocator.engine.kernel.columns import BestResponses, Columns
from allocator.engine.relaxation import with_right_signs
from allocator.engine.search import Search
from allocator.records.limits import BASES
from allocator.records.portfolio import Booleans, Floats

_UNIT = 2.0**-53
_OPERATIONS = 64
"""On about the longest path to an offer's value at its prices."""
_STATED = 2.0
"""Errors that a bound is stated with."""
_HARDLY = 1e-14
"""Share of what may be lent, times the largest price, that is more than rounding comes to."""
_HIGHER = (1e-9, 1e-6, 1e-3)
"""Parts by which all prices are raised."""
_WORTH_MORE = (1e-3, 1e-4, 1e-5)
"""Value added to each unit lent to whoever is declined."""

Reprice = Callable[[Floats], Floats | None]
"""(n,) what a unit lent to each borrower is worth more -> prices (m,) of that book; None: none found."""


def firm_prices(search: Search, priced: PricedPoint, reprice: Reprice) -> Floats:
    """The prices (m,) of `priced`, or others that prove the gap asked for where its rounding hides that."""
    book, best = search.book, search.best
    room = search.settings.gap * max(abs(priced.bound), 1.0)
    if best is None or not search.done or search.tree is not None:
        return priced.prices
    largest = max(float(np.max(np.abs(priced.prices))), 1.0)
    if _HARDLY * largest * float(np.sum(book.columns.offers.high)) <= room:
        return priced.prices
    firm, least = priced, stated_bound(book.columns, priced)
    declined = np.where(best.option < 0, 1.0, 0.0)
    for prices in _candidates(book.columns, priced.prices, declined, reprice):
        if least - best.value <= room or search.left <= 0:
            break
        other = at_prices(book.columns, prices, book.respond(prices))
        bound = stated_bound(book.columns, other)
        if bound < least:
            firm, least = other, bound
    return firm.prices


def _candidates(columns: Columns, prices: Floats, declined: Floats, reprice: Reprice) -> Iterator[Floats]:
    for part in _HIGHER:
        yield with_right_signs(columns, prices * (1.0 + part))
    for worth in _WORTH_MORE:
        repriced = reprice(worth * declined)
        if repriced is not None:
            yield repriced


def stated_bound(columns: Columns, priced: PricedPoint) -> float:
    """About the bound that a certificate states at these prices."""
    limits = columns.limits
    errors = _OPERATIONS * _UNIT * _sizes(columns, priced.prices)
    response = priced.response
    doubtful = float(np.sum(errors[~_surely_declined(response, errors)]))
    constant = 2 * _OPERATIONS * _UNIT * float(limits.sizes @ np.abs(priced.prices))
    return priced.bound + _STATED * (doubtful + constant)


def _surely_declined(response: BestResponses, errors: Floats) -> Booleans:
    """(n,) who is declined whatever rounding did."""
    return np.asarray((response.option < 0) & (response.margin > errors))


def _sizes(columns: Columns, prices: Floats) -> Floats:
    """(n,) the magnitudes that the value of a borrower's largest offer is the sum of, at most."""
    offers, limits = columns.offers, columns.limits
    top = max((float(np.max(np.abs(menu.rates), initial=0.0)) for menu in offers.menus), default=0.0)
    gross = top * offers.term
    table = abs(limits.matrix).T @ np.abs(prices)
    table = table.reshape(limits.cells, len(limits.channels)) + abs(limits.everywhere).T @ np.abs(prices)
    charged = np.zeros((len(BASES), len(columns)))
    for h, channel in enumerate(limits.channels):
        share = table[:, h][limits.cell]
        charged[channel.basis] += share if channel.weight is None else share * np.abs(channel.weight)
    per_unit = 2.0 * gross + offers.cost + 2.0 * offers.churn_cost
    per_unit = per_unit + charged[0] + charged[1] + gross * charged[2]
    fixed = (2.0 + offers.decline_churn) * offers.relationship + offers.processing_cost
    return np.asarray(offers.high * per_unit + fixed + charged[3] + charged[4])
