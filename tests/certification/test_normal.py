"""The normal distribution of arrays, against the library of C and decimals, to the errors that are stated."""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import erfc, inf, sqrt

import numpy as np

from allocator.certification.normal import below, below_in_decimals, quantile, quantile_in_decimals


def test_below_is_that_of_the_error_function() -> None:
    x = np.concatenate(
        [np.random.default_rng(0).normal(0.0, 3.0, 4_000), [-inf, -40.0, -9.0, 1 / 128, 9.0, inf]]
    )
    expected = np.array([erfc(-one / sqrt(2.0)) / 2.0 for one in x.tolist()])
    assert np.max(np.abs(below(x) - expected)) <= 4e-15
    with localcontext(prec=50):
        assert float(below_in_decimals(Decimal("0.7"))) == below(0.7)


def test_quantiles_lie_within_what_is_stated() -> None:
    draw = np.random.default_rng(1).random(30)
    p = np.concatenate(
        [draw, np.maximum(draw**20, 1e-15), 1.0 - draw**9, [1e-16, 0.5, 0.925, 1.0 - 2.0**-53]]
    )
    with localcontext(prec=50):
        expected = np.array([float(quantile_in_decimals(Decimal(one))) for one in p.tolist()])
    assert np.all(np.abs(quantile(p) - expected) <= 3e-15 * np.abs(expected) + 1e-16)
    assert quantile(1.0) == inf
    assert quantile(0.0) < -37.0
