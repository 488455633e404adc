"""The dual pass, compiled: one loop over borrowers, nothing of size borrowers x rates.

At given prices an offer of x to a borrower is worth  A x (a r) + (B x + D) a + (C x + E), linear in
the point (a r, a) of its rate. So the best rate is a vertex of the upper hull of the menu's points,
and a binary search over the hull's slopes finds it: five steps instead of twenty-nine rates. Sums
are kept per block of borrowers in a fixed partition and added in order: the same bits for any
number of threads.
"""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any, TypeAlias

import numba
import numpy as np

from allocator.engine.kernel import walk as walking
from allocator.records.portfolio import Floats

Book: TypeAlias = tuple[Any, ...]
"""`passes.Pass.shared`: what is known of each borrower, and of the channels of the limits."""
_Vertices: TypeAlias = tuple[np.ndarray, Floats, Floats, Floats]
"""Where each menu's hull begins, the slopes between its vertices, and their a r and a (`hull.Hulls`)."""
Rates: TypeAlias = tuple[np.ndarray, Floats, Floats]
"""Where each menu begins, its rates and their take-up."""
Costs: TypeAlias = tuple[float, float, float]
"""kappa, d and c of docs/formulation.md, section 1."""
Charged: TypeAlias = tuple[float, float, float, float, float]
"""What `Columns.charged` says, of one borrower."""

_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
_jit, _inlined = numba.njit(**_OPTIONS), numba.njit(**_OPTIONS, forceinline=True)


@_inlined
def _vertex(first: int, last: int, breaks: Floats, slope: float) -> int:
    """The hull vertex that is best for direction (1, slope): the first whose break is not below `slope`."""
    low, high = first, last - 1
    while low < high:
        middle = (low + high) // 2
        if breaks[middle] >= slope:
            high = middle
        else:
            low = middle + 1
    return low


@_inlined
def _best(
    first: int, last: int, breaks: Floats, gross: Floats, take: Floats, along: float, across: float
) -> int:
    """The vertex that maximises along * gross + across * take."""
    if along > 0.0:
        return int(_vertex(first, last, breaks, across / along))
    best, top = first, -math.inf
    for k in range(first, last):
        value = along * gross[k] + across * take[k]
        if value > top:
            best, top = k, value
    return best


@_inlined
def _prices(
    i: int, charges: Floats, weights: Floats, basis: np.ndarray, weight_of: np.ndarray, out: Floats
) -> None:
    """Writes to `out` (5,) what a unit of each basis is charged; `charges` (channels,) are the cell's."""
    out[:] = 0.0
    for h in range(len(basis)):
        w = weight_of[h]
        out[basis[h]] += charges[h] if w < 0 else charges[h] * weights[w, i]


@_inlined
def _charged(
    income: float, cost: float, term: float, relationship: float, costs: Costs, price: Floats
) -> Charged:
    """`Columns.charged` of one borrower, at the `price` (5,) of each basis."""
    churn_cost, decline_churn, processing_cost = costs
    return (
        income - term * price[2],
        churn_cost - cost - price[1],
        -churn_cost - price[0],
        relationship - processing_cost - price[4],
        (decline_churn - 1.0) * relationship - price[3],
    )


@_inlined
def _worth(k: int, x: float, charged: Charged, gross: Floats, take: Floats) -> float:
    """Reduced value of an offer of `x` at vertex `k`."""
    along, across, flat, drawn_fixed, fixed = charged
    return float(along * x * gross[k] + (across * x + drawn_fixed) * take[k] + flat * x + fixed)


@_inlined
def _use(k: int, x: float, term: float, gross: Floats, take: Floats, out: Floats) -> None:
    """Writes offered, drawn, interest, loans and booked of an offer of `x` at vertex `k` to `out` (5,)."""
    if k >= 0:
        out[0], out[1], out[2], out[3], out[4] = x, take[k] * x, gross[k] * x * term, 1.0, take[k]
    else:
        out[:] = 0.0


