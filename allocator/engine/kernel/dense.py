"""The dual pass in NumPy, menu by menu: for small books, and the yardstick of the compiled one."""

from __future__ import annotations

import numpy as np

from allocator.engine.kernel.columns import Answers, BestResponses, Columns
from allocator.engine.kernel.hull import Hulls
from allocator.records.limits import BASES, Limits
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Codes, Floats, Integers

_CHUNK = 16_384
"""Borrowers at a time: 29 rates x 16,384 x 8 bytes stay in the cache of one core."""


def respond(columns: Columns, prices: Floats) -> BestResponses:
    """Best answer of every borrower at `prices` (m,): the lowest option wins a tie, `high` before `low`."""
    offers = columns.offers
    slope_rate, slope, flat, drawn_fixed, fixed = columns.charged(prices)
    response = BestResponses(
        option=np.full(len(columns), -1, dtype=np.int32),
        amount=np.zeros(len(columns)),
        reduced=np.zeros(len(columns)),
        margin=np.full(len(columns), np.inf),
    )
    for number, menu in enumerate(offers.menus):
        members = np.flatnonzero(offers.menu == number)
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


def _choose(columns: Columns, i: Integers, at_high: Floats, at_low: Floats, response: BestResponses) -> None:
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
    declined = np.where(offers.must[i], -np.inf, 0.0)
    margin = np.minimum(top - np.maximum(runner_up, declined), ends)
    at_end = np.where(at_high[best, lane] >= at_low[best, lane], offers.high[i], offers.low[i])
    response.option[i] = np.where(taken, best, -1)
    response.amount[i] = np.where(taken, at_end, 0.0)
    response.reduced[i] = np.where(taken, top, 0.0)
    response.margin[i] = np.where(taken, margin, -top)


def second_best(columns: Columns, prices: Floats, picks: Integers, base: Answers) -> tuple[Codes, Floats]:
    """Option and amount (len(picks),) of the answer that comes next after `base`.

    The low end of an option counts only where an optimum of the relaxation may sit there.
    """
    few = columns.subset(picks)
    offers = few.offers
    along, across, flat, drawn_fixed, fixed = few.charged(prices)
    option = np.full(len(picks), -1, dtype=np.int32)
    amount = np.zeros(len(picks))
    order = np.argsort(offers.menu, kind="stable")
    held_by, begin = np.unique(offers.menu[order], return_index=True)
    groups = np.split(order, begin[1:]) if len(order) else []
    for number, i in zip(held_by.tolist(), groups, strict=True):
        if number < 0:
            continue
        menu = offers.menus[number]
        high, low = offers.high[i], offers.low[i]
        per_unit = menu.take_up[:, None] * (np.multiply.outer(menu.rates, along[i]) + across[i]) + flat[i]
        per_loan = np.multiply.outer(menu.take_up, drawn_fixed[i]) + fixed[i]
        at_low = np.where(
            (low < high) & ((per_loan > 0) | offers.must[i]), per_unit * low + per_loan, -np.inf
        )
        none = np.where(offers.must[i], -np.inf, 0.0)
        table = np.vstack([none, per_unit * high + per_loan, at_low])
        held, held_amount = base.option[picks[i]], base.amount[picks[i]]
        size, lane = len(menu.rates), np.arange(len(i))
        at_base = np.where(held < 0, 0, 1 + held + np.where(held_amount >= high, 0, size))
        table[at_base, lane] = -np.inf
        best = np.argmax(table, axis=0)
        option[i] = np.where(best == 0, -1, (best - 1) % size)
        amount[i] = np.where(best == 0, 0.0, np.where(best <= size, high, low))
    return option, amount


def bound(columns: Columns, prices: Floats, response: BestResponses) -> float:
    """U(prices) of formulation.md, section 4, from the answers to these prices."""
    return dual_value(columns.limits, prices, float(np.sum(response.reduced)))


def dual_value(limits: Limits, prices: Floats, reduced: float) -> float:
    """b'lambda + the sum of best reduced values + what the idle budget is worth beyond its price."""
    idle = max(0.0, limits.idle_rate - float(prices[0])) * limits.idle_room
    return float(limits.rhs @ prices) + reduced + idle


