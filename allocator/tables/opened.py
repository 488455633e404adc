"""What every reader hands back."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from allocator.errors import Fault, InputError
from allocator.intake import take
from allocator.records.frames import File, Frame
from allocator.records.portfolio import Integers
from allocator.records.scenario import PortfolioSource
from allocator.tables.findings import Finding

_HOLLOW = 256 << 20
"""Bytes from which on a file is looked through for holes before it is read."""


@dataclass(frozen=True)
class FetchedColumns:
    """Columns as the source holds them, with the rows that they come from."""

    table: pa.Table
    """n rows; text that a reader could not type stays text, an empty cell is null or ""."""
    number: Integers
    """(n,) row of each as faults name it: of a workbook as the spreadsheet counts, else from 1 below the
    header, blank lines counted."""
    findings: tuple[Finding, ...] = ()
    """Rows that are none: not to be split into cells, totals and notes below the table."""
    letters: Mapping[str, str] = field(default_factory=dict)
    """Of a workbook: column -> where its cells are, but for the row: `Borrowers!C`."""

    @classmethod
    def whole(cls, table: pa.Table) -> FetchedColumns:
        """All rows of `table`, none lost."""
        return cls(table, np.arange(1, table.num_rows + 1, dtype=np.int64))


Fetch = Callable[[Sequence[str], Collection[str], Collection[str]], FetchedColumns]


@dataclass(frozen=True)
class OpenedSource:
    """A source that was found and understood so far as its header."""

    names: tuple[str, ...]
    """The source's columns, in its order, under its own names."""
    _fetch: Fetch

    def fetch(
        self, columns: Sequence[str], coded: Collection[str] = (), typed: Collection[str] = ()
    ) -> FetchedColumns:
        """Read the columns named.

        `coded` says which of them repeat few texts, for readers that can keep those as dictionaries;
        `typed` which of them delimited text may hold as numbers, dates or truths by their looks.
        """
        return self._fetch(columns, coded, typed)

    @classmethod
    def of(cls, table: pa.Table, number: Integers | None = None) -> OpenedSource:
        """A table in memory; `number` (n,) are its rows as faults name them."""

        def fetch(columns: Sequence[str], coded: Collection[str], typed: Collection[str]) -> FetchedColumns:
            chosen = table.select(list(columns))
            return FetchedColumns.whole(chosen) if number is None else FetchedColumns(chosen, number)

        return cls(tuple(table.column_names), fetch)


def refuse(
    source: PortfolioSource,
    problem: str,
    remedy: str,
    line: int | None = None,
    row: int | None = None,
    field: str | None = None,
) -> InputError:
    """The error of a source that cannot be read at all."""
    fault = Fault(problem, remedy, file=source.label, line=line, row=row, field=field)
    return InputError.of([fault], source.label)


def remedy_of(source: PortfolioSource, remedy: str, option: str) -> str:
    """What to do: the `option` of its entry or the `remedy`; of a source that has no entry the `remedy`."""
    return remedy if source.bare else f"{option}, or {remedy}"


def rows_wanted(source: PortfolioSource) -> str:
    """What to do with a source that holds nothing; only one that has an entry must be of borrowers."""
    return "give a header and rows under it" if source.bare else "give a header and one row per borrower"


def repeated_names(names: Sequence[str], source: PortfolioSource) -> list[Fault]:
    """One fault for every name that heads more than one column: nobody could say which is meant."""
    return [
        Fault(f"{times} columns have this name", "rename or drop all but one", file=source.label, field=name)
        for name, times in Counter(names).items()
        if times > 1 and name
    ]


def content(source: PortfolioSource, path: File) -> Any:
    """The bytes of a file, an Arrow buffer. Raises InputError where it cannot be read, or has holes."""
    if isinstance(path, Frame):
        return take(path)
    try:
        if path.stat().st_size > _HOLLOW and _has_hole(path):
            raise refuse(source, "a file with holes, not wholly written", "copy or write it again")
        return take(path)
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise refuse(source, f"cannot be read: {reason}", "see that it may be read") from error


def existing_file(source: PortfolioSource) -> File:
    """The source's file, which is there and is a file, or its frame."""
    path = source.path
    if path is None:
        raise refuse(source, f"a {source.kind} source without a file", "name the file under portfolio.source")
    if isinstance(path, Frame):
        return path
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        place = "its path" if source.bare else "portfolio.source; paths are relative to the scenario file"
        raise refuse(source, "no such file", f"mend {place}") from None
    require_regular(source, mode)
    return path


def require_regular(source: PortfolioSource, mode: int) -> None:
    """Raise InputError for a folder, a pipe or a device, which may have no end."""
    if stat.S_ISDIR(mode):
        raise refuse(source, "not a file", "name one file, not a folder")
    if not stat.S_ISREG(mode):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise refuse(source, f"{kind}, not a file", "save the table to a file and name that")


def _has_hole(path: Path) -> bool:
    """Whether a part of the file was never written: it would read as zeros."""
    seek_hole = getattr(os, "SEEK_HOLE", None)
    if seek_hole is None:
        return False
    with path.open("rb") as file:
        return os.lseek(file.fileno(), 0, seek_hole) < os.fstat(file.fileno()).st_size
