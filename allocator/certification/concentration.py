"""Convex limits: the rows that they imply, and whether decisions keep them.

Of any direction s with ||s|| <= 1, sum_g s_g X_g <= ||X|| (Cauchy-Schwarz), and ||X|| <= sqrt(h) total is
what a limit on the Herfindahl index says; and no weights of years make their losses more than the mean loss
of the worst ones: so each cut is a row that every allowed allocation keeps, whoever found it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import inf, isfinite, nextafter, sqrt

import numpy as np

from allocator.certification.factors import cut_faults, right_side, weights_of_cut, worst_mean
from allocator.certification.largest import direction_faults, largest_sum
from allocator.certification.lots import CENTS, WholeSums, decimal, whole_cents
from allocator.errors import CertificateError, Fault
from allocator.records.cuts import HHI, Cut
from allocator.records.portfolio import Codes, Floats, Portfolio
from allocator.records.run import TOLERANCE, LimitUse
from allocator.records.scenario import Limit, Policy

_LEAST = 5e-324


def with_cuts(policy: Policy, portfolio: Portfolio) -> tuple[Policy, Portfolio]:
    """The policy with every row's limit: those in named stresses, and each cut behind its own.

    The borrowers have the columns of the cuts' weights.

    Raises CertificateError with every cut that no limit implies.
    """
    policy = policy.in_stresses()
    if not policy.cuts and not policy.convex:
        return policy, portfolio
    faults = [fault for cut in policy.cuts for fault in _faults(cut, policy)]
    names = [cut.name for cut in policy.cuts]
    faults += [Fault("stands twice", "solve again", field=f"cut {n}") for n in {*names} if names.count(n) > 1]
    if faults:
        raise CertificateError("the cuts do not fit the policy", faults)
    limits: list[Limit] = []
    numbers = dict(portfolio.numbers)
    for limit in policy.limits:
        limits.append(replace(limit, of=None) if limit.measure == HHI else limit)
        for cut in (cut for cut in policy.cuts if limit.by is not None and cut.limit == limit.name):
            column = cut.column(portfolio.numbers)
            numbers[column] = _weights(cut, limit, portfolio)
            basis, bound = "offered", root_above(limit.bound)
            if limit.top is not None:
                basis, bound = limit.measure, limit.bound
            elif limit.measure != HHI:
                basis, bound = "drawn", right_side(limit.bound)
            limits.append(Limit(cut.name, basis, "at_most", bound, limit.of, limit.where, weight=column))
    return replace(policy, limits=tuple(limits), cuts=()), replace(portfolio, numbers=numbers)


def _weights(cut: Cut, limit: Limit, portfolio: Portfolio) -> Floats:
    """(n,) what a unit counts in the row of a cut."""
    if limit.top is None and limit.measure != HHI:
        return weights_of_cut(cut, limit, portfolio)
    values = portfolio.text(limit.by or "")
    weights = [cut.direction.get(value, 0.0) for value in values.values]
    return np.array([*weights, 0.0])[values.codes]


def _faults(cut: Cut, policy: Policy) -> Iterator[Fault]:
    """A direction that is longer than 1, however its numbers are read, weights that no years have, or either
    of no convex limit."""
    place, limit = f"cut {cut.name}", next((own for own in policy.convex if own.name == cut.limit), None)
    if limit is None:
        yield Fault(
            "is of no limit on the Herfindahl index, the largest, or tail loss by sectors",
            "solve again",
            field=place,
        )
    if not all(isfinite(share) and share >= 0.0 for share in cut.direction.values()):
        yield Fault("has a share that is negative or not finite", "solve again", field=place)
        return
    if limit is not None and limit.measure != HHI:
        yield from (cut_faults if limit.top is None else direction_faults)(cut, limit)
        return
    longest = sum((max(Fraction(s), decimal(s)) ** 2 for s in cut.direction.values()), Fraction(0))
    if longest > 1:
        yield Fault(f"has a length of {sqrt(longest):.17g}, above 1", "solve again", field=place)


def root_above(bound: float) -> float:
    """The least double that is no less than sqrt(h), as it stands and as its decimal."""
    root, square = sqrt(bound), max(Fraction(bound), decimal(bound))
    while min(Fraction(root), decimal(root)) ** 2 < square:
        root = nextafter(root, inf)
    return root


def index_of(limit: Limit, policy: Policy, portfolio: Portfolio, amount: Floats) -> Fraction:
    """The index of what is offered and lent already; 0 of nothing."""
    values = portfolio.text(limit.by or "")
    groups = len(values.values)
    new, lent = (_exact_sums(values.codes, own, groups) for own in (amount, portfolio.exposure))
    sums = [left + right for left, right in zip(new, lent, strict=True)]
    whole = decimal(policy.budget.amount) if limit.of == "budget" else sum(sums, Fraction(0))
    return sum((own * own for own in sums), Fraction(0)) / whole**2 if whole else Fraction(0)


def _exact_sums(codes: Codes, amounts: Floats, groups: int) -> list[Fraction]:
    """(groups,) sums of decimals."""
    some = np.flatnonzero(amounts)
    cents, off = whole_cents(amounts[some])
    counted = WholeSums.of(codes[some], cents, groups)
    sums = [Fraction(counted.exact(group), CENTS) for group in range(groups)]
    for i in some[off].tolist():
        sums[int(codes[i])] += decimal(float(amounts[i]))
    return sums


def convex_uses(
    uses: tuple[LimitUse, ...],
    policy: Policy,
    portfolio: Portfolio,
    amount: Floats,
    drawn: Floats,
) -> tuple[LimitUse, ...]:
    """`uses` with the index of each limit on it, decided without any tolerance, and each mean loss."""
    limits = {limit.name: limit for limit in policy.convex}
    return tuple(
        use
        if (limit := limits.get(use.name)) is None
        else _index_use(use, limit, policy, portfolio, amount)
        if limit.measure == HHI
        else _mean_use(use, worst_mean(limit, portfolio, drawn))
        if limit.top is None
        else _mean_use(use, largest_sum(limit, portfolio, amount if limit.measure == "offered" else drawn))
        for use in uses
    )


def _mean_use(use: LimitUse, mean: float) -> LimitUse:
    """Up to the tolerance of rows that are not decided in whole numbers."""
    excess, scale = max(mean - use.bound, 0.0), abs(use.bound)
    violation = (excess / scale if scale else 1.0) if excess > TOLERANCE * scale else 0.0
    return replace(use, used=mean, violation=violation, scale=scale, excess=excess)


def _index_use(use: LimitUse, limit: Limit, policy: Policy, portfolio: Portfolio, amount: Floats) -> LimitUse:
    index, bound = index_of(limit, policy, portfolio, amount), decimal(limit.bound)
    over = index - bound
    violation = max(float(over / bound), _LEAST) if over > 0 else 0.0
    excess = max(float(over), _LEAST) if over > 0 else 0.0
    return replace(use, used=float(index), violation=violation, scale=limit.bound, excess=excess)
