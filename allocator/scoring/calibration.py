"""Whether PDs are right: slope and intercept of recalibration (Cox 1958), with intervals by the likelihood.

An interval holds the values x whose log-likelihood l is near that of the fit,

    2 (l(fit) - l(x)) <= t^2 v / v_model

which follows its shape, as Wald's, by the curvature at the fit, does not with few defaults (Heinze and
Schemper 2002). v is the variance: of a slope the model's, in weights the sandwich's (Huber 1967); of an
intercept the larger of the two, as the slope that it holds at 1 need not be right, and with few defaults
either alone may be too small by chance. From MANY rows of the rarer outcome on the likelihood has the shape
of its curvature, and the interval is Wald's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from allocator.records.estimate import Estimate
from allocator.records.portfolio import Floats
from allocator.scoring.logit import NORMAL_95, fit_logit, likelihood_at, shift_to
from allocator.scoring.validation import TINY, require_both
from allocator.scoring.weighting import alike, effective, mean

MANY = 1000
"""Rows of the rarer outcome."""
_TRIED = 60
_CLOSE = 1e-9


@dataclass(frozen=True)
class Calibration:
    """Logit of the outcome on the score's log-odds: slope 1 and intercept 0 are perfect."""

    slope: Estimate
    intercept: Estimate
    """With the slope held at 1: above 0 where PDs are too low on the whole."""


def calibration(outcome: Floats, pd_: Floats, weights: Floats | None = None) -> Calibration:
    """Slope and intercept of PDs (n,) with 95 % intervals; use those out of fold.

    PDs that are all equal have no slope: NaN. Raises InputError where there is one class only or a PD that
    is not finite.
    """
    require_both(outcome, pd_)
    odds = special.logit(np.clip(pd_, TINY, 1 - TINY))
    counts = np.ones(len(odds)) if weights is None else weights * (effective(len(odds), weights) / len(odds))
    slope = Estimate(np.nan, np.nan, np.nan) if alike(odds) else _slope(outcome, odds, counts, weights)
    return Calibration(slope, _intercept(outcome, odds, counts))


def _slope(outcome: Floats, odds: Floats, counts: Floats, weights: Floats | None) -> Estimate:
    """The slope of Firth's fit, and where its penalised likelihood, the intercept free, has fallen.

    With weights the quantile is Student's, as few rows may carry the sandwich's error.
    """
    fit = fit_logit(odds[:, None], outcome, ["slope"], penalty="flic", weights=weights)
    value, rate = float(fit.coefficients[1]), mean(outcome, weights)
    p = special.expit(fit.linear(odds[:, None]))
    model = float(1 / np.sqrt(_spread(odds, counts * p * (1 - p))[1]))
    error, quantile = model, NORMAL_95
    if weights is not None:
        error = float(np.sqrt(fit.covariance[1, 1]))
        quantile = float(special.stdtrit(max(_rarer(outcome, weights) - 1, 1), 0.975))

    def likelihood(slope: float) -> float:
        linear = slope * odds
        linear = linear + shift_to(linear, rate, weights)
        p = special.expit(linear)
        sums = _spread(odds, counts * p * (1 - p))
        penalty = 0.5 * np.log(sums).sum() if min(sums) > 0 else -np.inf
        return likelihood_at(linear, outcome, counts) + float(penalty)

    few = _rarer(outcome, weights) < MANY
    return _estimate(value, model, quantile * error, likelihood if few else None)


def _intercept(outcome: Floats, odds: Floats, counts: Floats) -> Estimate:
    """The constant that makes the mean PD the observed share."""
    value = shift_to(odds, mean(outcome, counts), counts)
    p = special.expit(value + odds)
    varies = p * (1 - p)
    model = float(1 / np.sqrt(counts @ varies))
    own = max(float(counts**2 @ varies), float(counts**2 @ (outcome - p) ** 2))
    few = _rarer(outcome, counts) < MANY
    likelihood = (lambda shift: likelihood_at(shift + odds, outcome, counts)) if few else None
    return _estimate(value, model, NORMAL_95 * float(np.sqrt(own)) * model**2, likelihood)


def _rarer(outcome: Floats, weights: Floats | None) -> float:
    """What the rows of the rarer outcome are worth."""
    sides = outcome == 1, outcome == 0
    return min(effective(float(rows.sum()), None if weights is None else weights[rows]) for rows in sides)


def _spread(odds: Floats, information: Floats) -> tuple[float, float]:
    """What rows of such `information` (n,) tell of a constant, and of a slope beside it."""
    whole = float(information.sum())
    middle = float(information @ odds) / whole if whole > 0 else 0.0
    return whole, float(information @ (odds - middle) ** 2)


def _estimate(
    value: float, error: float, half: float, likelihood: Callable[[float], float] | None
) -> Estimate:
    """`value` with the ends at which the likelihood has fallen as far as a parabola of the model's `error`
    would in `half`; that parabola's where none is given."""
    if likelihood is None:
        return Estimate(value, value - half, value + half)
    top, bound = likelihood(value), half / error

    def fall(x: float) -> float:
        return float(np.sqrt(max(2 * (top - likelihood(x)), 0.0))) - bound

    return Estimate(value, _root(fall, value, value - half), _root(fall, value, value + half))


def _root(rises: Callable[[float], float], inside: float, tried: float) -> float:
    """Where a function that is below 0 at `inside` and rises beyond is 0, by secants within a bracket."""
    known, outside, unit = (inside, rises(inside)), None, tried - inside
    for _ in range(_TRIED):
        height = rises(tried)
        if abs(height) < _CLOSE:
            break
        inside, outside = (tried, outside) if height < 0 else (inside, tried)
        known, before = (tried, height), known
        with np.errstate(invalid="ignore", divide="ignore"):
            follows = tried - float(np.divide(height * (tried - before[0]), height - before[1]))
        if outside is None:
            follows = follows if 0 < (follows - inside) / unit < 10 else inside + 2 * unit
        elif not min(inside, outside) < follows < max(inside, outside):
            follows = (inside + outside) / 2
        tried = follows
    return tried
