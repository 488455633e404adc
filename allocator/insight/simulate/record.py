"""What is assumed of defaults, and what came out of the years."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from allocator.records.portfolio import Floats

Method = Literal["each", "binned"]
"""Borrower by borrower, or defaults by thinning and take-up by bins (`each`, `binned`)."""


@dataclass(frozen=True)
class Risk:
    """How defaults hang together, and how far losses given default spread."""

    rho: float = 0.15
    """Asset correlation of two borrowers of one sector."""
    by: str | None = None
    """Column of the borrowers whose values have a factor each; None: one factor for all."""
    between: float = 0.5
    """Correlation of two sectors' factors: borrowers of different sectors have rho x between."""
    lgd_spread: float = 0.0
    """Variance of a loss given default L over L (1 - L), the largest it can have; 0: always L."""


@dataclass(frozen=True)
class Years:
    """One allocation's simulated years; arrays of shape (years,), currency units."""

    interest: Floats
    loss: Floats
    drawn: Floats
    net: Floats
    """Worth of the book: interest less losses and all costs, plus what idle budget earns."""
    systematic: Floats
    """The loss that the year's factors alone lead to expect: what is left of `loss` in a book of countless
    small loans."""
    by_segment: Floats
    """(years, segments) `loss` by the values of the segments' column."""
    expected: Mapping[str, float]
    """The certificate's interest, loss, drawn and net."""
    method: Method
    exact_bins: int = 0
    """Kinds of offers whose take-up is drawn by exact binomials."""
    pooled: int = 0
    """Offers beyond these, whose take-up is drawn as one normal sum of the same mean and covariance."""
    normal_error: float = 0.0
    """Berry-Esseen: the most that this can move any probability of that sum."""
