"""Delimited text: every column as text, so that "NA" and "001" stay what they are."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from io import StringIO, TextIOWrapper
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from allocator.errors import Fault
from allocator.records.portfolio import Integers
from allocator.records.scenario import PortfolioSource
from allocator.tables.findings import SHOWN, Finding
from allocator.tables.margins import CLOSING, LOOKED_AT, ClosingRow, closing_rows, header_below
from allocator.tables.opened import FetchedColumns, OpenedSource, refuse, remedy_of, rows_wanted
from allocator.tables.text import DelimitedText, delimited_text, separator_remedy

_TAIL = 1 << 16
"""Bytes at the end in which totals and notes are looked for."""
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
GAP = re.compile(rb"\n\r?\n|\r\r")
_Uneven: TypeAlias = arrow_csv.InvalidRow


def open_csv(source: PortfolioSource) -> OpenedSource:
    """Open delimited text, perhaps gzipped: in UTF-8, or in the encoding that the source names."""
    text = delimited_text(source)
    names = _header(text, source)
    return OpenedSource(tuple(names), partial(_fetch, text, source, names))


def _records(text: DelimitedText, source: PortfolioSource) -> Iterator[list[str]]:
    """The rows one by one, a blank one empty. Raises csv.Error."""
    with TextIOWrapper(pa.BufferReader(text.content), encoding="utf-8", newline="") as lines:
        yield from csv.reader(lines, delimiter=source.separator)


def _header(text: DelimitedText, source: PortfolioSource) -> list[str]:
    """The names in the first line that is not empty; refused where a title stands there."""
    try:
        top = list(itertools.islice(_records(text, source), LOOKED_AT))
    except csv.Error:
        top = []
    first = next((place for place, cells in enumerate(top) if cells), None)
    if first is None:
        return _only_header(text, source)
    _refuse_one_column([cells for cells in top[first:] if cells], text.line + first, source)
    place = header_below(top[first:])
    if place is not None:
        line = text.line + first
        problem = f"a title, not the names of the columns, which line {line + place} seems to hold"
        option = f"write source: {{csv: {_file(source)}, skip: {line + place - 1}}}"
        raise refuse(source, problem, remedy_of(source, "delete the lines above", option), line)
    return top[first]


def _only_header(text: DelimitedText, source: PortfolioSource) -> list[str]:
    """The header of a text whose first rows cannot all be split."""
    try:
        for cells in _records(text, source):
            if cells:
                return cells
    except csv.Error as error:
        raise refuse(source, f"no header: {error}", "give one name a column", line=text.line) from error
    raise refuse(source, "an empty file", rows_wanted(source))


def _file(source: PortfolioSource) -> str:
    return source.path.name if source.path else ""


def _refuse_one_column(rows: Sequence[Sequence[str]], line: int, source: PortfolioSource) -> None:
    """A header in one piece was separated by something else, if the next row is too."""
    header, below = (source.separator.join(cells) for cells in (rows[0], rows[min(1, len(rows) - 1)]))
    other = next((mark for mark in ";\t|," if mark in header and mark in below), None)
    if other is not None and len(rows[0]) == 1:
        mark = "\\t" if other == "\t" else other
        commas = source.decimal == "." and any(map(_DECIMAL_COMMA.fullmatch, below.split(other)))
        further = ', decimal: ","' if commas else ""
        option = f'write source: {{csv: {_file(source)}, sep: "{mark}"{further}}}'
        raise refuse(
            source,
            f'one column found: "{source.separator}" does not separate the header, "{mark}" may',
            separator_remedy(source) if source.bare else option,
            line=line,
        )


def _fetch(
    text: DelimitedText,
    source: PortfolioSource,
    names: Sequence[str],
    columns: Sequence[str],
    coded: Collection[str],
    typed: Collection[str],
) -> FetchedColumns:
    """Read `columns`; rows with too few or too many cells, totals and notes are left out and reported."""
    words = {True: pa.dictionary(pa.int32(), pa.string()), False: pa.string()}
    types = {name: words[name in coded] for name in columns if name not in typed}
    table, uneven = _read(text, source, columns, types)
    count = table.num_rows + len(uneven)
    number = _numbers(text, source, count)
    closing = {count - 1 - entry.back: entry.problem for entry in _closing_rows(text, source, names, number)}
    if not uneven and not closing:
        return FetchedColumns(table, number)
    _refuse_open_quote(text, source)
    lost = {row.number - 2: row for row in uneven}
    kept = np.setdiff1d(np.arange(count), list(lost))
    findings = [_closing_finding(closing, number, source)] if closing else []
    lost = {place: row for place, row in lost.items() if place not in closing}
    if lost:
        findings.append(_uneven_rows(lost, number, len(names), count - len(closing), source))
    if closing:
        stays = ~np.isin(kept, list(closing))
        table, kept = table.filter(pa.array(stays)), kept[stays]
    return FetchedColumns(table, number[kept], tuple(findings))


def _refuse_open_quote(text: DelimitedText, source: PortfolioSource) -> None:
    """All that follows a quote that is not closed would be one cell."""
    line = text.line
    with TextIOWrapper(pa.BufferReader(text.content), encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter=source.separator, strict=True)
        try:
            for _ in rows:
                line = text.line + rows.line_num
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise refuse(
                    source, "a quote that is never closed", "close it, or delete it", line
                ) from error


def _read(
    text: DelimitedText, source: PortfolioSource, columns: Sequence[str], types: dict[str, pa.DataType]
) -> tuple[pa.Table, list[_Uneven]]:
    """The columns, an empty cell null, without the rows of another length, which come beside them."""
    uneven: list[_Uneven] = []

    def skip(row: _Uneven) -> str:
        uneven.append(row)
        return "skip"

    convert = arrow_csv.ConvertOptions(
        column_types=types,
        include_columns=list(columns),
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        null_values=[""],
        decimal_point=source.decimal,
    )
    # Arrow's threads must not call back into Python, and only one alone knows the number of its row.
    for handler in (None, skip):
        parse = arrow_csv.ParseOptions(
            delimiter=source.separator, newlines_in_values=True, invalid_row_handler=handler
        )
        read = arrow_csv.ReadOptions(use_threads=handler is None)
        try:
            return arrow_csv.read_csv(pa.BufferReader(text.content), read, parse, convert), uneven
        except pa.ArrowInvalid as error:
            message = str(error).splitlines()[0]
        if "Empty CSV file" in message:  # a header without even a line end
            return pa.table({name: pa.array([], types.get(name, pa.string())) for name in columns}), []
        if "Expected" not in message:
            break
    raise refuse(source, f"cannot be split into rows: {message}", "look for a quote that is not closed")


def _numbers(text: DelimitedText, source: PortfolioSource, count: int) -> Integers:
    """(count,) each row's number, from 1 below the header, blank lines counted."""
    plain = np.arange(1, count + 1, dtype=np.int64)
    if not text.gaps or GAP.search(text.content) is None:
        return plain
    try:
        filled = [place for place, cells in enumerate(_records(text, source)) if cells]
    except csv.Error:
        return plain
    number = np.array(filled[1:], dtype=np.int64) - filled[0]
    return number if len(number) == count else plain


