"""Tables to a file: CSV, Parquet or a worksheet."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from allocator.records.workbook import Workbook
from allocator.store.file import Content, bytes_content, require_file, text_content, write_files
from allocator.store.workbook import require_rows, workbook_content, write_data

PART = 250_000
"""Rows written at once, and rows of one group of a Parquet file."""

Write = Callable[[Iterator[pa.Table], pa.Schema, IO[bytes]], None]


FORMATS = (".csv", ".parquet", ".xlsx")


def write_tables(parts: Iterable[pa.Table], path: Path, *, force: bool = False) -> None:
    """Write `parts` of one table to `path` in the format of its ending.

    Raises InputError for another ending or where `path` is taken and not `force`, OutputError where it
    cannot be written; nothing is left behind then.
    """
    require_file(path, FORMATS, force=force)
    write_files({path: _content(parts, path)})


def _content(parts: Iterable[pa.Table], path: Path) -> Content:
    formats: dict[str, Write] = {".csv": _write_csv, ".parquet": _write_parquet, ".xlsx": _write_xlsx}

    def write(file: IO[bytes]) -> None:
        rest = iter(parts)
        first = next(rest)
        formats[path.suffix.lower()](chain([first], rest), first.schema, file)

    return write


def content_of(held: str | bytes | pd.DataFrame | Workbook, path: Path) -> Content:
    """A text, bytes as they are, a workbook, or a frame in the format that `path` ends in."""
    match held:
        case Workbook():
            return workbook_content(held)
        case str():
            return text_content(held)
        case bytes():
            return bytes_content(held)
    return _frame_content(held, path)


def write_frame(frame: pd.DataFrame, path: Path, *, force: bool = False) -> None:
    """Write a frame as `write_tables` does."""
    require_file(path, FORMATS, force=force)
    write_files({path: _frame_content(frame, path)})


def _frame_content(frame: pd.DataFrame, path: Path) -> Content:
    """A frame in the format that `path` ends in."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    narrow = [
        column.cast(pa.string()) if pa.types.is_large_string(column.type) else column
        for column in table.columns
    ]
    table = pa.table(narrow, names=table.column_names)
    return _content((table.slice(start, PART) for start in range(0, max(len(frame), 1), PART)), path)


def _write_csv(parts: Iterator[pa.Table], schema: pa.Schema, file: IO[bytes]) -> None:
    options = arrow_csv.WriteOptions(quoting_style="needed", quoting_header="needed")
    with arrow_csv.CSVWriter(file, schema, write_options=options) as writer:
        for part in parts:
            writer.write_table(part)


def _write_parquet(parts: Iterator[pa.Table], schema: pa.Schema, file: IO[bytes]) -> None:
    with parquet.ParquetWriter(file, schema) as writer:
        for part in parts:
            writer.write_table(part, row_group_size=PART)


def _write_xlsx(parts: Iterator[pa.Table], schema: pa.Schema, file: IO[bytes]) -> None:
    import xlsxwriter

    table = pa.concat_tables(parts)
    require_rows(len(table), "worksheet")
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
        # The date of making would give the same borrowers other bytes tomorrow.
        workbook.set_properties({"created": datetime.datetime(2020, 1, 1)})
        sheet = workbook.add_worksheet("borrowers")
        quoted = workbook.add_format({"quote_prefix": True})
        for column, name in enumerate(schema.names):
            write_data(sheet, 0, column, name, None, quoted)
        columns = [column.to_pylist() for column in table.columns]
        for row, cells in enumerate(zip(*columns, strict=True), start=1):
            for column, cell in enumerate(cells):
                write_data(sheet, row, column, cell, None, quoted)
