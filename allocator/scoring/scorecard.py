"""A PD scorecard: declared variables, their preparation and a logit, as one record.

Variables come in groups, with the sign that each is expected to have, tested by Wald (default risk thesis).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd
from scipy import special
from threadpoolctl import threadpool_limits

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats
from allocator.scoring.folds import each_fold, stratified_folds
from allocator.scoring.logit import NORMAL_95, LogitFit, Penalty, coefficients_of, fit_logit
from allocator.scoring.preparation import Preparation
from allocator.scoring.preparing import Prepared, prepared
from allocator.scoring.reading import DerivedColumn, derive, read_through, weighted_sum
from allocator.scoring.reference import Reference, reference_of
from allocator.scoring.rows import rows_where
from allocator.scoring.steps import Steps
from allocator.scoring.variables import Variable
from allocator.scoring.weighting import part

Found = TypeVar("Found", LogitFit, Floats)

Rows = tuple[pd.DataFrame, pd.Series, Floats | None]
"""Borrowers, their outcomes and weights."""


@dataclass(frozen=True)
class Points:
    """The scale of a score: `odds` repaid loans for each default score `base`, `pdo` more double them."""

    pdo: float = 20.0
    base: float = 600.0
    odds: float = 50.0

    @property
    def factor(self) -> float:
        """Points of a unit of log-odds."""
        return self.pdo / math.log(2)

    @property
    def offset(self) -> float:
        """The score at even odds."""
        return self.base - self.factor * math.log(self.odds)

    def score(self, log_odds: Floats) -> Floats:
        """(n,) points from the log-odds of default."""
        return np.asarray(self.offset - self.factor * log_odds)


def scale_of(given: Mapping[str, float | str], place: str) -> Points:
    """The scale of pdo, base and odds. Raises InputError: no numbers, others, pdo or odds not above 0."""
    remedy = "write pdo=20,base=600,odds=50, pdo and odds above 0"
    values, faults = {}, []
    for name, value in given.items():
        try:
            values[name] = float(value)
        except (TypeError, ValueError):
            faults.append(Fault(f"{f'{name}={value}'!r} is no part of a scale", remedy, field=place))
    unknown = sorted(given.keys() - {"pdo", "base", "odds"})
    faults += [Fault(f"{name} is unknown", remedy, field=place) for name in unknown]
    wrong = [name for name, value in values.items() if not math.isfinite(value) or
             (value <= 0 and name != "base")]  # fmt: skip
    faults += [Fault(f"{name} is {values[name]:g}", remedy, field=place) for name in wrong]
    if faults:
        raise InputError.of(faults, "fit logit")
    return Points(**values)


@dataclass(frozen=True)
class Recalibration:
    """What was done to a scorecard after its fit: log-odds' = shift + slope x log-odds, or steps of them."""

    of: str
    """The file that it comes from."""
    why: str
    method: str
    slope: float
    shift: float
    """The margin's part included."""
    margin: float
    """How much higher than without it the mean PD was made, a fraction."""


