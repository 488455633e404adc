"""A stress as people type it: factors on borrowers, churn, funding and limits, for all and for some."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from allocator.records.misfits import Misfit, refuse
from allocator.records.stress import BASE
from allocator.scenario.limit_schema import Condition, Values, misfits
from allocator.scenario.quantities import Factor, PositiveFactor, Rate, Share, Text
from allocator.scenario.source_schema import PATH, ending_in
from allocator.scenario.typed import Typed

FACTOR = "factor"
WHOLE = 1e-9
"""How far weights may be from 1 together."""
_MOST_WORST = 10
"""Stresses of which the worst counts: of no more does the rounding of stated bounds cover the means' own."""
INDUSTRY = "industry"


class CaseEntry(Typed):
    """A factor, and under their own names the columns that say whom it is for."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Condition] = Field(init=False)

    factor: Annotated[Factor, Field(examples=["1.4"])]
    """What the figure is multiplied by, for borrowers that pass every column's test."""

    @property
    def where(self) -> dict[str, Any]:
        """Column -> a text, a list of texts, or a range."""
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def _readable(self) -> CaseEntry:
        findings = [finding for column, test in self.where.items() for finding in misfits(column, test)]
        if not self.where:
            remedy = "name a column, as sector: retail, or write the factor as `all`"
            findings = [Misfit("the case says for nobody in particular", remedy)]
        if findings:
            raise refuse(*findings)
        return self


class ShockEntry(Typed):
    """The factor of one figure: that of all, times those of the cases that a borrower meets."""

    all: Factor = 1.0
    """Factor for everybody."""
    where: list[CaseEntry] = Field(default_factory=list)
    """Cases, as {sector: retail, factor: 1.4}; a borrower that lacks the column's value is a fault."""


class GradeCaseEntry(Typed):
    """A factor for one grade or several."""

    grade: Annotated[Values, Field(examples=["A"])]
    """A grade, or a list of them."""
    factor: Annotated[Factor, Field(examples=["1.4"])]
    """What the figure is multiplied by."""


class GradeRatesEntry(Typed):
    """A factor above 0 for one grade or several."""

    grade: Annotated[Values, Field(examples=["A"])]
    """A grade, or a list of them."""
    factor: Annotated[PositiveFactor, Field(examples=["0.9"])]
    """What the market's rates are multiplied by."""


class ChurnShockEntry(Typed):
    """The factor of churn, which is a curve per grade: cases name the grade and nothing else."""

    all: Factor = 1.0
    """Factor for every grade."""
    where: list[GradeCaseEntry] = Field(default_factory=list)
    """Cases, as {grade: [B, C], factor: 1.2}."""


class RatesShockEntry(Typed):
    """The factor of the market's rates, which move along the churn curve of a grade."""

    all: PositiveFactor = 1.0
    """Factor for every grade."""
    where: list[GradeRatesEntry] = Field(default_factory=list)
    """Cases, as {grade: [B, C], factor: 0.9}."""


class FundingShockEntry(Typed):
    """What becomes of the funding rate."""

    all: Factor = 1.0
    """What policy.funding_rate is multiplied by."""
    add: Rate = 0.0
    """What is added to it afterwards."""


class LimitCaseEntry(Typed):
    """A factor for one limit."""

    name: Annotated[Text, Field(examples=["A line"])]
    """A limit's name, or `budget`."""
    factor: Annotated[Factor, Field(examples=["0.8"])]
    """What its bound is multiplied by."""


class LimitsShockEntry(Typed):
    """The factor of the limits' bounds."""

    all: Factor = 1.0
    """Factor for every limit that is at_most; the budget stays."""
    where: list[LimitCaseEntry] = Field(default_factory=list)
    """Cases by name, as {name: A line, factor: 0.8}, on top of `all`."""


