"""Variables as an analyst declares them, and their cells as a table has them: figures, or levels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from allocator.errors import Fault
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.codes import standing_out
from allocator.scoring.levels import Levels, levels_of
from allocator.scoring.reading import column, numbers
from allocator.scoring.runs import Shape

Kind = Literal["number", "category"]
Transform = Literal["none", "log"]
Missing = Literal["flag", "bin", "median"]
OnUnseen = Literal["other", "refuse"]
MISSING = ""
"""The state, and of a category the level, of an empty cell."""
RARE = 20
"""Rows from which a level, or what stands in the place of a figure, has a column of its own."""
_OFTEN = 0.01
"""Share of the rows from which empty cells and codes have one where nothing is declared."""


@dataclass(frozen=True)
class Binning:
    """How a variable is cut into bins, as the analyst declares it."""

    shape: Shape | None = None
    """Of the default rates, from the lowest values up; None: as the sign says, else monotone."""
    most: int = 6
    """Bins, those of empty cells and codes aside."""
    least: float = 0.05
    """Share of all rows that a bin must have."""
    cuts: tuple[float, ...] | None = None
    """The cuts of a number, where they are not to be sought."""
    groups: tuple[tuple[str, ...], ...] | None = None
    """The same of a category's levels."""


@dataclass(frozen=True)
class Variable:
    """One variable as the analyst declares it."""

    name: str
    kind: Kind = "number"
    group: str = ""
    sign: int = 0
    """Expected effect on default: 1 raises it, -1 lowers it, 0 none is claimed."""
    transform: Transform = "none"
    """log: sign(v) log(1 + |v|)."""
    cut: tuple[float, float] | None = (0.01, 0.99)
    """Quantiles at which outliers are cut; None leaves them."""
    special: tuple[float, ...] = ()
    """Codes of a number, such as -999, that say something else than an amount: states of their own."""
    missing: Missing | None = None
    """How an empty cell is met. flag: by a column of its own; bin: by a bin, of a variable with bins; both
    from RARE rows. median: as the median. None: as flag or bin where OFTEN of the rows are empty."""
    unseen: OnUnseen = "other"
    """What becomes of a level that the fit has not seen: it counts as another, or the table is refused."""
    bins: Binning | None = None
    """Where given, the fit reads weights of evidence of bins in the place of values or levels."""


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers, some cells of which may hold something else."""

    values: Floats
    """(n,) NaN where the cell is empty or holds a code."""
    states: Integers
    """(n,) -1 where there is a value, 0 where the cell is empty, 1 + i where it holds the i-th code."""
    names: tuple[str, ...]
    """What the states are: MISSING, then the codes."""

    @property
    def counts(self) -> Integers:
        """(states,) rows of each."""
        return np.bincount(self.states[self.states >= 0], minlength=len(self.names)).astype(np.int64)

    def in_state(self, name: str, own: Sequence[str]) -> np.ndarray:
        """(n,) whether the cell is in the state `name`; a code that is none of `own` counts as empty."""
        alike = [i for i, state in enumerate(self.names) if state == name]
        if name == MISSING:
            alike = [i for i, state in enumerate(self.names) if state not in own or state == MISSING]
        return np.isin(self.states, alike)


_TO_DECLARE = "write plain numbers, or say category"


def cells_of(
    variable: Variable, frame: pd.DataFrame, faults: list[Fault], remedy: str = _TO_DECLARE
) -> NumberColumn | Levels | None:
    """The variable's cells: figures, or a category's levels; None and a fault where they cannot be."""
    if variable.kind == "category":
        cells = column(frame, variable.name, faults)
        return None if cells is None else levels_of(cells)
    values = numbers(frame, variable.name, faults, remedy)
    if values is None:
        return None
    empty = np.isnan(values)
    if not variable.special and not empty.any():
        return NumberColumn(values, np.broadcast_to(np.int64(-1), len(values)), (MISSING,))
    states = np.where(empty, 0, -1)
    for i, code in enumerate(variable.special):
        states[values == code] = 1 + i
    known = np.where(states >= 0, np.nan, values)
    return NumberColumn(known, states, (MISSING, *(f"{code:.15g}" for code in variable.special)))


def cells_by_name(
    variables: Iterable[Variable], frame: pd.DataFrame, faults: list[Fault], remedy: str = _TO_DECLARE
) -> dict[str, NumberColumn | Levels]:
    """The cells of each variable, but of those that cannot be read: these are `faults`."""
    read = ((variable.name, cells_of(variable, frame, faults, remedy)) for variable in variables)
    return {name: cells for name, cells in read if cells is not None}


def own_states(variable: Variable, rows: int, counts: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Those of the states, with their rows in a table of `rows`, that have a column of their own."""
    if variable.missing == "median":
        return ()
    fewest = RARE if variable.missing else max(RARE, _OFTEN * rows)
    codes = tuple(name for name, count in counts if name != MISSING and count >= fewest)
    empty = sum(count for name, count in counts if name not in codes)
    return (MISSING, *codes) if empty >= fewest else codes


def state_name(variable: str, state: str) -> str:
    """The name of the column of a state: `income is missing`, `income is -999`."""
    return f"{variable} is {state or 'missing'}"


def special_codes(variable: Variable, frame: pd.DataFrame) -> dict[float, int]:
    """Values of a number that look like codes for what is not known, with their rows."""
    cells = None if variable.kind == "category" else cells_of(variable, frame, [])
    return standing_out(cells.values) if isinstance(cells, NumberColumn) else {}


def transformed(variable: Variable, values: Floats) -> Floats:
    """(n,) values on the variable's scale, NaN where missing."""
    return np.sign(values) * np.log1p(np.abs(values)) if variable.transform == "log" else values


def untransformed(variable: Variable, value: float) -> float:
    """A value on the variable's scale as the table would have it."""
    return float(np.copysign(np.expm1(abs(value)), value)) if variable.transform == "log" else value
