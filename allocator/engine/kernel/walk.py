"""One walk over borrowers in a given order that raises, or cuts, their amounts row by row.

Written once: plain Python runs it on lists for small books, `compiled` turns it into machine code for
large ones, with the same bits. Every row is in the form  sum_i use_i <= b  (at-least rows with their
signs turned), and `left` is what is left of b.

What the functions read comes in groups: `offers` are the fields of `filling.Wishes`, `book` is the cell of
each borrower, the weights, and the basis and the weight of each channel, `rows` is the limits' matrix column
by column and which rows are capped, `state` is what is left of each row, how far it may be overdrawn, each
borrower's amount and the row that blocks him, `room` is one place a row to work in: what a unit and what a
loan of the borrower uses, whose turn it was last, and the rows that he uses.
"""

from __future__ import annotations

import math
from typing import Any


def walk(
    order: Any, cut: bool, goal: int, paying: bool, target: Any,
    offers: Any, book: Any, rows: Any, state: Any, room: Any,
) -> int:  # fmt: skip
    """Changes the amounts and what is left; returns how many borrowers it changed.

    Raising gives each borrower of `order` in turn as much of `target` as every capped row leaves room for;
    `paying`: only where the offer earns something. With a `goal` only those who help that row, as far as it
    needs. Cutting takes from each in turn what a capped row is overdrawn by, unless that opens a row which is
    no cap.
    """
    changed = 0
    low, step, must, take, gross, margin, fixed = offers
    cell, weights, basis, weight_of = book
    begins, row, values, capped = rows
    left, tolerance, amount, blocker = state
    unit, loan, seen, touched = room
    for k in order:
        now = amount[k]
        if (now <= 0.0 or must[k]) if cut else now >= target[k]:
            continue
        if goal >= 0 and left[goal] >= -tolerance[goal]:
            break
        own = cell[k], take[k], gross[k]
        count = used_rows(k, *own, weights, basis, weight_of, begins, row, values, unit, loan, seen, touched)
        if cut:
            new = cut_amount(now, low[k], step[k], count, capped, left, tolerance, unit, loan, touched)
        elif must[k]:
            new = target[k]
        else:
            most, by = room_for(now, target[k], count, capped, left, tolerance, unit, loan, touched)
            if goal >= 0:
                used = (unit[goal], loan[goal]) if seen[goal] == k else (0.0, 0.0)
                enough = enough_for(now, low[k], step[k], left[goal], *used)
                if enough < 0.0:
                    continue
                most = min(most, enough)
            new = most if most == target[k] else lots_within(most, step[k])
            if new < low[k] or new <= now:
                if now <= 0.0:
                    blocker[k] = by
                continue
            if paying and (margin[k] * new + fixed[k] <= 0.0 if now <= 0.0 else margin[k] <= 0.0):
                continue
        if new == now:
            continue
        take_from(left, now, new, count, unit, loan, touched)
        amount[k] = new
        changed += 1
    return changed


def used_rows(
    k: int, cell: int, take: float, gross: float, weights: Any, basis: Any, weight_of: Any, begins: Any,
    row: Any, values: Any, unit: Any, loan: Any, seen: Any, touched: Any,
) -> int:  # fmt: skip
    """Writes what a unit and a loan of borrower `k` use of each row that he uses; returns how many."""
    count, channels = 0, len(basis)
    for h in range(channels):
        w = weight_of[h]
        factor = 1.0 if w < 0 else weights[w][k]
        b = basis[h]
        entry = cell * channels + h
        for e in range(begins[entry], begins[entry + 1]):
            j = row[e]
            if seen[j] != k:
                seen[j] = k
                touched[count] = j
                count += 1
                unit[j] = 0.0
                loan[j] = 0.0
            used = values[e] * factor
            if b == 0:
                unit[j] += used
            elif b == 1:
                unit[j] += used * take
            elif b == 2:
                unit[j] += used * gross
            elif b == 3:
                loan[j] += used
            else:
                loan[j] += used * take
    return count


def cut_amount(
    now: float, low: float, step: float, count: int, capped: Any, left: Any, tolerance: Any, unit: Any,
    loan: Any, touched: Any,
) -> float:  # fmt: skip
    """What is kept of `now`: capped rows get back what they are overdrawn by, unless that opens another."""
    less = 0.0
    for t in range(count):
        j = touched[t]
        if capped[j] and left[j] < -tolerance[j]:
            if unit[j] > 0.0:
                less = max(less, -left[j] / unit[j])
            elif loan[j] > 0.0:
                less = now
    if less <= 0.0:
        return now
    new = lots_within(now - less, step)
    if new < low:
        new = 0.0
    for t in range(count):
        j = touched[t]
        if not capped[j] and left[j] >= -tolerance[j]:
            after = left[j] + unit[j] * (now - new) + (loan[j] if new == 0.0 else 0.0)
            if after < -tolerance[j]:
                return now
    return new


def room_for(
    now: float, target: float, count: int, capped: Any, left: Any, tolerance: Any, unit: Any, loan: Any,
    touched: Any,
) -> tuple[float, int]:  # fmt: skip
    """As much of `target` as the capped rows leave room for, and the row that leaves the least (-1: none)."""
    enters = now <= 0.0
    most, by = target, -1
    for t in range(count):
        j = touched[t]
        if capped[j]:
            free = left[j] - (loan[j] if enters else 0.0)
            if unit[j] > 0.0:
                if now + free / unit[j] < most:
                    most, by = now + free / unit[j], j
            elif enters and loan[j] > 0.0 and free < -tolerance[j]:
                most, by = -1.0, j
    return most, by


def enough_for(now: float, low: float, step: float, left: float, unit: float, loan: float) -> float:
    """The amount from `now` on that meets a row of which `left` is lacking; -1 where none helps.

    inf: his loan helps, whatever its amount.
    """
    if unit < 0.0:
        return max(lots_beyond(now + left / unit, step), low)
    return math.inf if loan < 0.0 and now <= 0.0 else -1.0


def take_from(left: Any, now: float, new: float, count: int, unit: Any, loan: Any, touched: Any) -> None:
    """Takes what a change from `now` to `new` uses from what is left of each row."""
    for t in range(count):
        j = touched[t]
        moved = unit[j] * (new - now)
        if now <= 0.0:
            moved += loan[j]
        if new <= 0.0:
            moved -= loan[j]
        left[j] -= moved


def lots_within(amount: float, step: float) -> float:
    """The largest multiple of `step` (0: of a cent) up to `amount`, rounding aside."""
    return math.floor(amount / step + 1e-9) * step if step > 0 else math.floor(amount * 100 + 1e-6) / 100


def lots_beyond(amount: float, step: float) -> float:
    """The smallest multiple of `step` (0: of a cent) from `amount` on, rounding aside."""
    return math.ceil(amount / step - 1e-9) * step if step > 0 else math.ceil(amount * 100 - 1e-6) / 100
