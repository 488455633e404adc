"""Who passes a filter: the one reading of conditions, but for certification's own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.portfolio import Booleans, Portfolio

_TESTS = {"above": np.greater, "at_least": np.greater_equal, "below": np.less, "at_most": np.less_equal}


def meets(conditions: Iterable[Condition], portfolio: Portfolio) -> Booleans:
    """(n,) who passes every one of `conditions`; a missing value passes none."""
    inside = np.ones(len(portfolio), dtype=bool)
    for condition in conditions:
        inside &= _passes(condition, portfolio)
    return inside


def _passes(condition: Condition, portfolio: Portfolio) -> Booleans:
    """(n,) which borrowers pass one condition."""
    if condition.is_range:
        values = portfolio.number(condition.column)
        inside = np.ones(len(values), dtype=bool)
        for key, end in condition.ends.items():
            inside &= _TESTS[key](values, end)
        return inside
    if condition.column == "borrower_id":
        return np.isin(portfolio.borrower_id.astype(str), condition.values)
    column = portfolio.text(condition.column)
    wanted = np.array([value in condition.values for value in column.values] + [False])
    return wanted[column.codes]