@_inlined
def _add_turn(
    i: int, chosen: Floats, other: Floats, reach: float, weights: Floats, basis: np.ndarray,
    weight_of: np.ndarray, change: Floats, curvature: Floats,
) -> None:  # fmt: skip
    """Adds borrower `i`, within `reach` (money) of a switch, to `curvature` (channels, channels)."""
    share = 1.0 / (2.0 * reach)
    for h in range(len(basis)):
        w, moved = weight_of[h], chosen[basis[h]] - other[basis[h]]
        change[h] = moved if w < 0 else moved * weights[w, i]
    for h in range(len(basis)):
        for g in range(len(basis)):
            curvature[h, g] += share * change[h] * change[g]


@_jit
def sweep(
    begin: int, end: int, book: Book, table: Floats, hulls: _Vertices, costs: Costs, delta: float,
    usage: Floats, curvature: Floats,
) -> tuple[float, int]:  # fmt: skip
    """Adds borrowers begin..end to `usage` (cells, channels) and `curvature` (cells, channels, channels).

    Returns the sum of best reduced values, and how many borrowers are within `delta` (money per unit of
    money) of a switch.
    """
    menu, cell, low, high, income, cost, term, relationship, must, weights, basis, weight_of = book
    first, breaks, gross, take = hulls
    total, near = 0.0, 0
    price, change, chosen, other = np.zeros(5), np.zeros(len(basis)), np.zeros(5), np.zeros(5)
    for i in range(begin, end):
        m = menu[i]
        if m < 0:
            continue
        c = cell[i]
        _prices(i, table[c], weights, basis, weight_of, price)
        charged = _charged(income[i], cost[i], term[i], relationship[i], costs, price)
        along, across, _, drawn_fixed, fixed = charged
        start, stop, x, y = first[m], first[m + 1], high[i], low[i]
        k = _best(start, stop, breaks, gross, take, along * x, across * x + drawn_fixed)
        value = _worth(k, x, charged, gross, take)
        second, k2, x2 = -math.inf, -1, 0.0
        if y < x and (drawn_fixed != 0.0 or fixed > 0.0 or must[i]):
            k2, x2 = _best(start, stop, breaks, gross, take, along * y, across * y + drawn_fixed), y
            second = _worth(k2, y, charged, gross, take)
            if second > value:
                value, second, k, k2, x, x2 = second, value, k2, k, x2, x
        for beside in (k - 1, k + 1):
            if start <= beside < stop and _worth(beside, x, charged, gross, take) > second:
                second, k2, x2 = _worth(beside, x, charged, gross, take), beside, x
        if value <= 0.0 and not must[i]:
            value, k, x, second, k2, x2 = 0.0, -1, 0.0, value, k, x
        elif second < 0.0 and not must[i]:
            second, k2, x2 = 0.0, -1, 0.0
        total += value
        _use(k, x, term[i], gross, take, chosen)
        for h in range(len(basis)):
            w = weight_of[h]
            usage[c, h] += chosen[basis[h]] if w < 0 else chosen[basis[h]] * weights[w, i]
        if value - second < delta * high[i]:
            near += 1
            _use(k2, x2, term[i], gross, take, other)
            _add_turn(i, chosen, other, delta * high[i], weights, basis, weight_of, change, curvature[c])
    return total, near