@dataclass(frozen=True)
class Scorecard:
    """PD from variables, and a grade from the PD where `bounds` are given."""

    preparation: Preparation
    fit: LogitFit
    bounds: Mapping[str, float] = field(default_factory=dict)
    """Grade -> highest PD of the grade (the bound included), rising; the last is 1."""
    lgd: float | None = None
    """Loss given default for every borrower, where the data told one."""
    derived: tuple[DerivedColumn, ...] = ()
    """Columns that the variables need and the table of borrowers need not have."""
    points: Points | None = None
    """The scale of the score, where one is given."""
    means: Floats | None = None
    """(k,) the average borrower of the training data, from whom reasons are told."""

    reference: Reference | None = None
    """The training data in bins, to measure drift against."""
    recalibrated: Recalibration | None = None
    """The last change since the fit, where there was one."""
    steps: Steps | None = None
    """What becomes of the log-odds, where they were recalibrated by steps."""

    def matrix(self, frame: pd.DataFrame) -> Floats:
        """(n, k) columns of the regression. Raises InputError for a missing or infinite column."""
        return read_through(frame, self.derived, self.preparation.matrix)

    @property
    def slopes(self) -> dict[str, float]:
        """What one unit of each matrix column, on the scale of its variable, adds to the log-odds."""
        values = (self.fit.coefficients[1:] / self.preparation.scales).tolist()
        return dict(zip(self.fit.names[1:], values, strict=True))

    def log_odds(self, frame: pd.DataFrame) -> Floats:
        """(n,) log-odds of default. Raises InputError for a missing or infinite column."""
        return self._stepped(self.linear(frame))

    def linear(self, frame: pd.DataFrame) -> Floats:
        """(n,) linear predictor: the log-odds before any steps. Raises InputError as log_odds does."""
        return self.fit.linear(self.matrix(frame))

    def _stepped(self, linear: Floats) -> Floats:
        return linear if self.steps is None else self.steps.of(linear)

    def apply(self, frame: pd.DataFrame, *, intervals: bool = False) -> pd.DataFrame:
        """`pd`, then `grade`, `lgd`, `score` where known; `intervals`: also `pd_low` and `pd_high` (95 %).

        Raises InputError as log_odds does, and for a level that the fit has not seen where that is refused.
        """
        matrix = read_through(frame, self.derived, partial(self.preparation.matrix, seen=True))
        linear = self.fit.linear(matrix)
        odds = self._stepped(linear)
        columns: dict[str, object] = {"pd": special.expit(odds)}
        if self.bounds:
            columns["grade"] = grade_of(special.expit(odds), self.bounds)
        if self.lgd is not None:
            columns["lgd"] = np.full(len(frame), self.lgd)
        if self.points is not None:
            columns["score"] = self.points.score(odds)
        if intervals:
            design = np.column_stack([np.ones(len(matrix)), matrix])
            half = NORMAL_95 * np.sqrt(((design @ self.fit.covariance) * design).sum(axis=1))
            low, high = self._stepped(linear - half), self._stepped(linear + half)
            columns |= {"pd_low": special.expit(low), "pd_high": special.expit(high)}
        return pd.DataFrame(columns, index=frame.index)

    def wald(self) -> pd.DataFrame:
        """Wald table on the scale of the (transformed) variables, with group, expected sign and agreement."""
        table = self.fit.wald(self.preparation.scales, self.preparation.signs)
        table.insert(0, "group", ["", *(variable.group for variable in self.preparation.variables)])
        shift = np.concatenate([[1.0], -self.preparation.centres / self.preparation.scales])
        intercept = float(shift @ self.fit.coefficients)
        error = float(np.sqrt(shift @ self.fit.covariance @ shift))
        place = table.columns.get_indexer(pd.Index(["estimate", "standard_error", "z", "low", "high"]))
        values = [
            intercept,
            error,
            intercept / error,
            intercept - NORMAL_95 * error,
            intercept + NORMAL_95 * error,
        ]
        table.iloc[0, place] = values
        table.loc["intercept", "p"] = float(2 * special.ndtr(-abs(intercept / error)))
        return table


def fit_scorecard(
    frame: pd.DataFrame,
    outcome: pd.Series,
    variables: Sequence[Variable],
    *,
    penalty: Penalty = "flic",
    strength: float = 1.0,
    bounds: Mapping[str, float] | None = None,
    lgd: float | None = None,
    derived: Sequence[DerivedColumn] = (),
    points: Points | None = None,
    weights: Floats | None = None,
) -> Scorecard:
    """Fit a PD scorecard; `outcome` is 1 for a default, `weights` (n,) have mean 1.

    Raises InputError: faults of the variables, one class only, separation with penalty none, bad bounds.
    """
    checked = check_bounds(bounds or {})
    frame = derive(frame, derived)
    made, fit = _fitted(fit_logit, frame, outcome, variables, weights, (penalty, strength))
    reference = reference_of(made, special.expit(fit.linear(made.matrix)), weights)
    means = np.average(made.matrix, axis=0, weights=weights)
    return Scorecard(made.preparation, fit, checked, lgd, tuple(derived), points, means, reference)


