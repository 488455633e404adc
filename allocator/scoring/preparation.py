"""From a frame of raw variables to the columns of a regression, the same way at fit and at use.

A number is transformed, cut at the quantiles seen at fit, imputed by their median where missing, and
standardised; that it is missing, or a code, is told by a 0/1 column of its own. A category becomes one
column per level against the commonest one, rare levels pooled as "other", empty cells a level. What was
learnt is in `LearntColumn` and goes into the fitted file.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats
from allocator.scoring.bins import OTHER, Bins, learn_bins
from allocator.scoring.codes import codes_beyond
from allocator.scoring.collinearity import Dependence, determined_columns
from allocator.scoring.levels import Levels, UnseenLevel, level, level_faults, unseen
from allocator.scoring.reading import ImputedVariable
from allocator.scoring.variables import (
    MISSING,
    RARE,
    NumberColumn,
    Variable,
    cells_of,
    own_states,
    special_codes,
    state_name,
    transformed,
    untransformed,
)


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

    def block(self, cells: NumberColumn | Levels) -> Floats:
        """(n, columns) of the matrix."""
        if self.bins is not None:
            return np.array(self.bins.woe)[self.bins.places(cells)][:, None]
        if isinstance(cells, Levels):
            return self._dummies(cells)
        values = transformed(self.variable, cells.values)
        values = np.where(np.isnan(values), self.fill, np.clip(values, self.low, self.high))
        flags = [cells.in_state(name, self.flags).astype(float) for name in self.flags]
        return np.column_stack([(values - self.centre) / self.scale, *flags])

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

    def matrix(self, frame: pd.DataFrame) -> Floats:
        """(n, k) matrix, no intercept. Raises InputError: a column missing, not numeric or infinite."""
        faults: list[Fault] = []
        raw = [cells_of(learnt.variable, frame, faults) for learnt in self.columns]
        if faults:
            raise InputError.of(faults, "Variables")
        out = np.empty((len(frame), len(self.names)), order="F")
        place = 0
        for learnt, cells in zip(self.columns, raw, strict=True):
            width = len(learnt.names)
            if cells is not None:
                out[:, place : place + width] = learnt.block(cells)
            place += width
        return out

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

    def require_seen(self, frame: pd.DataFrame) -> None:
        """Raise InputError for levels that the fit has not seen, of variables that refuse them."""
        faults: list[Fault] = []
        for learnt in self.columns:
            cells = cells_of(learnt.variable, frame, []) if learnt.variable.unseen == "refuse" else None
            if isinstance(cells, Levels):
                remedy = 'fit again with rows of it, or say "unseen": "other"'
                faults += level_faults(
                    learnt.variable.name, cells, learnt.known, "was not seen at fit", remedy
                )
        if faults:
            raise InputError.of(faults, "Variables")


def prepare(frame: pd.DataFrame, variables: Sequence[Variable], y: Floats | None = None) -> Preparation:
    """Learn the preparation of `variables` from `frame`; y (n,) is 1 for a default, which bins need.

    A flag that other columns determine, such as a second one of the same rows, is left out. Raises
    InputError, every fault at once: a missing or infinite column, no values, a constant, columns that are
    linear combinations of others.
    """
    faults: list[Fault] = []
    if not variables:
        faults.append(Fault("no variable is named", "name at least one"))
    learnt = [_learn(variable, frame, faults, y) for variable in variables]
    preparation, dependent = _free(Preparation(tuple(column for column in learnt if column)), frame)
    codes = [variable.name for variable in variables if dependent and special_codes(variable, frame)]
    faults += [_collinearity_faults(dependence, codes) for dependence in dependent]
    if faults:
        raise InputError.of(faults, "Variables")
    return preparation


def usable_variables(
    frame: pd.DataFrame, variables: Sequence[Variable], y: Floats
) -> tuple[tuple[Variable, ...], dict[str, str]]:
    """Those of `variables` that tell rows of `frame` apart, each by more than the others do; and why not.

    Raises InputError: a column missing, not numeric or infinite.
    """
    faults: list[Fault] = []
    for variable in variables:
        cells_of(variable, frame, faults)
    if faults:
        raise InputError.of(faults, "Variables")
    columns = [column for variable in variables if (column := _learn(variable, frame, faults, y)) is not None]
    preparation, dependent = _free(Preparation(tuple(columns)), frame)
    named = {dependence.name: dependence.problem for dependence in dependent}
    why = {str(fault.field): fault.problem for fault in faults}
    for column in preparation.columns:
        told = [named[name] for name in column.names if name in named]
        why |= {column.variable.name: told[0]} if told else {}
    return tuple(variable for variable in variables if variable.name not in why), why


def _free(preparation: Preparation, frame: pd.DataFrame) -> tuple[Preparation, list[Dependence]]:
    """`preparation` without the flags that other columns determine, and the other columns that are."""
    dependent = _determined(preparation, frame)
    named = {dependence.name for dependence in dependent}
    columns = []
    for column in preparation.columns:
        told = [flag for flag in column.flags if state_name(column.variable.name, flag) in named]
        named -= {state_name(column.variable.name, flag) for flag in told}
        columns.append(replace(column, flags=tuple(flag for flag in column.flags if flag not in told)))
    return Preparation(tuple(columns)), [one for one in dependent if one.name in named]


def _determined(preparation: Preparation, frame: pd.DataFrame) -> list[Dependence]:
    """Columns that others determine, as they enter the fit or as they were before outliers were cut.

    Flags come last, so that it is a flag that is named where one is told by other columns.
    """
    if not preparation.columns:
        return []
    flags = {
        state_name(column.variable.name, flag) for column in preparation.columns for flag in column.flags
    }
    order = sorted(range(len(preparation.names)), key=lambda j: preparation.names[j] in flags)
    names = [preparation.names[j] for j in order]
    matrix = preparation.matrix(frame)[:, order] if flags else preparation.matrix(frame)
    spreads = matrix.std(axis=0) * np.sqrt(len(matrix))
    dependences = {dependence.name: dependence for dependence in determined_columns(matrix, names, spreads)}
    uncut = Preparation(tuple(replace(column, low=-np.inf, high=np.inf) for column in preparation.columns))
    with np.errstate(over="ignore"):
        matrix = uncut.matrix(frame)[:, order] if flags else uncut.matrix(frame)
        fine = np.isfinite(np.einsum("ij,ij->j", matrix, matrix))
    kept = [name for name, is_fine in zip(names, fine, strict=True) if is_fine]
    matrix = matrix if fine.all() else matrix[:, fine]
    before = {dependence.name: dependence for dependence in determined_columns(matrix, kept, spreads[fine])}
    return list((before | dependences).values())


def _collinearity_faults(dependence: Dependence, codes: Sequence[str]) -> Fault:
    coded = [name for name in (dependence.name, *dependence.others) if name in codes]
    remedy = "leave one of them out"
    if coded:
        remedy += (
            f"; if they share codes for what is not known, declare those of {', '.join(coded)} as special"
        )
    return Fault(dependence.problem, remedy, field=dependence.name)


def empty_cells(cells: NumberColumn | Levels) -> int:
    """How many cells of a variable say nothing."""
    return cells.empty if isinstance(cells, Levels) else int((cells.states >= 0).sum())


def _learn(
    variable: Variable, frame: pd.DataFrame, faults: list[Fault], y: Floats | None
) -> LearntColumn | None:
    cells = cells_of(variable, frame, faults)
    if cells is None:
        return None
    if variable.bins is not None:
        return _learn_bins(variable, cells, faults, y)
    if isinstance(cells, Levels):
        return _learn_category(variable, cells, faults)
    return _learn_number(variable, cells, faults)


def _learn_bins(
    variable: Variable, cells: NumberColumn | Levels, faults: list[Fault], y: Floats | None
) -> LearntColumn | None:
    if y is None or not 0 < y.sum() < len(y):
        faults.append(Fault("has bins, which need outcomes of both kinds", "give them", field=variable.name))
        return None
    if empty_cells(cells) == len(y):
        faults.append(Fault("has no value at all", "leave the variable out", field=variable.name))
        return None
    bins = learn_bins(variable, cells, y)
    if len({weight for weight, rows in zip(bins.woe, bins.rows, strict=True) if rows}) < 2:
        problem = "no cut that its declaration allows tells defaults apart"
        remedy = "leave the variable out, or allow another shape or smaller bins"
        faults.append(Fault(problem, remedy, field=variable.name))
        return None
    if isinstance(cells, Levels):
        seen = {level(name) for group in bins.groups for name in group}
        rare = tuple(name for name in cells.names if name not in seen)
        return LearntColumn(variable, rare=rare, bins=bins)
    low, high = float(np.nanmin(cells.values)), float(np.nanmax(cells.values))
    return LearntColumn(variable, low, high, bins=bins)


def _learn_number(variable: Variable, cells: NumberColumn, faults: list[Fault]) -> LearntColumn | None:
    values = transformed(variable, cells.values)
    known = values[~np.isnan(values)]
    if len(known) == 0:
        faults.append(Fault("has no value at all", "leave the variable out", field=variable.name))
        return None
    low, high = (-np.inf, np.inf) if variable.cut is None else np.quantile(known, variable.cut)
    fill = float(np.median(known))
    cut = np.clip(np.where(np.isnan(values), fill, values), low, high)
    if np.ptp(cut) == 0 and np.ptp(known) > 0:
        low, high = float(known.min()), float(known.max())
        cut = np.where(np.isnan(values), fill, values)
    if np.ptp(cut) == 0:
        faults.append(
            Fault("is constant: it can explain nothing", "leave the variable out", field=variable.name)
        )
        return None
    with np.errstate(over="ignore"):
        spread = float(cut.std())
    if not np.isfinite(spread):
        problem = "has values too large to be squared"
        faults.append(Fault(problem, "count in a larger unit, or say transform log", field=variable.name))
        return None
    flags = own_states(variable, len(values), list(zip(cells.names, cells.counts.tolist(), strict=True)))
    return LearntColumn(variable, float(low), float(high), fill, float(cut.mean()), spread, flags)


def _learn_category(variable: Variable, known: Levels, faults: list[Fault]) -> LearntColumn | None:
    """Levels by their rows; an empty cell is one of OTHER, unless there are enough for a level."""
    counts = dict(zip(known.names, known.counts.tolist(), strict=True))
    own = own_states(variable, len(known.codes), [(MISSING, known.empty)])
    counts |= {MISSING: known.empty} if own else {OTHER: counts.get(OTHER, 0) + known.empty}
    order = sorted(counts, key=lambda name: -counts[name])
    kept = [name for name in order if counts[name] >= RARE and name != OTHER]
    pooled = sum(counts.values()) - sum(counts[name] for name in kept)
    levels = (*kept, OTHER) if pooled >= RARE else tuple(kept)
    rare = tuple(name for name in order if name in known.names and name not in levels)
    if len(levels) < 2:
        problem = f"has no two levels with {RARE} rows or more"
        faults.append(Fault(problem, "leave the variable out", field=variable.name))
        return None
    return LearntColumn(variable, levels=levels, rare=rare)
