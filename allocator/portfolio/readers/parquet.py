"""Parquet: typed columns, read by name; one file, or a folder of parts in ascending order of their names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from allocator.errors import InputError
from allocator.intake import take
from allocator.portfolio.readers.opened import Fetched, Opened, existing_files, refuse
from allocator.records.scenario import PortfolioSource


def open_parquet(source: PortfolioSource) -> Opened:
    """Open one Parquet file, or a folder of them with the same columns."""
    paths = existing_files(source)
    first, *others = (_schema(path, source) for path in paths)
    for path, schema in zip(paths[1:], others, strict=True):
        if not schema.equals(first):
            problem = f"the columns of {path.name} are not those of {paths[0].name}"
            raise refuse(source, problem, "write every part with the same columns and types")
    texts = {field.name for field in first if pa.types.is_string(field.type)}
    return Opened(tuple(first.names), partial(_fetch, paths, source, texts))


def _schema(path: Path, source: PortfolioSource) -> pa.Schema:
    try:
        return parquet.read_schema(pa.BufferReader(take(path)))
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(source, path, error) from error


def _fetch(
    paths: Sequence[Path],
    source: PortfolioSource,
    texts: set[str],
    columns: Sequence[str],
    coded: Collection[str],
) -> Fetched:
    """Read `columns` as they are typed, texts of `coded` as dictionaries."""
    tables = []
    for path in paths:
        try:
            content = pa.BufferReader(take(path))
            with parquet.ParquetFile(content, read_dictionary=list(texts.intersection(coded))) as file:
                tables.append(file.read(columns=list(columns)).select(list(columns)))
        except (pa.ArrowInvalid, OSError) as error:
            raise _damaged(source, path, error) from error
    return Fetched.whole(pa.concat_tables(tables))


def _damaged(source: PortfolioSource, path: Path, error: Exception) -> InputError:
    """The error of a file that is no Parquet, or no longer."""
    reason = str(error).splitlines()[0].rstrip(".")
    part = "" if path == source.path else f"{path.name}: "
    return refuse(source, f"{part}not a whole Parquet file: {reason}", "write the file again")
