"""Columns of the borrowers that options name, beside those that a scenario reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.borrowers import FurtherColumns


def further_columns(texts: Iterable[str], numbers: Iterable[str], option: str) -> FurtherColumns:
    """`FurtherColumns.named`, loaded when it is asked for."""
    from allocator.borrowers import FurtherColumns

    return FurtherColumns.named(texts, numbers, option)


def columns_named(columns: str | None) -> FurtherColumns:
    """Those that `--columns` names, of the borrowers' source beside the canonical ones."""
    from allocator.borrowers import FurtherColumns
    from allocator.records.columns import CANONICAL

    names = [name.strip() for name in (columns or "").split(",")]
    if columns is not None and not all(names):
        remedy = "name columns of the borrowers, as score,city"
        raise InputError.of([Fault("a name is empty", remedy, field="--columns")], "command line")
    return FurtherColumns(frozenset(names) - set(CANONICAL) - {""})
