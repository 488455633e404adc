"""Churn curves by parameters, in the place of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from allocator.records.frames import File

Smoothing = Literal["none", "isotonic"]

STEEPEST = 1e4
"""Largest slope of a logistic churn curve: its odds grow by e within a basis point."""


@dataclass(frozen=True)
class Logistic:
    """A churn curve by parameters: 1 / (1 + exp(-slope (rate - midpoint)))."""

    midpoint: float
    """The annual rate at which half walk away, a fraction."""
    slope: float
    """By how much the log-odds grow per unit of rate, above 0: at 40 by 0.4 a percentage point."""


ParametricCurve: TypeAlias = Logistic
FORMULAS: Mapping[str, type[ParametricCurve]] = {"logistic": Logistic}
"""What curves by parameters follow, by their key of scenario files."""


@dataclass(frozen=True)
class Response:
    """How customers answer to a rate."""

    churn: File | None
    """The curve's file or frame; None: there is none, and without `curves` nobody walks away at any rate."""
    smoothing: Smoothing = "none"
    curves: Mapping[str, ParametricCurve] = field(default_factory=dict)
    """Grade -> its curve by parameters, in the place of a file."""