def _whole(weights: dict[str, float]) -> dict[str, float]:
    together = sum(weights.values())
    if abs(together - 1.0) > WHOLE:
        raise refuse(
            Misfit(f"the weights are {together:.10g} together, expected 1", "write weights that add up to 1")
        )
    return weights


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise refuse(Misfit("no stress is named", "name some, or base, or leave worst_of out"))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise refuse(Misfit(f"{twice} is named twice", "name each stress once"))
    if len(names) > _MOST_WORST:
        raise refuse(Misfit(f"{len(names)} stresses, expected {_MOST_WORST} at most", "name the worst alone"))
    return names


class StressEntry(Typed):
    """Factors, put on the borrowers, the churn curve and the policy before anything is priced."""

    pd: ShockEntry | None = None
    """On the probability of default, which ends at 1 at most."""
    lgd: ShockEntry | None = None
    """On the loss given default, which ends at 1 at most."""
    amount: ShockEntry | None = None
    """On max_amount, the request; a borrower without one has none afterwards."""
    churn: ChurnShockEntry | None = None
    """On the share of customers who walk away, which ends at 1 at most."""
    rates: RatesShockEntry | None = None
    """On what others charge: at 0.9 customers answer to 9 % as they did to 10 %, read between the rates
    of the churn curve; beyond its first or last rate, the churn there is used."""
    funding: FundingShockEntry | None = None
    """On policy.funding_rate."""
    limits: LimitsShockEntry | None = None
    """On the bounds of policy.limits and on the budget."""
    file: Annotated[
        Annotated[Text, AfterValidator(ending_in(".csv"))] | None,
        Field(examples=["../models/shocks/covid-2020q1-medium.csv"], json_schema_extra=PATH),
    ] = None
    """Table of factors, one row a value of `column`: any of pd, lgd, amount, churn, which has one factor, and
    no other columns but growth. They multiply those above. A table of growth g alone stands for the
    factors exp(-2 g) on PD, exp(-0.5 g) on LGD and exp(0.75 g) on requests."""
    column: Text = INDUSTRY
    """Column of the borrowers that the rows of the file are about."""
    mean_of: (
        Annotated[
            dict[Text, Share],
            AfterValidator(_whole),
            Field(examples=["{base: 60%, severe: 40%}"], min_length=1, json_schema_extra={"unit": "mapping"}),
        ]
        | None
    ) = None
    """Of `stress` alone: name of `stresses`, or base, the book without any -> its weight, together 100 %.
    Every borrower has the mean PD and the mean loss of these, put on top of the figures above; a limit
    `under` a stress has those of that alone. The stresses may have factors of pd and lgd."""
    worst_of: Annotated[tuple[Text, ...], AfterValidator(_each_once)] | None = None
    """Of `stress` alone, in the place of mean_of: names of `stresses`, or base, the book without any. The
    one decision is worth the least of what it is worth in each of these, put on top of the figures above,
    and limits hold in the book without any and in the stresses that they are `under`. The stresses may
    have factors of pd and lgd."""

    @model_validator(mode="after")
    def _mean_or_worst(self) -> StressEntry:
        if self.mean_of is not None and self.worst_of is not None:
            problem = "mean_of and worst_of do not go together"
            raise refuse(Misfit(problem, "keep one and set the other to null", ("worst_of",)))
        return self


def _own_names(stresses: dict[str, StressEntry]) -> dict[str, StressEntry]:
    if BASE in stresses:
        remedy = "choose another name"
        raise refuse(Misfit(f"{BASE} is the scenario as it stands", remedy, below=(BASE,)))
    for name, stress in stresses.items():
        for key, what in (("mean_of", "a mean"), ("worst_of", "the worst of several")):
            if getattr(stress, key) is not None:
                raise refuse(Misfit(f"{what} is no named stress", "write it under stress", below=(name, key)))
    return stresses


NamedStresses = Annotated[dict[Text, StressEntry], AfterValidator(_own_names)]
"""Stresses by name."""
