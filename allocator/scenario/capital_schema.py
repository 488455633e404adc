"""Capital and tail losses as people type them: whose formula, and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from allocator.records.misfits import Misfit, refuse
from allocator.records.risk import (
    LARGEST_MATURITY,
    LEAST_CONFIDENCE,
    LEAST_NODES,
    LEAST_PD,
    MOST_CONFIDENCE,
    MOST_CORRELATION,
    MOST_NODES,
    SMALLEST_MATURITY,
    Approach,
    AssetClass,
)
from allocator.scenario.limit_schema import number_column, text_column
from allocator.scenario.quantities import (
    Flag,
    PositiveMoney,
    PositiveWhole,
    Rate,
    Share,
    Text,
    Years,
    fraction,
    one_of,
)
from allocator.scenario.typed import Typed

_UNIT = {"unit": "units of the column"}
_SALES = ("turnover", "turnover_unit")
_IDLE: Mapping[str, Mapping[str, str]] = {
    "irb": {},
    "standardised": dict.fromkeys(("maturity", "pd_floor", "lgd_floor", *_SALES), "approach: standardised"),
    "corporate": dict.fromkeys(("supporting_factor", *_SALES), "asset_class: corporate"),
    "sme": {},
    "retail": dict.fromkeys(("maturity", *_SALES), "asset_class: retail"),
}
"""Approach or asset class -> keys that do nothing beside it, and beside what."""


class CapitalEntry(Typed):
    """How much capital a unit drawn ties up, for limits by the measure capital, and what it costs."""

    approach: Annotated[Approach, one_of(*get_args(Approach))] = "irb"
    """irb: the formula of internal ratings, by PD and LGD; standardised: 8 % of one risk weight for all."""
    asset_class: Annotated[AssetClass, one_of(*get_args(AssetClass))] = "corporate"
    """Whose formula or risk weight: large firms (standardised 100 %), small ones by their turnover (85 %),
    or retail (75 %)."""
    asset_class_by: Annotated[Text, AfterValidator(text_column), Field(examples=["segment"])] | None = None
    """Column of texts corporate, sme or retail: each borrower's own class, in the place of asset_class."""
    turnover: Annotated[Text, AfterValidator(number_column), Field(examples=["turnover"])] = "turnover"
    """Column of the yearly sales of small firms, which irb reads for asset_class sme."""
    turnover_unit: Annotated[PositiveMoney, Field(json_schema_extra=_UNIT)] = 1.0
    """One million EUR in the unit of that column: 1 where it is in millions of EUR, 1_000_000 where in EUR,
    7_800_000 where in CNY at 7.8 a EUR."""
    maturity: Years = 2.5
    """Effective maturity of the loans, from 1 to 5 years; retail has none."""
    pd_floor: Share = 0.0005
    """Smallest PD a year that counts."""
    lgd_floor: Share = 0.0
    """Smallest LGD that counts."""
    supporting_factor: Flag = False
    """Whether requirements of sme and retail are multiplied by 0.7619, whatever the exposure of the firm."""
    cost: Rate | None = None
    """What a unit of capital costs a year: it is taken off the value, which is then the economic value
    added, and RAROC stands beside it. At 0 % that is all that changes; absent: neither."""

    @model_validator(mode="after")
    def _nothing_idle(self) -> CapitalEntry:
        """No key without effect: who writes one believes that it has some."""
        own = {"asset_class": "asset_class_by"} if self.asset_class_by else _IDLE[self.asset_class]
        idle = {**_IDLE[self.approach], **own}
        findings = [
            Misfit(f"{key} has no effect beside {idle[key]}", f"leave {key} out, or change {idle[key]}")
            for key in sorted(idle)
            if getattr(self, key) != CapitalEntry.model_fields[key].default
        ]
        if findings:
            raise refuse(*findings)
        return self

    @field_validator("maturity")
    @classmethod
    def _between(cls, maturity: float) -> float:
        if not SMALLEST_MATURITY <= maturity <= LARGEST_MATURITY:
            problem = f"a maturity of {maturity:.10g} years is outside the formula's 1 to 5"
            raise refuse(Misfit(problem, "write 2.5, or the maturity cut off at 1 or 5"))
        return maturity

    @field_validator("pd_floor")
    @classmethod
    def _above_0(cls, floor: float) -> float:
        if not LEAST_PD <= floor < 1:
            problem = f"a floor of {floor:.10g} is outside 0.01% to 100%, where the formula has a meaning"
            raise refuse(Misfit(problem, "write 0.05%, or another of at least 0.01%"))
        return floor


def _correlation(value: object) -> float | str:
    if value == IRB:
        return IRB
    shared = fraction(value, "a percentage such as 15%, or irb")
    if shared > MOST_CORRELATION:
        problem = f"a correlation of {shared:.10g} is above {MOST_CORRELATION:.0%}"
        raise refuse(Misfit(problem, "write one as 15%, or irb for that of internal ratings"))
    return shared


IRB = "irb"
Correlation = Annotated[
    float | Literal["irb"],
    BeforeValidator(_correlation),
    WithJsonSchema({"type": ["number", "string"], "unit": "fraction, or irb", "minimum": 0}),
]


class SectorsEntry(Typed):
    """Factors of sectors beside the one that all share: a bad year of one sector need not be one of all."""

    column: Annotated[Text, AfterValidator(text_column), Field(examples=["sector"])]
    """Column of texts whose values are the sectors, 20 at most."""
    between: Annotated[Share, Field(examples=["8%"])]
    """Correlation of borrowers' assets between two sectors, at most policy.tail.correlation, which is that
    within one: by the factor that all share."""
    nodes: PositiveWhole = 256
    """How many years stand for all, from 16 to 4,096, about a third of them bad ones: 256 meet the mean loss
    to about 1%, 1,024 to 0.3%."""

    @field_validator("nodes")
    @classmethod
    def _sensible(cls, nodes: int) -> int:
        if not LEAST_NODES <= nodes <= MOST_NODES:
            problem = f"{nodes:,} years are outside {LEAST_NODES} to {MOST_NODES:,}"
            raise refuse(Misfit(problem, "write nodes: 256"))
        return nodes


class TailEntry(Typed):
    """Which years are the worst, for limits by the measure tail_loss."""

    confidence: Share = 0.999
    """The worst years are a share of 1 less it: at 99.9% the worst in a thousand."""
    correlation: Correlation = 0.15
    """Of borrowers' assets with each other, by the one factor that all share; irb: that of internal ratings,
    by PD and policy.capital."""
    sectors: SectorsEntry | None = None
    """Further factors, one a sector; absent: one factor moves all."""

    @model_validator(mode="after")
    def _within_sectors(self) -> TailEntry:
        if self.sectors is None:
            return self
        if isinstance(self.correlation, str):
            problem = "sectors need one correlation within a sector, and irb has one for each borrower"
            raise refuse(
                Misfit(problem, "write a correlation as 15%, or leave sectors out", ("correlation",))
            )
        if self.sectors.between > self.correlation:
            problem = (
                f"{self.sectors.between:.10g} between sectors is above {self.correlation:.10g} within one"
            )
            raise refuse(Misfit(problem, "write between at most as correlation", ("sectors", "between")))
        return self

    @field_validator("confidence")
    @classmethod
    def _sensible(cls, confidence: float) -> float:
        if not LEAST_CONFIDENCE <= confidence <= MOST_CONFIDENCE:
            problem = f"a confidence of {confidence:.10g} is outside 50% to 99.999%"
            raise refuse(Misfit(problem, "write one as 99.9%"))
        return confidence
