"""Intervals of slope and intercept end where the likelihood has fallen, reckoned without their code."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special

from allocator.scoring.calibration import MANY, calibration

NORMAL = 1.959963984540054


def draw(n: int, rate: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes, and log-odds that are spread 1.3 times too far."""
    generator = np.random.default_rng(seed)
    true = special.logit(rate) + generator.normal(size=n)
    return (generator.random(n) < special.expit(true)).astype(float), 0.3 + 1.3 * true


def likelihood(y: np.ndarray, linear: np.ndarray) -> float:
    return float(y @ linear - np.logaddexp(0, linear).sum())


def penalised(y: np.ndarray, odds: np.ndarray, slope: float) -> float:
    """Firth's, the constant such that the mean PD is the default rate."""

    def gap(constant: float) -> float:
        return float(special.expit(constant + slope * odds).mean() - y.mean())

    linear = slope * odds + optimize.brentq(gap, -50, 50, xtol=1e-13)
    p = special.expit(linear)
    design = np.column_stack([np.ones(len(y)), odds])
    return likelihood(y, linear) + 0.5 * np.linalg.slogdet((design.T * (p * (1 - p))) @ design)[1]


def test_few_defaults_tell_a_slope_by_the_penalised_likelihood() -> None:
    y, odds = draw(400, 0.04)
    found = calibration(y, special.expit(odds)).slope
    for end in (found.low, found.high):
        fallen = 2 * (penalised(y, odds, found.value) - penalised(y, odds, end))
        assert fallen == pytest.approx(NORMAL**2, rel=1e-6)
    assert found.high - found.value > found.value - found.low  # not the same on both sides, as Wald's is


@pytest.mark.parametrize("spread", [0.6, 1.3])
def test_the_intercept_goes_by_the_larger_variance(spread: float) -> None:
    y, odds = draw(400, 0.04)
    odds = odds * spread / 1.3
    found = calibration(y, special.expit(odds)).intercept
    p = special.expit(odds + found.value)
    assert p.sum() == pytest.approx(y.sum())
    model, own = (p * (1 - p)).sum(), ((y - p) ** 2).sum()
    for end in (found.low, found.high):
        fallen = 2 * (likelihood(y, odds + found.value) - likelihood(y, odds + end))
        assert fallen == pytest.approx(NORMAL**2 * max(own, model) / model, rel=1e-6)


def test_many_defaults_tell_them_by_the_curvature_which_is_as_wide() -> None:
    y, odds = draw(20_000, 0.06)
    assert y.sum() > MANY
    found = calibration(y, special.expit(odds))
    assert found.slope.high - found.slope.value == pytest.approx(found.slope.value - found.slope.low)
    few = calibration(y[:10_000], special.expit(odds[:10_000]))
    assert y[:10_000].sum() < MANY
    for more, fewer in ((found.slope, few.slope), (found.intercept, few.intercept)):
        assert more.high - more.low == pytest.approx((fewer.high - fewer.low) * np.sqrt(0.5), rel=0.06)


def test_separated_outcomes_have_a_slope_that_may_be_any_above() -> None:
    odds = np.linspace(-3, 3, 40)
    found = calibration((odds > 0.5).astype(float), special.expit(odds)).slope
    assert 0 < found.low < found.value < found.high < np.inf
