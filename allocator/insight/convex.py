"""What limits that no row says are made of: the groups of some, the worst years of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.certification.factors import worst_weights
from allocator.certification.measures import COUNTED
from allocator.certification.members import inside_of
from allocator.insight.explain.position import Position
from allocator.records.portfolio import Floats
from allocator.records.risk import TailRule
from allocator.records.scenario import Limit


@dataclass(frozen=True)
class Groups:
    """The g groups of a limit that use something, those first that use most; arrays of shape (g,)."""

    names: NDArray[np.object_]
    lent: Floats
    """What is lent already uses."""
    new: Floats


@dataclass(frozen=True)
class WorstYears:
    """The years of which a tail loss by sectors is the mean, as they fall on borrowers."""

    weights: Floats
    """(n,) what a unit owed loses in them on average."""
    lent: float
    """What is lent already loses so."""


def groups_of(position: Position) -> Mapping[str, Groups]:
    """Limit on groups -> these."""
    own = position.run.scenario.policy.convex
    return {limit.name: _groups(limit, position) for limit in own if not isinstance(limit.rule, TailRule)}


def worst_years_of(position: Position) -> Mapping[str, WorstYears]:
    """Limit on the tail loss of several sectors -> the worst years of the run's allocation."""
    portfolio, drawn = position.run.inputs.portfolio, position.run.ledger.drawn
    by_limit = {}
    for limit in position.run.scenario.policy.convex:
        if isinstance(limit.rule, TailRule):
            weights = worst_weights(limit, portfolio, drawn)
            by_limit[limit.name] = WorstYears(weights, float(weights @ portfolio.exposure))
    return by_limit


def _groups(limit: Limit, position: Position) -> Groups:
    portfolio, counted = position.run.inputs.portfolio, COUNTED[limit.measure]
    column, weight = portfolio.text(limit.by or ""), inside_of(limit.where, portfolio) * 1.0
    if counted.weight is not None:
        weight = weight * counted.weight(portfolio.number)
    basis = getattr(position.bases, counted.basis)
    lent, new = (
        np.bincount(column.codes + 1, weight * money, minlength=len(column.values) + 1)[1:]
        for money in (portfolio.exposure, basis)
    )
    order = np.argsort(-(lent + new), kind="stable")
    order = order[(lent + new)[order] != 0.0]
    return Groups(np.array(column.values, dtype=object)[order], lent[order], new[order])
