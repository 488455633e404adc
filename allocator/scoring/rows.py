"""Where the rows of a frame stand in their file: as a workbook counts them, or below blank lines.

Frames count from 0 and know nothing of it, so it travels with them; a table that begins below its header and
has no gap needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd

from allocator.errors import Fault
from allocator.records.portfolio import Integers

_ROWS = "rows"


class _Rows:
    """The rows (n,) of a file's table; the same one for every frame that comes of it."""

    def __init__(self, number: Integers, letters: Mapping[str, str]) -> None:
        self.number = number
        self.letters = letters
        """Of a workbook: column -> where its cells are, but for the row: `Firms!C`."""

    def __deepcopy__(self, memo: Any) -> Self:
        return self


def with_rows(frame: pd.DataFrame, number: Integers, letters: Mapping[str, str]) -> pd.DataFrame:
    """`frame`, which remembers the rows (n,) of its file, and of a workbook the `letters` of its columns."""
    if letters or not np.array_equal(number, np.arange(1, len(frame) + 1)):
        frame.attrs[_ROWS] = _Rows(number, letters)
    return frame


def rows_where(frame: pd.DataFrame, kept: np.ndarray) -> pd.DataFrame:
    """The rows of `frame` that are `kept`, (n,) flags or (k,) places: still with their rows in the file."""
    held, numbers = frame.attrs.get(_ROWS), rows_of(frame)
    whole = np.arange(1, len(frame) + 1) if numbers is None else numbers
    return with_rows(frame.iloc[kept], whole[kept], held.letters if isinstance(held, _Rows) else {})


def with_names(frame: pd.DataFrame, name: Callable[[str], str]) -> pd.DataFrame:
    """`frame` under other names of its columns, which stand where they stood in the file."""
    renamed, held = frame.rename(columns=lambda column: name(str(column))), frame.attrs.get(_ROWS)
    if isinstance(held, _Rows):
        letters = {name(column): letters for column, letters in held.letters.items()}
        renamed.attrs = {**frame.attrs, _ROWS: _Rows(held.number, letters)}
    return renamed


def with_cells(faults: Iterable[Fault], frame: pd.DataFrame) -> list[Fault]:
    """Faults of `frame`, each with its cell where the frame comes from a workbook."""
    return [replace(fault, cell=fault.cell or cell_of(frame, fault.field, fault.row)) for fault in faults]


def cell_of(frame: pd.DataFrame, column: str | None, row: int | None) -> str | None:
    """The cell of a row as its file counts it; None where the frame comes from no workbook."""
    held = frame.attrs.get(_ROWS)
    if not isinstance(held, _Rows) or row is None or column is None or column not in held.letters:
        return None
    return f"{held.letters[column]}{row}"


def rows_of(values: pd.DataFrame | pd.Series) -> Integers | None:
    """(n,) the rows of the file; None where they count from 1, or where some of them are gone since."""
    held = values.attrs.get(_ROWS)
    return held.number if isinstance(held, _Rows) and len(held.number) == len(values) else None


def rows_in_file(numbers: Integers | None, rows: Iterable[int]) -> list[int]:
    """The rows, counted from 0, as faults name them: by their `numbers` in the file, or from 1."""
    return [int(row) + 1 if numbers is None else int(numbers[row]) for row in rows]


def row_of(values: pd.DataFrame | pd.Series, row: int) -> int:
    """One row of a frame or a column, from 0, as faults name it."""
    return rows_in_file(rows_of(values), [row])[0]
