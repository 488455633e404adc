"""From a frame of raw variables to the columns of a regression, the same way at fit and at use.

A number is transformed, cut at the quantiles seen at fit, imputed by their median where missing, and
standardised; that it is missing, or a code, is told by a 0/1 column of its own. A category becomes one
column per level against the commonest one, rare levels pooled as "other", empty cells a level. What was
learnt is in `LearntColumn` and goes into the fitted file.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats
from allocator.scoring.bins import OTHER, Bins
from allocator.scoring.codes import codes_beyond
from allocator.scoring.levels import Levels, UnseenLevel, level, level_faults, unseen
from allocator.scoring.reading import PLAIN, ImputedVariable
from allocator.scoring.variables import (
    MISSING,
    NumberColumn,
    Variable,
    cells_by_name,
    cells_of,
    state_name,
    transformed,
    untransformed,
)

Cells = Mapping[str, NumberColumn | Levels]
"""The cells of each variable, by its name."""


@dataclass(frozen=True)
class LearntColumn:
    """What was learnt about one variable; numbers are on the transformed scale."""

    variable: Variable
    low: float = -np.inf
    high: float = np.inf
    fill: float = 0.0
    """The median, for a missing value."""
    centre: float = 0.0
    scale: float = 1.0
    flags: tuple[str, ...] = ()
    """Of a number: the states that have a 0/1 column of their own, MISSING or a code."""
    levels: tuple[str, ...] = ()
    """Of a category: the reference, then one per column; OTHER last, where there is one."""
    rare: tuple[str, ...] = ()
    """Levels seen in fewer than RARE rows: they count as OTHER, where there is one, else as the reference."""
    bins: Bins | None = None
    """What was learnt of a variable with bins; its one column is their weights of evidence."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the matrix columns."""
        return column_names(self.variable, self.levels, self.flags)

    @property
    def pool(self) -> str:
        """What a level that has no column of its own counts as."""
        if self.bins is not None:
            return self.bins.labels[self.bins.pool]
        return OTHER if OTHER in self.levels else self.levels[0]

    @property
    def stand_in(self) -> str:
        """What stands for an empty cell, in words."""
        if self.bins is not None:
            return "a bin of their own" if self.bins.states else f"the bin {self.pool}"
        if self.variable.kind == "category":
            return "a level of their own" if MISSING in self.levels else f"the level {self.pool}"
        flag = " and a flag of their own" if self.flags else ""
        return f"the median at fit, {untransformed(self.variable, self.fill):.4g}{flag}"

    @property
    def known(self) -> list[str]:
        """The levels that the fit has seen."""
        grouped = () if self.bins is None else itertools.chain.from_iterable(self.bins.groups)
        return [level(name) for name in (*self.levels, *grouped, *self.rare)]

    @property
    def states(self) -> tuple[str, ...]:
        """What has a column or a bin of its own beside values."""
        return self.flags if self.bins is None else self.bins.states

    def write(self, cells: NumberColumn | Levels, out: Floats) -> None:
        """Put its columns of the matrix into `out` (n, columns), in whose place they are computed."""
        first = out[:, 0]
        if self.bins is not None:
            first[:] = np.array(self.bins.woe)[self.bins.places(cells)]
        elif isinstance(cells, Levels):
            out[:] = self._dummies(cells)
        else:
            np.clip(transformed(self.variable, cells.values), self.low, self.high, out=first)
            first[np.isnan(first)] = self.fill
            first -= self.centre
            first /= self.scale
            for j, name in enumerate(self.flags):
                out[:, j + 1] = cells.in_state(name, self.flags)

    def _dummies(self, cells: Levels) -> Floats:
        """(n, levels - 1); a level without a column counts as the pool."""
        place = {level(name): i for i, name in enumerate(self.levels)}
        pool = self.levels.index(self.pool)
        where = cells.looked_up([place.get(name, pool) for name in cells.names], place.get(MISSING, pool))
        return np.asarray(where[:, None] == np.arange(1, len(self.levels))[None, :], dtype=float)


def column_names(variable: Variable, levels: Sequence[str], flags: Sequence[str]) -> tuple[str, ...]:
    """Names of the matrix columns of a variable."""
    name = variable.name
    if variable.kind == "number" or variable.bins is not None:
        return (name, *(state_name(name, flag) for flag in flags))
    return tuple(f"{name}={level}" if level else state_name(name, level) for level in levels[1:])