def _fitted(
    fit: Callable[..., Found],
    frame: pd.DataFrame,
    outcome: pd.Series,
    variables: Sequence[Variable],
    weights: Floats | None,
    penalty: tuple[Penalty, float],
    near: tuple[Preparation, Floats] | None = None,
) -> tuple[Prepared, Found]:
    """The data as they are read, and what `fit` finds, on one thread: more would wait for one another.

    The search begins `near` the coefficients of much the same rows, where there are some.
    """
    y = outcome.to_numpy(dtype=float, na_value=np.nan)
    with threadpool_limits(1, user_api="blas"):
        made = prepared(frame, variables, y, weights, before_cuts=near is None)
        start = None if near is None else _carried(*near, made.preparation)
        return made, fit(made.matrix, y, made.preparation.names, *penalty, weights=weights, start=start)


def _carried(before: Preparation, coefficients: Floats, now: Preparation) -> Floats:
    """(k + 1,) `coefficients` (k + 1,) as columns measured from other means, by other units, have them."""
    slopes = coefficients[1:] / before.scales
    intercept = coefficients[0] - slopes @ before.centres
    of_each = dict(zip(before.names, slopes.tolist(), strict=True))
    carried = np.array([of_each.get(name, 0.0) for name in now.names])
    return np.concatenate([[intercept + carried @ now.centres], carried * now.scales])


def out_of_fold_pd(
    frame: pd.DataFrame,
    outcome: pd.Series,
    variables: Sequence[Variable],
    *,
    penalty: Penalty = "flic",
    strength: float = 1.0,
    folds: int = 5,
    seed: int = 0,
    weights: Floats | None = None,
    grown: Callable[[Rows], Rows] | None = None,
    whole: Scorecard | None = None,
) -> Floats:
    """(n,) PD of each row by a scorecard fitted without its fold, preparation included.

    `grown` adds to the rows that a fold is fitted to; the search begins at the fit to all rows, the `whole`.
    """
    fold = stratified_folds(outcome.to_numpy(), folds, seed)
    out = np.empty(len(frame))
    near = None if whole is None else (whole.preparation, whole.fit.coefficients)

    def fit_without(k: int) -> None:
        nonlocal near
        seen, held = fold != k, fold == k
        rows = rows_where(frame, seen), outcome[seen], part(weights, seen)
        learnt, y, own = rows if grown is None else grown(rows)
        made, coefficients = _fitted(coefficients_of, learnt, y, variables, own, (penalty, strength), near)
        near = made.preparation, coefficients
        matrix = made.preparation.matrix(rows_where(frame, held))
        out[held] = special.expit(coefficients[0] + weighted_sum(matrix, coefficients[1:]))

    each_fold(folds, fit_without)
    return out


def grade_of(pd_: Floats, bounds: Mapping[str, float]) -> pd.Categorical[str]:
    """The first grade whose bound the PD does not exceed."""
    codes = np.searchsorted(np.array(list(bounds.values())), pd_, side="left")
    return pd.Categorical.from_codes(np.minimum(codes, len(bounds) - 1), pd.Index(list(bounds)), ordered=True)


def check_bounds(bounds: Mapping[str, float], place: str = "bounds") -> dict[str, float]:
    """Bounds that rise and end at 1. Raises InputError, whose faults are at `place`."""
    if not bounds:
        return {}
    values = list(bounds.values())
    faults = []
    if any(not 0 < value <= 1 for value in values):
        faults.append(Fault("a bound lies outside (0, 1]", "bounds are probabilities", field=place))
    if any(b <= a for a, b in itertools.pairwise(values)):
        faults.append(
            Fault("the bounds do not rise", "list grades best first, each with its highest PD", field=place)
        )
    if values[-1] != 1:
        faults.append(Fault(f"the last bound is {values[-1]:g}", "the last grade ends at 1", field=place))
    if faults:
        raise InputError.of(faults, "Grade bounds")
    return dict(bounds)
