"""The dual pass, compiled: one loop over borrowers, nothing of size borrowers x rates.

At given prices an offer of x to a borrower is worth  A x (a r) + (B x + D) a + (C x + E), linear in
the point (a r, a) of its rate. So the best rate is a vertex of the upper hull of the menu's points,
and a binary search over the hull's slopes finds it: five steps instead of twenty-nine rates. Sums
are kept per block of borrowers in a fixed partition and added in order: the same bits for any
number of threads.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from allocator.engine.kernel.walk import walk
from allocator.records.portfolio import Floats

_jit = numba.njit(cache=True, nogil=True, error_model="numpy")


@_jit
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


@_jit
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


@_jit
def sweep(
    begin: int, end: int, menu: np.ndarray, cell: np.ndarray, low: Floats, high: Floats, income: Floats,
    cost: Floats, term: Floats, relationship: Floats, must: np.ndarray, weights: Floats, basis: np.ndarray,
    weight_of: np.ndarray, table: Floats, first: np.ndarray, breaks: Floats, gross: Floats, take: Floats,
    churn_cost: float, decline_churn: float, processing_cost: float, delta: float, usage: Floats,
    curvature: Floats,
) -> tuple[float, int]:  # fmt: skip
    """Adds borrowers begin..end to `usage` (cells, channels) and `curvature` (cells, channels, channels).

    Returns the sum of best reduced values, and how many borrowers are within `delta` (money a unit of
    money) of a switch.
    """
    channels = len(basis)
    total, near = 0.0, 0
    price = np.zeros(4)
    change = np.zeros(channels)
    chosen, other = np.zeros(4), np.zeros(4)
    for i in range(begin, end):
        m = menu[i]
        if m < 0:
            continue
        c = cell[i]
        price[:] = 0.0
        for h in range(channels):
            w = weight_of[h]
            price[basis[h]] += table[c, h] if w < 0 else table[c, h] * weights[w, i]
        along = income[i] - term[i] * price[2]
        across = churn_cost - cost[i] - price[1]
        flat = -churn_cost - price[0]
        drawn_fixed = relationship[i] - processing_cost
        fixed = (decline_churn - 1.0) * relationship[i] - price[3]
        start, stop = first[m], first[m + 1]
        x = high[i]
        k = _best(start, stop, breaks, gross, take, along * x, across * x + drawn_fixed)
        value = along * x * gross[k] + (across * x + drawn_fixed) * take[k] + flat * x + fixed
        second, k2, x2 = -math.inf, -1, 0.0
        y = low[i]
        if y < x and (drawn_fixed != 0.0 or fixed > 0.0 or must[i]):
            k2 = _best(start, stop, breaks, gross, take, along * y, across * y + drawn_fixed)
            second = along * y * gross[k2] + (across * y + drawn_fixed) * take[k2] + flat * y + fixed
            x2 = y
            if second > value:
                value, second, k, k2, x, x2 = second, value, k2, k, x2, x
        for step in (-1, 1):
            kk = k + step
            if start <= kk < stop:
                worth = along * x * gross[kk] + (across * x + drawn_fixed) * take[kk] + flat * x + fixed
                if worth > second:
                    second, k2, x2 = worth, kk, x
        if not must[i]:
            if value <= 0.0:
                second, k2, x2 = value, k, x
                value, k, x = 0.0, -1, 0.0
            elif second < 0.0:
                second, k2, x2 = 0.0, -1, 0.0
        total += value
        if k >= 0:
            chosen[0], chosen[1] = x, take[k] * x
            chosen[2], chosen[3] = gross[k] * x * term[i], 1.0
            for h in range(channels):
                w = weight_of[h]
                used = chosen[basis[h]]
                usage[c, h] += used if w < 0 else used * weights[w, i]
        else:
            chosen[:] = 0.0
        if value - second < delta * high[i]:
            near += 1
            if k2 >= 0:
                other[0], other[1] = x2, take[k2] * x2
                other[2], other[3] = gross[k2] * x2 * term[i], 1.0
            else:
                other[:] = 0.0
            for h in range(channels):
                w = weight_of[h]
                moved = chosen[basis[h]] - other[basis[h]]
                change[h] = moved if w < 0 else moved * weights[w, i]
            scale = 1.0 / (2.0 * delta * high[i])
            for h in range(channels):
                for g in range(channels):
                    curvature[c, h, g] += scale * change[h] * change[g]
    return total, near


@_jit
def respond(
    begin: int, end: int, menu: np.ndarray, cell: np.ndarray, low: Floats, high: Floats, income: Floats,
    cost: Floats, term: Floats, relationship: Floats, must: np.ndarray, weights: Floats, basis: np.ndarray,
    weight_of: np.ndarray, table: Floats, first: np.ndarray, rate: Floats, take: Floats,
    churn_cost: float, decline_churn: float, processing_cost: float, option: np.ndarray, amount: Floats,
    reduced: Floats, margin: Floats,
) -> None:  # fmt: skip
    """Writes the best responses of borrowers begin..end, every option looked at (kernel.dense says how).

    Values come first, then their largest two: the first loop is one for the processor's vectors.
    """
    price = np.zeros(4)
    widest = 0
    for m in range(len(first) - 1):
        widest = max(widest, first[m + 1] - first[m])
    value = np.empty(widest)
    for i in range(begin, end):
        m = menu[i]
        option[i], amount[i], reduced[i], margin[i] = -1, 0.0, 0.0, math.inf
        if m < 0:
            continue
        c = cell[i]
        price[:] = 0.0
        for h in range(len(basis)):
            w = weight_of[h]
            price[basis[h]] += table[c, h] if w < 0 else table[c, h] * weights[w, i]
        along = income[i] - term[i] * price[2]
        across = churn_cost - cost[i] - price[1]
        flat = -churn_cost - price[0]
        drawn_fixed = relationship[i] - processing_cost
        fixed = (decline_churn - 1.0) * relationship[i] - price[3]
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
    begin: int, end: int, menu: np.ndarray, cell: np.ndarray, low: Floats, high: Floats, income: Floats,
    cost: Floats, term: Floats, relationship: Floats, must: np.ndarray, weights: Floats, basis: np.ndarray,
    weight_of: np.ndarray, first: np.ndarray, rate: Floats, take: Floats, churn_cost: float,
    decline_churn: float, processing_cost: float, option: np.ndarray, amount: Floats, usage: Floats,
) -> float:  # fmt: skip
    """Adds the decisions of borrowers begin..end to `usage` (cells, channels); returns their value."""
    total = 0.0
    used = np.zeros(4)
    for i in range(begin, end):
        if option[i] < 0:
            continue
        k = first[menu[i]] + option[i]
        a, x = take[k], amount[i]
        used[0], used[1], used[2], used[3] = x, a * x, a * x * rate[k] * term[i], 1.0
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


walk_compiled = _jit(walk)
"""`kernel.walk`, compiled: the same source, the same bits."""
