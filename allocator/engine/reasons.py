"""Why each borrower is refused (docs/formulation.md, section 5): the largest price that sinks the offer."""

from __future__ import annotations

import numpy as np

from allocator.engine.kernel.columns import Columns, Response
from allocator.engine.kernel.passes import prepare
from allocator.records.portfolio import Booleans, Floats, Integers
from allocator.records.reasons import BY_THE_STEP, NEVER, crowded_out


def reasons(columns: Columns, refused: Booleans, prices: Floats, threads: int) -> np.ndarray:
    """(n,) texts: the reason for the refusal at `prices` (m,) where `refused` (n,), "" elsewhere."""
    offers = columns.offers
    out = np.full(len(columns), "", dtype=object)
    impossible = refused & (offers.menu < 0)
    names = np.array([*offers.refusal.values, ""], dtype=object)
    out[impossible] = names[offers.refusal.codes[impossible]]
    book = prepare(columns, threads)
    free = book.respond(np.zeros(len(columns.limits)))
    priced = book.respond(prices)
    unprofitable = refused & ~impossible & (free.option < 0)
    near = refused & ~impossible & ~unprofitable & (priced.option >= 0)
    out[unprofitable] = NEVER
    out[near] = BY_THE_STEP
    crowded = np.flatnonzero(refused & ~impossible & ~unprofitable & ~near)
    row_of = _largest_charge(columns, prices, crowded, free)
    out[crowded] = np.array([crowded_out(row.name) for row in columns.limits.rows], dtype=object)[row_of]
    return out


def _largest_charge(columns: Columns, prices: Floats, i: Integers, free: Response) -> Integers:
    """The row that charges each borrower's best unpriced offer most; the first of equal ones."""
    used = columns.subset(i).by_channel(free.option[i], free.amount[i])
    cell = columns.limits.cell[i]
    width = len(columns.limits.channels)
    largest = np.full(len(i), -np.inf)
    row_of = np.zeros(len(i), dtype=np.int64)
    for j in np.flatnonzero(prices):
        table = prices[j] * columns.limits.matrix[[j]].toarray().reshape(-1, width)
        charge = sum(table[cell, h] * used[h] for h in range(width) if np.any(table[:, h]))
        more = charge > largest
        largest = np.where(more, charge, largest)
        row_of[more] = j
    return row_of
