"""Limits on the n groups that use most (docs/certificate.md, section 6).

No s from 0 to 1 of sum n at most counts more of the groups' uses than the n largest come to: so each cut is a
row that every allowed allocation keeps, whoever found it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import fsum

import numpy as np

from allocator.certification.lots import decimal
from allocator.certification.measures import COUNTED
from allocator.certification.members import inside_of
from allocator.errors import Fault
from allocator.records.cuts import Cut
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.scenario import Limit


def direction_faults(cut: Cut, limit: Limit) -> Iterator[Fault]:
    """Shares above 1, or of more than n in all, however they are read."""
    most = [max(Fraction(s), decimal(s)) for s in cut.direction.values()]
    if any(share > 1 for share in most):
        yield Fault("has a share above 1", "solve again", field=f"cut {cut.name}")
    if sum(most, Fraction(0)) > (limit.top or 0):
        whole = float(sum(most, Fraction(0)))
        yield Fault(f"has shares of {whole:.17g}, above {limit.top}", "solve again", field=f"cut {cut.name}")


def largest_sum(limit: Limit, portfolio: Portfolio, basis: Floats) -> float:
    """What the groups that use most come to, of `basis` (n,) and of what is lent already."""
    weight = COUNTED[limit.measure].weight
    used = basis + portfolio.exposure
    if weight is not None:
        used = used * np.asarray(weight(portfolio.number), dtype=np.float64)
    counted = np.flatnonzero(inside_of(limit.where, portfolio) & (used != 0.0))
    codes = portfolio.text(limit.by or "").codes[counted]
    order = np.argsort(codes, kind="stable")
    groups = np.split(used[counted][order], np.flatnonzero(np.diff(codes[order])) + 1)
    sums = sorted((fsum(own.tolist()) for own in groups), reverse=True)
    return fsum(sums[: limit.top])


def largest_above(limit: Limit, portfolio: Portfolio, basis: Mapping[int, Fraction]) -> Fraction:
    """As `largest_sum`, of what is used of the basis by borrower in rational numbers."""
    inside, codes = inside_of(limit.where, portfolio), portfolio.text(limit.by or "").codes
    owed = {i: decimal(float(portfolio.exposure[i])) for i in np.flatnonzero(portfolio.exposure).tolist()}
    for i, money in basis.items():
        owed[i] = owed.get(i, Fraction(0)) + money
    weight, sums = COUNTED[limit.measure].weight, dict[int, Fraction]()
    for i in (i for i in owed if inside[i]):

        def of(column: str, i: int = i) -> Fraction:
            return Fraction(float(portfolio.number(column)[i]))

        group = int(codes[i])
        sums[group] = sums.get(group, Fraction(0)) + owed[i] * (1 if weight is None else weight(of))
    return sum(sorted(sums.values(), reverse=True)[: limit.top], Fraction(0))
