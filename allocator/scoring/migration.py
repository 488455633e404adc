"""How ratings moved: counts and shares of firms by class before and after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError


def migration(before: pd.Series, after: pd.Series, classes: Sequence[str]) -> pd.DataFrame:
    """Table with a row and a column a class (best first), then n, stayed, up and down as shares of the row.

    Firms are matched on the index; one rated only once is left out.
    Raises InputError: a class that is not in `classes`, or no firm rated twice.
    """
    faults = [
        Fault(f"{value!r} is no class", f"the classes are {', '.join(classes)}", field=name)
        for name, ratings in (("before", before), ("after", after))
        for value in sorted({str(v) for v in ratings.dropna().unique()} - set(classes))
    ]
    both = before.index.intersection(after.index)
    if len(both) == 0:
        faults.append(Fault("no firm is rated twice", "give both ratings the same index"))
    if faults:
        raise InputError.of(faults, "Migration")
    place = pd.Index(classes)
    rows, columns = (place.get_indexer(pd.Index(r.loc[both].astype(object))) for r in (before, after))
    known = (rows >= 0) & (columns >= 0)
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (rows[known], columns[known]), 1)
    n = counts.sum(axis=1)
    whole = np.where(n > 0, n, 1)
    table = pd.DataFrame(counts, index=pd.Index(classes, name="from"), columns=list(classes))
    table["n"] = n
    table["stayed"] = np.diag(counts) / whole
    table["up"] = np.tril(counts, -1).sum(axis=1) / whole
    table["down"] = np.triu(counts, 1).sum(axis=1) / whole
    return table
