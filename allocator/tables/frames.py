"""Data frames of pandas, polars or whoever speaks Arrow, made the file that they stand for.

The file is what is hashed, read and kept with a run, so a frame has the checks and the faults of files. Its
bytes depend on names and values alone: a category is its text, a whole float an integer, a missing value an
empty cell.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import numbers
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from allocator.errors import Fault, InputError
from allocator.intake import take
from allocator.records.frames import Frame
from allocator.tables.conversion import WHOLE, to_array, to_strings

PARQUET_FROM = 100_000
"""Rows from which on a frame is kept as Parquet: below, as CSV that people can read."""
_CELLS = (str, numbers.Number, datetime.date, datetime.time, np.generic)
"""What mixed cells may be."""
_KEPT = re.compile(r"frame-(.+)-[0-9a-f]{8}(\.csv|\.parquet)")
"""`Frame.name`."""
_EXPECTED = "give a DataFrame of pandas or polars, or any table with __arrow_c_stream__"


def is_frame(value: object) -> bool:
    """Whether `value` is, or says that it is, a table of columns: a pandas or polars DataFrame, Arrow."""
    if isinstance(value, pd.DataFrame | pa.RecordBatch):
        return True
    return hasattr(value, "__arrow_c_stream__") and hasattr(value, "columns")


def is_columns(value: object) -> bool:
    """Whether `value` is columns, or rows, of Python's own."""
    if isinstance(value, Mapping):
        return bool(value) and all(isinstance(cells, list | tuple | np.ndarray) for cells in value.values())
    return isinstance(value, list) and all(isinstance(row, Mapping) for row in value)


def frame_of(data: object, title: str) -> Frame:
    """The rows of `data` as a file called `title`; of pandas the named levels of the index are columns too.

    Raises InputError for what is no table, and for columns that no file of text holds, as lists or bytes.
    """
    names, columns = _columns(_of_python(data, title) if is_columns(data) else data, title)
    table = pa.Table.from_arrays(columns, names)
    ending = ".parquet" if table.num_rows >= PARQUET_FROM else ".csv"
    out = pa.BufferOutputStream()
    if ending == ".csv":
        quotes = arrow_csv.WriteOptions(quoting_style="needed", quoting_header="needed")
        arrow_csv.write_csv(table, out, quotes)
    else:
        parquet.write_table(table.combine_chunks(), out)
    return _framed(title, ending, out.getvalue())


def kept_frame(path: Path) -> Frame | None:
    """The frame that a run keeps at `path`, as its file's name says; None where that is another file's."""
    kept = _KEPT.fullmatch(path.name)
    return None if kept is None else _framed(kept[1], kept[2], pa.py_buffer(take(path)))


def _framed(title: str, ending: str, content: pa.Buffer) -> Frame:
    return Frame(title, ending, f"sha256:{hashlib.sha256(content).hexdigest()}", content)


def _of_python(data: Any, title: str) -> pd.DataFrame:
    try:
        return pd.DataFrame(data)
    except ValueError as error:
        remedy = "give each column as many values"
        raise _refusal(title, [Fault(f"is no table: {error}", remedy, file=_label(title))]) from None


def _columns(data: object, title: str) -> tuple[list[str], list[pa.ChunkedArray]]:
    """Names and cells of the columns, each of texts, whole numbers, floats or truths."""
    if isinstance(data, pd.DataFrame):
        names, held = _of_pandas(data, title)
    elif hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        names, held = _of_arrow(data, title)
    else:
        lazy = hasattr(data, "collect")
        remedy = "call its .collect() first" if lazy else _EXPECTED
        raise _refusal(title, [Fault(f"{_kind(data)} is no table", remedy, field=title)])
    columns: list[pa.ChunkedArray] = []
    faults: list[Fault] = []
    for name, cells in zip(names, held, strict=True):
        plain = None if cells is None else _plain_cells(cells)
        if plain is None:
            what = "what Arrow cannot hold" if cells is None else str(cells.type)
            problem = f"holds {what}, not numbers, texts or truths"
            faults.append(Fault(problem, "drop the column, or make it text", file=_label(title), field=name))
        else:
            columns.append(plain)
    if faults:
        raise _refusal(title, faults)
    return names, columns


