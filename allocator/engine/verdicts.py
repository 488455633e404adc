"""When an allocation keeps a limit (docs/formulation.md, section 2, Tolerance).

Whole rows are compared in integers. Any other row may be broken by 1e-9 of its own scale: the right-hand
side, or the largest single use of an offer made, so that neither other rows nor the unit of a weight or of
money decide.
"""

from __future__ import annotations

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.engine.program import row_bounds
from allocator.records.limits import BASES
from allocator.records.portfolio import Codes, Floats, Integers

TOLERANCE = 1e-9
"""Largest violation of a row that is no whole row, relative to its scale."""
_ROUNDING = 4 * 2.0**-53


def broken_rows(columns: Columns, option: Codes, amount: Floats, used: Floats) -> list[int]:
    """The limits that the allocation (n,) breaks, `used` (m,) being their left-hand sides."""
    limits = columns.limits
    whole = columns.whole
    lower, upper = row_bounds(limits.senses, limits.rhs)
    over = np.maximum(np.maximum(used - upper, lower - used), 0.0)
    over[whole.row] = 0.0
    over[limits.soft] = 0.0
    broken = _beyond_tolerance(columns, option, amount, over) if np.any(over) else []
    return [*whole.broken(whole.count(option, amount)), *broken] if len(whole) else broken


def _beyond_tolerance(columns: Columns, option: Codes, amount: Floats, over: Floats) -> list[int]:
    """The rows exceeded by more than their tolerance, being exceeded by `over` (m,)."""
    size = np.maximum(columns.limits.sizes, references(columns, option, amount))
    doubtful = np.flatnonzero(over > _tolerances(columns, size))
    if len(doubtful):
        size[doubtful] = np.maximum(size[doubtful], largest_uses(columns, option, amount, doubtful))
    return np.flatnonzero(over > _tolerances(columns, size)).tolist()


def _tolerances(columns: Columns, scale: Floats) -> Floats:
    """(m,) by how much each row may be broken."""
    least = np.array([row.least_weight for row in columns.limits.rows])
    allowed = TOLERANCE * scale
    half = np.maximum(least / 2.0, _ROUNDING * scale)
    return np.where(least > 0.0, np.minimum(allowed, half), allowed)


def references(columns: Columns, option: Codes, amount: Floats) -> Floats:
    """(m,) |q| x what is lent of each row's reference, 0 where it has none."""
    limits, lent = columns.limits, {"offered": amount, "loans": np.where(option >= 0, 1.0, 0.0)}
    if any(row.reference == "drawn" for row in limits.rows):
        lent["drawn"] = columns.take_up(option) * amount
    sums: dict[tuple[str, int], float] = {("", id(None)): 0.0}
    for row in limits.rows:
        key = row.reference, id(row.base)
        if key not in sums:
            counted = lent[row.reference]
            sums[key] = float(np.sum(counted if row.base is None else counted[row.base[limits.cell]]))
    return np.array([abs(row.share) * (sums[row.reference, id(row.base)] + row.lent) for row in limits.rows])


def largest_uses(columns: Columns, option: Codes, amount: Floats, rows: Integers) -> Floats:
    """(len(rows),) the largest |weight x basis| of an offer made, what shares take off aside."""
    limits = columns.limits
    taken = np.flatnonzero(option >= 0)
    used = columns.subset(taken).by_channel(option[taken], amount[taken])
    cell, width = limits.cell[taken], len(limits.channels)
    largest = np.zeros(len(rows))
    for place, j in enumerate(rows.tolist()):
        table = limits.matrix[[j]].toarray().reshape(limits.cells, width) + limits.everywhere[[j]].toarray()
        row = limits.rows[j]
        for h, channel in enumerate(limits.channels):
            plain = channel.weight is None and BASES[channel.basis] == row.reference
            taken_off = (row.share if row.base is None else row.share * row.base) if plain else 0.0
            factor = np.abs(table[:, h] + taken_off)
            if np.any(factor):
                own = np.abs(used[h]) * factor[cell]
                largest[place] = max(largest[place], float(np.max(own, initial=0.0)))
    return largest
