"""The number of offers made."""

from __future__ import annotations

from allocator.limits.families.measured import Measured
from allocator.records.portfolio import Portfolio


def loans(portfolio: Portfolio) -> Measured:
    return Measured("loans", None, counts_exposure=False)
