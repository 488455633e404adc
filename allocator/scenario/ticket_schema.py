"""The size of a loan as people type it: ends, steps, and menus of amounts."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from allocator.records.misfits import Misfit, describe, refuse
from allocator.records.scenario import LARGEST_LOAN, MOST_LOTS
from allocator.records.ticket import Choices, OwnSteps, SizedSteps, Ticket
from allocator.scenario.quantities import Money, PositiveMoney, Text, fraction, money, one_of
from allocator.scenario.typed import Typed, told_by_keys

CENT = 0.01
MOST_AMOUNTS = 50
"""Amounts that a menu, or steps that sizes, may hold."""


def _in_cents(value: float) -> float:
    if Fraction(repr(value)) % Fraction(1, 100):
        raise refuse(Misfit(f"{value:.10g} is no whole number of cents", "write two decimals at most"))
    return value


Cents = Annotated[PositiveMoney, AfterValidator(_in_cents)]


class OwnStepEntry(Typed):
    """A step a borrower."""

    column: Annotated[Text, Field(examples=["lot"])]
    """Column of the borrowers' steps, in whole cents: amounts to each are multiples of its own."""


class SizeEntry(Typed):
    """The step of loans of one size."""

    below: Cents | None = None
    """Loans below this amount, from that of the entry before on, have the step; the last entry has none."""
    step: Annotated[Cents, Field(examples=["10_000"])]
    """Their amounts are multiples of it."""


class SizedStepEntry(Typed):
    """A step by the size of the loan."""

    by_size: Annotated[list[SizeEntry], Field(examples=["[{below: 500_000, step: 10_000}, {step: 50_000}]"])]
    """Steps from the smallest loans to the largest."""

    @field_validator("by_size")
    @classmethod
    def _ascending(cls, entries: list[SizeEntry]) -> list[SizeEntry]:
        ends = [entry.below for entry in entries]
        remedy = "write steps in ascending order of `below`, the last without it"
        if not 1 <= len(entries) <= MOST_AMOUNTS:
            raise refuse(Misfit(f"{len(entries)} steps, expected 1 to {MOST_AMOUNTS}", remedy))
        if ends[-1] is not None:
            raise refuse(
                Misfit(f"loans of {ends[-1]:.10g} and more have no step", remedy, (len(ends) - 1, "below"))
            )
        last = 0.0
        for k, end in enumerate(ends[:-1]):
            if end is None or end <= last:
                problem = (
                    "only the last step may have no end"
                    if end is None
                    else f"{end:.10g} is not above {last:.10g}"
                )
                raise refuse(Misfit(problem, remedy, (k,) if end is None else (k, "below")))
            last = end
        return entries


def _menu_amounts(value: object, info: ValidationInfo) -> list[float]:
    """Money, or with `of`, which precedes it, fractions."""
    if not isinstance(value, list | tuple) or not value:
        problem = f"expected a list of amounts, found {describe(value)}"
        raise refuse(Misfit(problem, "write them in square brackets, as [100_000, 250_000]"))
    shares = info.data.get("of") is not None
    if not shares and any(isinstance(entry, str) and entry.strip().endswith("%") for entry in value):
        remedy = "add `of: requests`, or write amounts such as 100_000"
        raise refuse(Misfit("percentages of what is not said", remedy))
    return [fraction(entry) if shares else money(entry) for entry in value]


MenuAmounts = Annotated[
    list[float],
    BeforeValidator(_menu_amounts),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": ["number", "string"]},
            "unit": "currency units, or with `of` fractions",
        }
    ),
]


class MenuEntry(Typed):
    """A few amounts that a loan may have, and no others."""

    of: Annotated[Literal["requests"], one_of("requests")] | None = None
    """What the amounts are fractions of: each borrower's request (max_amount), rounded down to the cent;
    absent: money."""
    amounts: Annotated[MenuAmounts, Field(examples=["[100_000, 250_000, 500_000]"])]
    """The amounts, ascending; those outside a borrower's smallest and largest loan are left out."""

    @field_validator("amounts")
    @classmethod
    def _ascending(cls, amounts: list[float], info: ValidationInfo) -> list[float]:
        if len(amounts) > MOST_AMOUNTS:
            problem = f"{len(amounts)} amounts, expected {MOST_AMOUNTS} at most"
            raise refuse(Misfit(problem, "name fewer, or write a step"))
        last = 0.0
        for k, amount in enumerate(amounts):
            if amount <= last:
                problem = f"{amount:.10g} is not above {last:.10g}"
                raise refuse(Misfit(problem, "write amounts above 0 in ascending order", (k,)))
            if info.data.get("of") is None:
                _in_cents(amount)
            last = amount
        return amounts


