"""One walk over borrowers in a given order that raises, or cuts, their amounts row by row.

Written once: plain Python runs it on lists for small books, `compiled` turns it into machine code for
large ones, with the same bits. Every row is in the form  sum_i use_i <= b  (at-least rows with their
signs turned), and `left` is what is left of b.
"""

from __future__ import annotations

import math
from typing import Any


def walk(
    order: Any, cut: bool, goal: int, paying: bool, target: Any, low: Any, must: Any, take: Any, gross: Any,
    margin: Any, fixed: Any, cell: Any, weights: Any, basis: Any, weight_of: Any, begins: Any, rows: Any,
    values: Any, capped: Any, step: float, left: Any, slack: Any, amount: Any, blocker: Any, unit: Any,
    loan: Any, seen: Any, touched: Any,
) -> int:  # fmt: skip
    """Changes `amount` and `left`; returns how many borrowers it changed.

    Raising gives each borrower of `order` in turn as much of `target` as every capped row leaves room for
    (`blocker`: the row that leaves too little); `paying`: only where the offer earns something. With a
    `goal` only those who help that row, as far as it needs. Cutting takes from each in turn what a
    capped row is overdrawn by, unless that opens a row which is no cap. `unit`, `loan`, `seen` and
    `touched` are room to work in, one place a row.
    """
    changed = 0
    channels = len(basis)
    for k in order:
        now = amount[k]
        if (now <= 0.0 or must[k]) if cut else now >= target[k]:
            continue
        if goal >= 0 and left[goal] >= -slack[goal]:
            break
        count = 0
        for h in range(channels):
            w = weight_of[h]
            factor = 1.0 if w < 0 else weights[w][k]
            b = basis[h]
            entry = cell[k] * channels + h
            for e in range(begins[entry], begins[entry + 1]):
                j = rows[e]
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
                    unit[j] += used * take[k]
                elif b == 2:
                    unit[j] += used * gross[k]
                else:
                    loan[j] += used
        if cut:
            less = 0.0
            for t in range(count):
                j = touched[t]
                if capped[j] and left[j] < -slack[j]:
                    if unit[j] > 0.0:
                        less = max(less, -left[j] / unit[j])
                    elif loan[j] > 0.0:
                        less = now
            if less <= 0.0:
                continue
            most = now - less
            new = math.floor(most / step + 1e-9) * step if step > 0 else math.floor(most * 100 + 1e-6) / 100
            if new < low[k]:
                new = 0.0
            opens = False
            for t in range(count):
                j = touched[t]
                if not capped[j] and left[j] >= -slack[j]:
                    after = left[j] + unit[j] * (now - new) + (loan[j] if new == 0.0 else 0.0)
                    opens = opens or after < -slack[j]
            if opens:
                continue
        else:
            enters = now <= 0.0
            most, by = target[k], -1
            for t in range(count):
                j = touched[t]
                if capped[j]:
                    room = left[j] - (loan[j] if enters else 0.0)
                    if unit[j] > 0.0:
                        if now + room / unit[j] < most:
                            most, by = now + room / unit[j], j
                    elif enters and loan[j] > 0.0 and room < -slack[j]:
                        most, by = -1.0, j
            if must[k]:
                new = target[k]
            else:
                if goal >= 0:
                    if seen[goal] != k or (unit[goal] >= 0.0 and loan[goal] >= 0.0):
                        continue
                    if unit[goal] < 0.0:
                        need = now + left[goal] / unit[goal]
                        if step > 0:
                            need = math.ceil(need / step - 1e-9) * step
                        else:
                            need = math.ceil(need * 100 - 1e-6) / 100
                        most = min(most, max(need, low[k]))
                    elif not enters:
                        continue
                new = most if most == target[k] else (
                    math.floor(most / step + 1e-9) * step if step > 0 else math.floor(most * 100 + 1e-6) / 100
                )  # fmt: skip
                if new < low[k] or new <= now:
                    if enters:
                        blocker[k] = by
                    continue
                if paying and (margin[k] * new + fixed[k] <= 0.0 if enters else margin[k] <= 0.0):
                    continue
        for t in range(count):
            j = touched[t]
            moved = unit[j] * (new - now)
            if now <= 0.0:
                moved += loan[j]
            if new <= 0.0:
                moved -= loan[j]
            left[j] -= moved
        amount[k] = new
        changed += 1
    return changed
