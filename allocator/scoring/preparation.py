"""From a frame of raw variables to the columns of a regression, the same way at fit and at use.

A number is transformed, cut at the quantiles seen at fit, filled with their median where missing, and
standardised; a category becomes one column a level against the commonest one, rare levels pooled as
"other". What was learnt is in `Column` and goes into the fitted file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Booleans, Floats

Kind = Literal["number", "category"]
Transform = Literal["none", "log"]
OTHER = "other"
RARE = 20
"""A level with fewer rows at fit is pooled into OTHER; fewer than that in all count as the reference."""
COLLINEAR = 1e-8
"""Relative size of a column's remainder on the others below which it is theirs."""


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


@dataclass(frozen=True)
class Column:
    """What was learnt about one variable; numbers are on the transformed scale."""

    variable: Variable
    low: float = -np.inf
    high: float = np.inf
    fill: float = 0.0
    """The median, for a missing value."""
    centre: float = 0.0
    scale: float = 1.0
    levels: tuple[str, ...] = ()
    """Of a category: the reference, then one a column; OTHER last, where there is one."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the matrix columns."""
        if self.variable.kind == "number":
            return (self.variable.name,)
        return tuple(f"{self.variable.name}={level}" for level in self.levels[1:])


@dataclass(frozen=True)
class Preparation:
    """Every variable of a scorecard, in order."""

    columns: tuple[Column, ...]

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
        faults = _column_faults(frame, [column.variable for column in self.columns])
        if faults:
            raise InputError.of(faults, "Variables")
        out = np.empty((len(frame), len(self.names)), order="F")
        place = 0
        for column in self.columns:
            width = len(column.names)
            if column.variable.kind == "number":
                values = transformed(column.variable, frame[column.variable.name])
                values = np.where(np.isnan(values), column.fill, np.clip(values, column.low, column.high))
                out[:, place] = (values - column.centre) / column.scale
            else:
                out[:, place : place + width] = _dummies(column, frame[column.variable.name])
            place += width
        return out


def prepare(frame: pd.DataFrame, variables: Sequence[Variable]) -> Preparation:
    """Learn the preparation of `variables` from `frame`.

    Raises InputError, every fault at once: a missing or infinite column, no values, a constant, columns
    that are linear combinations of others.
    """
    faults = _column_faults(frame, variables)
    if not variables:
        faults.append(Fault("no variable is named", "name at least one"))
    if faults:
        raise InputError.of(faults, "Variables")
    columns = []
    for variable in variables:
        learn = _learn_number if variable.kind == "number" else _learn_category
        columns.append(learn(variable, frame[variable.name], faults))
    if faults:
        raise InputError.of(faults, "Variables")
    preparation = Preparation(tuple(column for column in columns if column is not None))
    collinear = _collinear(preparation.matrix(frame), preparation.names)
    if collinear:
        raise InputError.of(collinear, "Variables")
    return preparation


def transformed(variable: Variable, values: pd.Series) -> Floats:
    """(n,) values on the variable's scale, NaN where missing."""
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    return np.sign(numbers) * np.log1p(np.abs(numbers)) if variable.transform == "log" else numbers


def _column_faults(frame: pd.DataFrame, variables: Sequence[Variable]) -> list[Fault]:
    faults = []
    for variable in variables:
        name = variable.name
        if name not in frame.columns:
            faults.append(Fault("the column is missing", "add it, or fit without it", field=name))
        elif variable.kind == "number":
            values = frame[name]
            if values.dtype.kind not in "iufb":
                faults.append(
                    Fault(
                        f"holds {values.dtype}, not numbers",
                        "write plain numbers, or say category",
                        field=name,
                    )
                )
            elif values.dtype.kind == "f" and np.isinf(values.to_numpy(dtype=float, na_value=np.nan)).any():
                row = int(np.flatnonzero(np.isinf(values.to_numpy(dtype=float, na_value=np.nan)))[0]) + 1
                faults.append(
                    Fault("is infinite", "leave the cell empty where nothing is known", row=row, field=name)
                )
    return faults


def _learn_number(variable: Variable, series: pd.Series, faults: list[Fault]) -> Column | None:
    values = transformed(variable, series)
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
    return Column(variable, float(low), float(high), fill, float(cut.mean()), float(cut.std()))


def _learn_category(variable: Variable, series: pd.Series, faults: list[Fault]) -> Column | None:
    counts = _texts(series).value_counts()
    kept = [str(level) for level, n in counts.items() if n >= RARE and level != OTHER]
    pooled = int(counts.sum()) - int(sum(counts[level] for level in kept))
    levels = (*kept, OTHER) if pooled >= RARE else tuple(kept)
    if len(levels) < 2:
        faults.append(
            Fault(
                f"has no two levels with {RARE} rows or more", "leave the variable out", field=variable.name
            )
        )
        return None
    return Column(variable, levels=levels)


def _texts(series: pd.Series) -> pd.Series:
    """Levels as text; a missing one is OTHER."""
    return series.astype(object).where(series.notna(), OTHER).astype(str)


def _dummies(column: Column, series: pd.Series) -> Floats:
    """(n, levels - 1); a level unknown at fit counts as OTHER, else as the reference."""
    place = {level: i for i, level in enumerate(column.levels)}
    unknown = place.get(OTHER, 0)
    codes, uniques = pd.factorize(series, use_na_sentinel=True)
    where = np.array([place.get(str(value), unknown) for value in uniques] + [unknown], dtype=np.int64)
    return np.asarray(where[codes][:, None] == np.arange(1, len(column.levels))[None, :], dtype=float)


def _collinear(matrix: Floats, names: Sequence[str]) -> list[Fault]:
    """Columns that are a linear combination of the intercept and the columns before them."""
    basis = np.full((len(matrix), 1), 1 / np.sqrt(len(matrix)))
    faults = []
    for j, name in enumerate(names):
        column = matrix[:, j]
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        size = float(np.linalg.norm(rest))
        if size <= COLLINEAR * max(float(np.linalg.norm(column)), 1.0):
            before = [names[int(i)] for i in np.flatnonzero(_weights(matrix[:, :j], column))]
            of = " and ".join(before) if before else "a constant"
            faults.append(Fault(f"is a combination of {of}", "leave one of them out", field=name))
        else:
            basis = np.column_stack([basis, rest / size])
    return faults


def _weights(matrix: Floats, column: Floats) -> Booleans:
    """Which columns of `matrix`, with a constant, combine to `column`."""
    if matrix.shape[1] == 0:
        return np.zeros(0, dtype=bool)
    full = np.column_stack([matrix, np.ones(len(matrix))])
    return np.asarray(np.abs(np.linalg.lstsq(full, column, rcond=None)[0][:-1]) > 1e-6, dtype=bool)
