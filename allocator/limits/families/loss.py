"""Expected loss, on what is drawn and on what is already lent."""

from __future__ import annotations

from allocator.limits.families.measured import Measured
from allocator.records.portfolio import Portfolio


def expected_loss(portfolio: Portfolio) -> Measured:
    """a p L x."""
    return Measured("drawn", portfolio.pd * portfolio.lgd, counts_exposure=True)
