"""The policy as people type it: budget, ticket, rates and costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from allocator.records.cuts import HHI
from allocator.records.former import MONEY_MOVED
from allocator.records.misfits import Misfit, describe, refuse
from allocator.records.price_lists import AcrossGrades, Pricing
from allocator.records.scenario import OWN_FUNDS, Basis, Spend
from allocator.scenario.capital_schema import CapitalEntry, TailEntry
from allocator.scenario.changes_schema import ChangesEntry
from allocator.scenario.grouped import kinds_by_cuts, listed_misfits
from allocator.scenario.limit_schema import LimitEntry
from allocator.scenario.quantities import (
    Money,
    PositiveMoney,
    Rate,
    RateStep,
    Share,
    SignedRate,
    Text,
    Years,
    fraction,
    money,
    number,
    one_of,
    text,
)
from allocator.scenario.ticket_schema import TicketEntry
from allocator.scenario.typed import Typed

MOST_RATES = 10_000
"""Rates that one grade's grid may hold: more is a slip in its step."""

MOST_CONDITIONS = 6
"""Limits that may hang on a condition: each doubles the cases that must be looked at."""
_BAND = "a lowest and a highest rate, as [4%, 11%]"


def _two_rates(value: object) -> object:
    if isinstance(value, list | tuple) and len(value) == 2:
        return value
    shown = describe(value)
    if isinstance(value, list | tuple):
        shown = "1 value" if len(value) == 1 else f"{len(value)} values"
    commas = isinstance(value, list | tuple) and len(value) > 2
    remedy = "write both ends of the band" + (", decimals with a point as 4.5%" if commas else "")
    raise refuse(Misfit(f"expected {_BAND}, found {shown}", remedy))


def _ascending(band: tuple[float, float]) -> tuple[float, float]:
    low, high = band
    if low > high:
        problem = f"the lowest rate {100 * low:.10g}% is above the highest {100 * high:.10g}%"
        raise refuse(Misfit(problem, "write the lower rate first"))
    return band


def _currency(value: object) -> str:
    code = text(value)
    if len(code) == 3 and code.isascii() and code.isalpha() and code.isupper():
        return code
    raise refuse(Misfit(f"{code!r} is no currency code", "write three capital letters, as CNY"))


def _grid_kind(value: Any) -> str:
    return "<step>" if isinstance(value, Mapping | RateGrid) else "<table>"


def _pricing_kind(value: Any) -> str:
    return "<segments>" if isinstance(value, Mapping | SegmentPricing) else "<named>"


def _of_some_column(value: object) -> object:
    if value == "per_segment":
        problem = "per_segment of which column is not said"
        raise refuse(Misfit(problem, "write pricing: {per_segment: sector}"))
    return value


Band = Annotated[tuple[SignedRate, SignedRate], BeforeValidator(_two_rates), AfterValidator(_ascending)]
Currency = Annotated[
    str,
    BeforeValidator(_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "unit": "ISO 4217"}),
]


def _budget_amount(value: object, info: ValidationInfo) -> float:
    """Money, or with `of`, which precedes it, a fraction."""
    if info.data.get("of") is not None:
        return fraction(value, "a percentage such as 40% or a fraction such as 0.4")
    if isinstance(value, str) and value.strip().endswith("%"):
        written = number(value, "an amount such as 100_000_000")
        remedy = "add `of: requests`, or write an amount such as 100_000_000"
        raise refuse(Misfit(f"{written.text} of what is not said", remedy))
    return money(value)


BudgetAmount = Annotated[
    float,
    BeforeValidator(_budget_amount),
    WithJsonSchema(
        {"type": ["number", "string"], "unit": "currency units, or with `of` a fraction", "minimum": 0}
    ),
]


