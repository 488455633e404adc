"""Columns of a regression that others determine, wholly or nearly: auxiliary regressions of each on the rest.

Inflation of a column: 1 / (1 - R2) of its auxiliary regression, by which the variance of its coefficient
is larger than it would be alone (Belsley, Kuh and Welsch 1980).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from allocator.records.portfolio import Floats
from allocator.scoring.information import correlations, information

DETERMINED = 1e-4
"""Part of a column's spread that the others leave, at most, for it to be theirs."""
_INFLATED = 10.0
"""Inflation from which a column is named."""
EXACT = 1e-8
_LOST = 1e-4
"""Part of a column's squares about 0 that those about its mean may be, before too many digits are lost."""
_WEIGHTY = 0.1
"""Standardised weight from which another column counts as one of those that nearly determine."""


@dataclass(frozen=True)
class Dependence:
    """A column and those that determine it, nearly or wholly."""

    name: str
    others: tuple[str, ...]
    left: float
    """Part of its spread that they leave: sqrt(1 - R2)."""

    @property
    def problem(self) -> str:
        """The dependence in words, where the column is refused."""
        of = " and ".join(self.others) or "a constant"
        return f"is a combination of {of}" + (
            "" if self.left <= EXACT else f" to {self.left:.1g} of its spread"
        )

    @property
    def warning(self) -> str:
        """The dependence in words, where the column is kept."""
        return (
            f"{self.name} is nearly a combination of {' and '.join(self.others)}: they tell "
            f"{1 - self.left**2:.4%} of its variance, its standard error is {1 / self.left:,.0f} times "
            "what it would be alone; leave one of them out"
        )


def determined_columns(matrix: Floats, names: Sequence[str], spreads: Floats) -> list[Dependence]:
    """Columns of the matrix (n, k) that are combinations of the intercept and the columns before them.

    `spreads` (k,) is what the remainder is measured by: the norm of each column about its mean, or, of
    values that are still to be cut, the norm that they then have.
    """
    if _clearly_free(matrix, spreads):
        return []
    basis = np.full((len(matrix), 1), 1 / np.sqrt(len(matrix)))
    free: list[int] = []
    dependences = []
    for j, name in enumerate(names):
        column = matrix[:, j]
        spread = float(spreads[j])
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        size = float(np.linalg.norm(rest))
        if size <= DETERMINED * spread or spread == 0:
            left = size / spread if spread else 0.0
            weights = np.abs(_weights(matrix[:, free], column)) > max(1e-6, 10 * left)
            dependences.append(Dependence(name, tuple(names[free[i]] for i in np.flatnonzero(weights)), left))
        else:
            basis = np.column_stack([basis, rest / size])
            free.append(j)
    return dependences


def _clearly_free(matrix: Floats, spreads: Floats) -> bool:
    """Whether the others leave much more than DETERMINED of every column, by the factors of X'X (Cholesky).

    Squares have half the digits, enough to tell what is far from the line; what is near is looked at again.
    """
    if not matrix.size or not (spreads > 0).all():
        return False
    whole, means = information(matrix, np.ones(len(matrix))), matrix.mean(axis=0)
    squares = np.diag(whole).copy()
    whole -= len(matrix) * np.outer(means, means)
    if not np.isfinite(squares).all() or (np.diag(whole) <= _LOST * squares).any():
        return False
    norms = np.sqrt(np.diag(whole))
    try:
        left = np.diag(np.linalg.cholesky(whole / np.outer(norms, norms))) * norms / spreads
    except np.linalg.LinAlgError:
        return False
    return bool((left > 10 * DETERMINED).all())


@dataclass(frozen=True)
class Regressors:
    """The columns of a regression, a matrix (n, k) of full rank."""

    matrix: Floats
    names: Sequence[str]

    @cached_property
    def precision(self) -> Floats:
        """(k, k) inverse of the columns' correlations."""
        return np.asarray(np.linalg.inv(correlations(self.matrix)), dtype=np.float64)

    @property
    def inflations(self) -> Floats:
        """(k,) by how much the others inflate the variance of each coefficient."""
        return np.diag(self.precision)


def nearly_determined(columns: Regressors) -> list[Dependence]:
    """Columns whose inflation is INFLATED or more, one for each set of them."""
    names = columns.names
    if len(names) < 2:
        return []
    inverse, inflation = columns.precision, columns.inflations
    covered: set[int] = set()
    dependences = []
    for j in sorted(range(len(names)), key=lambda j: (-round(float(np.log(inflation[j])), 6), -j)):
        if inflation[j] < _INFLATED or j in covered:
            continue
        weights = np.abs(inverse[j] / inverse[j, j])
        others = [k for k in range(len(names)) if k != j and weights[k] >= _WEIGHTY]
        covered |= {j, *others}
        dependences.append(
            Dependence(names[j], tuple(names[k] for k in others), float(1 / np.sqrt(inflation[j])))
        )
    return dependences


def _weights(matrix: Floats, column: Floats) -> Floats:
    """(k,) weights by which columns and a constant combine to `column`, on the scale of their spreads."""
    full = np.column_stack([matrix, np.ones(len(matrix))])
    weights = np.linalg.lstsq(full, column, rcond=None)[0][:-1]
    spread = float(column.std()) or 1.0
    return np.asarray(weights * matrix.std(axis=0) / spread)
