"""Mean, quantiles, VaR and CVaR of simulated years, each with an interval of confidence.

VaR at level alpha is the smallest value that a share alpha of the years does not exceed. CVaR is
VaR + mean of (x - VaR)+ / (1 - alpha) (Rockafellar and Uryasev), the mean of the worst 1 - alpha.
Intervals hold 95 % each: VaR's between order statistics, from the binomial number of years below it,
whatever the distribution; the mean's by its standard error; CVaR's by that of the excess, corrected for its
skewness (Hall, On the removal of skewness by transformation, 1992) with Student's quantile for the years
beyond, of which there must be ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from allocator.records.estimate import Estimate
from allocator.records.portfolio import Floats

LEVELS = (0.95, 0.99, 0.999)
_QUANTILES = (0.01, 0.05, 0.5, 0.95, 0.99)
CONFIDENCE = 0.95
FEWEST = 10
"""Years beyond a level from which its CVaR has an interval."""
_NO_SKEW = 1e-9


@dataclass(frozen=True)
class Tail:
    """The worst years at one level."""

    level: float
    var: Estimate
    cvar: Estimate


@dataclass(frozen=True)
class Distribution:
    """One figure over the years, in its own unit."""

    mean: float
    sd: float
    standard_error: float
    """Standard error of the mean."""
    quantiles: tuple[tuple[float, float], ...]
    """Level, value."""
    tails: tuple[Tail, ...]
    """VaR and CVaR of the figure's large values, by level."""


def distribution(
    values: Floats, levels: Sequence[float] = LEVELS, quantiles: Sequence[float] = _QUANTILES
) -> Distribution:
    """The distribution of `values` (years,)."""
    ordered = np.sort(values)
    sd = float(np.std(values, ddof=1))
    return Distribution(
        mean=float(np.mean(values)),
        sd=sd,
        standard_error=sd / float(np.sqrt(len(values))),
        quantiles=tuple((level, _quantile(ordered, level)) for level in quantiles),
        tails=tuple(
            Tail(level, value_at_risk(ordered, level), tail_mean(ordered, level)) for level in levels
        ),
    )


def value_at_risk(ordered: Floats, level: float) -> Estimate:
    """VaR of ascending values."""
    n, beyond = len(ordered), (1.0 - CONFIDENCE) / 2
    low, high = _binomial(beyond, n, level), _binomial(1.0 - beyond, n, level) + 1
    return Estimate(
        _quantile(ordered, level),
        float(ordered[low - 1]) if low >= 1 else float("nan"),
        float(ordered[high - 1]) if high <= n else float("nan"),
    )


def tail_mean(ordered: Floats, level: float) -> Estimate:
    """CVaR of ascending values."""
    n, var = len(ordered), _quantile(ordered, level)
    excess = np.maximum(ordered - var, 0.0) / (1.0 - level)
    value = var + float(np.mean(excess))
    beyond = round(n * (1.0 - level), 6)
    if beyond < FEWEST:
        return Estimate(value, float("nan"), float("nan"))
    quantile = float(special.stdtrit(beyond - 1, 0.5 + CONFIDENCE / 2))
    error, skew = float(np.std(excess, ddof=1)) / float(np.sqrt(n)), _skewness(excess) / float(np.sqrt(n))
    return Estimate(
        value, value - error * _halls_t(quantile, skew), value - error * _halls_t(-quantile, skew)
    )


def _skewness(values: Floats) -> float:
    """Third central moment over that of the standard deviation; 0 where all values are one."""
    spread = float(np.std(values))
    return float(np.mean((values - np.mean(values)) ** 3)) / spread**3 if spread > 0 else 0.0


def _halls_t(quantile: float, skew: float) -> float:
    """Studentised mean t of which Hall's t + a t^2 / 3 + a^2 t^3 / 27 + a / 6 is `quantile`; a: `skew`."""
    if abs(skew) < _NO_SKEW:
        return quantile
    return 3.0 / skew * (float(np.cbrt(1.0 + skew * (quantile - skew / 6.0))) - 1.0)


def tail_weights(values: Floats, level: float) -> Floats:
    """(years,) weights that sum to 1 and make CVaR the weighted mean of `values`."""
    n = len(values)
    order = np.argsort(values, kind="stable")
    share = np.clip(1.0 - (np.arange(n, 0, -1) - 1) / (n * (1.0 - level)), 0.0, 1.0 / (n * (1.0 - level)))
    weights = np.zeros(n)
    weights[order] = share
    return weights


def share_below(values: Floats, line: float) -> Estimate:
    """Share of the years below `line`, with the exact (Clopper-Pearson) interval."""
    n, below = len(values), int(np.count_nonzero(values < line))
    interval = _clopper_pearson(below, n)
    return Estimate(below / n, *interval)


def _clopper_pearson(count: int, n: int) -> tuple[float, float]:
    beyond = (1.0 - CONFIDENCE) / 2
    low = float(special.betaincinv(count, n - count + 1, beyond)) if count else 0.0
    high = float(special.betaincinv(count + 1, n - count, 1.0 - beyond)) if count < n else 1.0
    return low, high


def _binomial(share: float, n: int, p: float) -> int:
    """The smallest number of n draws of chance p up to which the binomial distribution has `share`."""
    k = int(np.ceil(special.bdtrik(share, n, p)))
    return k - 1 if k > 0 and special.bdtr(k - 1, n, p) >= share else k


def _quantile(ordered: Floats, level: float) -> float:
    """The smallest value that a share `level` of them does not exceed."""
    rank = int(np.ceil(len(ordered) * level - 1e-9))
    return float(ordered[max(rank, 1) - 1])
