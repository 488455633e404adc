"""What limits that are a share of the former run are a share of."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

import numpy as np

from allocator.limits.filters import Membership
from allocator.records.former import FORMER, FORMER_AMOUNT
from allocator.records.limits import Row
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.scenario import COUNTED, Limit, Policy


def amounts_of(limit: Limit, membership: Membership, portfolio: Portfolio, policy: Policy) -> Floats:
    """(labels,) what a bound of 1 is in each row: of a share of the former run what the row's measure would
    count if its offers were made again, of clients changed or money moved all clients or money of then."""
    rows = len(membership.labels)
    if limit.of != FORMER:
        return np.full(rows, policy.amount_of(limit))
    then = portfolio.number(FORMER_AMOUNT)
    counted = np.where(then > 0.0, 1.0, 0.0) if limit.measure in COUNTED else then
    counted = counted + portfolio.exposure if limit.measure == "offered" else counted
    counted = counted if limit.weight is None else counted * portfolio.number(limit.weight)
    order = np.argsort(membership.codes, kind="stable")
    ends = np.searchsorted(membership.codes[order], np.arange(rows + 1))
    parts = np.split(counted[order], ends)[1:-1]
    return np.array([fsum(part.tolist()) for part in parts])


def nothing_formerly(limits: Sequence[Limit], rows: Sequence[Row]) -> list[str]:
    """A note for each of `limits` with `rows` that are a share of nothing."""
    shares = {limit.name for limit in limits if limit.of == FORMER}
    empty = [row.name for row in rows if row.amount == 0.0]
    return [
        f"{row}: nothing in the former run, so that every share of it is nothing"
        for row in empty
        if row in shares or row.partition("[")[0] in shares
    ]
