"""From a frame of raw variables to the columns of a regression, the same way at fit and at use.

A number is transformed, cut at the quantiles seen at fit, imputed by their median where missing, and
standardised; a category becomes one column per level against the commonest one, rare levels pooled as
"other". What was learnt is in `LearntColumn` and goes into the fitted file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats
from allocator.scoring.codes import codes_beyond, standing_out
from allocator.scoring.collinearity import Dependence, determined
from allocator.scoring.levels import Levels, Unseen, level, levels_of, unseen
from allocator.scoring.reading import Imputed, column, numbers

Kind = Literal["number", "category"]
Transform = Literal["none", "log"]
OTHER = "other"
RARE = 20
"""A level with fewer rows at fit is pooled into OTHER; fewer than that in all count as the reference."""


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
    """Codes of a number, such as -999, that say that nothing is known: they count as empty."""


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
    levels: tuple[str, ...] = ()
    """Of a category: the reference, then one per column; OTHER last, where there is one."""
    rare: tuple[str, ...] = ()
    """Levels seen in fewer than RARE rows: they count as OTHER, where there is one, else as the reference."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the matrix columns."""
        if self.variable.kind == "number":
            return (self.variable.name,)
        return tuple(f"{self.variable.name}={level}" for level in self.levels[1:])

    @property
    def pool(self) -> str:
        """What a level that has no column of its own counts as, and an empty cell."""
        return OTHER if OTHER in self.levels else self.levels[0]

    @property
    def stand_in(self) -> str:
        """What stands for an empty cell, in words."""
        if self.variable.kind == "category":
            return f"the level {self.pool}"
        return f"the median at fit, {_untransformed(self.variable, self.fill):.4g}"


@dataclass(frozen=True)
class Preparation:
    """Every variable of a scorecard, in order."""

    columns: tuple[LearntColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for column in self.columns for name in column.names)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variable of each matrix column."""
        return tuple(column.variable for column in self.columns for _ in column.names)

    @property
    def scales(self) -> Floats:
        """(k,) what one unit of each matrix column is on the transformed scale."""
        return np.array([column.scale for column in self.columns for _ in column.names])

    def matrix(self, frame: pd.DataFrame) -> Floats:
        """(n, k) matrix, no intercept. Raises InputError: a column missing, not numeric or infinite."""
        faults: list[Fault] = []
        raw = [_cells_of(learnt.variable, frame, faults) for learnt in self.columns]
        if faults:
            raise InputError.of(faults, "Variables")
        out = np.empty((len(frame), len(self.names)), order="F")
        place = 0
        for learnt, cells in zip(self.columns, raw, strict=True):
            width = len(learnt.names)
            if isinstance(cells, Levels):
                out[:, place : place + width] = _dummies(learnt, cells)
            elif cells is not None:
                values = transformed(learnt.variable, cells)
                values = np.where(np.isnan(values), learnt.fill, np.clip(values, learnt.low, learnt.high))
                out[:, place] = (values - learnt.centre) / learnt.scale
            place += width
        return out

    def imputed(self, frame: pd.DataFrame) -> tuple[Imputed, ...]:
        """The variables of `frame`, one that `matrix` takes, that have empty cells."""
        cells_by_column = ((column, _cells_of(column.variable, frame, [])) for column in self.columns)
        counts = [(own, empty_cells(cells)) for own, cells in cells_by_column if cells is not None]
        return tuple(Imputed(own.variable.name, count, own.stand_in) for own, count in counts if count)

    def unseen(self, frame: pd.DataFrame, pds: Floats) -> tuple[Unseen, ...]:
        """Levels of `frame`, one that `matrix` takes, that the fit has not seen; `pds` (n,) are its own."""
        levels: list[Unseen] = []
        for learnt in self.columns:
            cells = _cells_of(learnt.variable, frame, [])
            if isinstance(cells, Levels):
                word = (
                    "the pooled rare levels"
                    if learnt.pool == OTHER
                    else f"{learnt.pool!r}, the commonest level"
                )
                known = [level(name) for name in (*learnt.levels, *learnt.rare)]
                levels += unseen(learnt.variable.name, cells, known, word, pds)
            elif cells is not None:
                low, high = (_untransformed(learnt.variable, end) for end in (learnt.low, learnt.high))
                levels += codes_beyond(learnt.variable.name, cells, low, high, pds)
        return tuple(levels)


def prepare(frame: pd.DataFrame, variables: Sequence[Variable]) -> Preparation:
    """Learn the preparation of `variables` from `frame`.

    Raises InputError, every fault at once: a missing or infinite column, no values, a constant, columns
    that are linear combinations of others.
    """
    faults: list[Fault] = []
    if not variables:
        faults.append(Fault("no variable is named", "name at least one"))
    columns = [_learn(variable, frame, faults) for variable in variables]
    preparation = Preparation(tuple(column for column in columns if column is not None))
    dependent = _determined(preparation, frame)
    codes = [variable.name for variable in variables if dependent and special_codes(variable, frame)]
    faults += [_collinear(dependence, codes) for dependence in dependent]
    if faults:
        raise InputError.of(faults, "Variables")
    return preparation


def usable(frame: pd.DataFrame, variables: Sequence[Variable]) -> tuple[Variable, ...]:
    """Those of `variables` that tell rows of `frame` apart, each by more than the others do.

    Raises InputError: a column missing, not numeric or infinite.
    """
    faults: list[Fault] = []
    for variable in variables:
        _cells_of(variable, frame, faults)
    if faults:
        raise InputError.of(faults, "Variables")
    columns = [column for variable in variables if (column := _learn(variable, frame, [])) is not None]
    preparation = Preparation(tuple(columns))
    named = {dependence.name for dependence in _determined(preparation, frame)}
    return tuple(column.variable for column in columns if not named & set(column.names))


def special_codes(variable: Variable, frame: pd.DataFrame) -> dict[float, int]:
    """Values of a number that look like codes for what is not known, with their rows."""
    if variable.kind == "category":
        return {}
    cells = _cells_of(variable, frame, [])
    return {} if cells is None or isinstance(cells, Levels) else standing_out(cells)


def _determined(preparation: Preparation, frame: pd.DataFrame) -> list[Dependence]:
    """Columns that others determine, as they enter the fit or as they were before outliers were cut."""
    if not preparation.columns:
        return []
    matrix, names = preparation.matrix(frame), preparation.names
    spreads = np.sqrt(((matrix - matrix.mean(axis=0)) ** 2).sum(axis=0))
    dependences = {dependence.name: dependence for dependence in determined(matrix, names, spreads)}
    uncut = Preparation(tuple(replace(column, low=-np.inf, high=np.inf) for column in preparation.columns))
    with np.errstate(over="ignore"):
        matrix = uncut.matrix(frame)
        fine = np.isfinite((matrix**2).sum(axis=0))
    kept = [name for name, is_fine in zip(names, fine, strict=True) if is_fine]
    before = {dependence.name: dependence for dependence in determined(matrix[:, fine], kept, spreads[fine])}
    return list((before | dependences).values())


def _collinear(dependence: Dependence, codes: Sequence[str]) -> Fault:
    coded = [name for name in (dependence.name, *dependence.others) if name in codes]
    remedy = "leave one of them out"
    if coded:
        remedy += (
            f"; if they share codes for what is not known, declare those of {', '.join(coded)} as special"
        )
    return Fault(dependence.problem, remedy, field=dependence.name)


def transformed(variable: Variable, values: Floats) -> Floats:
    """(n,) values on the variable's scale, NaN where missing."""
    return np.sign(values) * np.log1p(np.abs(values)) if variable.transform == "log" else values