class BudgetEntry(Typed):
    """What may be lent in all."""

    of: Annotated[Literal["requests"], one_of("requests")] | None = None
    """What the amount is a fraction of: the sum of what all borrowers ask for (max_amount), rounded down to
    the step or cent; absent: money. The scenario of a run states the money."""
    amount: Annotated[BudgetAmount, Field(examples=["100_000_000"])]
    """The budget; with 0 nothing is lent but what is pinned."""
    spend: Annotated[Spend, one_of(*get_args(Spend))] = "at_most"
    """Whether all of it must be used."""
    basis: Annotated[Basis, one_of(*get_args(Basis))] = "offered"
    """What uses it: every offer, or the share of it that customers are expected to take."""


class RateGrid(Typed):
    """Rates by steps from the band's low end, both ends included."""

    step: Annotated[RateStep, Field(examples=["0.25%"])]
    """Distance of two rates."""


class SegmentPricing(Typed):
    """One posted rate for each value of a column."""

    per_segment: Annotated[Text, Field(examples=["sector"])]
    """The column whose values are the segments, of the borrowers' file."""
    grades: Annotated[AcrossGrades, one_of(*get_args(AcrossGrades))] = "together"
    """together: all grades of a segment have one rate, and no offer goes to whom the band of the grade denies
    it; apart: each grade of a segment has its own; monotone: apart, and never falling from one grade of
    `rates` to the next."""
    groups: dict[Text, list[Text]] = Field(default_factory=dict, examples=["{trade: [retail, wholesale]}"])
    """Segments of several values, by name; a value that none of them lists is a segment of its own."""

    @field_validator("per_segment")
    @classmethod
    def _some_segment(cls, column: str) -> str:
        if column in {"borrower_id", "grade"}:
            instead = "individual" if column == "borrower_id" else "per_grade"
            problem = f"the segments are those of pricing: {instead}"
            raise refuse(Misfit(problem, f"write pricing: {instead}, or name another column"))
        return column

    @field_validator("groups")
    @classmethod
    def _told_apart(cls, groups: dict[str, list[str]]) -> dict[str, list[str]]:
        seen: dict[str, str] = {}
        wrong: list[Misfit] = []
        for group, values in groups.items():
            if not values:
                wrong.append(Misfit("a segment of no values", "name its values, or leave it out", (group,)))
            for value in values:
                if seen.setdefault(value, group) != group or values.count(value) > 1:
                    problem = f"{value!r} is in {seen[value]!r} too"
                    wrong.append(Misfit(problem, "name a value in one segment", (group,)))
        for group in groups:
            if seen.get(group, group) != group:
                problem = f"a segment has the name of a value of another, {seen[group]!r}"
                wrong.append(Misfit(problem, "name it otherwise", (group,)))
        if wrong:
            raise refuse(*dict.fromkeys(wrong))
        return groups


def _refuse_falling(rates: Mapping[str, tuple[float, float]]) -> None:
    """Refuses bands that hold no list of rates that never fall from one grade to the next."""
    least, whose = float("-inf"), ""
    for grade, (low, high) in rates.items():
        if high < least:
            problem = (
                f"no rates that never fall: those of {grade} end at {high:.6g}, below {least:.6g} of {whose}"
            )
            raise refuse(Misfit(problem, "name the grades of `rates` from the lowest rates to the highest"))
        least, whose = (low, grade) if low > least else (least, whose)


def _by_sectors(info: ValidationInfo) -> str | None:
    """The measure whose limits several factors make convex; None where one factor makes them rows."""
    tail = info.data.get("tail")
    return "tail_loss" if isinstance(tail, TailEntry) and tail.sectors is not None else None


