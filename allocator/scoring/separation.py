"""Separation of a 0/1 outcome: some combination of columns tells it for some or all rows without error.

Maximum likelihood then has no finite answer, and what a penalty gives is the penalty's (Albert and Anderson
1984). One column that separates is found by its ends, several together by a linear program.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from allocator.records.portfolio import Floats
from allocator.scoring.information import PART, information

STEPS = 15
_SETTLED = 0.01
"""Change of the log-odds below which Newton's method has an answer."""
_FARTHEST = 12.0
"""Log-odds beyond which its answer is not trusted: a fit with an answer seldom goes there."""
NONE = 1e-6
"""Mean margin, weights at most 1, below which no combination separates."""
NAMED = 0.05
"""Weight, as part of the largest, from which a column belongs to the combination."""
PRUNED = 20_000
"""Rows up to which columns are left out that the others can do without."""


def separating_columns(x: Floats, y: Floats, names: Sequence[str]) -> list[str]:
    """Columns of x (n, k) that separate alone: wholly, or in one of their ends (a dummy of one outcome)."""
    left = np.arange(x.shape[1])
    for rows in (slice(PART), slice(None)):  # what overlaps in a part does in all
        left = left[_apart(x[rows, left], y[rows])]
    return [names[j] for j in left.tolist()]


def _apart(x: Floats, y: Floats) -> np.ndarray:
    """(k,) whether a column's values of one outcome all lie at or beyond those of the other."""
    bad, good = x[y == 1], x[y == 0]
    if not len(bad) or not len(good):
        return np.ones(x.shape[1], dtype=bool)
    return np.asarray((bad.min(axis=0) >= good.max(axis=0)) | (bad.max(axis=0) <= good.min(axis=0)))


def separating_together(
    x: Floats, y: Floats, names: Sequence[str], near: tuple[Floats, Floats] | None = None
) -> list[str]:
    """Columns that separate in combination; none where the likelihood has a finite maximum.

    x (n, k) is standardised; `near` are the coefficients (k + 1,) of a fit, where there is one, and their
    covariance. Separation is a linear program (Konis 2007), which is solved where Newton's method does not
    settle: weights w in [-1, 1] with (2 y - 1) (w_0 + x w) >= 0 in every row and above 0 in some.
    """
    if _settles(x, y, near):
        return []
    weights = _direction(x, y)
    kept = np.flatnonzero(weights > NAMED * weights.max(initial=0))
    if len(x) <= PRUNED:
        for j in kept[np.argsort(weights[kept], kind="stable")].tolist():
            without = kept[kept != j]
            if len(without) and _direction(x[:, without], y).any():
                kept = without
    return [names[j] for j in kept.tolist()]


def _direction(x: Floats, y: Floats) -> Floats:
    """(k,) absolute weights of a combination that separates; 0 where there is none."""
    from scipy import optimize

    margins = np.column_stack([np.ones(len(x)), x]) * (2 * y - 1)[:, None]
    solution = optimize.linprog(
        -margins.mean(axis=0), A_ub=-margins, b_ub=np.zeros(len(x)), bounds=(-1, 1), method="highs"
    )
    if solution.x is None or solution.fun is None or solution.fun >= -NONE:
        return np.zeros(x.shape[1])
    return np.abs(solution.x[1:])


def _settles(x: Floats, y: Floats, near: tuple[Floats, Floats] | None) -> bool:
    """Whether Newton's method finds a maximum of the likelihood, and not far out.

    Near a fit its covariance stands for the inverse of the information while each change is at most half the
    one before.
    """
    design = np.column_stack([np.ones(len(x)), x])
    start, inverse = (np.zeros(design.shape[1]), None) if near is None else near
    coefficients, change = start, np.inf
    for _ in range(STEPS):
        p = special.expit(design @ coefficients)
        score, before = design.T @ (y - p), change
        try:
            step = _newton_step(design, p, score) if inverse is None else inverse @ score
        except np.linalg.LinAlgError:
            return False
        change = float(np.abs(design @ step).max())
        if inverse is not None and not change <= before / 2:
            coefficients, inverse = start, None
            continue
        coefficients = coefficients + step
        if not np.abs(design @ coefficients).max() < _FARTHEST:
            return False
        if change < _SETTLED:
            return True
    return False


def _newton_step(design: Floats, p: Floats, score: Floats) -> Floats:
    return np.asarray(np.linalg.solve(information(design, p * (1 - p)), score))
