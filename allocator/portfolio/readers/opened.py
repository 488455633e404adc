"""What every reader hands back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from allocator.errors import Fault, InputError
from allocator.portfolio.findings import Finding
from allocator.records.portfolio import Integers
from allocator.records.scenario import PortfolioSource


@dataclass(frozen=True)
class Fetched:
    """Columns as the source holds them, with the rows that they come from."""

    table: pa.Table
    """n rows; text that a reader could not type stays text, an empty cell is null or ""."""
    number: Integers
    """(n,) data row of each, from 1."""
    findings: tuple[Finding, ...] = ()
    """Rows that could not be split into cells."""

    @classmethod
    def whole(cls, table: pa.Table) -> Fetched:
        """All rows of `table`, none lost."""
        return cls(table, np.arange(1, table.num_rows + 1, dtype=np.int64))


@dataclass(frozen=True)
class Opened:
    """A source that was found and understood so far as its header."""

    names: tuple[str, ...]
    """Its columns, in its order, under its own names."""
    fetch: Callable[[Sequence[str], Collection[str]], Fetched]
    """Read the columns named; the second argument says which of them repeat few texts, for readers
    that can keep those as dictionaries."""

    @classmethod
    def of(cls, table: pa.Table) -> Opened:
        """A table in memory."""
        return cls(tuple(table.column_names), lambda columns, _: Fetched.whole(table.select(list(columns))))


def refuse(source: PortfolioSource, problem: str, remedy: str, line: int | None = None) -> InputError:
    """The error of a source that cannot be read at all."""
    return InputError.of([Fault(problem, remedy, file=source.label, line=line)], source.label)


def existing_files(source: PortfolioSource) -> tuple[Path, ...]:
    """The source's file, or in ascending order of their names the parts of a folder of Parquet files."""
    path = source.path
    if source.kind != "parquet" or path is None or not path.is_dir():
        return (existing_file(source),)
    parts = sorted(part for part in path.glob("*.parquet") if part.is_file())
    if not parts:
        raise refuse(source, "a folder without a .parquet file", "name a folder of parts, or one file")
    return tuple(parts)


def existing_file(source: PortfolioSource) -> Path:
    """The source's file, which is there and is a file."""
    path = source.path
    if path is None:
        raise refuse(source, f"a {source.kind} source without a file", "name the file under portfolio.source")
    if not path.exists():
        raise refuse(source, "no such file", "mend portfolio.source; paths are relative to the scenario file")
    if not path.is_file():
        raise refuse(source, "not a file", "name one file, not a folder")
    return path
