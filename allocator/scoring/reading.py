"""Tables and their columns as fits and scorecards read them; what cannot be read is named by its row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.records.frames import File, Frame
from allocator.records.misfits import meant
from allocator.records.portfolio import Floats
from allocator.records.scenario import PortfolioSource
from allocator.scoring.levels import SHOWN, UnseenLevel, cell_faults, fault_in_rows, level, levels_of, slips
from allocator.scoring.rows import rows_in_file, rows_of, with_cells, with_rows
from allocator.tables import fetch_whole, source_of
from allocator.tables.conversion import to_strings, whole_numbers

Made = TypeVar("Made")
_GROUPED = re.compile(r"[-+]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")
"""A number with thousands separators."""
PLAIN = "write plain numbers"
TEXT = ("borrower_id", "enterprise_id", "grade", "rating")
"""Columns that stay text: "001" and "NA" are what they are."""


@dataclass(frozen=True)
class DerivedColumn:
    """A column that is 1 or 0: `column` is, is not ("not"), or is above `value`; missing stays missing.

    The test "missing" asks just that: whether the cell is empty.
    """

    name: str
    column: str
    test: Literal["is", "not", "above", "missing"]
    value: str | float

    @property
    def asked(self) -> str:
        """The level that is asked for."""
        return level(self.value)

    def of(self, values: pd.Series, faults: list[Fault]) -> Floats | None:
        """(n,) 1.0, 0.0 or NaN; None and a fault where `above` meets a text."""
        if self.test == "above":
            figures = numbers(values.to_frame(), str(values.name), faults, PLAIN)
            return (
                None if figures is None else np.where(np.isnan(figures), np.nan, figures > float(self.value))
            )
        cells = levels_of(values)
        if self.test == "missing":
            return (cells.codes < 0).astype(float)
        met = [float((name == self.asked) == (self.test == "is")) for name in cells.names]
        return np.array([*met, np.nan])[cells.codes]

    def slips(self, values: pd.Series) -> list[UnseenLevel]:
        """Levels that differ from the one asked for by blanks or capitals, and so are others."""
        if self.test in ("above", "missing"):
            return []
        return slips(self.column, levels_of(values), self.asked, f"another level by {self.name}")


@dataclass(frozen=True)
class ImputedVariable:
    """A variable some of whose cells were empty, and what stands for them."""

    name: str
    cells: int
    by: str


def imputed_figures(imputed: Sequence[ImputedVariable]) -> dict[str, Any]:
    """What JSON says of imputed cells, by variable; nothing where there are none."""
    return (
        {"filled": {entry.name: {"cells": entry.cells, "by": entry.by} for entry in imputed}}
        if imputed
        else {}
    )


def imputed_lines(imputed: Sequence[ImputedVariable]) -> dict[str, str]:
    """The same as lines of a card and a page."""
    return {f"empty cells of {entry.name}": f"{entry.cells:,}, imputed by {entry.by}" for entry in imputed}


def derive(
    frame: pd.DataFrame, derived: Sequence[DerivedColumn], faults: list[Fault] | None = None
) -> pd.DataFrame:
    """`frame` with its derived columns; one that is there already needs no source.

    Raises InputError where the column that one is derived from is missing, or holds no numbers to compare;
    given `faults`, these are added to them and what cannot be made is empty.
    """
    wrong: list[Fault] = []
    lacking: dict[str, list[str]] = {}
    made: dict[str, Floats] = {}
    for derivation in derived:
        if derivation.column in frame.columns:
            values = derivation.of(frame[derivation.column], wrong)
            made[derivation.name] = np.full(len(frame), np.nan) if values is None else values
        elif derivation.name not in frame.columns:
            lacking.setdefault(derivation.column, []).append(derivation.name)
            made[derivation.name] = np.full(len(frame), np.nan)
    for source, names in lacking.items():
        verb = "is" if len(names) == 1 else "are"
        if source in made:
            problem = f"is derived itself, {' and '.join(names)} {verb} derived from it"
            wrong.append(Fault(problem, "derive from a column of the table", field=source))
            continue
        problem = f"the column is missing, {' and '.join(names)} {verb} derived from it"
        remedy = meant(source, map(str, frame.columns)) or "add the column"
        wrong.append(Fault(problem, remedy, field=source))
    if wrong and faults is None:
        raise InputError.of(wrong, "Derived columns")
    if faults is not None:
        faults += wrong
    return frame.assign(**made)


def read_through(
    frame: pd.DataFrame, derived: Sequence[DerivedColumn], read: Callable[[pd.DataFrame], Made]
) -> Made:
    """What `read` makes of `frame` with its derived columns. Raises InputError with the faults of both."""
    faults: list[Fault] = []
    whole = derive(frame, derived, faults)
    if not faults:
        return read(whole)
    with gathering(faults):
        read(whole)
    raise InputError.of(faults, "Variables")


def column(frame: pd.DataFrame, name: str, faults: list[Fault]) -> pd.Series | None:
    """The cells of a column as they stand; None and a fault where it is missing."""
    if name in frame.columns:
        return frame[name]
    remedy = meant(name, map(str, frame.columns)) or "add it, or do without it"
    faults.append(Fault("the column is missing", remedy, field=name))
    return None


def numbers(frame: pd.DataFrame, name: str, faults: list[Fault], remedy: str) -> Floats | None:
    """(n,) numbers of a column, NaN where a cell is empty; None and a fault for each value that is none."""
    values = column(frame, name, faults)
    if values is None:
        return None
    before = len(faults)
    if values.dtype.kind in "Mm":
        faults.append(Fault("holds dates, not numbers", remedy, field=name))
        return None
    if values.dtype.kind not in "iufb" and values.notna().any():
        read = pd.to_numeric(values, errors="coerce")
        wrong = (read.isna() & values.notna()).to_numpy()
        if 2 * wrong.sum() > values.notna().sum() and values[wrong].nunique() > SHOWN:
            where = rows_in_file(rows_of(values), np.flatnonzero(wrong).tolist())
            first, known = values.tolist()[int(np.flatnonzero(wrong)[0])], int(values.notna().sum())
            problem = f"{first!r} is no number, nor are most of its {known:,} cells"
            faults.append(fault_in_rows(problem, where, remedy, None, name))
        else:
            faults += cell_faults(values, wrong, "is no number", lambda cell: _plain(cell) or remedy)
        figures = read.to_numpy(dtype=float, na_value=np.nan)
        if not wrong.any():  # a text says what the same number would, to the last bit
            figures = np.array([np.nan if pd.isna(cell) else float(cell) for cell in values], dtype=float)
    elif values.dtype == np.float64:
        figures = values.to_numpy()
    else:
        figures = values.to_numpy(dtype=float, na_value=np.nan)
    endless = np.flatnonzero(np.isinf(figures))
    if len(endless):
        infinite = rows_in_file(rows_of(values), endless.tolist())
        cure = "leave the cell empty where nothing is known"
        faults.append(fault_in_rows("is infinite", infinite, cure, None, name))
    return figures if len(faults) == before else None


def _plain(cell: str) -> str:
    """How to write a number that has thousands separators; empty where it has none."""
    return f"write it without commas: {cell.replace(',', '')}" if _GROUPED.fullmatch(cell.strip()) else ""


def weighted_sum(matrix: Floats, weights: Floats) -> Floats:
    """(n,) sum over columns of weight x column, one column after the other.

    A matrix product would do the same in other bits, which depend on how many rows stand beside a row.
    """
    out = np.zeros(len(matrix))
    for j, weight in enumerate(weights.tolist()):
        out += weight * matrix[:, j]
    return out


def read_table(path: File, text: Sequence[str] = TEXT) -> pd.DataFrame:
    """A csv, csv.gz, parquet or xlsx file as a frame; `text` columns stay text, dates are dates.

    Raises InputError: no such file, another ending, unreadable, no row, a column that stands twice.
    """
    if not isinstance(path, Frame) and not path.exists():
        fault = Fault("the file does not exist", "give a csv, parquet or xlsx file", str(path))
        raise InputError.of([fault], "Table")
    if not path.name.lower().endswith((".csv", ".csv.gz", ".parquet", ".xlsx")):
        problem = "cannot be read (it is neither csv, parquet nor xlsx)"
        fault = Fault(problem, "save it again as csv, parquet or xlsx", str(path))
        raise InputError.of([fault], "Table")
    frame = frame_of(source_of(path), text)
    if frame.empty:
        raise InputError.of([Fault("holds no row", "give at least one", str(path))], "Table")
    return frame


def outcomes(frame: pd.DataFrame, name: str, file: File, *, both: bool = False) -> pd.Series:
    """(n,) 1 for a default, 0 for none, of the column `name`; of `both` kinds where these are needed.

    Raises InputError.
    """
    if name not in frame.columns:
        remedy = meant(name, map(str, frame.columns)) or "name the column that holds the outcome"
        raise InputError.of([Fault(f"lacks the column {name}", remedy, str(file), field=name)], "Outcomes")
    values = pd.to_numeric(frame[name], errors="coerce")
    bad, given = ~values.isin([0, 1]).to_numpy(), levels_of(frame[name]).codes >= 0
    faults = cell_faults(frame[name], bad & given, "is no outcome", "write 1 for a default, 0 for none")
    blank = rows_in_file(rows_of(frame), np.flatnonzero(bad & ~given).tolist())
    if blank:
        remedy = "write 1 or 0, or leave such rows out: a fit does by --without COLUMN"
        faults.append(fault_in_rows("is empty", blank, remedy, None, name))
    if not faults and both and values.nunique() == 1:
        problem = "every row is a default" if values.iloc[0] == 1 else "no row is a default"
        faults = [Fault(problem, "give rows of both kinds: 1 for a default, 0 for none", field=name)]
    if faults:
        placed = with_cells((replace(fault, file=str(file)) for fault in faults), frame)
        raise InputError.of(placed, "Training data")
    return values.astype(int)


def frame_of(source: PortfolioSource, text: Sequence[str] = TEXT) -> pd.DataFrame:
    """Every column of `source` that has a name. Raises InputError where it cannot be read."""
    fetched = fetch_whole(source, text)
    table = fetched.table
    if source.kind == "xlsx":
        for place, name in enumerate(table.column_names):
            cells = to_strings(table[name]) if name in text else whole_numbers(table[name])
            table = table.set_column(place, name, cells)
    return with_rows(
        table.to_pandas(date_as_object=False, ignore_metadata=True), fetched.number, fetched.letters
    )


@contextmanager
def faults_located_in(path: File | str, frame: pd.DataFrame | None = None) -> Iterator[None]:
    """Faults raised inside that name no file get this one, and those of a workbook's `frame` their cell."""
    try:
        yield
    except InputError as error:
        faults = [fault if fault.file else replace(fault, file=str(path)) for fault in error.faults]
        if frame is not None:
            own = [fault.file == str(path) for fault in faults]
            placed = with_cells(faults, frame)
            faults = [new if ours else old for new, old, ours in zip(placed, faults, own, strict=True)]
        raise InputError(error.message, faults) from error
