"""Which rows are decided in decimals: those that add up whole cents, or loans, with one weight.

A binary64 number of the inputs stands for the shortest decimal that reads back as it, so that a share
of 0.63 is 63/100 and three shares of 63, 23 and 14 % of one total add up to it (docs/formulation.md,
section 2).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.limits.filters import Membership
from allocator.records.limits import Whole
from allocator.records.portfolio import Booleans, Floats, Portfolio
from allocator.records.scenario import COUNTED, Limit, Policy

_COUNTED = ("offered", "loans")
"""What whole rows add up."""
_LARGEST = 2.0**53 / 100.0
"""Amount beyond which cents are no whole numbers in doubles."""


def decimal(number: float) -> Fraction:
    """The shortest decimal that reads back as `number`."""
    return Fraction(repr(float(number)))


def whole_budget(policy: Policy, portfolio: Portfolio) -> Whole | None:
    """The budget's row, where it is one on the amounts offered."""
    if policy.budget.basis != "offered" or np.any(_off_cent(portfolio.fixed_amount)):
        return None
    return Whole(Fraction(1), Fraction(0), decimal(policy.budget.amount))


def whole_rows(
    limit: Limit, membership: Membership, portfolio: Portfolio, amounts: Floats
) -> list[Whole | None]:
    """For each row of `limit` (one a label of `membership`) its decimals, None where it has a tolerance.

    `amounts` (labels,) are what a bound of 1 is.
    """
    count = len(membership.labels)
    told = limit.measure in _COUNTED and limit.by is None
    if not told or (limit.reference is not None and limit.of != "total"):
        return [None] * count
    weights = _weights(limit, membership, portfolio)
    share = decimal(limit.bound) if limit.of == "total" else Fraction(0)
    bound = Fraction(0) if share or limit.of == "total" else decimal(limit.bound)
    in_cents, lent, everything = np.ones(count, dtype=bool), [0] * count, 0
    if limit.measure == "offered":
        in_cents = ~_any(membership, _off_cent(portfolio.fixed_amount) | _off_cent(portfolio.exposure))
        lent = _sums(membership, portfolio.exposure)
        if limit.of == "total":
            in_cents &= not np.any(_off_cent(portfolio.fixed_amount) | _off_cent(portfolio.exposure))
            everything = _sums(_everybody(len(portfolio)), portfolio.exposure)[0] if in_cents.all() else 0
    return [
        Whole(
            weight,
            share,
            bound * decimal(amount) - weight * Fraction(cents, 100) + share * Fraction(everything, 100),
        )
        if weight and inside
        else None
        for weight, inside, cents, amount in zip(
            weights, in_cents.tolist(), lent, amounts.tolist(), strict=True
        )
    ]


def least_weights(limit: Limit, membership: Membership, portfolio: Portfolio) -> Floats:
    """(labels,) of rows of counts that are not whole the smallest |weight| but 0; else 0."""
    count = len(membership.labels)
    if limit.measure not in COUNTED or (limit.measure == "loans" and limit.weight is None):
        return np.zeros(count)
    size = np.ones(len(portfolio)) if limit.weight is None else np.abs(portfolio.number(limit.weight))
    inside = (membership.codes >= 0) & (size > 0)
    least = np.full(count, np.inf)
    np.minimum.at(least, membership.codes[inside], size[inside])
    return np.where(np.isfinite(least), least, 0.0)


def _weights(limit: Limit, membership: Membership, portfolio: Portfolio) -> list[Fraction]:
    """(labels,) the one weight of each row; 0 where its borrowers' differ."""
    count = len(membership.labels)
    if limit.weight is None:
        return [Fraction(1)] * count
    weight = portfolio.number(limit.weight)
    inside = membership.codes >= 0
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, membership.codes[inside], weight[inside])
    np.maximum.at(high, membership.codes[inside], weight[inside])
    return [decimal(least) if least == most else Fraction(0) for least, most in zip(low, high, strict=True)]


def _everybody(borrowers: int) -> Membership:
    return Membership(np.broadcast_to(np.int32(0), borrowers), ("",))


def _off_cent(amounts: Floats) -> Booleans:
    """(n,) which are no whole cents, or too many of them; NaN, no amount at all, is none."""
    given = np.flatnonzero(~np.isnan(amounts) & (amounts != 0.0))  # few are pinned, or lent to already
    stated = amounts[given]
    off = np.zeros(len(amounts), dtype=bool)
    off[given] = (np.rint(stated * 100.0) / 100.0 != stated) | (np.abs(stated) > _LARGEST)
    return off


def _any(membership: Membership, flags: Booleans) -> Booleans:
    """(labels,) whether a borrower of each code is flagged."""
    out = np.zeros(len(membership.labels), dtype=bool)
    out[membership.codes[flags & (membership.codes >= 0)]] = True
    return out


def _sums(membership: Membership, amounts: Floats) -> list[int]:
    """(labels,) the cents of each code, exactly."""
    count = len(membership.labels)
    if not np.any(amounts):
        return [0] * count
    inside = membership.codes >= 0
    cents: NDArray[Any] = np.rint(np.where(inside, np.minimum(amounts, _LARGEST), 0.0) * 100.0)
    high = np.floor(cents / 2.0**24)
    parts = [
        np.bincount(membership.codes[inside], part[inside], minlength=count).astype(np.int64).tolist()
        for part in (high, cents - high * 2.0**24)
    ]
    return [(above << 24) + below for above, below in zip(*parts, strict=True)]