def _untransformed(variable: Variable, value: float) -> float:
    return float(np.copysign(np.expm1(abs(value)), value)) if variable.transform == "log" else value


def empty_cells(cells: Floats | Levels) -> int:
    """How many cells of a variable say nothing."""
    return cells.empty if isinstance(cells, Levels) else int(np.isnan(cells).sum())


def _cells_of(variable: Variable, frame: pd.DataFrame, faults: list[Fault]) -> Floats | Levels | None:
    """The variable's cells: numbers, or a category's levels; None and a fault where they cannot be."""
    if variable.kind == "category":
        cells = column(frame, variable.name, faults)
        return None if cells is None else levels_of(cells)
    values = numbers(frame, variable.name, faults, "write plain numbers, or say category")
    return values if values is None else without_codes(values, variable.special)


def without_codes(values: Floats, special: Sequence[float]) -> Floats:
    """(n,) values with the special codes empty."""
    return np.where(np.isin(values, special), np.nan, values) if special else values


def _learn(variable: Variable, frame: pd.DataFrame, faults: list[Fault]) -> LearntColumn | None:
    cells = _cells_of(variable, frame, faults)
    if cells is None:
        return None
    if isinstance(cells, Levels):
        return _learn_category(variable, cells, faults)
    return _learn_number(variable, transformed(variable, cells), faults)


def _learn_number(variable: Variable, values: Floats, faults: list[Fault]) -> LearntColumn | None:
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
    return LearntColumn(variable, float(low), float(high), fill, float(cut.mean()), spread)


def _learn_category(variable: Variable, known: Levels, faults: list[Fault]) -> LearntColumn | None:
    """Levels by their rows; an empty cell is one of OTHER."""
    counts = dict(zip(known.names, known.counts.tolist(), strict=True))
    counts[OTHER] = counts.get(OTHER, 0) + known.empty
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


def _dummies(column: LearntColumn, levels: Levels) -> Floats:
    """(n, levels - 1); a level without a column counts as OTHER, else as the reference."""
    place = {level(name): i for i, name in enumerate(column.levels)}
    pool = column.levels.index(column.pool)
    where = levels.looked_up([place.get(name, pool) for name in levels.names], pool)
    return np.asarray(where[:, None] == np.arange(1, len(column.levels))[None, :], dtype=float)
