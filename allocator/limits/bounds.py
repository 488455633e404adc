"""How right-hand sides follow from the bounds that a policy writes: which bound moves which rows."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
from scipy import sparse

from allocator.records.columns import FRACTIONS
from allocator.records.cuts import HHI
from allocator.records.limits import Bounds, Limits, entry_of
from allocator.records.scenario import (
    BUDGET,
    COUNTED,
    LARGEST_AMOUNT,
    LARGEST_NUMBER,
    Limit,
    Policy,
)


def bounds_of(policy: Policy, limits: Limits) -> Bounds:
    """The bounds of `policy`, the budget's amount first, over the rows that `limits` has of them.

    Those of limits that are only reported are none.
    """
    entries = (None, *policy.enforced)
    names = [BUDGET, *(limit.name for limit in policy.enforced)]
    place = {name: e for e, name in enumerate(names)}
    entry = np.array([place[entry_of(row.name)] for row in limits.rows])
    amount = policy.budget.amount
    moves = np.zeros((len(limits), 2))
    for j, e in enumerate(entry):
        limit = entries[e]
        if limit is not None and limit.measure == HHI:
            cut_of_budget = limit.of == BUDGET and limits.rows[j].name != limit.name
            moves[j] = (amount / (2.0 * sqrt(limit.bound)), sqrt(limit.bound)) if cut_of_budget else 0.0
        elif limit is None or limit.reference is None:
            moves[j, 0] = limits.rows[j].amount
            moves[j, 1] = limit.bound if limit is not None and limit.of == BUDGET else 0.0
    rows = np.arange(len(limits))
    by_entry = sparse.coo_array(
        (
            np.concatenate([moves[:, 0], moves[:, 1]]),
            (np.concatenate([rows, rows]), np.concatenate([entry, np.zeros_like(entry)])),
        ),
        shape=(len(limits), len(names)),
    )
    written = np.array([amount, *(limit.bound for limit in policy.enforced)])
    spans = np.array([_span(limit) for limit in entries])
    return Bounds(
        names=tuple(names),
        written=written,
        low=spans[:, 0],
        high=spans[:, 1],
        size=np.array([_size(limit, policy) for limit in entries]),
        up=np.array([limit is None or (limit.sense != "at_least" and limit.by is None) for limit in entries]),
        down=np.array([limit is None or limit.sense != "at_most" for limit in entries]),
        entry=entry,
        moves=sparse.csr_array(by_entry),
    )


def _span(limit: Limit | None) -> tuple[float, float]:
    """Between what the bound may be written."""
    if limit is None:
        return 0.0, LARGEST_AMOUNT
    if limit.weight is not None and not (limit.of is not None and limit.weight in FRACTIONS):
        return -LARGEST_NUMBER, LARGEST_NUMBER
    if (limit.plugin is not None or limit.measure in ("interest", "gross_interest")) and limit.of is None:
        return -LARGEST_NUMBER, LARGEST_NUMBER
    if limit.of is not None:
        return 0.0, limit.largest_share
    return 0.0, inf if limit.measure in COUNTED else LARGEST_AMOUNT


def _size(limit: Limit | None, policy: Policy) -> float:
    """What a change of the bound is measured against: the bound, or where it is 0 all there could be."""
    if limit is None or (limit.bound == 0.0 and limit.of is None and limit.measure not in COUNTED):
        return policy.budget.amount or 1.0
    return abs(limit.bound) or 1.0
