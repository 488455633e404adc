"""Why each borrower is declined (docs/formulation.md, section 5): the largest charge against the offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np

from allocator.engine.kernel.columns import BestResponses, Columns
from allocator.engine.kernel.passes import prepare
from allocator.records.limits import Limits
from allocator.records.portfolio import Booleans, Floats, Integers
from allocator.records.reasons import BY_THE_STEP, NEVER, crowded_out, left_out

_ROUNDING = 1e-10
"""A worth at the prices that is this small, a unit of the largest loan, is 0 with a price's rounding."""


def reasons(
    columns: Columns,
    declined: Booleans,
    prices: Floats,
    threads: int,
    aside: Mapping[str, Booleans] = MappingProxyType({}),
) -> np.ndarray:
    """(n,) texts: the reason for declining at `prices` (m,) where `declined` (n,), "" elsewhere.

    `aside` are the limits on a condition that need not hold, with the group (n,) that each leaves out.
    """
    offers = columns.offers
    out = np.full(len(columns), "", dtype=object)
    impossible = declined & (offers.menu < 0)
    names = np.array([*offers.no_offer.values, ""], dtype=object)
    out[impossible] = names[offers.no_offer.codes[impossible]]
    book = prepare(columns, threads)
    free = book.respond(np.zeros(len(columns.limits)))
    priced = book.respond(prices)
    unprofitable = declined & ~impossible & (free.option < 0)
    rounding = _ROUNDING * np.maximum(offers.high, 1e-300)
    near = declined & ~impossible & ~unprofitable & (priced.option >= 0) & (priced.reduced > rounding)
    out[unprofitable] = NEVER
    out[near] = BY_THE_STEP
    for name, group in reversed([*aside.items()]):
        out[near & group] = left_out(name)
    crowded = np.flatnonzero(declined & ~impossible & ~unprofitable & ~near)
    row_of = _largest_charge(columns, prices, crowded, free)
    out[crowded] = np.array([crowded_out(row.name) for row in columns.limits.rows], dtype=object)[row_of]
    return out


def _largest_charge(columns: Columns, prices: Floats, i: Integers, free: BestResponses) -> Integers:
    """The row that charges each borrower's best unpriced offer most; the first of equal ones.

    Rows that count a cell's members are looked at cell by cell; of those that count everybody alike only
    the ones that may be largest are, so that it costs borrowers + rows.
    """
    limits, cell = columns.limits, columns.limits.cell[i]
    used = np.array(columns.subset(i).by_channel(free.option[i], free.amount[i]))
    common = limits.everywhere.toarray()
    slots, most = _rows_by_cell(limits, common)
    largest = np.full(len(i), -np.inf)
    row_of = np.zeros(len(i), dtype=np.int64)
    everyone = [
        (np.full(limits.cells, j), _table(limits, common, j)) for j in _dearest_rows(common, prices, most)
    ]
    for rows, factors in (*slots, *everyone):
        row, charge = rows[cell], np.einsum("ih,hi->i", factors[cell], used)
        charge = np.where((row >= 0) & (prices[row] != 0.0), prices[row] * charge, -np.inf)
        more = (charge > largest) | ((charge == largest) & (row < row_of))
        largest, row_of = np.where(more, charge, largest), np.where(more, row, row_of)
    return row_of


def _rows_by_cell(limits: Limits, common: Floats) -> tuple[Iterator[tuple[Integers, Floats]], int]:
    """The rows that single out a cell: the first of each, the second, ..., and how many a cell has at most.

    Each comes as a row (cells,), -1: none, with its coefficients (cells, channels).
    """
    entries = limits.matrix.tocoo()
    width = len(limits.channels)
    key = entries.col // width * len(limits) + entries.row
    pairs, pair = np.unique(key, return_inverse=True)
    cell, row = pairs // len(limits), pairs % len(limits)
    factors = common[row]
    np.add.at(factors, (pair, entries.col % width), entries.data)
    rank = np.arange(len(pairs)) - np.searchsorted(cell, cell)

    def slots() -> Iterator[tuple[Integers, Floats]]:
        for r in range(most):
            own = np.flatnonzero(rank == r)
            rows, table = np.full(limits.cells, -1), np.zeros((limits.cells, width))
            rows[cell[own]], table[cell[own]] = row[own], factors[own]
            yield rows, table

    most = int(rank.max(initial=-1)) + 1
    return slots(), most


def _dearest_rows(common: Floats, prices: Floats, most: int) -> list[int]:
    """Rows among which is the one that charges most of all that do not single out a borrower's cell.

    Of a negative weight the row charges most that has the least charge a unit, so both ends are taken.
    """
    charges = prices[:, None] * common
    several = np.flatnonzero(np.count_nonzero(charges, axis=1) > 1)
    leading = [np.argsort(end, kind="stable")[: most + 1] for own in charges.T for end in (-own, own)]
    rows = np.unique(np.concatenate([several, *leading]))
    return [int(j) for j in rows if np.any(charges[j])]


def _table(limits: Limits, common: Floats, row: int) -> Floats:
    """(cells, channels) the coefficients of one row."""
    return np.asarray(limits.matrix[[row]].toarray().reshape(limits.cells, -1) + common[row])
