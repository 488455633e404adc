"""Factors that defaults share, and PD given them (docs/formulation.md, section 6, after Vasicek).

Borrower i of sector s defaults where sqrt(rho) Y_s + sqrt(1 - rho) e_i < G(p_i), with
Y_s = sqrt(c) M + sqrt(1 - c) S_s; M, S_s and e_i are independent standard normals and G is the normal
quantile. So two borrowers of a sector have asset correlation rho, of two sectors rho c, and given Y_s

    p_i(Y_s) = N((G(p_i) - sqrt(rho) Y_s) / sqrt(1 - rho)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from allocator.insight.simulate.record import Risk
from allocator.insight.simulate.streams import FACTORS, stream
from allocator.records.portfolio import Codes, Floats

_SLICE = 20_000
"""Borrowers at a time where a function of the factor is added up over them."""


@dataclass(frozen=True)
class DefaultModel:
    """How n borrowers default; arrays of shape (n,)."""

    pd: Floats
    lgd: Floats
    sector: Codes
    """Which factor is the borrower's."""
    rho: float

    @property
    def barrier(self) -> Floats:
        """G(p): -inf at 0, inf at 1."""
        barrier: Floats = ndtri(self.pd)
        return barrier


def barrier_pd(barrier: Floats, factor: Floats | float, rho: float) -> Floats:
    """PD given the factor, from G(p); shapes broadcast."""
    given: Floats = ndtr((barrier - np.sqrt(rho) * np.asarray(factor)) / np.sqrt(1.0 - rho))
    return given


def draw_factors(risk: Risk, sectors: int, years: int, seed: int) -> Floats:
    """(years, sectors) factors Y_s; the first years of more years are the same."""
    drawn = stream(seed, FACTORS, 0).standard_normal((years, 1 + sectors))
    if risk.by is None:
        return drawn[:, :1]
    market, own = drawn[:, :1], drawn[:, 1:]
    factors: Floats = np.sqrt(risk.between) * market + np.sqrt(1.0 - risk.between) * own
    return factors


def expected_given(model: DefaultModel, weight: Floats, factors: Floats) -> Floats:
    """(years,) sum_i weight_i p_i(Y_s(i)): for each sector a smooth function of one number.

    It is interpolated at Chebyshev points, as many as its steepness needs (sampled to 1e-9 of itself).
    """
    total = np.zeros(len(factors))
    for code in range(factors.shape[1]):
        own = np.flatnonzero((model.sector == code) & (weight != 0.0))
        if len(own):
            total += _interpolated(model.barrier[own], weight[own], factors[:, code], model.rho)
    return total


def _interpolated(barrier: Floats, weight: Floats, factor: Floats, rho: float) -> Floats:
    low, high = float(factor.min()), float(factor.max())

    def exact(points: Floats) -> Floats:
        total = np.zeros(len(points))
        for start in range(0, len(barrier), _SLICE):
            part = slice(start, start + _SLICE)
            given = barrier_pd(barrier[part, None], points[None, :], rho)
            total += np.einsum("i,iz->z", weight[part], given)
        return total

    degree = 24 + int(12.0 * (high - low) / 2 * np.sqrt(rho / (1.0 - rho)))
    if degree + 1 >= len(factor) or high == low:
        return exact(factor)
    curve = np.polynomial.Chebyshev.interpolate(exact, degree, domain=[low, high])
    value: Floats = curve(factor)
    return value
