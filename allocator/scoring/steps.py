"""Log-odds as a rising step function of log-odds: isotonic recalibration (Zadrozny and Elkan 2002).

Pool adjacent violators finds the runs of rows, in order of log-odds, whose default rates rise. One row more
with the rate of all in each keeps a PD from 0 and 1; where that breaks the order, runs are pooled again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.weighting import effective, mean

FEWEST = 20
"""Defaults, and loans repaid, from which steps are sought."""


@dataclass(frozen=True)
class Steps:
    """A step function: `log_odds[i]` from `cuts[i - 1]` on, that included, up to `cuts[i]`."""

    cuts: tuple[float, ...]
    log_odds: tuple[float, ...]
    """One more than cuts, not falling."""

    def of(self, log_odds: Floats) -> Floats:
        """(n,) the step of each."""
        return np.array(self.log_odds)[np.searchsorted(np.array(self.cuts), log_odds, side="right")]

    def moved(self, slope: float, shift: float) -> Steps:
        """The same steps at shift + slope x their log-odds."""
        return replace(self, log_odds=tuple((shift + slope * np.array(self.log_odds)).tolist()))


def isotonic(log_odds: Floats, y: Floats, weights: Floats | None = None) -> Steps:
    """The steps by which PDs of `log_odds` (n,) are the default rates of y (n,), 1 for a default.

    Rows count by `weights` (n,), of mean 1: as many in the sum as they are worth. Raises InputError where
    there are too few defaults, or loans repaid.
    """
    defaults = int(y.sum())
    if min(defaults, len(y) - defaults) < FEWEST:
        problem = f"{defaults:,} defaults and {len(y) - defaults:,} loans repaid are too few for steps"
        remedy = f"give {FEWEST} of each, or let slope and intercept change"
        raise InputError.of([Fault(problem, remedy)], "Recalibration")
    values, place = np.unique(log_odds, return_inverse=True)
    own = np.ones(len(y)) if weights is None else weights * (effective(len(y), weights) / len(y))
    rows: Floats = np.bincount(place, own).astype(float)
    bad, whole = np.bincount(place, own * y), mean(y, weights)
    first = _runs(bad / rows, rows)
    rows, bad = np.add.reduceat(rows, first), np.add.reduceat(bad, first)
    rates = (bad + whole) / (rows + 1)
    again = _runs(rates, rows + 1)
    ones = np.diff(np.append(again, len(rows)))
    rates = np.add.reduceat(bad + whole, again) / (np.add.reduceat(rows, again) + ones)
    starts = first[again][1:]
    cuts = (values[starts - 1] + values[starts]) / 2
    return Steps(tuple(cuts.tolist()), tuple(special.logit(rates).tolist()))


def _runs(rates: Floats, weights: Floats) -> Integers:
    """Where the runs of the isotonic regression begin."""
    from scipy import optimize

    blocks = optimize.isotonic_regression(rates, weights=weights).blocks
    return np.asarray(blocks[:-1], dtype=np.int64)
