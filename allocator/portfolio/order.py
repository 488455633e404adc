"""Borrowers in ascending order of identifier, so that the order of rows changes no bit of a result."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allocator.records.portfolio import Integers
from allocator.tables.findings import Finding, Rows, quoted


def ascending_positions(ids: pa.Array) -> Integers | None:
    """Positions of `ids` (n,) in ascending order of code points; None where they ascend strictly already.

    Arrow compares UTF-8 byte by byte, which is the order of code points.
    """
    if ids.null_count == 0 and pc.all(pc.less(ids[:-1], ids[1:])).as_py() is not False:
        return None
    order: Integers = pc.sort_indices(ids).to_numpy().astype(np.int64)
    return order


def duplicates(ids: pa.Array, order: Integers | None, column: str, rows: Rows) -> list[Finding]:
    """The finding for identifiers that an earlier row has too; both rows are named."""
    if order is None:
        return []
    ordered = ids.take(pa.array(order))
    same = pc.fill_null(pc.equal(ordered[:-1], ordered[1:]), False).to_numpy(zero_copy_only=False)
    earlier = np.full(len(ids), -1, dtype=np.int64)
    earlier[order[1:][same]] = order[:-1][same]
    return rows.find(
        earlier >= 0,
        column,
        lambda i: f"{quoted(ids[i].as_py())} is the identifier of row {rows.number[earlier[i]]} too",
        "keep one row per borrower",
    )
