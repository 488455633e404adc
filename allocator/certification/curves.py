"""Churn curves smoothed in rational numbers: averages are those of the file's own binary64 numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from allocator.records.portfolio import Floats


def isotonic(churn: Sequence[float]) -> list[Fraction]:
    """The nearest rising curve in least squares, by pooling adjacent violators (Ayer and others, 1955)."""
    pools: list[tuple[Fraction, int]] = []
    for value in churn:
        total, count = Fraction(float(value)), 1
        while pools and pools[-1][0] * count >= total * pools[-1][1]:
            before, members = pools.pop()
            total, count = total + before, count + members
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]


def smoothed(churn: Floats, smoothing: str) -> Floats:
    """(K,) `churn` as it is, or the rising curve, each average rounded once."""
    if smoothing == "none":
        return churn
    return np.array([float(value) for value in isotonic(churn.tolist())])
