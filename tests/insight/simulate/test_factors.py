"""The factors: the large-pool figures, the correlations that were asked for, sums given the factor."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from allocator.insight.simulate.factors import DefaultModel, barrier_pd, draw_factors, expected_given
from allocator.insight.simulate.measures import distribution
from allocator.insight.simulate.record import Risk

GOLDEN = {0.95: (0.062192, 0.089442), 0.99: (0.105587, 0.135971), 0.999: (0.176329, 0.209404)}
"""Level -> VaR and CVaR of PD given the factor, at p 2 % and rho 0.15."""


def test_the_large_pool_has_the_known_tails() -> None:
    n = 1_000_000
    factor = ndtri((np.arange(n) + 0.5) / n)
    found = distribution(barrier_pd(ndtri(np.full(n, 0.02)), factor, 0.15), tuple(GOLDEN))
    assert found.mean == pytest.approx(0.02, rel=1e-5)
    for tail in found.tails:
        var, cvar = GOLDEN[tail.level]
        assert tail.var.value == pytest.approx(var, rel=2e-4)
        assert tail.cvar.value == pytest.approx(cvar, rel=2e-4)
    for level, (var, _) in GOLDEN.items():
        given = barrier_pd(ndtri(np.array([0.02])), -ndtri(level), 0.15)
        assert given[0] == pytest.approx(var, abs=5e-7)


def test_certain_and_impossible_defaults_stay_so() -> None:
    given = barrier_pd(ndtri(np.array([0.0, 1.0])), np.array([[-3.0], [3.0]]), 0.5)
    np.testing.assert_array_equal(given, [[0.0, 1.0], [0.0, 1.0]])


def test_sectors_factors_are_correlated_as_said() -> None:
    factors = draw_factors(Risk(by="sector", between=0.4), 3, 40_000, seed=1)
    np.testing.assert_allclose(factors.std(axis=0), 1.0, atol=0.02)
    np.testing.assert_allclose(np.corrcoef(factors.T), np.eye(3) * 0.6 + 0.4, atol=0.02)
    assert draw_factors(Risk(), 1, 10, seed=1).shape == (10, 1)
    np.testing.assert_array_equal(factors[:100], draw_factors(Risk(by="sector", between=0.4), 3, 100, seed=1))


@pytest.mark.parametrize("rho", [0.0, 0.15, 0.95])
def test_sums_given_the_factor_are_those_of_all_borrowers(rho: float) -> None:
    random = np.random.default_rng(3)
    pd, weight = random.beta(1, 30, 400), random.uniform(0, 1e6, 400)
    pd[:2] = (0.0, 1.0)
    sector = random.integers(0, 2, 400).astype(np.int32)
    factors = draw_factors(Risk(by="sector"), 2, 3_000, seed=2)
    exact = (barrier_pd(ndtri(pd), factors[:, sector], rho) * weight).sum(axis=1)
    found = expected_given(DefaultModel(pd, pd, sector, rho), weight, factors)
    np.testing.assert_allclose(found, exact, rtol=1e-9)
