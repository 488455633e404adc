"""One allocation's years in figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.insight.simulate.concentration import Concentration, concentration
from allocator.insight.simulate.measures import (
    LEVELS,
    Distribution,
    Estimate,
    distribution,
    share_below,
    tail_weights,
)
from allocator.insight.simulate.record import Simulation
from allocator.records.ledger import Ledger, accounts_by
from allocator.records.portfolio import Text


@dataclass(frozen=True)
class SegmentLoss:
    """What one value of the segments' column adds to the loss; currency units."""

    name: str
    mean: float
    tail: float
    """Its part of CVaR: the parts add up to it."""


@dataclass(frozen=True)
class YearsSummary:
    """Distributions over the years, currency units."""

    interest: Distribution
    loss: Distribution
    net: Distribution
    shortfall: Distribution
    """Of -net: its tails are the worst years of the book."""
    systematic: Distribution
    below_zero: Estimate
    """Share of the years that lose money."""
    segment_level: float
    """Level of the CVaR that the segments are parts of."""
    segments: tuple[SegmentLoss, ...]
    names: Concentration
    """Of money drawn, by borrower."""
    by_segment: Concentration
    """Of money drawn, by the segments' column."""


def summarise_years(
    simulation: Simulation, name: str, ledger: Ledger, column: Text, levels: Sequence[float] = LEVELS
) -> YearsSummary:
    """The years of the book `name` in figures; `column` is that of the segments."""
    years = simulation.books[name]
    level = min(levels, key=lambda one: abs(one - 0.99))
    weights = tail_weights(years.loss, level)
    by_segment = np.array([account.drawn for account in accounts_by(ledger, column)])
    means, tails = years.by_segment.mean(axis=0), np.einsum("y,ys->s", weights, years.by_segment)
    return YearsSummary(
        interest=distribution(years.interest, levels),
        loss=distribution(years.loss, levels),
        net=distribution(years.net, levels),
        shortfall=distribution(-years.net, levels),
        systematic=distribution(years.systematic, levels),
        below_zero=share_below(years.net, 0.0),
        segment_level=level,
        segments=tuple(
            SegmentLoss(*entry)
            for entry in zip(simulation.segments, means.tolist(), tails.tolist(), strict=True)
        ),
        names=concentration(ledger.drawn),
        by_segment=concentration(by_segment, ()),
    )