@_jit
def respond(
    begin: int, end: int, book: Book, table: Floats, menus: Rates, costs: Costs, option: np.ndarray,
    amount: Floats, reduced: Floats, margin: Floats,
) -> None:  # fmt: skip
    """Writes the best responses of borrowers begin..end, every option looked at (kernel.dense says how).

    Values come first, then their largest two: the first loop is one for the processor's vectors.
    """
    menu, cell, low, high, income, cost, term, relationship, must, weights, basis, weight_of = book
    first, rate, take = menus
    price = np.zeros(5)
    widest = 0
    for m in range(len(first) - 1):
        widest = max(widest, first[m + 1] - first[m])
    value = np.empty(widest)
    for i in range(begin, end):
        m = menu[i]
        option[i], amount[i], reduced[i], margin[i] = -1, 0.0, 0.0, math.inf
        if m < 0:
            continue
        _prices(i, table[cell[i]], weights, basis, weight_of, price)
        along, across, flat, drawn_fixed, fixed = _charged(
            income[i], cost[i], term[i], relationship[i], costs, price
        )
        x, y = high[i], low[i]
        rates, takes = rate[first[m] : first[m + 1]], take[first[m] : first[m + 1]]
        for k in range(len(takes)):
            unit = takes[k] * (rates[k] * along + across) + flat
            value[k] = max(unit * x, unit * y) + (takes[k] * drawn_fixed + fixed)
        top, second = -math.inf, -math.inf
        for k in range(len(takes)):
            second = max(second, min(top, value[k]))
            top = max(top, value[k])
        if top <= 0.0 and not must[i]:
            margin[i] = -top
            continue
        k = 0
        while value[k] != top:
            k += 1
        unit = takes[k] * (rates[k] * along + across) + flat
        option[i], reduced[i] = k, top
        amount[i] = x if unit * x >= unit * y else y
        margin[i] = top - (second if must[i] else max(second, 0.0))
        if y < x:
            margin[i] = min(margin[i], abs(unit * x - unit * y))


@_jit
def tally(
    begin: int, end: int, book: Book, menus: Rates, costs: Costs, option: np.ndarray, amount: Floats,
    usage: Floats,
) -> float:  # fmt: skip
    """Adds the decisions of borrowers begin..end to `usage` (cells, channels); returns their value."""
    menu, cell, _, _, income, cost, term, relationship, _, weights, basis, weight_of = book
    first, rate, take = menus
    churn_cost, decline_churn, processing_cost = costs
    total = 0.0
    used = np.zeros(5)
    for i in range(begin, end):
        if option[i] < 0:
            continue
        k = first[menu[i]] + option[i]
        a, x = take[k], amount[i]
        used[0], used[1], used[2], used[3], used[4] = x, a * x, a * x * rate[k] * term[i], 1.0, a
        drawn = income[i] * rate[k] - cost[i]
        total += a * x * drawn - (1.0 - a) * x * churn_cost
        total += (decline_churn - 1.0 + a) * relationship[i] - a * processing_cost
        for h in range(len(basis)):
            w = weight_of[h]
            usage[cell[i], h] += used[basis[h]] if w < 0 else used[basis[h]] * weights[w, i]
    return total


@_jit
def by_row(begins: np.ndarray, row: np.ndarray, value: Floats, curvature: Floats, out: Floats) -> None:
    """Adds sum_c G_c S_c G_c' to `out` (m, m): S_c is `curvature` (cells, channels, channels) in cell c.

    Column c * channels + h of the limits' matrix, from begins[.] on, holds what channel h in cell c uses
    of each `row`.
    """
    cells, channels = curvature.shape[0], curvature.shape[1]
    for c in range(cells):
        first = c * channels
        for h in range(channels):
            for g in range(channels):
                moved = curvature[c, h, g]
                if moved == 0.0:
                    continue
                for a in range(begins[first + h], begins[first + h + 1]):
                    for b in range(begins[first + g], begins[first + g + 1]):
                        out[row[a], row[b]] += moved * value[a] * value[b]


_compiled: dict[str, Any] = {**vars(walking)}
_parts = ("lots_within", "lots_beyond", "enough_for", "used_rows", "cut_amount", "room_for", "take_from")
for _name in (*_parts, "walk"):
    _function = FunctionType(getattr(walking, _name).__code__, _compiled, _name)
    _compiled[_name] = _inlined(_function) if _name in _parts else _jit(_function)
walk = _compiled["walk"]
"""`kernel.walk`, compiled: the same source, the same bits."""
