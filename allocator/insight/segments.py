"""Some of a run's borrowers, by what their columns hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allocator.limits.filters import passes
from allocator.records.conditions import Condition
from allocator.records.portfolio import Booleans, Portfolio


def meets(conditions: Sequence[Condition], portfolio: Portfolio) -> Booleans:
    """(n,) who passes every one of `conditions`."""
    inside = np.ones(len(portfolio), dtype=bool)
    for condition in conditions:
        inside &= passes(condition, portfolio)
    return inside
