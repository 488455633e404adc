"""Money offered and money drawn; existing exposure counts in both, as fully drawn."""

from __future__ import annotations

from allocator.limits.families.measured import Measured
from allocator.records.portfolio import Portfolio


def offered(portfolio: Portfolio) -> Measured:
    return Measured("offered", None, counts_exposure=True)


def drawn(portfolio: Portfolio) -> Measured:
    return Measured("drawn", None, counts_exposure=True)
