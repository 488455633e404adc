"""Delimited text: every column as text, so that "NA" and "001" stay what they are."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Collection, Sequence
from functools import partial
from io import TextIOWrapper
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from allocator.errors import Fault
from allocator.intake import take
from allocator.portfolio.findings import SHOWN, Finding
from allocator.portfolio.readers.opened import Fetched, Opened, existing_file, refuse
from allocator.records.scenario import PortfolioSource

CHUNK = 1 << 20
"""Bytes read at once where the file is checked as a whole."""

OTHER_FORMATS = {
    b"PK\x03\x04": ("an Excel workbook or a zip archive", "name a workbook .xlsx, unpack an archive"),
    b"PAR1": ("a Parquet file", "name it .parquet"),
    b"\x1f\x8b": ("a gzip archive", "unpack it"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save it as .xlsx or as CSV in UTF-8"),
    codecs.BOM_UTF16_LE: ("text in UTF-16", "save it in UTF-8"),
    codecs.BOM_UTF16_BE: ("text in UTF-16", "save it in UTF-8"),
}


def open_csv(source: PortfolioSource) -> Opened:
    """Open delimited text in UTF-8, with or without a byte order mark."""
    content = _content(source)
    _check_text(content, source)
    names = _header(content, source)
    if len(names) == 1:
        _refuse_one_column(names[0], source)
    return Opened(tuple(names), partial(_fetch, content, source))


def _content(source: PortfolioSource) -> Any:
    """The file's bytes as an Arrow buffer."""
    try:
        return take(existing_file(source))
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise refuse(source, f"cannot be read: {reason}", "see that it may be read") from error


def _check_text(content: Any, source: PortfolioSource) -> None:
    """Refuse another format and another encoding, wherever in the file it shows."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with pa.BufferReader(content) as file:
        start = file.read(8)
        for magic, (what, remedy) in OTHER_FORMATS.items():
            if start.startswith(magic):
                raise refuse(source, f"this is {what}, not delimited text", remedy)
        file.seek(0)
        while chunk := file.read(CHUNK):
            if b"\0" in chunk:
                raise refuse(source, "a binary file, not delimited text", "name a CSV file in UTF-8")
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                # The decoder may hold back the start of a character from the chunk before: same line.
                line += error.object[: error.start].count(b"\n")
                raise refuse(source, "not UTF-8", "save the file in UTF-8", line) from None
            line += chunk.count(b"\n")
    if decoder.getstate()[0]:
        raise refuse(source, "cut short inside a character", "save the file in UTF-8", line)


def _header(content: Any, source: PortfolioSource) -> list[str]:
    """The names in the first line that is not empty."""
    with TextIOWrapper(pa.BufferReader(content), encoding="utf-8-sig", newline="") as file:
        try:
            for cells in csv.reader(file, delimiter=source.separator):
                if cells:
                    return cells
        except csv.Error as error:
            raise refuse(source, f"no header: {error}", "give one name a column", line=1) from error
    raise refuse(source, "an empty file", "give a header and one row a borrower")


def _refuse_one_column(name: str, source: PortfolioSource) -> None:
    """A header in one piece was separated by something else."""
    other = next((mark for mark in ";\t|," if mark in name and mark != source.separator), None)
    if other is not None:
        file = source.path.name if source.path else ""
        mark = "\\t" if other == "\t" else other
        raise refuse(
            source,
            f'one column found: "{source.separator}" does not separate the header, "{mark}" may',
            f'write source: {{csv: {file}, sep: "{mark}"}}',
            line=1,
        )


def _fetch(content: Any, source: PortfolioSource, columns: Sequence[str], coded: Collection[str]) -> Fetched:
    """Read `columns` as text; rows with too few or too many cells are left out and reported."""
    uneven: list[arrow_csv.InvalidRow] = []
    types = {
        name: pa.dictionary(pa.int32(), pa.string()) if name in coded else pa.string() for name in columns
    }
    table = _read(content, source, types, uneven, threads=True)
    if not uneven:
        return Fetched.whole(table)
    # Only one thread knows the number of the row that it is at.
    uneven.clear()
    table = _read(content, source, types, uneven, threads=False)
    numbers = np.arange(1, table.num_rows + len(uneven) + 1, dtype=np.int64)
    lost = np.array([row.number - 1 for row in uneven], dtype=np.int64)
    return Fetched(table, np.setdiff1d(numbers, lost), (_uneven_rows(uneven, source),))


def _read(
    content: Any,
    source: PortfolioSource,
    types: dict[str, pa.DataType],
    uneven: list[arrow_csv.InvalidRow],
    threads: bool,
) -> pa.Table:
    """The columns as text, an empty cell null; rows of another length go to `uneven`."""

    def skip(row: arrow_csv.InvalidRow) -> str:
        uneven.append(row)
        return "skip"

    try:
        return arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(use_threads=threads),
            parse_options=arrow_csv.ParseOptions(
                delimiter=source.separator, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):  # a header without even a line end
            return pa.table({name: pa.array([], kind) for name, kind in types.items()})
        problem = f"cannot be split into rows: {str(error).splitlines()[0]}"
        raise refuse(source, problem, "look for a quote that is not closed") from error


def _uneven_rows(uneven: list[arrow_csv.InvalidRow], source: PortfolioSource) -> Finding:
    """The finding for rows whose number of cells is not the header's."""
    faults = tuple(
        Fault(
            f"{row.actual_columns} cells under a header of {row.expected_columns}",
            f'put cells that hold "{source.separator}" in quotes, or separate columns by another sign',
            file=source.label,
            row=row.number - 1,
        )
        for row in uneven[:SHOWN]
    )
    return Finding(len(uneven), faults)