class PolicyEntry(Typed):
    """What the lender allows."""

    currency: Currency = "CNY"
    """Currency of every amount."""
    budget: BudgetEntry
    """What may be lent in all."""
    ticket: TicketEntry
    """The size of a loan."""
    term_years: Years = 1.0
    """Term of every loan whose borrower has none."""
    funding_rate: Rate = 0.0
    """What a unit drawn costs to fund."""
    churn_cost_rate: Share = 0.0
    """Cost of a unit offered and lost to churn (kappa)."""
    decline_churn: Share = 0.0
    """Share of declined customers whose relationship is lost (d)."""
    idle_rate: Rate = 0.0
    """What a unit of unspent budget earns over the year."""
    processing_cost: Annotated[Money, Field(json_schema_extra={"unit": "currency units a loan"})] = 0.0
    """Cost of one booked loan."""
    own_funds: PositiveMoney | None = None
    """The lender's own funds, for limits that are a share of them, as of large exposures."""
    rates: Annotated[dict[Text, Band], Field(examples=["{A: [4%, 11%]}"])]
    """Grade: lowest and highest rate, ends included; a grade not named is declined, with that reason."""
    rate_grid: Annotated[
        Annotated[Literal["table", "contract"], one_of("table", "contract"), Tag("<table>")]
        | Annotated[RateGrid, Tag("<step>")],
        Discriminator(_grid_kind),
    ] = "table"
    """table: the churn curve's rates inside the band; a step: interpolated after smoothing; contract: each
    loan's own rate, of the column `rate`, and no other."""
    capital: CapitalEntry | None = None
    """How capital is measured; absent: as large firms of 2.5 years by the formula of internal ratings."""
    tail: TailEntry | None = None
    """Which losses are in the tail; absent: of the worst year in a thousand, at a correlation of 15%."""
    pricing: Annotated[
        Annotated[Pricing, one_of(*get_args(Pricing)), BeforeValidator(_of_some_column), Tag("<named>")]
        | Annotated[SegmentPricing, Tag("<segments>")],
        Discriminator(_pricing_kind),
    ] = "individual"
    """individual: each borrower has a rate of its own; per_grade: one posted rate a grade, for all who have
    no rate of their own (pinned, or of the column `rate`); monotone: posted rates that never fall from one
    grade of `rates` to the next; a mapping: one posted rate a value of a column."""
    changes: ChangesEntry = ChangesEntry()
    """What may change of the offers to those who were served in the former run."""
    limits: list[LimitEntry] = Field(default_factory=list)
    """What the allocation as a whole must keep to."""

    @field_validator("limits")
    @classmethod
    def _one_direction(cls, limits: list[LimitEntry], info: ValidationInfo) -> list[LimitEntry]:
        changes = info.data.get("changes")
        bent = [place for place, limit in enumerate(limits) if limit.measure == MONEY_MOVED]
        if bent and isinstance(changes, ChangesEntry) and changes.amounts is None:
            problem = "money moved bends at each former amount: amounts must keep to one side of it"
            remedy = "write changes: {amounts: no_cut} (who gets a loan again gets no less), no_rise or same"
            raise refuse(*(Misfit(problem, remedy, below=(place, "measure")) for place in bent))
        return limits

    @field_validator("rates")
    @classmethod
    def _some_grade(cls, rates: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        if not rates:
            raise refuse(Misfit("no grade may borrow", "write a band for one, as A: [4%, 11%]"))
        return rates

    @field_validator("pricing")
    @classmethod
    def _some_list(cls, pricing: Pricing | SegmentPricing, info: ValidationInfo) -> Pricing | SegmentPricing:
        own = "per_segment" if isinstance(pricing, SegmentPricing) else pricing
        if own != "individual" and info.data.get("rate_grid") == "contract":
            problem = f"each loan has its contract's rate, so that pricing {own} has none to post"
            raise refuse(Misfit(problem, "write pricing: individual, or another rate_grid"))
        if "monotone" in (own, getattr(pricing, "grades", "")):
            _refuse_falling(info.data.get("rates") or {})
        return pricing

    @field_validator("limits")
    @classmethod
    def _some_own_funds(cls, limits: list[LimitEntry], info: ValidationInfo) -> list[LimitEntry]:
        own = info.data.get("own_funds", 0.0)  # missing where what is written could not be read
        shares = [index for index, limit in enumerate(limits) if limit.of == OWN_FUNDS]
        if own is None and shares:
            problem, remedy = "a share of own funds, which nothing states", "add policy.own_funds: 50_000_000"
            raise refuse(*(Misfit(problem, remedy, (index, "of")) for index in shares))
        return limits

    @field_validator("limits")
    @classmethod
    def _of_several_sectors(cls, limits: list[LimitEntry], info: ValidationInfo) -> list[LimitEntry]:
        wrong, measure = [], _by_sectors(info)
        for place, limit in enumerate(limits):
            if limit.measure != measure:
                continue
            for key in ("weight", "each", "at_least", "exactly", "under"):
                if getattr(limit, key) is not None:
                    problem = f"{key} does not go with the tail loss of several sectors, which is no sum"
                    remedy = "leave it out, or policy.tail.sectors: one factor alone makes it a sum"
                    wrong.append(Misfit(problem, remedy, (place, key)))
            if limit.enforce != "hard":
                problem = "a limit on the tail loss of several sectors is not yet soft or only reported"
                wrong.append(Misfit(problem, "leave enforce out, or policy.tail.sectors", (place, "enforce")))
            if limit.at_most == 0:
                problem = "no loan has a tail loss of 0"
                wrong.append(Misfit(problem, "write at_most: 4%", (place, "at_most")))
        if wrong:
            raise refuse(*wrong)
        return limits

    @field_validator("limits")
    @classmethod
    def _sums_beside_lists(cls, limits: list[LimitEntry], info: ValidationInfo) -> list[LimitEntry]:
        wrong = listed_misfits(limits, (HHI, _by_sectors(info)))
        if wrong and info.data.get("pricing", "individual") != "individual":
            raise refuse(*wrong)
        return limits

    @field_validator("limits")
    @classmethod
    def _few_conditions(cls, limits: list[LimitEntry], info: ValidationInfo) -> list[LimitEntry]:
        conditional = [place for place, limit in enumerate(limits) if limit.if_lent_to]
        if not conditional:
            return limits
        wrong, key = [], "if_lent_to"
        for place in conditional:
            other = "under" if limits[place].under else "enforce" if limits[place].enforce != "hard" else None
            if other:
                problem = "a limit that hangs on a condition holds in no named stress, and must hold"
                wrong.append(Misfit(problem, f"leave {key} or {other} out", (place, other)))
        if len(conditional) > MOST_CONDITIONS:
            problem = f"{len(conditional)} limits hang on a condition, expected {MOST_CONDITIONS} at most"
            remedy = f"leave {key} out where the limit may hold whatever is offered"
            wrong.append(Misfit(problem, remedy, (conditional[MOST_CONDITIONS], key)))
        if info.data.get("pricing", "individual") != "individual":
            problem = "a limit that hangs on a condition does not yet go with a price list"
            remedy = f"write pricing: individual, or leave {key} out"
            wrong.append(Misfit(problem, remedy, (conditional[0], key)))
        for convex in kinds_by_cuts(limits, (HHI, _by_sectors(info))):
            problem = f"a limit that hangs on a condition does not yet go with one on {convex}"
            wrong.append(Misfit(problem, f"leave one of the two out, or its {key}", (conditional[0], key)))
        if wrong:
            raise refuse(*wrong)
        return limits

    @field_validator("rate_grid")
    @classmethod
    def _few_rates(
        cls, grid: Literal["table", "contract"] | RateGrid, info: ValidationInfo
    ) -> Literal["table", "contract"] | RateGrid:
        widest = max((high - low for low, high in info.data.get("rates", {}).values()), default=0.0)
        if isinstance(grid, RateGrid) and widest / grid.step > MOST_RATES:
            problem = f"a band would hold {widest / grid.step:,.0f} rates, expected {MOST_RATES:,} at most"
            raise refuse(Misfit(problem, "write a larger step, as 0.25%", below=("step",)))
        return grid