_TOLD = told_by_keys("<one>", OwnStepEntry, SizedStepEntry)


class TicketEntry(Typed):
    """The size of a loan; a borrower's own min_amount and max_amount tighten it."""

    min: Annotated[Money, Field(examples=["100_000"])]
    """Smallest loan; 0: a loan may be of any amount, from one step, or cent, on."""
    max: Annotated[PositiveMoney, Field(examples=["1_000_000"])]
    """Largest loan."""
    step: (
        Annotated[
            Annotated[PositiveMoney, Tag("<one>")]
            | Annotated[OwnStepEntry, Tag("<column>")]
            | Annotated[SizedStepEntry, Tag("<by_size>")],
            _TOLD,
        ]
        | None
    ) = Field(default=None, validate_default=True, json_schema_extra={"unit": "currency units, or a mapping"})
    """Amounts are multiples of it; null: of 0.01. A mapping: a step a borrower, or by the size of a loan."""
    menu: MenuEntry | None = None
    """The only amounts that a loan may have, in the place of a step."""

    @field_validator("max")
    @classmethod
    def _above_min(cls, largest: float, info: ValidationInfo) -> float:
        if largest > LARGEST_LOAN:
            problem = f"{largest:g} is too large a loan, expected at most {LARGEST_LOAN:g}"
            raise refuse(Misfit(problem, "write an amount in currency units, or count in thousands of them"))
        smallest = info.data.get("min", largest)
        if smallest > largest:
            problem = f"the largest loan {largest:,.10g} is below the smallest {smallest:,.10g}"
            raise refuse(Misfit(problem, "write max: at least as large as min"))
        return largest

    @field_validator("step")
    @classmethod
    def _some_multiple(
        cls, step: float | OwnStepEntry | SizedStepEntry | None, info: ValidationInfo
    ) -> float | OwnStepEntry | SizedStepEntry | None:
        if "min" not in info.data or "max" not in info.data or isinstance(step, Typed):
            return step
        smallest, largest, unit = info.data["min"], info.data["max"], step or CENT
        # Exact, as written: 0.35 holds three steps of 0.1, in binary only two.
        low, high, lot = (Fraction(repr(value)) for value in (smallest or unit, largest, unit))
        if high // lot * lot < low:
            between = f"between min {smallest:.10g} and max {largest:.10g}"
            problem = f"no multiple of {unit:.10g} lies {between}"
            raise refuse(Misfit(problem, "write a smaller step or a wider ticket"))
        if high * lot.denominator > MOST_LOTS:
            problem = f"steps of {unit:.10g} are too fine for loans of up to {largest:.10g}"
            raise refuse(Misfit(problem, "write a step of fewer digits, or a smaller max"))
        return step

    @field_validator("menu")
    @classmethod
    def _instead_of_steps(cls, menu: MenuEntry | None, info: ValidationInfo) -> MenuEntry | None:
        if menu is not None and info.data.get("step") is not None:
            raise refuse(Misfit("a step and a menu of amounts", "write one of the two"))
        return menu

    def record(self) -> Ticket:
        """As the stages have it. Amounts from 0 on begin at one lot: an offer of nothing is no offer."""
        menu, step = self.menu, self.step
        if menu is not None:
            choices = Choices(tuple(menu.amounts), menu.of is not None)
            return Ticket(self.min or CENT, self.max, None, choices)
        if isinstance(step, OwnStepEntry):
            return Ticket(self.min or CENT, self.max, None, OwnSteps(step.column))
        if isinstance(step, SizedStepEntry):
            ends = [float("inf") if size.below is None else size.below for size in step.by_size]
            sizes = tuple(zip(ends, (size.step for size in step.by_size), strict=True))
            return Ticket(self.min or CENT, self.max, None, SizedSteps(sizes))
        return Ticket(self.min or step or CENT, self.max, step)
