"""Who a limit is about: `where` and `each` as one code a borrower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.filters import apart, meets
from allocator.records.portfolio import Codes, Portfolio
from allocator.records.scenario import Limit
from allocator.records.stress import SHOCKED, Stress


@dataclass(frozen=True)
class Membership:
    """Codes index `labels`; -1 lies outside. Without `each` there is the one label ''.

    With `each` the labels are the values that some borrower inside the filter has.
    """

    codes: Codes
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Members:
    """The distinct memberships of some limits, and the places among them of each limit's own."""

    distinct: tuple[Membership, ...]
    counted: tuple[int, ...]
    """Whom each limit counts."""
    reference: tuple[int | None, ...]
    """Whose money its bound is a share of; None: everybody's, or no borrowers'."""


def members_of(limits: Sequence[Limit], portfolio: Portfolio) -> Members:
    """Who counts in each of `limits`, and in what it is a share of."""
    places: dict[tuple[tuple[Condition, ...], str | None, Stress | None], int] = {}
    memberships: list[Membership] = []

    def place(where: tuple[Condition, ...], each: str | None, stress: Stress | None) -> int:
        stress = stress if any(condition.column in SHOCKED for condition in where) else None
        key = where, each, stress
        if key not in places:
            places[key] = len(memberships)
            seen = portfolio if stress is None else apart(stress, portfolio)
            memberships.append(_membership(where, each, seen))
        return places[key]

    counted = [place(limit.where, limit.each, limit.stress) for limit in limits]
    groups = [(limit.reference.where if limit.reference else (), limit.stress) for limit in limits]
    reference = [place(where, None, stress) if where else None for where, stress in groups]
    return Members(tuple(memberships), tuple(counted), tuple(reference))


def _membership(where: tuple[Condition, ...], each: str | None, portfolio: Portfolio) -> Membership:
    if each is None and not where:
        return Membership(np.broadcast_to(np.int32(0), len(portfolio)), ("",))
    inside = meets(where, portfolio)
    if each is None:
        return Membership(np.where(inside, 0, -1).astype(np.int32), ("",))
    column = portfolio.text(each)
    seen = np.zeros(len(column.values) + 1, dtype=bool)
    seen[column.codes if inside.all() else column.codes[inside]] = True
    present = np.flatnonzero(seen[:-1])
    position = np.full(len(column.values) + 1, -1, dtype=np.int32)
    position[present] = np.arange(len(present))
    codes = position[column.codes]
    codes[~inside] = -1
    return Membership(codes, tuple(column.values[code] for code in present))
