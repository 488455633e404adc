"""What a policy says of capital and of losses in the tail: whose formula, with what (docs/capital.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Approach = Literal["irb", "standardised"]
AssetClass = Literal["corporate", "sme", "retail"]
PLACES = 8
"""Decimal places of a capital requirement or a tail loss, a fraction of what is drawn: every reading of the
formula rounds to the nearest, so that all have the same number."""
LEAST_PD = 1e-4
"""Smallest floor of PD: below, the maturity adjustment of the IRB formula has no meaning."""
SMALLEST_MATURITY, LARGEST_MATURITY = 1.0, 5.0
"""Years, between which the IRB formula takes a maturity."""
LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.99999
MOST_CORRELATION = 0.5


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


@dataclass(frozen=True)
class TailRule:
    """What a unit drawn loses on average in the worst years of one common factor."""

    confidence: float = 0.999
    """The worst years are a share of 1 less it."""
    correlation: float | None = 0.15
    """Of borrowers' assets with each other; None: that of the formula of internal ratings, by `capital`."""
    capital: CapitalRule = field(default_factory=CapitalRule)

    @property
    def columns(self) -> frozenset[str]:
        """The columns of numbers that it reads, the canonical ones aside."""
        small = self.correlation is None and self.capital.asset_class == "sme"
        return frozenset({self.capital.turnover} if small else ())


Rule = CapitalRule | TailRule
