"""What a stress does to a portfolio and its churn curve: factors, for all and for some."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from allocator.records.conditions import Condition


@dataclass(frozen=True)
class StressCase:
    """`factor` for the borrowers that meet every condition."""

    where: tuple[Condition, ...]
    factor: float


@dataclass(frozen=True)
class Shock:
    """The factor of one figure: `all` times that of every case that applies."""

    all: float = 1.0
    cases: tuple[StressCase, ...] = ()

    def times(self, other: Shock) -> Shock:
        """Both shocks, one after the other."""
        return Shock(self.all * other.all, (*self.cases, *other.cases))


@dataclass(frozen=True)
class Stress:
    """Factors on what is lent: PD and LGD (at most 1 afterwards), the amounts asked for, and churn.

    Churn is a curve a grade, so its cases may name the grade and nothing else.
    """

    pd: Shock = field(default_factory=Shock)
    lgd: Shock = field(default_factory=Shock)
    amount: Shock = field(default_factory=Shock)
    """On the largest amount a borrower asks for."""
    churn: Shock = field(default_factory=Shock)

    def text_columns(self) -> frozenset[str]:
        """Columns that cases read as text (`grade` aside), for the portfolio's loader."""
        return frozenset(c.column for c in self._conditions() if not c.is_range) - {"grade", "borrower_id"}

    def number_columns(self) -> frozenset[str]:
        """Columns that cases read as numbers."""
        return frozenset(c.column for c in self._conditions() if c.is_range)

    def times(self, other: Stress) -> Stress:
        """Both stresses, one after the other: their factors multiply."""
        figures = (figure.name for figure in fields(self))
        return Stress(**{name: getattr(self, name).times(getattr(other, name)) for name in figures})

    def _conditions(self) -> list[Condition]:
        shocks = (self.pd, self.lgd, self.amount, self.churn)
        return [c for shock in shocks for case in shock.cases for c in case.where]


@dataclass(frozen=True)
class StressSource:
    """A scenario's stress: factors as written, times those of a file."""

    factors: Stress = field(default_factory=Stress)
    file: Path | None = None
    """Factors by value of `column`, absolute; None: no file."""
    column: str = "industry"
