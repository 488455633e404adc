"""Tables to a file: written aside, then renamed, so that nobody ever sees half of one."""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

import pyarrow as pa
import xlsxwriter
from pyarrow import csv as arrow_csv
from pyarrow import parquet
from xlsxwriter.worksheet import Worksheet

from allocator.errors import Fault, InputError, OutputError

PART = 250_000
"""Rows written at once, and rows of one group of a Parquet file."""

SHEET_ROWS = 1_048_576
"""What a worksheet holds, its header included."""

Write = Callable[[Iterator[pa.Table], pa.Schema, IO[bytes]], None]


def write_tables(parts: Iterable[pa.Table], path: Path, force: bool) -> None:
    """Write `parts` of one table to `path` in the format of its suffix.

    Raises InputError for another suffix, OutputError where `path` is taken and not `force`, or
    cannot be written; nothing is left behind then.
    """
    formats: dict[str, Write] = {".csv": _write_csv, ".parquet": _write_parquet, ".xlsx": _write_xlsx}
    write = formats.get(path.suffix.lower())
    if write is None:
        problem = f"no format for the suffix {path.suffix}" if path.suffix else "a name without suffix"
        fault = Fault(problem, "name the file .csv, .parquet or .xlsx", file=str(path))
        raise InputError.of([fault], str(path))
    if path.exists() and not force:
        fault = Fault("a file of this name is there", "name another or give --force", file=str(path))
        raise OutputError(f"{path}: not written", [fault])
    parts = iter(parts)
    first = next(parts)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            write(chain([first], parts), first.schema, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as error:
        fault = Fault(
            (error.strerror or str(error)).lower(), "make room or name another file", file=str(path)
        )
        raise OutputError(f"{path}: not written", [fault]) from error
    finally:
        aside.unlink(missing_ok=True)


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
    table = pa.concat_tables(parts)
    if len(table) + 1 > SHEET_ROWS:
        fault = Fault(f"{len(table)} rows are more than a worksheet holds", "write .csv or .parquet")
        raise InputError.of([fault], "worksheet")
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
        # The date of making would give the same borrowers other bytes tomorrow.
        workbook.set_properties({"created": datetime.datetime(2020, 1, 1)})
        sheet = workbook.add_worksheet("borrowers")
        sheet.write_row(0, 0, schema.names)
        columns = [column.to_pylist() for column in table.columns]
        for row, cells in enumerate(zip(*columns, strict=True), start=1):
            for column, cell in enumerate(cells):
                _write_cell(sheet, row, column, cell)


def _write_cell(sheet: Worksheet, row: int, column: int, cell: object) -> None:
    """One cell in its own type; text that looks like a number or a formula stays text."""
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, int | float):
        if math.isfinite(cell):
            sheet.write_number(row, column, cell)
    elif cell is not None:
        sheet.write_string(row, column, str(cell))
