"""What a policy says of capital: whose formula, and its parameters (docs/capital.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Approach = Literal["irb", "standardised"]
AssetClass = Literal["corporate", "sme", "retail"]
PLACES = 8
"""Decimal places of a capital requirement, a fraction of what is drawn: every reading of the formula rounds
to the nearest, so that all have the same number."""
LEAST_PD = 1e-4
"""Smallest floor of PD: below, the maturity adjustment of the IRB formula has no meaning."""
SMALLEST_MATURITY, LARGEST_MATURITY = 1.0, 5.0
"""Years, between which the IRB formula takes a maturity."""


@dataclass(frozen=True)
class CapitalRule:
    """How much capital a unit drawn ties up: K of docs/formulation.md, section 6."""

    approach: Approach = "irb"
    asset_class: AssetClass = "corporate"
    turnover: str = "turnover"
    """Column of the yearly sales of firms of class sme."""
    turnover_unit: float = 1.0
    """One million EUR in the unit of that column."""
    maturity: float = 2.5
    """Years, of classes corporate and sme."""
    pd_floor: float = 0.0005
    """Of the one-year PD."""
    lgd_floor: float = 0.0
    supporting_factor: bool = False
    """Whether requirements of classes sme and retail are multiplied by 0.7619."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns of numbers that it reads, the canonical ones aside."""
        sized = self.approach == "irb" and self.asset_class == "sme"
        return frozenset({self.turnover} if sized else ())
