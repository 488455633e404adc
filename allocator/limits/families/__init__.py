"""The families of limits: what each measure adds up, one file a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from allocator.limits.families import amounts, income, loans, loss
from allocator.limits.families.measured import Measured
from allocator.records.portfolio import Portfolio
from allocator.records.scenario import Measure

FAMILIES: Mapping[Measure, Callable[[Portfolio], Measured]] = {
    "offered": amounts.offered,
    "drawn": amounts.drawn,
    "interest": income.interest,
    "gross_interest": income.gross_interest,
    "expected_loss": loss.expected_loss,
    "loans": loans.loans,
}