@dataclass(frozen=True)
class Preparation:
    """Every variable of a scorecard, in order."""

    columns: tuple[LearntColumn, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name for column in self.columns for name in column.names)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variable of each matrix column."""
        return tuple(column.variable for column in self.columns for _ in column.names)

    @property
    def is_dummy(self) -> tuple[bool, ...]:
        """Of each matrix column, whether it is 0 or 1: a level or a flag."""
        return tuple(
            i > 0 or (column.variable.kind == "category" and column.bins is None)
            for column in self.columns
            for i in range(len(column.names))
        )

    @property
    def signs(self) -> tuple[int, ...]:
        """(k,) the sign that each coefficient is expected to have; 0 where none is.

        A weight of evidence raises the PD.
        """
        return tuple(
            1
            if column.bins is not None
            else column.variable.sign
            if i == 0 or column.variable.kind == "category"
            else 0
            for column in self.columns
            for i in range(len(column.names))
        )

    @property
    def centres(self) -> Floats:
        """(k,) what each matrix column is measured from, on the transformed scale."""
        pairs = zip(self.is_dummy, self._column_of_each, strict=True)
        return np.array([0.0 if dummy else column.centre for dummy, column in pairs])

    @property
    def scales(self) -> Floats:
        """(k,) what one unit of each matrix column is on the transformed scale."""
        pairs = zip(self.is_dummy, self._column_of_each, strict=True)
        return np.array([1.0 if dummy else column.scale for dummy, column in pairs])

    @property
    def _column_of_each(self) -> list[LearntColumn]:
        return [column for column in self.columns for _ in column.names]

    def matrix(self, frame: pd.DataFrame, *, seen: bool = False) -> Floats:
        """(n, k) matrix, no intercept.

        Raises InputError: a column missing, not numeric or infinite, and, with `seen`, a level that the fit
        has not seen of a variable that refuses those.
        """
        faults: list[Fault] = []
        cells = cells_by_name(self._declared, frame, faults, PLAIN)
        if seen:
            faults += self._refused(cells)
        if faults:
            raise InputError.of(faults, "Variables")
        return self.matrix_of(cells, len(frame))

    def matrix_of(self, cells: Cells, rows: int) -> Floats:
        """(rows, k) matrix, no intercept, of `cells` that were read."""
        out = np.empty((rows, len(self.names)), order="F")
        place = 0
        for learnt in self.columns:
            width = len(learnt.names)
            learnt.write(cells[learnt.variable.name], out[:, place : place + width])
            place += width
        return out

    @property
    def _declared(self) -> tuple[Variable, ...]:
        return tuple(learnt.variable for learnt in self.columns)

    def imputed(self, frame: pd.DataFrame) -> tuple[ImputedVariable, ...]:
        """The variables of `frame`, one that `matrix` takes, that have empty cells."""
        cells_by_column = ((column, cells_of(column.variable, frame, [])) for column in self.columns)
        counts = [(own, empty_cells(cells)) for own, cells in cells_by_column if cells is not None]
        return tuple(
            ImputedVariable(own.variable.name, count, own.stand_in) for own, count in counts if count
        )

    def unseen(self, frame: pd.DataFrame, pds: Floats | None) -> tuple[UnseenLevel, ...]:
        """Levels of `frame`, one that `matrix` takes, that the fit has not seen; `pds` (n,) are its own."""
        levels: list[UnseenLevel] = []
        for learnt in self.columns:
            cells = cells_of(learnt.variable, frame, [])
            if isinstance(cells, Levels):
                word = f"{learnt.pool or 'missing'!r}, the commonest level"
                if learnt.pool == OTHER:
                    word = "the pooled rare levels"
                elif learnt.bins is not None:
                    word = f"the bin {learnt.pool}"
                levels += unseen(learnt.variable.name, cells, learnt.known, word, pds)
            elif cells is not None:
                low, high = (untransformed(learnt.variable, end) for end in (learnt.low, learnt.high))
                levels += codes_beyond(learnt.variable.name, cells.values, low, high, pds)
        return tuple(levels)

    def _refused(self, cells: Cells) -> list[Fault]:
        """Levels that the fit has not seen, of variables that refuse them."""
        faults: list[Fault] = []
        for learnt in self.columns:
            name, own = learnt.variable.name, cells.get(learnt.variable.name)
            if learnt.variable.unseen == "refuse" and isinstance(own, Levels):
                remedy = 'fit again with rows of it, or say "unseen": "other"'
                faults += level_faults(name, own, learnt.known, "was not seen at fit", remedy)
        return faults


def empty_cells(cells: NumberColumn | Levels) -> int:
    """How many cells of a variable say nothing."""
    return cells.empty if isinstance(cells, Levels) else int((cells.states >= 0).sum())
