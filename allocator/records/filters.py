"""Who passes a filter: the one reading of conditions, but for certification's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.limits import conditional
from allocator.records.portfolio import Booleans, Floats, Portfolio
from allocator.records.scenario import Policy
from allocator.records.stress import APART, Shock, Stress, StressSource

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
    pd, lgd = factors_of(stress.pd, portfolio), factors_of(stress.lgd, portfolio)
    numbers = dict(portfolio.numbers)
    for figure, factors in (("pd", pd), ("lgd", lgd)):
        if APART[figure] in numbers:
            numbers[APART[figure]] = np.minimum(numbers[APART[figure]] * factors, 1.0)
    after = (np.minimum(portfolio.pd * pd, 1.0), np.minimum(portfolio.lgd * lgd, 1.0))
    return replace(portfolio, pd=after[0], lgd=after[1], numbers=numbers)


def alone(portfolio: Portfolio) -> Portfolio:
    """The borrowers as they are apart from the mean over stresses that they stand for, if any."""
    if APART["pd"] not in portfolio.numbers:
        return portfolio
    own: dict[str, Any] = {figure: portfolio.numbers[name] for figure, name in APART.items()}
    others = {name: of for name, of in portfolio.numbers.items() if name not in APART.values()}
    return replace(portfolio, **own, numbers=others)


def apart(stress: Stress, portfolio: Portfolio) -> Portfolio:
    """The borrowers in `stress` alone, whatever mean over stresses they stand for."""
    return under(stress, alone(portfolio))


def mean_over(weights: Sequence[float], worlds: Sequence[Portfolio], portfolio: Portfolio) -> Portfolio:
    """The borrowers with the mean PD of `worlds`, and the LGD at which their loss is the mean loss.

    Of nobody who may default it is the mean LGD. The figures of `portfolio` are kept in columns of APART.
    """
    pairs = list(zip(weights, worlds, strict=True))
    pd = np.minimum(np.sum([w * world.pd for w, world in pairs], axis=0), 1.0)
    loss = np.sum([w * world.pd * world.lgd for w, world in pairs], axis=0)
    lgd = np.sum([w * world.lgd for w, world in pairs], axis=0)
    lgd = np.minimum(np.divide(loss, pd, out=lgd, where=pd > 0), 1.0)
    kept = {name: getattr(portfolio, figure) for figure, name in APART.items()}
    return replace(portfolio, pd=pd, lgd=lgd, numbers={**portfolio.numbers, **kept})


def weighted(stress: StressSource, portfolio: Portfolio) -> Portfolio:
    """The borrowers, whatever mean they stand for, with that of the stresses of PD and LGD in `stress`."""
    worlds = [apart(own, portfolio) for _, own in stress.mean]
    return mean_over([weight for weight, _ in stress.mean], worlds, alone(portfolio))


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
