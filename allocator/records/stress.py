"""What a stress does to a portfolio, its churn curve and the policy: factors, for all and for some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from math import inf, prod
from typing import Literal

from allocator.records.conditions import Condition
from allocator.records.frames import File

SHOCKED = ("pd", "lgd")
"""The figures of a stress that a limit's row in it carries: the decisions stay what they are."""
BASE = "base"
"""What the scenario as it stands is called beside its stresses."""
APART = {"pd": "pd apart", "lgd": "lgd apart"}
"""PD and LGD -> the number column that keeps them where the borrowers have their mean over stresses."""


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

    def scaled(self, scale: float) -> Shock:
        """Each factor f as 1 + scale (f - 1)."""
        cases = (StressCase(case.where, _scaled(case.factor, scale)) for case in self.cases)
        return Shock(_scaled(self.all, scale), tuple(cases))

    def factors(self) -> tuple[float, ...]:
        """Every factor, whomever it is for."""
        return (self.all, *(case.factor for case in self.cases))


@dataclass(frozen=True)
class FundingShock:
    """The funding rate times `all`, plus `add` a year."""

    all: float = 1.0
    add: float = 0.0

    def times(self, other: FundingShock) -> FundingShock:
        """Both shocks, one after the other."""
        return FundingShock(self.all * other.all, self.add * other.all + other.add)

    def scaled(self, scale: float) -> FundingShock:
        """The factor f as 1 + scale (f - 1), the addition times `scale`."""
        return FundingShock(_scaled(self.all, scale), scale * self.add)

    def factors(self) -> tuple[float, ...]:
        return (self.all,)


@dataclass(frozen=True)
class LimitShock:
    """Factors on the bounds of limits: `all` on those that are at_most, the others by name."""

    all: float = 1.0
    named: tuple[tuple[str, float], ...] = ()
    """Limit name, or `budget` -> factor, on top of `all`."""

    def times(self, other: LimitShock) -> LimitShock:
        """Both shocks, one after the other."""
        return LimitShock(self.all * other.all, (*self.named, *other.named))

    def scaled(self, scale: float) -> LimitShock:
        """Each factor f as 1 + scale (f - 1)."""
        return LimitShock(
            _scaled(self.all, scale), tuple((name, _scaled(factor, scale)) for name, factor in self.named)
        )

    def factors(self) -> tuple[float, ...]:
        return (self.all, *(factor for _, factor in self.named))

    def of(self, name: str) -> float:
        """What `named` makes of the limit `name`."""
        return prod(factor for limit, factor in self.named if limit == name)


Subject = Literal["borrowers", "curve", "policy"]
"""What a figure belongs to: columns of the borrowers, the churn curve (by grade), or the policy."""


@dataclass(frozen=True)
class Stress:
    """Factors on what is lent: PD and LGD (at most 1 afterwards), the amounts asked for, and churn;
    on what the market charges; on what funding costs; on the bounds of limits.

    Churn is a curve per grade, so the cases of churn and rates may name the grade and nothing else. Each
    figure says what pages call it and what it belongs to.
    """

    pd: Shock = field(default_factory=Shock, metadata={"label": "PD", "subject": "borrowers"})
    lgd: Shock = field(default_factory=Shock, metadata={"label": "LGD", "subject": "borrowers"})
    amount: Shock = field(default_factory=Shock, metadata={"label": "requests", "subject": "borrowers"})
    """On the largest amount a borrower asks for."""
    churn: Shock = field(default_factory=Shock, metadata={"label": "churn", "subject": "curve"})
    rates: Shock = field(default_factory=Shock, metadata={"label": "market rates", "subject": "curve"})
    """On the market's rates: at 0.9 a customer answers to 9 % as it answered to 10 %."""
    funding: FundingShock = field(
        default_factory=FundingShock, metadata={"label": "funding", "subject": "policy"}
    )
    limits: LimitShock = field(default_factory=LimitShock, metadata={"label": "limits", "subject": "policy"})

    @classmethod
    def figures(cls, *subjects: Subject) -> dict[str, str]:
        """The figures that belong to one of `subjects`, all without any, each with what pages call it."""
        named = ((figure.name, figure.metadata) for figure in fields(cls))
        return {
            name: details["label"]
            for name, details in named
            if not subjects or details["subject"] in subjects
        }

    def moved(self) -> dict[str, Shock | FundingShock | LimitShock]:
        """The figures that the stress moves."""
        shocks = {figure.name: getattr(self, figure.name) for figure in fields(self)}
        return {name: shock for name, shock in shocks.items() if shock != type(shock)()}

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

    def scaled(self, scale: float) -> Stress:
        """The same stress `scale` times as far: each factor f as 1 + scale (f - 1)."""
        figures = (figure.name for figure in fields(self))
        return Stress(**{name: getattr(self, name).scaled(scale) for name in figures})

    @property
    def reach(self) -> float:
        """The scale at which the first factor is 0; inf where none falls."""
        factors = (factor for figure in fields(self) for factor in getattr(self, figure.name).factors())
        return min((1.0 / (1.0 - factor) for factor in factors if factor < 1.0), default=inf)

    def _conditions(self) -> list[Condition]:
        shocks = (getattr(self, name) for name in self.figures("borrowers", "curve"))
        return [c for shock in shocks for case in shock.cases for c in case.where]


@dataclass(frozen=True)
class StressSource:
    """A scenario's stress: factors as written, times those of a file."""

    factors: Stress = field(default_factory=Stress)
    file: File | None = None
    """Factors by value of `column`, absolute; None: no file."""
    column: str = "industry"
    mean: tuple[tuple[float, Stress], ...] = ()
    """Weights, together 1, of stresses put on top, over which PD and loss are the mean; none: no mean."""
    worst: tuple[str, ...] = ()
    """Names of those of `mean` where the least of their values counts, at weights to be found; none: the
    value of the mean."""

    @property
    def weights(self) -> dict[str, float]:
        """Name -> weight of the stresses whose least value counts; empty without such."""
        return dict(zip(self.worst, (weight for weight, _ in self.mean), strict=False))

    def weighted(self, weights: Iterable[float]) -> StressSource:
        """The same stresses at other weights."""
        own = (stress for _, stress in self.mean)
        return replace(self, mean=tuple(zip(weights, own, strict=True)))

    def __bool__(self) -> bool:
        """Whether anything is stressed."""
        return self.file is not None or self.factors != Stress() or bool(self.mean)


_PARTS = 2.0**20


def whole_weights(raw: Sequence[float]) -> tuple[float, ...]:
    """`raw`, weights from 0 on, in parts of 2^-20 that add up to 1 to the last bit, in whatever order."""
    parts = [round(weight / sum(raw) * _PARTS) for weight in raw]
    largest = max(range(len(parts)), key=parts.__getitem__)
    parts[largest] += int(_PARTS) - sum(parts)
    return tuple(part / _PARTS for part in parts)


def _scaled(factor: float, scale: float) -> float:
    return 1.0 + scale * (factor - 1.0)
