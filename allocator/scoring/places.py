"""Where the rows of a frame stand in their file: as a workbook counts them, or below blank lines.

Frames count from 0 and know nothing of it, so it travels with them; a table that begins below its header and
has no gap needs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import pandas as pd

from allocator.records.portfolio import Integers

_PLACES = "places"


class _Places:
    """The rows (n,) of a file's table; the same one for every frame that comes of it."""

    def __init__(self, number: Integers) -> None:
        self.number = number

    def __deepcopy__(self, memo: Any) -> Self:
        return self


def placed(frame: pd.DataFrame, number: Integers) -> pd.DataFrame:
    """`frame`, which remembers the rows (n,) of its file."""
    if not np.array_equal(number, np.arange(1, len(frame) + 1)):
        frame.attrs[_PLACES] = _Places(number)
    return frame


def places_of(values: pd.DataFrame | pd.Series) -> Integers | None:
    """(n,) the rows of the file; None: counted from 1, or some of them are gone since."""
    held = values.attrs.get(_PLACES)
    return held.number if isinstance(held, _Places) and len(held.number) == len(values) else None


def counted(places: Integers | None, rows: Iterable[int]) -> list[int]:
    """`rows`, from 0, as faults name them."""
    return [int(row) + 1 if places is None else int(places[row]) for row in rows]


def row_of(values: pd.DataFrame | pd.Series, row: int) -> int:
    """One row of a frame or a column, from 0, as faults name it."""
    return counted(places_of(values), [row])[0]
