"""The information X' W X of a weighted fit and the leverages of its rows, by parts that stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from allocator.records.portfolio import Floats

PART = 2048
"""Rows of a design matrix that are multiplied at once."""


def information(design: Floats, weight: Floats) -> Floats:
    """(k, k) X' W X of the design X (n, k) and weights W (n,), 0 or more."""
    root = np.sqrt(weight)
    out = np.zeros((design.shape[1], design.shape[1]))
    for rows in _parts(len(weight)):
        part = design[rows] * root[rows, None]
        out += part.T @ part
    return out


def leverages(design: Floats, weight: Floats, whole: Floats) -> Floats:
    """(n,) diagonal of the hat matrix W^1/2 X (`whole`)^-1 X' W^1/2; `whole` (k, k) is the information."""
    inverse = np.linalg.inv(whole)
    out = np.empty(len(weight))
    for rows in _parts(len(weight)):
        part = design[rows]
        out[rows] = np.einsum("ij,ij->i", part @ inverse, part)
    return out * weight


def _parts(rows: int) -> Iterator[slice]:
    return (slice(first, first + PART) for first in range(0, rows, PART))
