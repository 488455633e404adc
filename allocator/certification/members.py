"""Whom each row of a limit counts, read from the borrowers' columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.limits import conditional
from allocator.records.portfolio import Booleans, Codes, Floats, Portfolio
from allocator.records.scenario import Limit, Policy
from allocator.records.stress import APART, Stress


def rows_of(limit: Limit, portfolio: Portfolio) -> tuple[Codes, tuple[str, ...]]:
    """(n,) the row of each borrower, -1: none; and the rows' names."""
    portfolio = as_counted(limit, portfolio)
    if limit.each is None and not limit.where:
        return np.broadcast_to(np.int32(0), len(portfolio)), (limit.name,)
    inside = inside_of(limit.where, portfolio)
    if limit.each is None:
        return np.where(inside, 0, -1).astype(np.int32), (limit.name,)
    column = portfolio.text(limit.each)
    filtered = np.where(inside, column.codes, -1)
    present = np.flatnonzero(np.bincount(filtered + 1, minlength=len(column.values) + 1)[1:]).tolist()
    renumbered = np.full(len(column.values) + 1, -1, dtype=np.int32)
    renumbered[present] = range(len(present))
    codes = renumbered[filtered]
    return codes, tuple(f"{limit.name}[{column.values[code]}]" for code in present)


def as_counted(limit: Limit, portfolio: Portfolio) -> Portfolio:
    """The borrowers as the limit's rows count them: with PD and LGD under the stress that it holds in.

    Either is the product with the factor of all and, in their order, those of the cases, at most 1. Where
    the borrowers stand for a mean over stresses, the factors are on what they are apart from it.
    """
    return portfolio if limit.stress is None else put_under(limit.stress, portfolio)


def put_under(stress: Stress, portfolio: Portfolio) -> Portfolio:
    """The borrowers with PD and LGD under `stress`, as `as_counted` has them."""
    numbers = portfolio.numbers
    pd, lgd = numbers.get(APART["pd"], portfolio.pd), numbers.get(APART["lgd"], portfolio.lgd)
    portfolio = replace(portfolio, pd=pd, lgd=lgd)
    moved = {}
    for figure, shock in (("pd", stress.pd), ("lgd", stress.lgd)):
        factor = np.full(len(portfolio), shock.all)
        for case in shock.cases:
            factor = np.where(inside_of(case.where, portfolio), factor * case.factor, factor)
        moved[figure] = np.minimum(portfolio.number(figure) * factor, 1.0)
    return replace(portfolio, pd=moved["pd"], lgd=moved["lgd"])


def lent_to(policy: Policy, portfolio: Portfolio, amount: Floats) -> frozenset[str]:
    """The conditional limits whose group is offered anything of the amounts (n,): those that must hold."""
    made = amount > 0
    met = (own for own in conditional(policy) if np.any(inside_of(own.if_lent_to, portfolio) & made))
    return frozenset(limit.name for limit in met)


def inside_of(where: tuple[Condition, ...], portfolio: Portfolio) -> Booleans:
    """(n,) who passes every test of a filter."""
    inside = np.ones(len(portfolio), dtype=bool)
    for condition in where:
        inside &= _meets(condition, portfolio)
    return inside


def _meets(condition: Condition, portfolio: Portfolio) -> Booleans:
    if not condition.is_range:
        if condition.column == "borrower_id":
            return np.isin(portfolio.borrower_id.astype(str), condition.values)
        column = portfolio.text(condition.column)
        return np.isin(column.codes, [column.code_of(value) for value in condition.values])
    values = portfolio.number(condition.column)
    tests = {"above": np.greater, "at_least": np.greater_equal, "below": np.less, "at_most": np.less_equal}
    inside = np.ones(len(portfolio), dtype=bool)
    for key, end in condition.ends.items():
        inside &= tests[key](values, end)
    return inside
