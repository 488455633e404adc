"""Tables and their columns as fits and scorecards read them; what cannot be read is named by its row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.intake import take
from allocator.records.portfolio import Floats
from allocator.scoring.levels import Unseen, level, levels_of, slips

TEXT = ("borrower_id", "enterprise_id", "grade", "rating")
"""Columns that stay text: "001" and "NA" are what they are."""


@dataclass(frozen=True)
class Derived:
    """A column that is 1 or 0: `column` is, is not ("not"), or is above `value`; missing stays missing."""

    name: str
    column: str
    test: Literal["is", "not", "above"]
    value: str | float

    def of(self, values: pd.Series, faults: list[Fault]) -> Floats | None:
        """(n,) 1.0, 0.0 or NaN; None and a fault where `above` meets a text."""
        if self.test == "above":
            found = numbers(values.to_frame(), str(values.name), faults, "write plain numbers")
            return None if found is None else np.where(np.isnan(found), np.nan, found > float(self.value))
        cells = levels_of(values)
        met = [float((name == level(self.value)) == (self.test == "is")) for name in cells.names]
        return np.array([*met, np.nan])[cells.codes]

    def slips(self, values: pd.Series) -> list[Unseen]:
        """Levels that differ from the one asked for by blanks or capitals, and so are others."""
        if self.test == "above":
            return []
        return slips(self.column, levels_of(values), level(self.value), f"another level by {self.name}")


@dataclass(frozen=True)
class Filled:
    """A variable some of whose cells were empty, and what stands for them."""

    name: str
    cells: int
    by: str


def filled_figures(filled: Sequence[Filled]) -> dict[str, Any]:
    """What JSON says of filled cells, by variable; nothing where there are none."""
    return {"filled": {one.name: {"cells": one.cells, "by": one.by} for one in filled}} if filled else {}


def filled_lines(filled: Sequence[Filled]) -> dict[str, str]:
    """The same as lines of a card and a page."""
    return {f"empty cells of {one.name}": f"{one.cells:,}, filled with {one.by}" for one in filled}


def derive(frame: pd.DataFrame, derived: Sequence[Derived]) -> pd.DataFrame:
    """`frame` with its derived columns; one that is there already needs no source.

    Raises InputError where the column that one is derived from is missing, or holds no numbers to compare.
    """
    faults = [
        Fault(f"the column is missing, {one.name} is derived from it", "add the column", field=one.column)
        for one in derived
        if not {one.column, one.name} & set(frame.columns)
    ]
    made = {one.name: one.of(frame[one.column], faults) for one in derived if one.column in frame.columns}
    if faults:
        raise InputError.of(faults, "Derived columns")
    return frame.assign(**made)


def column(frame: pd.DataFrame, name: str, faults: list[Fault]) -> pd.Series | None:
    """The cells of a column as they stand; None and a fault where it is missing."""
    if name in frame.columns:
        return frame[name]
    faults.append(Fault("the column is missing", "add it, or do without it", field=name))
    return None


def numbers(frame: pd.DataFrame, name: str, faults: list[Fault], remedy: str) -> Floats | None:
    """(n,) numbers of a column, NaN where a cell is empty; None and a fault where they are none."""
    values = column(frame, name, faults)
    if values is None:
        return None
    if values.dtype.kind not in "iufb" and values.notna().any():
        wrong = np.flatnonzero((pd.to_numeric(values, errors="coerce").isna() & values.notna()).to_numpy())
        row = int(wrong[0]) if len(wrong) else int(np.flatnonzero(values.notna())[0])
        problem = f"{values.tolist()[row]!r} is {'no number' if len(wrong) else 'text'}"
        faults.append(Fault(problem, remedy, row=row + 1, field=name))
        return None
    found = values.to_numpy(dtype=float, na_value=np.nan)
    infinite = np.flatnonzero(np.isinf(found))
    if len(infinite):
        row = int(infinite[0]) + 1
        faults.append(
            Fault("is infinite", "leave the cell empty where nothing is known", row=row, field=name)
        )
        return None
    return found


def weighted_sum(matrix: Floats, weights: Floats) -> Floats:
    """(n,) sum over columns of weight x column, one column after the other.

    A matrix product would do the same in other bits, which depend on how many rows stand beside a row.
    """
    out = np.zeros(len(matrix))
    for j, weight in enumerate(weights.tolist()):
        out += weight * matrix[:, j]
    return out


def read_table(path: Path, text: Sequence[str] = TEXT) -> pd.DataFrame:
    """A csv, parquet or xlsx file (first sheet) as a frame; `text` columns stay text, dates are dates.

    Raises InputError: no such file, another ending, unreadable, no row, a column that stands twice.
    """
    from python_calamine import CalamineError

    if not path.is_file():
        fault = Fault("the file does not exist", "give a csv, parquet or xlsx file", str(path))
        raise InputError.of([fault], "Table")
    try:
        frame = _read(path, text)
    except (ValueError, OSError, CalamineError) as error:
        fault = Fault(f"cannot be read ({error})", "save it again as csv, parquet or xlsx", str(path))
        raise InputError.of([fault], "Table") from error
    twice = frame.columns[frame.columns.duplicated()].unique()
    faults = [Fault("the column stands twice", "rename one", str(path), field=str(name)) for name in twice]
    if frame.empty:
        faults.append(Fault("holds no row", "give at least one", str(path)))
    if faults:
        raise InputError.of(faults, "Table")
    return frame


def _read(path: Path, text: Sequence[str]) -> pd.DataFrame:
    import pyarrow as pa

    content = take(path)
    if path.suffix == ".parquet":
        return pd.read_parquet(pa.BufferReader(content))
    if path.suffix == ".xlsx":
        types = dict.fromkeys(text, str)
        return pd.read_excel(
            BytesIO(content.to_pybytes()),
            engine="calamine",
            dtype=types,
            keep_default_na=False,
            na_values=[""],
        )
    if path.name.endswith((".csv", ".csv.gz")):
        from pyarrow import csv

        kept = csv.ConvertOptions(
            null_values=[""], strings_can_be_null=True, column_types=dict.fromkeys(text, pa.string())
        )
        table = csv.read_csv(_unpacked(path, content), convert_options=kept)
        broken = [field.name for field in table.schema if pa.types.is_binary(field.type)]
        if broken:
            raise ValueError(f"the column {broken[0]} is not in UTF-8")
        frame: pd.DataFrame = table.to_pandas(date_as_object=False)
        return frame
    raise ValueError("it is neither csv, parquet nor xlsx")


def _unpacked(path: Path, content: Any) -> Any:
    """A stream of the text in an Arrow buffer, unpacked where the file's name says that it is packed."""
    import pyarrow as pa

    stream = pa.BufferReader(content)
    return pa.CompressedInputStream(stream, "gzip") if path.suffix == ".gz" else stream


@contextmanager
def located(path: Path | str) -> Iterator[None]:
    """Faults raised inside that name no file get this one."""
    try:
        yield
    except InputError as error:
        faults = [one if one.file else replace(one, file=str(path)) for one in error.faults]
        raise InputError(error.message, faults) from error
