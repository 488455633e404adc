"""Convex limits as the rows that they imply (docs/formulation.md, sections 2 and 6).

With X_g what group g is offered and has already, HHI = sum X_g^2 / total^2 <= h says ||X|| <= sqrt(h) total:
of every direction s >= 0 with ||s|| <= 1 the row  sum_g s_g X_g <= sqrt(h) total. A mean loss of the worst
years of at most b says of all weights q that these years may have  sum_i (sum_j q_j l_ij) drawn_i <= b. The
n largest X_g of at most b say  sum_g s_g X_g <= b  of all s from 0 to 1 with a sum of n at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from allocator.records.cuts import HHI, Cut
from allocator.records.filters import meets
from allocator.records.portfolio import Codes, Floats, Portfolio
from allocator.records.risk import PLACES, WEIGHT_PLACES, TailRule
from allocator.records.scenario import Limit, Policy

CutWeights = Mapping[str, Callable[[Cut], Floats]]
"""Of some limits what a unit counts (n,) in each of their cuts, where it is known."""


def with_cuts(
    policy: Policy, portfolio: Portfolio, known: CutWeights | None = None
) -> tuple[Policy, Portfolio]:
    """The policy with every row's limit: those in named stresses, and the cuts of each convex limit.

    The borrowers have the weights of the cuts. The convex limit itself stays as a row of nobody, whose price
    is 0.
    """
    policy = policy.in_stresses()
    if not policy.convex:
        return policy, portfolio
    numbers = dict(portfolio.numbers)
    for limit in policy.convex:
        own = (known or {}).get(limit.name)
        for cut in _cuts_of(policy, limit):
            weights = _weights(cut, limit, portfolio) if own is None else own(cut)
            numbers[cut.column(portfolio.numbers)] = weights
    limits = (row for limit in policy.limits for row in _rows(policy, limit, portfolio))
    return replace(policy, limits=tuple(limits), cuts=()), replace(portfolio, numbers=numbers)


def _rows(policy: Policy, limit: Limit, portfolio: Portfolio) -> Iterator[Limit]:
    index = limit.measure == HHI
    yield replace(limit, of=None) if index else limit
    for cut in _cuts_of(policy, limit) if limit.by is not None else ():
        column = cut.column(portfolio.numbers)
        basis, bound = ("offered", sqrt(limit.bound)) if index else ("drawn", limit.bound)
        measure = basis if limit.top is None else limit.measure
        yield Limit(cut.name, measure, "at_most", bound, limit.of, limit.where, weight=column)


def _cuts_of(policy: Policy, limit: Limit) -> list[Cut]:
    return [cut for cut in policy.cuts if cut.limit == limit.name]


def _weights(cut: Cut, limit: Limit, portfolio: Portfolio) -> Floats:
    """(n,) s of each borrower's group, or its loss in the years of the cut."""
    if isinstance(limit.rule, TailRule):
        from allocator.risk.factors import losses

        years = [int(year) - 1 for year in cut.direction]
        units = [round(weight * 10**WEIGHT_PLACES) for weight in cut.direction.values()]
        total = np.zeros(len(portfolio))
        for unit, own in zip(units, losses(limit.rule, portfolio, years), strict=True):
            total += unit * own
        return total / 10.0 ** (PLACES + WEIGHT_PLACES)
    column = portfolio.text(limit.by or "")
    own = np.array([cut.direction.get(value, 0.0) for value in column.values])
    return own[column.codes]


def losses_of(limit: Limit, portfolio: Portfolio) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """(J, n) losses of a unit drawn in every year, in units of 10^-8, 0 for whom the limit does not count;
    and (J,) the largest weights of the years, in units of 10^-7."""
    from allocator.risk.factors import losses, most_weights

    rule = limit.rule
    assert isinstance(rule, TailRule)
    assert rule.sectors is not None
    out = np.empty((rule.sectors.nodes, len(portfolio)), dtype=np.uint32)
    inside = meets(limit.where, portfolio)
    for row, own in zip(out, losses(rule, portfolio, range(len(out))), strict=True):
        np.multiply(own, inside, out=row, casting="unsafe")
    return out, most_weights(rule, rule.sectors)


def largest_of(limit: Limit, portfolio: Portfolio) -> tuple[tuple[str, ...], Codes, Floats, int]:
    """The groups of a limit on those that use most; the group of each borrower (n,), -1 for who does not
    count; what a unit counts (n,); and whether that is drawn (1) or offered (0)."""
    column = portfolio.text(limit.by or "")
    codes = np.where(meets(limit.where, portfolio), column.codes, -1)
    weight = portfolio.pd * portfolio.lgd if limit.measure == "expected_loss" else np.ones(len(portfolio))
    return column.values, codes, weight, int(limit.measure != "offered")
