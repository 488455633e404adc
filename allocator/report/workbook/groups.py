"""The sheet of groups: what each has of a limit on the largest, or on a Herfindahl index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from allocator.insight.audit import Entry
from allocator.insight.convex import Groups
from allocator.records.workbook import Column, Table
from allocator.report.workbook.limits import WHOLE
from allocator.report.workbook.membership import Keys, counts_some

SHEET = "Groups"


def groups_table(
    entries: Sequence[Entry], groups: Mapping[str, Groups], keys: Keys, *, live: bool
) -> Table | None:
    """One row a group that has something of a limit, a formula where `live`; None where no limit is on any.

    Formulas on the sheet of the limits add up what these rows have.
    """
    own = [(place, entry, groups[entry.name]) for place, entry in enumerate(entries) if entry.name in groups]
    if not sum(len(some.names) for *_, some in own):
        return None
    limit, name, formulas = [], [], list[str | None]()
    for place, entry, some in own:
        limit += [entry.name] * len(some.names)
        name += some.names.tolist()
        formulas += [_new(entry, place, keys) if live else None] * len(some.names)
    lent, new = (np.concatenate([getattr(some, part) for *_, some in own]) for part in ("lent", "new"))
    columns = (
        Column("limit", "Limit", "text", limit, width=30),
        Column("name", "Group", "text", name, width=22),
        Column("new", "New offers use", "money", new, formulas),
        Column("lent", "Already lent uses", "money", lent),
        Column("used", "Used", "money", new + lent, "=[new]+[lent]"),
    )
    return Table(columns, "group")


def _new(entry: Entry, place: int, keys: Keys) -> str:
    written = entry.written
    assert written is not None
    inside = f"(loan_row_{place}={entry.first})*" if counts_some(entry) else ""
    column = WHOLE.get(written.measure, "loan_amount")
    return f"=SUMPRODUCT({inside}EXACT(loan_{keys(written.by or '', 'text')},[name])*{column})"
