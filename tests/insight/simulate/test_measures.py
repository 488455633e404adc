"""Quantiles, tails and their intervals against distributions that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from allocator.insight.simulate.measures import (
    distribution,
    share_below,
    tail_mean,
    tail_weights,
    value_at_risk,
)


def test_the_tail_of_a_hundred_numbers() -> None:
    values = np.arange(1.0, 101.0)
    assert value_at_risk(values, 0.95).value == 95.0
    assert tail_mean(values, 0.95).value == pytest.approx(np.mean([96, 97, 98, 99, 100]))
    assert tail_mean(values, 0.955).value == pytest.approx((0.5 * 96 + 97 + 98 + 99 + 100) / 4.5)
    assert np.isnan(value_at_risk(values, 0.99).high)  # a hundred years are too few for that end


@pytest.mark.parametrize("level", [0.9, 0.955, 0.99])
def test_weights_make_the_tail_mean(level: float) -> None:
    values = np.random.default_rng(1).lognormal(size=333)
    weights = tail_weights(values, level)
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ values == pytest.approx(tail_mean(np.sort(values), level).value)
    assert weights.min() >= 0.0


def test_an_exponential_has_its_moments_and_tails() -> None:
    found = distribution(np.random.default_rng(5).exponential(size=200_000), (0.95, 0.99))
    assert abs(found.mean - 1.0) < 4 * found.standard_error
    assert found.sd == pytest.approx(1.0, rel=0.02)
    for tail in found.tails:  # VaR = -ln(1 - level), CVaR = VaR + 1
        var = -np.log(1 - tail.level)
        assert tail.var.low <= var <= tail.var.high
        assert tail.cvar.low <= var + 1 <= tail.cvar.high


@pytest.mark.full
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_intervals_hold_as_often_as_they_say(level: float) -> None:
    random = np.random.default_rng(9)
    var = -np.log(1 - level)
    held = np.zeros(2)
    for _ in range(1_000):
        ordered = np.sort(random.exponential(size=5_000))
        for at, (estimate, true) in enumerate(
            [(value_at_risk(ordered, level), var), (tail_mean(ordered, level), var + 1)]
        ):
            held[at] += estimate.low <= true <= estimate.high
    assert 0.93 <= held[0] / 1_000 <= 0.98
    assert 0.93 <= held[1] / 1_000 <= 0.98


@pytest.mark.parametrize(("years", "level"), [(1_000, 0.95), (1_000, 0.99), (10_000, 0.999)])
def test_the_interval_of_a_skew_tail_holds_even_with_few_years_beyond(years: int, level: float) -> None:
    """Losses of many small loans under one factor (Vasicek): few years beyond, and a long tail."""
    random = np.random.default_rng(3)

    def losses(count: int) -> np.ndarray:
        return norm.cdf((norm.ppf(0.02) + np.sqrt(0.15) * random.standard_normal(count)) / np.sqrt(0.85))

    true = tail_mean(np.sort(losses(4_000_000)), level).value
    found = [tail_mean(np.sort(losses(years)), level) for _ in range(400)]
    held = np.mean([one.low <= true <= one.high for one in found])
    assert held >= 0.92


def test_too_few_years_beyond_have_no_interval() -> None:
    found = tail_mean(np.sort(np.random.default_rng(3).exponential(size=999)), 0.99)
    assert np.isfinite(found.value)
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_shares_have_exact_intervals() -> None:
    never = share_below(np.ones(100), 0.0)
    assert (never.value, never.low) == (0.0, 0.0)
    assert never.high == pytest.approx(1 - 0.025 ** (1 / 100))
    half = share_below(np.arange(100.0), 50.0)
    assert half.value == 0.5
    assert half.low == pytest.approx(0.3983, abs=1e-3)
