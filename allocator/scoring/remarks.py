"""What a fit says of its data, one remark a cause: codes, rare and twin levels, dependence, separation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from allocator.records.portfolio import Floats
from allocator.scoring.collinearity import nearly_determined
from allocator.scoring.levels import twins
from allocator.scoring.preparation import Column, Preparation, special_codes
from allocator.scoring.rating import Rating
from allocator.scoring.reading import Derived, derive
from allocator.scoring.rules import Rule, standardise
from allocator.scoring.rules import special_codes as codes_of_rule
from allocator.scoring.scorecard import Scorecard
from allocator.scoring.separation import separating, separating_together

ALMOST_ALL = 0.99
"""AUC from which a fit is asked whether it knows the outcome."""
LOOSE = 5.0
"""Standard error of a standardised coefficient from which the data hardly tell it."""
TWINS = 0.99
"""Correlation from which two indicators of a rating are one counted twice."""
LEAK = "see whether it is known only after the default; if so it is a leak, not skill"


def on_logit(frame: pd.DataFrame, y: Floats, card: Scorecard, auc: float) -> list[str]:
    """Remarks on a logit of y (n,) fitted to `frame`, whose AUC out of fold is `auc`."""
    made = derive(frame, card.derived)
    matrix, names = card.preparation.matrix(made), card.preparation.names
    found = on_columns(made, card.preparation, matrix) + _slips(frame, card.derived)
    apart = _separation(matrix, y, card.preparation)
    said = {name for name in names if any(name in one.split(": ")[0] for one in [*found, *apart])}
    errors = np.sqrt(np.diag(card.fit.covariance))[1:] * matrix.std(axis=0)
    found += apart
    found += [
        f"{name}: its standard error is {error:.3g} on the scale of one standard deviation: the data hardly "
        "tell its coefficient"
        for name, error in zip(names, errors, strict=True)
        if error > LOOSE and name not in said
    ]
    return found + _too_good(auc, bool(apart))


def on_columns(frame: pd.DataFrame, preparation: Preparation, matrix: Floats) -> list[str]:
    """Remarks on the columns of a regression, whatever its outcome."""
    found = []
    for column in preparation.columns:
        found += _codes(column.variable.name, special_codes(column.variable, frame))
        found += _levels(column, frame)
    return found + [one.warning for one in nearly_determined(matrix, preparation.names)]


def on_rating(frame: pd.DataFrame, y: Floats, rating: Rating, rules: Sequence[Rule], auc: float) -> list[str]:
    """Remarks on a rating fitted to `frame` by some of `rules`; `auc` is out of fold."""
    made = derive(frame, rating.derived)
    found = [line for rule in rules for line in _codes(rule.name, codes_of_rule(made, rule))]
    found += _slips(frame, rating.derived)
    names = [one.rule.name for one in rating.indicators]
    x = standardise(made, rating.indicators)
    apart = [f"{name}: it tells every default from the rest: {LEAK}" for name in separating(x, y, names)]
    with np.errstate(invalid="ignore"):
        r = np.atleast_2d(np.corrcoef(x, rowvar=False))
    found += [
        f"{names[i]} and {names[j]}: their correlation is {r[i, j]:.4f} and both count: leave one of them out"
        for i, j in combinations(range(len(names)), 2)
        if abs(r[i, j]) >= TWINS
    ]
    return found + apart + _too_good(auc, bool(apart))


def remark_figures(remarks: Sequence[str]) -> dict[str, Any]:
    """What JSON says of remarks; nothing where there are none."""
    return {"warnings": list(remarks)} if remarks else {}


def remark_section(remarks: Sequence[str]) -> list[tuple[str, str]]:
    """The same as a section of a card."""
    return [("Warnings", "\n".join(f"- {one}" for one in remarks))] if remarks else []


def _too_good(auc: float, said: bool) -> list[str]:
    if auc < ALMOST_ALL or said:
        return []
    return [f"AUC out of fold {auc:.4f}: see whether a variable is known only after the default"]


def _codes(name: str, codes: Mapping[float, int]) -> list[str]:
    """One remark for all codes of a column."""
    if not codes:
        return []
    told = ", ".join(f"{code:.15g} in {count:,} rows" for code, count in codes.items())
    listed = ", ".join(f"{code:.15g}" for code in codes)
    return [
        f"{name}: {told}: taken as amounts; if they say that nothing is known, declare "
        f'"special": [{listed}] and they count as empty'
    ]


def _slips(frame: pd.DataFrame, derived: Sequence[Derived]) -> list[str]:
    return [
        slip.line() for one in derived if one.column in frame.columns for slip in one.slips(frame[one.column])
    ]


def _levels(column: Column, frame: pd.DataFrame) -> list[str]:
    """Rare levels that count as the reference, and levels that one spelling would make one."""
    name, rare = column.variable.name, column.rare
    found = []
    if rare and column.pool == column.levels[0]:
        few = ", ".join(repr(one) for one in rare[:3]) + (f" and {len(rare) - 3} more" if rare[3:] else "")
        found.append(f"{name}: the rare levels {few} count as {column.pool!r}, the commonest level")
    alike = twins([*column.levels, *rare])
    return found + [f"{name}: {one!r} is a level of its own; {how}" for one, how in alike.items()]


def _separation(matrix: Floats, y: Floats, preparation: Preparation) -> list[str]:
    """Columns that tell the outcome without error, alone, else together."""
    names = preparation.names
    alone = separating(matrix, y, names)
    kinds = dict(zip(names, preparation.variables, strict=True))
    found = []
    for name in alone:
        column = matrix[:, names.index(name)]
        remedy = LEAK
        if kinds[name].kind == "category":
            rows = y[column > 0]
            what = f"{'all' if rows.all() else 'none'} of its {len(rows):,} rows defaulted"
            remedy = "pool it with another level, or leave it so knowingly"
        elif len(np.intersect1d(column[y == 1], column[y == 0])) == 0:
            what = "it tells every default from the rest"
        else:
            what = "beyond one of its values all rows have the same outcome"
        found.append(f"{name}: {what}, so its coefficient is the penalty's: {remedy}")
    together = [] if alone else separating_together(matrix, y, names)
    if together:
        found.append(
            f"{' and '.join(together)}: together they tell the outcome of some or all rows without error, so "
            f"their coefficients are the penalty's: {LEAK}"
        )
    return found
