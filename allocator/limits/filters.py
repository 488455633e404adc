"""Who a limit is about: `where` and `each` as one code a borrower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.portfolio import Booleans, Codes, Portfolio
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
    found: dict[tuple[tuple[Condition, ...], str | None], int] = {}
    memberships: list[Membership] = []
    index = []
    for limit in limits:
        key = (limit.where, limit.each)
        if key not in found:
            found[key] = len(memberships)
            memberships.append(_membership(limit, portfolio))
        index.append(found[key])
    return tuple(memberships), tuple(index)


def _membership(limit: Limit, portfolio: Portfolio) -> Membership:
    if limit.each is None and not limit.where:
        return Membership(np.broadcast_to(np.int32(0), len(portfolio)), ("",))
    inside = np.ones(len(portfolio), dtype=bool)
    for condition in limit.where:
        inside &= passes(condition, portfolio)
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


def passes(condition: Condition, portfolio: Portfolio) -> Booleans:
    """(n,) which borrowers pass one condition."""
    if condition.is_range:
        values = portfolio.number(condition.column)
        inside = np.ones(len(values), dtype=bool)
        if condition.above is not None:
            inside &= values > condition.above
        if condition.at_least is not None:
            inside &= values >= condition.at_least
        if condition.below is not None:
            inside &= values < condition.below
        if condition.at_most is not None:
            inside &= values <= condition.at_most
        return inside
    if condition.column == "borrower_id":
        return np.isin(portfolio.borrower_id.astype(str), condition.values)
    column = portfolio.text(condition.column)
    wanted = np.array([value in condition.values for value in column.values] + [False])
    return wanted[column.codes]
