"""What a policy says of capital and of losses in the tail: whose formula, with what (docs/capital.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

Approach = Literal["irb", "standardised"]
AssetClass = Literal["corporate", "sme", "retail"]
ASSET_CLASSES: tuple[AssetClass, ...] = get_args(AssetClass)
PLACES = 8
"""Decimal places of a capital requirement or a tail loss, a fraction of what is drawn: every reading of the
formula rounds to the nearest, so that all have the same number."""
LEAST_PD = 1e-4
"""Smallest floor of PD: below, the maturity adjustment of the IRB formula has no meaning."""
SMALLEST_MATURITY, LARGEST_MATURITY = 1.0, 5.0
"""Years, between which the IRB formula takes a maturity."""
LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.99999
MOST_CORRELATION = 0.5
LEAST_NODES, MOST_NODES = 16, 4096
MOST_SECTORS = 20
MOST_LOSSES = 100_000_000
"""Borrowers times nodes, whose losses are kept for all nodes."""
WEIGHT_PLACES = 7
"""Decimal places of the weights of nodes: whole numbers of 15 digits are what they count of losses."""


@dataclass(frozen=True)
class CapitalRule:
    """How much capital a unit drawn ties up: K of docs/formulation.md, section 6."""

    approach: Approach = "irb"
    asset_class: AssetClass = "corporate"
    asset_class_by: str | None = None
    """Column of texts that are the borrowers' own classes; None: all are of `asset_class`."""
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
    cost: float | None = None
    """What a unit of capital costs a year, a part of the value; None: capital is no matter of the value."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns of numbers that it reads, the canonical ones aside."""
        small = self.asset_class == "sme" or self.asset_class_by is not None
        return frozenset({self.turnover} if small and self.approach == "irb" else ())

    @property
    def charged(self) -> tuple[tuple[str | None, ...], frozenset[str]]:
        """The columns of texts and of numbers that the value reads by it: none where capital has no cost."""
        return ((), frozenset()) if self.cost is None else ((self.asset_class_by,), self.columns)

    def of_classes(self) -> Iterator[tuple[str, CapitalRule]]:
        """Each class with the rule of its borrowers, where a column says who is of which."""
        for own in ASSET_CLASSES:
            yield own, replace(self, asset_class=own, asset_class_by=None)


@dataclass(frozen=True)
class Sectors:
    """Factors of sectors beside the common one, and the years that stand for all (section 6)."""

    column: str
    """Column of texts whose values are the sectors."""
    between: float
    """Correlation of borrowers of two sectors; within one it is the rule's."""
    nodes: int
    """J, how many years stand for all."""


@dataclass(frozen=True)
class TailRule:
    """What a unit drawn loses on average in the worst years of one common factor, or of several."""

    confidence: float = 0.999
    """The worst years are a share of 1 less it."""
    correlation: float | None = 0.15
    """Of borrowers' assets with each other; None: that of the formula of internal ratings, by `capital`."""
    capital: CapitalRule = field(default_factory=CapitalRule)
    sectors: Sectors | None = None
    """None: there is one factor, and the mean loss is a sum over borrowers."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns of numbers that it reads, the canonical ones aside."""
        return replace(self.capital, approach="irb").columns if self.correlation is None else frozenset()

    @property
    def asset_class_by(self) -> str | None:
        """The column that says whose correlation is which."""
        return self.capital.asset_class_by if self.correlation is None else None

    def of_classes(self) -> Iterator[tuple[str, TailRule]]:
        """Each class with the rule of its borrowers."""
        return ((name, replace(self, capital=own)) for name, own in self.capital.of_classes())


Rule = CapitalRule | TailRule
