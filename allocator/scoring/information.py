"""The information X' W X of a weighted fit, the leverages of its rows and the correlations of its columns, by
parts that stay in the cache."""

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


def correlations(matrix: Floats) -> Floats:
    """(k, k) of the columns of matrix (n, k), none of them constant."""
    means = matrix.mean(axis=0)
    out = np.zeros((matrix.shape[1], matrix.shape[1]))
    for rows in _parts(len(matrix)):
        part = matrix[rows] - means
        out += part.T @ part
    norms = np.sqrt(np.diag(out))
    return out / norms / norms[:, None]


def leverages(design: Floats, weight: Floats, whole: Floats) -> Floats:
    """(n,) diagonal of the hat matrix W^1/2 X (`whole`)^-1 X' W^1/2; `whole` (k, k) is the information."""
    out = np.empty(len(weight))
    try:
        root = np.ascontiguousarray(np.linalg.inv(np.linalg.cholesky(whole)).T)
    except np.linalg.LinAlgError:  # singular to the last digit, as near separation
        inverse = np.linalg.inv(whole)
        for rows in _parts(len(weight)):
            out[rows] = np.einsum("ij,ij->i", design[rows] @ inverse, design[rows])
        return out * weight
    for rows in _parts(len(weight)):
        part = design[rows] @ root  # BLAS takes twice as long over one that knows it is triangular
        out[rows] = np.einsum("ij,ij->i", part, part)
    return out * weight


def _parts(rows: int) -> Iterator[slice]:
    return (slice(first, first + PART) for first in range(0, rows, PART))
