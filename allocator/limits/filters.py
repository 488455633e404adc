"""Who a limit is about: `where` and `each` as one code a borrower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.filters import meets
from allocator.records.portfolio import Codes, Portfolio
from allocator.records.scenario import Limit


@dataclass(frozen=True)
class Membership:
    """Codes index `labels`; -1 lies outside. Without `each` there is the one label ''.

    With `each` the labels are the values that some borrower inside the filter has.
    """

    codes: Codes
    labels: tuple[str, ...]


def memberships_of(
    limits: Sequence[Limit], portfolio: Portfolio
) -> tuple[tuple[Membership, ...], tuple[int, ...]]:
    """The distinct memberships, and the index among them of each limit's."""
    places: dict[tuple[tuple[Condition, ...], str | None], int] = {}
    memberships: list[Membership] = []
    index = []
    for limit in limits:
        key = (limit.where, limit.each)
        if key not in places:
            places[key] = len(memberships)
            memberships.append(_membership(limit, portfolio))
        index.append(places[key])
    return tuple(memberships), tuple(index)


def _membership(limit: Limit, portfolio: Portfolio) -> Membership:
    if limit.each is None and not limit.where:
        return Membership(np.broadcast_to(np.int32(0), len(portfolio)), ("",))
    inside = meets(limit.where, portfolio)
    if limit.each is None:
        return Membership(np.where(inside, 0, -1).astype(np.int32), ("",))
    column = portfolio.text(limit.each)
    seen = np.zeros(len(column.values) + 1, dtype=bool)
    seen[column.codes if inside.all() else column.codes[inside]] = True
    present = np.flatnonzero(seen[:-1])
    position = np.full(len(column.values) + 1, -1, dtype=np.int32)
    position[present] = np.arange(len(present))
    codes = position[column.codes]
    codes[~inside] = -1
    return Membership(codes, tuple(column.values[code] for code in present))
