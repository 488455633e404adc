"""Ordered grades from indicators: the proportional-odds logit (McCullagh 1980).

    P(worse than grade g | x) = logistic(x'b - threshold_g),   thresholds rising from best to worst

fitted by penalised likelihood: -strength/2 sum b^2 on standardised columns. A penalty is needed, not
a taste: with few firms a grade the plain fit runs away as soon as a column separates two grades.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.reading import weighted_sum


@dataclass(frozen=True)
class OrdinalFit:
    """Grades best first; a larger x'b is a worse firm."""

    grades: tuple[str, ...]
    names: tuple[str, ...]
    slopes: Floats
    """(k,)"""
    thresholds: Floats
    """(grades - 1,) ascending."""
    strength: float

    def probabilities(self, x: Floats) -> Floats:
        """(n, grades) probability of each grade; rows sum to 1."""
        return _probabilities(weighted_sum(x, self.slopes), self.thresholds)


def fit_ordinal(
    x: Floats, grade: Integers, names: Sequence[str], grades: Sequence[str], strength: float = 1.0
) -> OrdinalFit:
    """Fit grade (n,), indices into `grades` (best first), on standardised x (n, k).

    Raises InputError where a grade has no firm.
    """
    from scipy import optimize

    counts = np.bincount(grade, minlength=len(grades))
    faults = empty_grades(counts, grades)
    if faults:
        raise InputError.of(faults, "Grades")
    k, cuts = x.shape[1], len(grades) - 1
    start = special.logit(np.cumsum(counts)[:-1] / counts.sum())
    theta = np.concatenate([np.zeros(k), [start[0]], np.log(np.diff(start))])
    optimum = optimize.minimize(
        _objective, theta, args=(x, grade, cuts, strength), jac=True, method="BFGS", options={"gtol": 1e-6}
    )
    return OrdinalFit(tuple(grades), tuple(names), optimum.x[:k], _thresholds(optimum.x[k:]), strength)


def empty_grades(counts: Integers, grades: Sequence[str]) -> list[Fault]:
    """A fault for each of the `grades` (g,) that no firm has, of `counts` (g,) firms."""
    return [
        Fault(f"no firm has the grade {name}", "give firms of every grade, or fit fewer grades")
        for name, count in zip(grades, counts, strict=True)
        if count == 0
    ]


def _thresholds(free: Floats) -> Floats:
    """Ascending thresholds from the first one and the logarithms of the steps."""
    return np.concatenate([free[:1], free[0] + np.cumsum(np.exp(free[1:]))])


def _probabilities(index: Floats, thresholds: Floats) -> Floats:
    below = special.expit(thresholds[None, :] - index[:, None])
    edges = np.column_stack([np.zeros(len(index)), below, np.ones(len(index))])
    return np.diff(edges, axis=1)


def _objective(theta: Floats, x: Floats, grade: Integers, cuts: int, strength: float) -> tuple[float, Floats]:
    """Penalised negative log-likelihood and its gradient."""
    k = x.shape[1]
    slopes, thresholds = theta[:k], _thresholds(theta[k:])
    edges = np.concatenate([[-np.inf], thresholds, [np.inf]])
    index = x @ slopes
    upper, lower = special.expit(edges[grade + 1] - index), special.expit(edges[grade] - index)
    p = np.maximum(upper - lower, 1e-300)
    d_upper, d_lower = upper * (1 - upper) / p, lower * (1 - lower) / p
    by_edge = np.bincount(grade + 1, d_upper, cuts + 2) - np.bincount(grade, d_lower, cuts + 2)
    by_threshold = by_edge[1:-1]
    steps = np.exp(theta[k + 1 :])
    by_step = np.cumsum(by_threshold[::-1])[::-1][1:] * steps
    gradient = np.concatenate([x.T @ (d_lower - d_upper), [by_threshold.sum()], by_step])
    gradient[:k] -= strength * slopes
    value = float(np.log(p).sum() - 0.5 * strength * slopes @ slopes)
    return -value, -gradient
