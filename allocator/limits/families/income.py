"""Interest, expected and gross; existing exposure earns nothing here."""

from __future__ import annotations

from allocator.limits.families.measured import Measured
from allocator.records.portfolio import Portfolio


def interest(portfolio: Portfolio) -> Measured:
    """Expected interest a r T (1 - p) x, as the output column has it."""
    return Measured("interest", 1.0 - portfolio.pd, counts_exposure=False)


def gross_interest(portfolio: Portfolio) -> Measured:
    """Contractual interest a r T x."""
    return Measured("interest", None, counts_exposure=False)