def sweep(columns: Columns, hulls: Hulls, prices: Floats, delta: float) -> tuple[float, int, Floats, Floats]:
    """What kernel.compiled.sweep adds up: reduced values, near switches, usage and curvature by cell."""
    best, other, value, loss = _two_best(columns, hulls, prices)
    total = float(np.sum(value))
    usage = _by_cell(columns, best)
    high = columns.offers.high
    near = (columns.offers.menu >= 0) & (loss < delta * high)
    change = np.where(near, best - other, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(near, 1.0 / (2.0 * delta * high), 0.0)
    width = len(columns.limits.channels)
    moved = np.array([_weighted(columns, change, h) for h in range(width)])
    cells = columns.limits.cells
    curvature = np.zeros((cells, width, width))
    for h in range(width):
        for g in range(width):
            product = scale * moved[h] * moved[g]
            curvature[:, h, g] = np.bincount(columns.limits.cell, product, minlength=cells)
    return total, int(np.count_nonzero(near)), usage, curvature


def _weighted(columns: Columns, bases: Floats, h: int) -> Floats:
    channel = columns.limits.channels[h]
    used: Floats = bases[channel.basis]
    return used if channel.weight is None else used * channel.weight


def _by_cell(columns: Columns, bases: Floats) -> Floats:
    cells = columns.limits.cells
    parts = [
        np.bincount(columns.limits.cell, _weighted(columns, bases, h), minlength=cells)
        for h in range(len(columns.limits.channels))
    ]
    return np.array(parts, dtype=np.float64).T.copy()


def _two_best(columns: Columns, hulls: Hulls, prices: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Bases (5, n) of the best and the next answer, the best's value (n,), what the next loses (n,)."""
    n = len(columns)
    best, other = np.zeros((len(BASES), n)), np.zeros((len(BASES), n))
    value, loss = np.zeros(n), np.full(n, np.inf)
    charged = np.array(columns.charged(prices))
    for number in range(len(columns.offers.menus)):
        i = np.flatnonzero(columns.offers.menu == number)
        span = slice(hulls.first[number], hulls.first[number + 1])
        answers = _two_best_of_menu(columns.offers, i, charged[:, i], hulls.gross[span], hulls.take[span])
        best[:, i], other[:, i], value[i], loss[i] = answers
    return best, other, value, loss


def _two_best_of_menu(
    offers: OfferBook, i: Integers, charged: Floats, gross: Floats, take: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """The same of borrowers `i`, all of one menu, whose hull has the vertices (gross, take)."""
    along, across, flat, drawn_fixed, fixed = charged
    low, high, must, lane = offers.low[i], offers.high[i], offers.must[i], np.arange(len(i))

    def worth(x: Floats) -> Floats:
        """(vertices, len(i)) reduced values of offers of `x`."""
        drawn = along * x * gross[:, None] + (across * x + drawn_fixed) * take[:, None]
        return np.asarray(drawn + flat * x + fixed)

    ends = worth(high), worth(low)
    open_low = (low < high) & ((drawn_fixed != 0) | (fixed > 0) | must)
    picks = [np.argmax(table, axis=0) for table in ends]
    tops = [ends[0][picks[0], lane], np.where(open_low, ends[1][picks[1], lane], -np.inf)]
    swap = tops[1] > tops[0]
    top, second = np.where(swap, tops[1], tops[0]), np.where(swap, tops[0], tops[1])
    k, k2 = np.where(swap, picks[1], picks[0]), np.where(swap, picks[0], picks[1])
    x, x2 = np.where(swap, low, high), np.where(swap, high, low)
    for step in (-1, 1):
        beside = k + step
        inside = (beside >= 0) & (beside < len(gross))
        held = np.clip(beside, 0, len(gross) - 1)
        at_x = np.where(swap, ends[1][held, lane], ends[0][held, lane])
        better = inside & (at_x > second)
        second = np.where(better, at_x, second)
        k2, x2 = np.where(better, held, k2), np.where(better, x, x2)
    refuse = (top <= 0.0) & ~must
    stop = ~refuse & (second < 0.0) & ~must
    bases = _bases(gross, take, k, x, offers.term[i])
    beside_bases = np.where(stop, 0.0, _bases(gross, take, k2, x2, offers.term[i]))
    loss = np.where(refuse, -top, np.where(stop, top, top - second))
    best, other = np.where(refuse, 0.0, bases), np.where(refuse, bases, beside_bases)
    return best, other, np.where(refuse, 0.0, top), loss


def _bases(gross: Floats, take: Floats, k: Integers, x: Floats, term: Floats) -> Floats:
    """(5, n) offered, drawn, interest, loans and booked of vertex k at amount x."""
    return np.array([x, take[k] * x, gross[k] * x * term, np.ones(len(x)), take[k]])
