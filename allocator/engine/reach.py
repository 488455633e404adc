"""Sums on a line of a lattice that tickets can reach, or cannot.

Rows without slack leave the sums of the groups a lattice (lattice.py). Where that is one line of points, or a
single one, every point can be held against what offers of a smallest size add up to: nothing, or m loans
from the sum of the m smallest ones to that of the m largest. All of it is whole numbers, so that what is
found out of reach is so, by however little.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor

import numpy as np

from allocator.engine.whole import WholeRows

_LOANS = 1_000
"""Borrowers of a group up to which its loans are counted; beyond, its sum has but two ends."""

Span = tuple[int, int]
"""Both ends, whole numbers, inside."""
ANY: Span = (-(10**40), 10**40)


def loans_of(whole: WholeRows, group: int, highest: int) -> list[Span]:
    """What those of `group` who need not be lent to may get together, in grains, `highest` at most."""
    offers = whole.offers
    free = np.flatnonzero((offers.menu >= 0) & ~offers.must & (whole.group == group))
    if len(free) > _LOANS:
        return [(0, highest)]
    low = np.cumsum(np.sort(whole.grains(free, offers.low[free])).astype(np.int64)).tolist()
    high = np.cumsum(np.sort(whole.grains(free, offers.high[free]))[::-1].astype(np.int64)).tolist()
    spans: list[Span] = [(0, 0)]
    for least, most in zip(low, high, strict=True):
        before = spans[-1]
        if least <= before[1] + 1:
            spans[-1] = (before[0], max(before[1], most))
        else:
            spans.append((least, most))
    return spans


def steps_into(spans: Iterable[Span], start: int, step: int) -> list[Span]:
    """The whole numbers k for which `start` + k `step` lies in one of `spans`, ascending."""
    if step == 0:
        return [ANY] if any(low <= start <= high for low, high in spans) else []
    merged = []
    for low, high in spans:
        ends = Fraction(low - start, step), Fraction(high - start, step)
        merged.append((ceil(min(ends)), floor(max(ends))))
    return sorted((low, high) for low, high in merged if low <= high)


def common_spans(left: list[Span], right: list[Span]) -> list[Span]:
    """The whole numbers that are in a span of both."""
    both = [(max(a, c), min(b, d)) for a, b in left for c, d in right]
    return [(low, high) for low, high in both if low <= high]
