"""Who passes a filter: the one reading of conditions, but for certification's own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.portfolio import Booleans, Portfolio


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
        if condition.above is not None:
            inside &= values > condition.above
        if condition.at_least is not None:
            inside &= values >= condition.at_least
        if condition.below is not None:
            inside &= values < condition.below
        if condition.at_most is not None:
            inside &= values <= condition.at_most
        return inside
    if condition.column == "borrower_id":
        return np.isin(portfolio.borrower_id.astype(str), condition.values)
    column = portfolio.text(condition.column)
    wanted = np.array([value in condition.values for value in column.values] + [False])
    return wanted[column.codes]