def _closing_rows(
    text: DelimitedText, source: PortfolioSource, names: Sequence[str], number: Integers
) -> list[ClosingRow]:
    """Totals and notes at the end."""
    start = max(0, text.content.size - _TAIL)
    tail = bytes(text.content[start:])
    if start:
        tail = tail.partition(b"\n")[2]
    try:
        lines = StringIO(tail.decode("utf-8"), newline="")
        rows = [cells for cells in csv.reader(lines, delimiter=source.separator) if cells]
    except (csv.Error, UnicodeDecodeError):
        return []
    last = rows[-min(CLOSING, len(number), len(rows)) :] if len(number) else []
    apart = [bool(gap) for gap in np.diff(number, prepend=0)[-len(last) :] > 1] if last else []
    return closing_rows(last, len(names), apart)


def _closing_finding(closing: dict[int, str], number: Integers, source: PortfolioSource) -> Finding:
    faults = tuple(
        Fault(problem, "remove it", file=source.label, row=int(number[place]))
        for place, problem in sorted(closing.items())
    )
    return Finding(len(faults), faults)


def _uneven_rows(
    lost: dict[int, _Uneven], number: Integers, width: int, rows: int, source: PortfolioSource
) -> Finding:
    """The finding for rows whose number of cells is not the header's: one fault where they all agree."""
    other = "write decimal points" if source.bare else "separate columns by another sign"
    remedy = f'put cells that hold "{source.separator}" in quotes, or {other}'
    counts = {row.actual_columns for row in lost.values()}
    if len(counts) == 1 and len(lost) == rows > 1:
        problem = f"every row has {counts.pop()} cells under a header of {width}"
        return Finding(1, (Fault(problem, remedy, file=source.label),))
    faults = tuple(
        Fault(
            f"{row.actual_columns} cells under a header of {width}",
            remedy,
            file=source.label,
            row=int(number[place]),
        )
        for place, row in itertools.islice(sorted(lost.items()), SHOWN)
    )
    return Finding(len(lost), faults)
