"""The rows that some borrowers can move: a core need not carry those that only others use.

A row of `each` counts a few borrowers. With everybody else frozen it holds or not whatever the core decides,
unless it is a share of what is lent, which the core moves too: of such rows the tightest speaks for all.
"""

from __future__ import annotations

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.curvature import DENSE_UP_TO
from allocator.records.portfolio import Booleans, Codes, Floats, Integers


def rows_moved(columns: Columns, borrowers: Integers, option: Codes, amount: Floats) -> Integers:
    """The rows, ascending, that matter to `borrowers` while all others keep `option` and `amount` (n,).

    All of them where they are few.
    """
    limits = columns.limits
    if len(limits) <= DENSE_UP_TO:
        return np.arange(len(limits))
    width = len(limits.channels)
    cells = np.unique(limits.cell[borrowers])
    places = (cells[:, None] * width + np.arange(width)).ravel()
    kept = np.zeros(len(limits), dtype=bool)
    kept[0] = True
    kept[limits.matrix.tocsc()[:, places].indices] = True
    kept[_tightest(columns, ~kept, option, amount)] = True
    return np.flatnonzero(kept)


def _tightest(columns: Columns, among: Booleans, option: Codes, amount: Floats) -> Integers:
    """Of the rows `among` (m,) that everybody moves alike, those that leave the least room either way."""
    limits = columns.limits
    common = limits.everywhere.toarray()
    moved = among & np.any(common != 0.0, axis=1)
    alone = np.diff(limits.matrix.indptr) == 0
    several = moved & (alone | (np.count_nonzero(common, axis=1) > 1))
    rows = np.flatnonzero(moved & ~several)
    if len(rows) == 0:
        return np.flatnonzero(several)
    sums = [
        np.bincount(limits.cell, used, minlength=limits.cells) for used in columns.by_channel(option, amount)
    ]
    own = limits.matrix @ np.array(sums, dtype=np.float64).T.ravel()
    channel = np.argmax(common[rows] != 0.0, axis=1)
    factor = common[rows, channel]
    room = (limits.rhs - own)[rows] / np.abs(factor)
    sense = np.unique(np.array(limits.senses, dtype=str)[rows], return_inverse=True)[1]
    kind = np.unique(np.column_stack([channel, factor > 0.0, sense]), axis=0, return_inverse=True)[1].ravel()
    ends = [np.lexsort((room * sign, kind)) for sign in (1.0, -1.0)]
    first = [order[np.unique(kind[order], return_index=True)[1]] for order in ends]
    return np.concatenate([np.flatnonzero(several), *(rows[few] for few in first)])
