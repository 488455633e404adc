"""What is learnt of variables from training data, each of whose columns is read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError, gathering
from allocator.records.portfolio import Floats
from allocator.scoring.bins import OTHER, learn_bins
from allocator.scoring.collinearity import Dependence, determined_columns
from allocator.scoring.levels import SHOWN, Levels, level
from allocator.scoring.preparation import Cells, LearntColumn, Preparation, empty_cells
from allocator.scoring.variables import (
    MISSING,
    RARE,
    NumberColumn,
    Variable,
    cells_by_name,
    own_states,
    special_codes,
    state_name,
    transformed,
)
from allocator.scoring.weighting import deviation, mean, part, quantiles


@dataclass(frozen=True)
class Prepared:
    """Training data as a regression reads them."""

    preparation: Preparation
    matrix: Floats
    """(n, k)"""
    cells: Cells
    """Of each variable, read once."""


def prepare(frame: pd.DataFrame, variables: Sequence[Variable], y: Floats | None = None) -> Preparation:
    """The preparation of `prepared` alone."""
    return prepared(frame, variables, y).preparation


def prepared(
    frame: pd.DataFrame,
    variables: Sequence[Variable],
    y: Floats | None = None,
    weights: Floats | None = None,
    *,
    before_cuts: bool = True,
) -> Prepared:
    """Learn the preparation of `variables` from `frame`; y (n,) is 1 for a default, which bins need.

    Rows count by `weights` (n,), of mean 1; `before_cuts` looks for dependence before the cuts too.

    A flag that other columns determine, such as a second one of the same rows, is left out. Raises
    InputError, every fault at once: a missing or infinite column, no values, a constant, columns that are
    linear combinations of others.
    """
    faults: list[Fault] = []
    if not variables:
        faults.append(Fault("no variable is named", "name at least one"))
    cells = cells_by_name(variables, frame, faults)
    learnt = [
        _learn(variable, cells[variable.name], faults, y, weights)
        for variable in variables
        if variable.name in cells
    ]
    complete = Preparation(tuple(column for column in learnt if column))
    preparation, matrix, dependent = _free(complete, cells, len(frame), before_cuts=before_cuts)
    codes = [variable.name for variable in variables if dependent and special_codes(variable, frame)]
    faults += [_collinearity_faults(dependence, codes) for dependence in dependent]
    if faults:
        raise InputError.of(faults, "Variables")
    return Prepared(preparation, matrix, cells)


def usable_variables(
    frame: pd.DataFrame, variables: Sequence[Variable], y: Floats
) -> tuple[tuple[Variable, ...], dict[str, str]]:
    """Those of `variables` that tell rows of `frame` apart, each by more than the others do; and why not.

    Raises InputError: a column missing, not numeric or infinite.
    """
    faults: list[Fault] = []
    cells = cells_by_name(variables, frame, faults)
    if faults:
        raise InputError.of(faults, "Variables")
    learnt = [_learn(variable, cells[variable.name], faults, y, None) for variable in variables]
    complete = Preparation(tuple(column for column in learnt if column))
    preparation, _, dependent = _free(complete, cells, len(frame))
    named = {dependence.name: dependence.problem for dependence in dependent}
    why = {str(fault.field): fault.problem for fault in faults}
    for column in preparation.columns:
        told = [named[name] for name in column.names if name in named]
        why |= {column.variable.name: told[0]} if told else {}
    return tuple(variable for variable in variables if variable.name not in why), why


def _free(
    preparation: Preparation, cells: Cells, rows: int, *, before_cuts: bool = True
) -> tuple[Preparation, Floats, list[Dependence]]:
    """`preparation` without the flags that other columns determine, its matrix, and others that are."""
    matrix = preparation.matrix_of(cells, rows)
    dependent = _determined(preparation, cells, matrix, before_cuts=before_cuts)
    if not dependent:
        return preparation, matrix, []
    named = {dependence.name for dependence in dependent}
    columns = []
    for column in preparation.columns:
        told = [flag for flag in column.flags if state_name(column.variable.name, flag) in named]
        named -= {state_name(column.variable.name, flag) for flag in told}
        columns.append(replace(column, flags=tuple(flag for flag in column.flags if flag not in told)))
    left = Preparation(tuple(columns))
    return (
        left,
        left.matrix_of(cells, rows),
        [dependence for dependence in dependent if dependence.name in named],
    )


def _determined(
    preparation: Preparation, cells: Cells, matrix: Floats, *, before_cuts: bool
) -> list[Dependence]:
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
    matrix = matrix[:, order] if flags else matrix
    spreads = np.array([matrix[:, j].std() for j in range(len(names))]) * np.sqrt(len(matrix))
    dependences = {dependence.name: dependence for dependence in determined_columns(matrix, names, spreads)}
    if not before_cuts:
        return list(dependences.values())
    uncut = Preparation(tuple(replace(column, low=-np.inf, high=np.inf) for column in preparation.columns))
    with np.errstate(over="ignore"):
        matrix = uncut.matrix_of(cells, len(matrix))
        matrix = matrix[:, order] if flags else matrix
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


def _learn(
    variable: Variable,
    cells: NumberColumn | Levels,
    faults: list[Fault],
    y: Floats | None,
    weights: Floats | None,
) -> LearntColumn | None:
    if variable.bins is not None:
        return _learn_bins(variable, cells, faults, y, weights)
    if isinstance(cells, Levels):
        return _learn_category(variable, cells, faults)
    return _learn_number(variable, cells, faults, weights)


def _learn_bins(
    variable: Variable,
    cells: NumberColumn | Levels,
    faults: list[Fault],
    y: Floats | None,
    weights: Floats | None,
) -> LearntColumn | None:
    if y is None or not 0 < y.sum() < len(y):
        faults.append(Fault("has bins, which need outcomes of both kinds", "give them", field=variable.name))
        return None
    if empty_cells(cells) == len(y):
        faults.append(Fault("has no value at all", "leave the variable out", field=variable.name))
        return None
    bins = learn_bins(variable, cells, y, weights)
    if len({weight for weight, rows in zip(bins.woe, bins.rows, strict=True) if rows}) < 2:
        faults.append(_untold(variable, cells))
        return None
    if isinstance(cells, Levels):
        seen = {level(name) for group in bins.groups for name in group}
        rare = tuple(name for name in cells.names if name not in seen)
        return LearntColumn(variable, rare=rare, bins=bins)
    low, high = float(np.nanmin(cells.values)), float(np.nanmax(cells.values))
    return LearntColumn(variable, low, high, bins=bins)


def _untold(variable: Variable, cells: NumberColumn | Levels) -> Fault:
    """Of a variable all of whose bins tell the same."""
    declared = variable.bins
    if isinstance(cells, Levels) and declared is not None and declared.groups:
        named = {level(name) for group in declared.groups for name in group}
        if not named & set(cells.names):
            there = ", ".join(cells.names[:SHOWN])
            return Fault("no row has a level of its groups", f"its levels are {there}", field=variable.name)
    if isinstance(cells, NumberColumn) and declared is not None and declared.cuts:
        low, high = float(np.nanmin(cells.values)), float(np.nanmax(cells.values))
        if not any(low < cut <= high for cut in declared.cuts):
            problem = "all its values lie between two of its cuts"
            return Fault(problem, f"they go from {low:g} to {high:g}", field=variable.name)
    problem = "no cut that its declaration allows tells defaults apart"
    remedy = "leave the variable out, or allow another shape or smaller bins"
    return Fault(problem, remedy, field=variable.name)


def _learn_number(
    variable: Variable, cells: NumberColumn, faults: list[Fault], weights: Floats | None
) -> LearntColumn | None:
    values = transformed(variable, cells.values)
    there = ~np.isnan(values)
    known = values[there]
    if len(known) == 0:
        faults.append(Fault("has no value at all", "leave the variable out", field=variable.name))
        return None
    shares = (0.5, *(variable.cut or ()))
    fill, *ends = quantiles(known, shares, part(weights, there))
    low, high = ends or (-np.inf, np.inf)
    cut = np.clip(np.where(there, values, fill), low, high)
    if np.ptp(cut) == 0 and np.ptp(known) > 0:
        low, high = float(known.min()), float(known.max())
        cut = np.where(there, values, fill)
    if np.ptp(cut) == 0:
        faults.append(
            Fault("is constant: it can explain nothing", "leave the variable out", field=variable.name)
        )
        return None
    with np.errstate(over="ignore"):
        spread = deviation(cut, weights)
    if not np.isfinite(spread):
        problem = "has values too large to be squared"
        faults.append(Fault(problem, "count in a larger unit, or say transform log", field=variable.name))
        return None
    flags = own_states(variable, len(values), list(zip(cells.names, cells.counts.tolist(), strict=True)))
    return LearntColumn(variable, low, high, fill, mean(cut, weights), spread, flags)


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


def column_faults(frame: pd.DataFrame, variables: Sequence[Variable], y: Floats | None) -> list[Fault]:
    """What `prepared` would refuse of `variables`; without outcomes y (n,), of bins their cells alone."""
    faults: list[Fault] = []
    waiting = [variable for variable in variables if variable.bins is not None and y is None]
    cells_by_name(waiting, frame, faults)
    others = [variable for variable in variables if variable not in waiting]
    with gathering(faults):
        if others:
            prepared(frame, others, y)
    return faults
