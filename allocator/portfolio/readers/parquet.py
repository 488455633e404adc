"""Parquet: typed columns, read by name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from allocator.errors import InputError
from allocator.portfolio.readers.opened import Fetched, Opened, existing_file, refuse
from allocator.records.scenario import PortfolioSource


def open_parquet(source: PortfolioSource) -> Opened:
    """Open one Parquet file."""
    path = existing_file(source)
    try:
        schema = parquet.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(source, error) from error
    texts = {field.name for field in schema if pa.types.is_string(field.type)}
    return Opened(tuple(schema.names), partial(_fetch, path, source, texts))


def _fetch(
    path: Path, source: PortfolioSource, texts: set[str], columns: Sequence[str], coded: Collection[str]
) -> Fetched:
    """Read `columns` as they are typed, texts of `coded` as dictionaries."""
    try:
        with parquet.ParquetFile(path, read_dictionary=list(texts.intersection(coded))) as file:
            return Fetched.whole(file.read(columns=list(columns)).select(list(columns)))
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(source, error) from error


def _damaged(source: PortfolioSource, error: Exception) -> InputError:
    """The error of a file that is no Parquet, or no longer."""
    reason = str(error).splitlines()[0].rstrip(".")
    return refuse(source, f"not a whole Parquet file: {reason}", "write the file again")
