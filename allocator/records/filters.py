"""Who passes a filter: the one reading of conditions, but for certification's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.limits import conditional
from allocator.records.portfolio import Booleans, Floats, Portfolio
from allocator.records.scenario import Policy
from allocator.records.stress import Shock, Stress

_TESTS = {"above": np.greater, "at_least": np.greater_equal, "below": np.less, "at_most": np.less_equal}


def meets(conditions: Iterable[Condition], portfolio: Portfolio) -> Booleans:
    """(n,) who passes every one of `conditions`; a missing value passes none."""
    inside = np.ones(len(portfolio), dtype=bool)
    for condition in conditions:
        inside &= _passes(condition, portfolio)
    return inside


def left_out(policy: Policy, portfolio: Portfolio, made: Booleans) -> dict[str, Booleans]:
    """Limit on a condition that need not hold -> (n,) its group, to none of whom an offer is `made` (n,)."""
    groups = {limit.name: meets(limit.if_lent_to, portfolio) for limit in conditional(policy)}
    return {name: group for name, group in groups.items() if not np.any(group & made)}


def factors_of(shock: Shock, portfolio: Portfolio) -> Floats:
    """(n,) what a shock multiplies each borrower's figure with."""
    out = np.full(len(portfolio), shock.all)
    for case in shock.cases:
        out[meets(case.where, portfolio)] *= case.factor
    return out


def under(stress: Stress, portfolio: Portfolio) -> Portfolio:
    """The borrowers with PD and LGD after `stress`, at most 1; its cases read what was before."""
    pd, lgd = (
        np.minimum(figure * factors_of(shock, portfolio), 1.0)
        for figure, shock in ((portfolio.pd, stress.pd), (portfolio.lgd, stress.lgd))
    )
    return replace(portfolio, pd=pd, lgd=lgd)


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
