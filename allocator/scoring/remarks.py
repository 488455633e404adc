"""What a fit says of its data, one remark a cause: codes, rare and twin levels, dependence, separation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import row_count
from allocator.records.portfolio import Floats
from allocator.scoring.collinearity import Regressors, nearly_determined
from allocator.scoring.levels import twin_levels
from allocator.scoring.preparation import LearntColumn, Preparation
from allocator.scoring.rating import Rating
from allocator.scoring.reading import DerivedColumn, derive
from allocator.scoring.rules import IndicatorRule, standardise
from allocator.scoring.rules import special_codes as codes_of_rule
from allocator.scoring.scorecard import Scorecard
from allocator.scoring.separation import separating_columns, separating_together
from allocator.scoring.variables import NumberColumn, cells_of, own_states, special_codes

_ALMOST_ALL = 0.99
"""AUC from which a fit is asked whether it knows the outcome."""
_LOOSE = 5.0
"""Standard error of a standardised coefficient from which the data hardly tell it."""
_TWINS = 0.99
"""Correlation from which two indicators of a rating are one counted twice."""
LEAK = "see whether it is known only after the default; if so it is a leak, not skill"


def on_logit(frame: pd.DataFrame, y: Floats, card: Scorecard, columns: Regressors, auc: float) -> list[str]:
    """Remarks on a logit of y (n,) fitted to `columns` of `frame`, whose AUC out of fold is `auc`."""
    matrix, names = columns.matrix, columns.names
    remarks = _on_columns(derive(frame, card.derived), card.preparation)
    remarks += [dependence.warning for dependence in nearly_determined(columns)]
    remarks += _slips(frame, card.derived)
    apart = _separation(matrix, y, card)
    remarked = {name for name in names if any(name in remark.split(": ")[0] for remark in [*remarks, *apart])}
    errors = np.sqrt(np.diag(card.fit.covariance))[1:] * matrix.std(axis=0)
    remarks += apart
    remarks += [
        f"{name}: its standard error is {error:.3g} on the scale of one standard deviation: the data hardly "
        "tell its coefficient"
        for name, error in zip(names, errors, strict=True)
        if error > _LOOSE and name not in remarked
    ]
    return remarks + _too_good(auc, bool(apart))


def _on_columns(frame: pd.DataFrame, preparation: Preparation) -> list[str]:
    """Remarks on the columns of a regression, whatever its outcome."""
    remarks = []
    for column in preparation.columns:
        remarks += _codes(column.variable.name, special_codes(column.variable, frame))
        remarks += _levels(column, frame) + _unflagged(column, frame)
    return remarks


def on_rating(
    frame: pd.DataFrame, y: Floats, rating: Rating, rules: Sequence[IndicatorRule], auc: float
) -> list[str]:
    """Remarks on a rating fitted to `frame` by some of `rules`; `auc` is out of fold."""
    made = derive(frame, rating.derived)
    remarks = [line for rule in rules for line in _codes(rule.name, codes_of_rule(made, rule))]
    remarks += _slips(frame, rating.derived)
    names = [indicator.rule.name for indicator in rating.indicators]
    x = standardise(made, rating.indicators)
    apart = [
        f"{name}: it tells every default from the rest: {LEAK}" for name in separating_columns(x, y, names)
    ]
    with np.errstate(invalid="ignore"):
        r = np.atleast_2d(np.corrcoef(x, rowvar=False))
    remarks += [
        f"{names[i]} and {names[j]}: their correlation is {r[i, j]:.4f} and both count: leave one of them out"
        for i, j in combinations(range(len(names)), 2)
        if abs(r[i, j]) >= _TWINS
    ]
    return remarks + apart + _too_good(auc, bool(apart))


def remark_figures(remarks: Sequence[str]) -> dict[str, Any]:
    """What JSON says of remarks; nothing where there are none."""
    return {"warnings": list(remarks)} if remarks else {}


def remark_section(remarks: Sequence[str]) -> list[tuple[str, str]]:
    """The same as a section of a card."""
    return [("Warnings", "\n".join(f"- {remark}" for remark in remarks))] if remarks else []


def _too_good(auc: float, stated: bool) -> list[str]:
    if auc < _ALMOST_ALL or stated:
        return []
    return [f"AUC out of fold {auc:.4f}: see whether a variable is known only after the default"]


def _codes(name: str, codes: Mapping[float, int]) -> list[str]:
    """One remark for all codes of a column."""
    if not codes:
        return []
    counted = ", ".join(f"{code:.15g} in {row_count(count)}" for code, count in codes.items())
    listed = ", ".join(f"{code:.15g}" for code in codes)
    return [
        f"{name}: {counted}: taken as amounts; if they say that nothing is known, declare "
        f'"special": [{listed}] and they count as empty'
    ]


def _slips(frame: pd.DataFrame, derived: Sequence[DerivedColumn]) -> list[str]:
    return [
        slip.line()
        for derivation in derived
        if derivation.column in frame.columns
        for slip in derivation.slips(frame[derivation.column])
    ]


def _levels(column: LearntColumn, frame: pd.DataFrame) -> list[str]:
    """Rare levels that count as the reference, and levels that one spelling would make one."""
    name, rare = column.variable.name, column.rare
    remarks = []
    if rare and column.bins is None and column.pool == column.levels[0]:
        few = ", ".join(repr(level) for level in rare[:3]) + (
            f" and {len(rare) - 3} more" if rare[3:] else ""
        )
        remarks.append(f"{name}: the rare levels {few} count as {column.pool!r}, the commonest level")
    alike = twin_levels(column.known)
    return remarks + [f"{name}: {spelling!r} is a level of its own; {how}" for spelling, how in alike.items()]


def _unflagged(column: LearntColumn, frame: pd.DataFrame) -> list[str]:
    """What would have a flag of its own, had other columns not told it already."""
    cells = cells_of(column.variable, frame, [])
    if not isinstance(cells, NumberColumn):
        return []
    counts = list(zip(cells.names, cells.counts.tolist(), strict=True))
    told = [name or "missing" for name in own_states(column.variable, len(frame), counts)
            if name not in column.states]  # fmt: skip
    return [f"{column.variable.name}: that it is {name} has no flag: other columns tell it" for name in told]


def _separation(matrix: Floats, y: Floats, card: Scorecard) -> list[str]:
    """Columns that tell the outcome without error, alone, else together."""
    preparation, names = card.preparation, card.preparation.names
    alone = separating_columns(matrix, y, names)
    dummies = dict(zip(names, preparation.is_dummy, strict=True))
    remarks = []
    for name in alone:
        column = matrix[:, names.index(name)]
        remedy = LEAK
        if dummies[name]:
            rows = y[column > 0]
            what = f"{'all' if rows.all() else 'none'} of its {len(rows):,} rows defaulted"
            remedy = "pool it with another level, or leave it so knowingly"
        elif len(np.intersect1d(column[y == 1], column[y == 0])) == 0:
            what = "it tells every default from the rest"
        else:
            what = "beyond one of its values all rows have the same outcome"
        remarks.append(f"{name}: {what}, so its coefficient is the penalty's: {remedy}")
    near = card.fit.coefficients, card.fit.covariance
    together = [] if alone else separating_together(matrix, y, names, near)
    if together:
        remarks.append(
            f"{' and '.join(together)}: together they tell the outcome of some or all rows without error, so "
            f"their coefficients are the penalty's: {LEAK}"
        )
    return remarks
