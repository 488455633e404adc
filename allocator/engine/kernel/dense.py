"""The dual pass in NumPy, menu by menu: for small books, and the yardstick of the compiled one."""

from __future__ import annotations

import numpy as np

from allocator.engine.kernel.columns import Columns, Response
from allocator.records.portfolio import Floats, Integers

_CHUNK = 16_384
"""Borrowers at a time: 29 rates x 16,384 x 8 bytes stay in the cache of one core."""


def respond(columns: Columns, prices: Floats) -> Response:
    """Best answer of every borrower at `prices` (m,): the lowest option wins a tie, `high` before `low`."""
    offers = columns.offers
    per_basis = columns.price_by_basis(prices)
    slope_rate = offers.income - offers.term * per_basis[2]
    slope = offers.churn_cost - offers.cost - per_basis[1]
    flat = -offers.churn_cost - per_basis[0]
    drawn_fixed = offers.relationship - offers.processing_cost
    fixed = (offers.decline_churn - 1.0) * offers.relationship - per_basis[3]
    response = Response(
        np.full(len(columns), -1, dtype=np.int32),
        *(np.zeros(len(columns)) for _ in range(2)),
        np.full(len(columns), np.inf),
    )
    for at, menu in enumerate(offers.menus):
        members = np.flatnonzero(offers.menu == at)
        for start in range(0, len(members), _CHUNK):
            i = members[start : start + _CHUNK]
            per_unit = (
                menu.take_up[:, None] * (np.multiply.outer(menu.rates, slope_rate[i]) + slope[i]) + flat[i]
            )
            per_loan = np.multiply.outer(menu.take_up, drawn_fixed[i]) + fixed[i]
            at_high = per_unit * offers.high[i] + per_loan
            at_low = per_unit * offers.low[i] + per_loan
            _choose(columns, i, at_high, at_low, response)
    return response


def _choose(columns: Columns, i: Integers, at_high: Floats, at_low: Floats, response: Response) -> None:
    """Writes the answers of borrowers `i`, from the values (K, len(i)) of their options at both ends."""
    offers = columns.offers
    value = np.maximum(at_high, at_low)
    best = np.argmax(value, axis=0)
    lane = np.arange(len(i))
    top = value[best, lane]
    value[best, lane] = -np.inf
    runner_up = value.max(axis=0)
    ends = np.abs(at_high[best, lane] - at_low[best, lane])
    ends[offers.low[i] >= offers.high[i]] = np.inf
    taken = (top > 0.0) | offers.must[i]
    refused = np.where(offers.must[i], -np.inf, 0.0)
    margin = np.minimum(top - np.maximum(runner_up, refused), ends)
    at_end = np.where(at_high[best, lane] >= at_low[best, lane], offers.high[i], offers.low[i])
    response.option[i] = np.where(taken, best, -1)
    response.amount[i] = np.where(taken, at_end, 0.0)
    response.reduced[i] = np.where(taken, top, 0.0)
    response.margin[i] = np.where(taken, margin, -top)


def bound(columns: Columns, prices: Floats, response: Response) -> float:
    """U(lambda) = b'lambda + sum of best reduced values + the idle budget's (formulation.md, section 4)."""
    limits = columns.limits
    idle = max(0.0, limits.idle_rate - prices[0]) * limits.idle_room
    return float(limits.rhs @ prices) + float(np.sum(response.reduced)) + idle
