"""Loss given default from what is known of a borrower: means of segments, or a fractional logit.

    segments     mean LGD of the defaulted loans of each segment, those with few pooled
    regression   E[LGD | x] = 1 / (1 + exp(-b0 - b'x)), fitted by the Bernoulli quasi-likelihood, with the
                 covariance that holds whatever the variance (Papke and Wooldridge 1996)

The LGD of a loan is the money lost over the money owed, each defaulted loan counting once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import special
from threadpoolctl import threadpool_limits

from allocator.errors import Fault, InputError
from allocator.records.estimate import Estimate
from allocator.records.portfolio import Floats
from allocator.scoring.bins import OTHER
from allocator.scoring.frequencies import mean_interval
from allocator.scoring.levels import UnseenLevel, levels_of, unseen
from allocator.scoring.logit import LogitFit, fit_fractional
from allocator.scoring.preparation import Preparation
from allocator.scoring.preparing import prepared
from allocator.scoring.reading import DerivedColumn, ImputedVariable, derive, read_through
from allocator.scoring.variables import Variable
from allocator.scoring.weighting import alike, effective, mean, part, standard_error, total

FEWEST = 30
"""Defaulted loans from which a segment has a mean of its own."""


NO_SEGMENT = f"no segment of its own (fewer than {FEWEST} defaulted loans)"


@dataclass(frozen=True)
class Segment:
    """Defaulted loans of a segment, and their mean LGD with its 95 % interval."""

    name: str
    n: int
    mean: float
    low: float
    high: float
    by_money: float
    """Money lost over money owed, in the sum."""


@dataclass(frozen=True)
class SegmentLgd:
    """LGD by the segment that a column names; all loans' mean where it is empty or has no segment."""

    column: str
    segments: tuple[Segment, ...]
    """The last, OTHER, only where rare ones make one of their own."""
    whole: Segment
    """All of them."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(segment.name for segment in self.segments)

    def of(self, frame: pd.DataFrame) -> Floats:
        """(n,) LGD. Raises InputError where the column is missing."""
        if self.column not in frame.columns:
            fault = Fault("the column is missing", "add it, or do without it", field=self.column)
            raise InputError.of([fault], "LGD")
        means = {segment.name: segment.mean for segment in self.segments}
        rest = means.get(OTHER, self.whole.mean)
        levels = levels_of(frame[self.column])
        return np.array([*(means.get(name, rest) for name in levels.names), rest])[levels.codes]

    def imputed(self, frame: pd.DataFrame) -> tuple[ImputedVariable, ...]:
        """The column, where cells of it are empty."""
        empty = levels_of(frame[self.column]).empty
        return (ImputedVariable(self.column, empty, self._rest),) if empty else ()

    def unseen(self, frame: pd.DataFrame) -> tuple[UnseenLevel, ...]:
        """Segments of `frame` that have no mean of their own."""
        lgds, levels = self.of(frame), levels_of(frame[self.column])
        levels_unseen = unseen(self.column, levels, self.names, self._rest, lgds)
        return tuple(replace(level, why=f"has {NO_SEGMENT}", gets="LGD") for level in levels_unseen)

    @property
    def _rest(self) -> str:
        return f"{OTHER}, the rare segments together" if OTHER in self.names else "all loans"


@dataclass(frozen=True)
class RegressionLgd:
    """LGD by a fractional logit of variables."""

    preparation: Preparation
    fit: LogitFit
    """Its covariance is robust; `events` counts the loans with any loss."""
    derived: tuple[DerivedColumn, ...] = ()

    def of(self, frame: pd.DataFrame) -> Floats:
        """(n,) LGD. Raises InputError for a missing or infinite column."""
        matrix = read_through(frame, self.derived, partial(self.preparation.matrix, seen=True))
        return np.asarray(special.expit(self.fit.linear(matrix)))

    def imputed(self, frame: pd.DataFrame) -> tuple[ImputedVariable, ...]:
        """The variables with empty cells."""
        return self.preparation.imputed(derive(frame, self.derived))

    def unseen(self, frame: pd.DataFrame) -> tuple[UnseenLevel, ...]:
        """Levels that the fit has not seen."""
        return self.preparation.unseen(derive(frame, self.derived), None)


LgdCard = SegmentLgd | RegressionLgd


def fit_segments(column: pd.Series, owed: Floats, lost: Floats, weights: Floats | None = None) -> SegmentLgd:
    """Means by the levels of `column` (n,); `owed`, `lost` (n,) of defaulted loans, owed above 0.

    Loans count by `weights` (n,), of mean 1.
    """
    whole = _segment("all", owed, lost, weights)
    levels = levels_of(column)
    own = [name for name, rows in zip(levels.names, levels.counts.tolist(), strict=True) if rows >= FEWEST]
    own = sorted(name for name in own if name != OTHER)
    code = levels.looked_up([own.index(name) if name in own else -1 for name in levels.names], -1)
    groups = [(name, code == i) for i, name in enumerate(own)]
    groups += [(OTHER, code < 0)] if (code < 0).sum() >= FEWEST and own else []
    segments = tuple(_segment(name, owed[rows], lost[rows], part(weights, rows)) for name, rows in groups)
    return SegmentLgd(str(column.name), segments, whole)


def _segment(name: str, owed: Floats, lost: Floats, weights: Floats | None) -> Segment:
    share = mean_of(lost / owed, weights)
    by_money = total(lost, weights) / total(owed, weights)
    return Segment(name, len(owed), share.value, share.low, share.high, by_money)


def mean_of(shares: Floats, weights: Floats | None = None) -> Estimate:
    """Mean of shares (n,) in [0, 1] with its 95 % interval."""
    return Estimate(mean(shares, weights), *mean_interval(shares, weights))


def bias_of(lost: Floats, foreseen: Floats, weights: Floats | None = None) -> Estimate:
    """Mean of what n loans lost less what was foreseen of them, its 95 % interval by Student's t.

    Its ends are NaN where the differences are all alike, and rounding is no difference.
    """
    off = lost - foreseen
    if alike(off):
        return Estimate(0.0 if alike(np.append(off, 0.0)) else mean(off, weights), np.nan, np.nan)
    middle, worth = mean(off, weights), effective(len(off), weights)
    half = float(special.stdtrit(worth - 1, 0.975)) * standard_error(off, weights)
    return Estimate(middle, middle - half, middle + half)


def fit_regression(
    frame: pd.DataFrame,
    shares: Floats,
    variables: Sequence[Variable],
    derived: Sequence[DerivedColumn] = (),
    weights: Floats | None = None,
) -> RegressionLgd:
    """A fractional logit of `shares` (n,), the LGDs of defaulted loans, on `variables`.

    Loans count by `weights` (n,), of mean 1.

    Raises InputError: faults of the variables, no loss at all or nothing but whole ones, bins.
    """
    binned = [variable.name for variable in variables if variable.bins is not None]
    faults = [Fault("bins are of defaults, not of losses", "leave them out", field=name) for name in binned]
    if faults:
        raise InputError.of(faults, "Variables")
    made = derive(frame, derived)
    with threadpool_limits(1, user_api="blas"):
        ready = prepared(made, variables, None, weights)
        fit = fit_fractional(ready.matrix, shares, ready.preparation.names, weights)
    return RegressionLgd(ready.preparation, fit, tuple(derived))