def _of_pandas(data: pd.DataFrame, title: str) -> tuple[list[str], list[pa.ChunkedArray | None]]:
    if data.columns.nlevels > 1:
        problem = f"its columns have {data.columns.nlevels} levels of names"
        raise _refusal(title, [Fault(problem, "give each column one name", file=_label(title))])
    levels = [name for name in data.index.names if name is not None and name not in data.columns]
    if levels:
        data = data.reset_index(level=levels)
    return [str(name) for name in data.columns], [_of_series(data.iloc[:, i]) for i in range(data.shape[1])]


def _of_series(cells: pd.Series[Any]) -> pa.ChunkedArray | None:
    """The cells as Arrow has them; mixed ones as text; None for what is neither."""
    try:
        held = pa.array(cells, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        if not all(isinstance(cell, _CELLS) for cell in cells[cells.notna()]):
            return None
        try:
            held = to_array(
                [None if missing else cell for cell, missing in zip(cells, cells.isna(), strict=True)]
            )
        except (pa.ArrowException, TypeError, ValueError):
            return None
    return held if isinstance(held, pa.ChunkedArray) else pa.chunked_array([held])


def _of_arrow(data: object, title: str) -> tuple[list[str], list[pa.ChunkedArray | None]]:
    try:
        table = pa.table(data)
    except (pa.ArrowException, TypeError, ValueError) as error:
        problem, remedy = f"{_kind(data)} is no table of columns", _EXPECTED
        if hasattr(data, "columns"):
            problem = f"{_kind(data)} has a column of a type that Arrow does not read: {error}"
            remedy = "make it 64-bit integers, floats or texts"
        raise _refusal(title, [Fault(problem, remedy, field=title)]) from error
    return table.column_names, list(table.columns)


def _plain_cells(cells: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The cells as a file tells them: texts, whole numbers, floats or truths; None for other kinds."""
    if pa.types.is_dictionary(cells.type):
        words = pa.string() if pa.types.is_string_view(cells.type.value_type) else cells.type.value_type
        # Arrow decodes no dictionary of views, which polars hands over.
        chunks = [chunk.dictionary.cast(words).take(chunk.indices) for chunk in cells.chunks]
        cells = pa.chunked_array(chunks, words)
    kind = cells.type
    if pa.types.is_boolean(kind):
        return cells
    if pa.types.is_floating(kind):
        return _whole(pc.cast(cells, pa.float64()))
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return pc.cast(cells, pa.int64())
    known = (
        pa.types.is_null, pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view,
        pa.types.is_integer, pa.types.is_decimal, pa.types.is_date, pa.types.is_time, pa.types.is_timestamp,
    )  # fmt: skip
    return pa.chunked_array([to_strings(cells)]) if any(is_kind(kind) for is_kind in known) else None


def _whole(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats as integers where all are whole, as pandas has integers of which some are missing."""
    fits = pc.and_(pc.equal(pc.trunc(cells), cells), pc.less_equal(pc.abs(cells), WHOLE))
    negative_zero = pc.and_(pc.equal(cells, 0.0), pc.equal(pc.divide(1.0, cells), float("-inf")))
    if pc.all(pc.and_not(fits, negative_zero)).as_py():
        return pc.cast(cells, pa.int64())
    return cells


def _kind(data: object) -> str:
    kind = type(data)
    home = "" if kind.__module__ == "builtins" else f"{kind.__module__.partition('.')[0]}."
    return f"{home}{kind.__name__}"


def _label(title: str) -> str:
    return f"frame of {title}"


def _refusal(title: str, faults: Sequence[Fault]) -> InputError:
    return InputError.of(faults, _label(title))


def document_of(content: Mapping[str, Any], title: str) -> Frame:
    """A mapping as the JSON file that it stands for. Raises InputError for what JSON does not hold."""
    try:
        text = json.dumps(dict(content), ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        remedy = "give texts, numbers, truths, lists and mappings of these"
        raise _refusal(title, [Fault(f"is no JSON: {error}", remedy, file=_label(title))]) from None
    return Frame(title, ".json", f"sha256:{hashlib.sha256(text).hexdigest()}", pa.py_buffer(text))
