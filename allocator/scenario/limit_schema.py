"""One entry of `policy.limits` as people type it: measure, filter and bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from allocator.plugins import names_of
from allocator.records.columns import FRACTIONS, NUMBERS, TEXTS, VALUE
from allocator.records.cuts import HHI
from allocator.records.former import FORMER, MONEY_MOVED
from allocator.records.misfits import Misfit, refuse
from allocator.records.scenario import (
    BUDGET,
    COUNTED,
    LARGEST_NUMBER,
    LARGEST_PENALTY,
    LARGEST_RATIO,
    OWN_FUNDS,
    NamedMeasure,
    Reference,
    Referred,
)
from allocator.records.stress import BASE, SHOCKED
from allocator.scenario.grouped import grouped_misfits
from allocator.scenario.quantities import (
    PositiveWhole,
    Quantity,
    Text,
    WrittenNumber,
    fraction,
    money,
    number,
    one_of,
    text,
)
from allocator.scenario.shares import all_by, no_share
from allocator.scenario.typed import Typed, told_by_keys

ON_RISK = ("interest", "expected_loss", "capital", "tail_loss", VALUE)
"""Measures that PD or LGD weigh."""
SIGNED = ("interest", "gross_interest", VALUE)
"""Measures that may be negative."""
NUMBER_COLUMNS = frozenset(column.name for column in NUMBERS)
MEASURES = (*get_args(NamedMeasure), HHI, *names_of("measure"))
if TYPE_CHECKING:
    MeasureName = str
else:
    MeasureName = Literal[MEASURES]
"""Ours, and those that other packages bring."""


def _limit_name(value: object) -> str:
    name = text(value)
    if name == BUDGET:
        raise refuse(Misfit(f"the name {BUDGET!r} is the budget's own", "give the limit another name"))
    if set(name) & set("[]") or not name.isprintable() or name != name.strip():
        problem = f"{name!r} cannot name a limit: no brackets, line breaks or outer blanks"
        raise refuse(Misfit(problem, "give the limit a plain name"))
    return name


def _bound(value: object, info: ValidationInfo) -> float:
    """A bound as money, a count or a fraction, as the limit's other keys say; those precede it."""
    known = info.data
    if not {"measure", "of", "weight"} <= known.keys():
        return _modest(number(value, "a number"), "a number")
    if known["of"] is not None:
        if known["weight"] is not None and known["weight"] not in FRACTIONS:
            return _modest(number(value, "a number"), "a number")
        if isinstance(known["of"], GroupEntry) or known["of"] in (OWN_FUNDS, FORMER):
            return _ratio(number(value, "a percentage such as 60%"))
        return fraction(value)
    count, ours = known["measure"] in COUNTED, known["measure"] in get_args(NamedMeasure)
    unit = "loans" if known["measure"] == "loans" else "clients"
    expected = f"a number of {unit} such as 100" if count else "an amount such as 4_000_000"
    written = number(value, expected)
    if written.percent:
        remedy = "add `of: budget`, `of: total`, `of: drawn` or `of: {where: ...}`, or write an amount"
        raise refuse(Misfit(f"{written.text} of what is not said", "write a number" if count else remedy))
    if not ours:
        return _modest(written, expected)
    if known["measure"] in SIGNED and written.value < 0:
        return _modest(written, expected)
    if known["weight"] is None and written.value < 0:
        raise refuse(Misfit(f"{written.text} is negative, expected 0 or more", "write 0 or more"))
    if not count and known["weight"] is None:
        return money(value)
    bound = _modest(written, expected)
    if known["weight"] is None and written.value != written.value.to_integral_value():
        raise refuse(Misfit(f"{written.text} is no number of {unit}", "write a whole number"))
    return bound


def _ratio(written: WrittenNumber) -> float:
    """What one group may have as a multiple of what another has: 150% and more, too."""
    if 0 <= written.value <= LARGEST_RATIO:
        return float(written.value)
    size = "negative" if written.value < 0 else f"more than {LARGEST_RATIO:g} times as much"
    raise refuse(Misfit(f"{written.text} is {size}", "write a percentage such as 60%"))


def _modest(written: WrittenNumber, expected: str) -> float:
    """The number, of a size that a sum of money may be multiplied with."""
    if abs(written.value) > LARGEST_NUMBER:
        problem = f"{written.text} is too large a bound, expected at most {LARGEST_NUMBER:g}"
        raise refuse(Misfit(problem, f"write {expected}"))
    return float(written.value)


def _penalty(value: object) -> float:
    """Money for a unit of excess."""
    written = number(value, "an amount of money a unit, such as 0.05")
    if written.percent:
        problem = f"{written.text} is no money a unit of what the limit adds up"
        raise refuse(Misfit(problem, "write an amount of money, as 0.05"))
    if written.value < 0:
        raise refuse(Misfit(f"{written.text} is negative, expected 0 or more", "write 0 or more"))
    if written.value > LARGEST_PENALTY:
        problem = f"{written.text} is more than {LARGEST_PENALTY:g} a unit"
        raise refuse(Misfit(problem, "write less, or `enforce: hard`"))
    return float(written.value)


def number_column(column: str) -> str:
    """The column's name, if it may hold numbers."""
    if column in TEXTS or column == "exclude":
        raise refuse(Misfit(f"{column} is no column of numbers", "name one, as pd"))
    return column


def text_column(column: str) -> str:
    if column in NUMBER_COLUMNS or column == "exclude":
        raise refuse(Misfit(f"{column} is no column of texts", "name one, as sector"))
    return column


def _condition_kind(value: Any) -> str:
    if isinstance(value, Mapping | RangeEntry):
        return "<range>"
    return "<list>" if isinstance(value, list | tuple) else "<one>"


def _some_value(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise refuse(Misfit("the list is empty, so that nothing passes", "write at least one value"))
    return values


def _some_stress(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise refuse(Misfit(f"{twice} is named twice", "name each stress once"))
    if BASE in names:
        raise refuse(Misfit(f"{BASE} is the scenario as it stands, where every limit holds", "leave it out"))
    return _some_value(names)


Bound = Annotated[
    float,
    BeforeValidator(_bound),
    WithJsonSchema(
        {"type": ["number", "string"], "unit": "currency units, a count, or with `of` a fraction"}
    ),
]
LimitName = Annotated[
    str, BeforeValidator(_limit_name), WithJsonSchema({"type": ["string", "number"], "unit": "text"})
]


class RangeEntry(Typed):
    """A range of numbers, in the unit of its column; rates and probabilities also as 5%."""

    above: Quantity | None = None
    """Numbers greater than this pass."""
    at_least: Quantity | None = None
    """Numbers greater than this, or equal, pass."""
    below: Quantity | None = None
    """Numbers smaller than this pass."""
    at_most: Quantity | None = None
    """Numbers smaller than this, or equal, pass."""

    @model_validator(mode="after")
    def _not_empty(self) -> RangeEntry:
        lows = [end for end in (self.above, self.at_least) if end is not None]
        highs = [end for end in (self.below, self.at_most) if end is not None]
        if not lows and not highs:
            raise refuse(Misfit("the range has no end", "write above, at_least, below or at_most"))
        if len(lows) == 2 or len(highs) == 2:
            twice = "above and at_least" if len(lows) == 2 else "below and at_most"
            raise refuse(Misfit(f"{twice} are the same end", "keep one of the two"))
        closed = self.at_least is not None and self.at_most is not None
        if lows and highs and (lows[0] > highs[0] or (lows[0] == highs[0] and not closed)):
            raise refuse(Misfit("no number lies in the range", "write the lower end first"))
        return self


RANGE_ENDS = frozenset(RangeEntry.model_fields)
_One = Annotated[Text, Tag("<one>")]
_List = Annotated[tuple[Text, ...], AfterValidator(_some_value), Tag("<list>")]
Values = Annotated[_One | _List, Discriminator(_condition_kind)]
Condition = Annotated[_One | _List | Annotated[RangeEntry, Tag("<range>")], Discriminator(_condition_kind)]


Filter = dict[Text, Condition]


def readable(where: Filter) -> Filter:
    findings = [finding for column, test in where.items() for finding in misfits(column, test)]
    if where == {}:
        findings = [Misfit("the filter names no column", "name one, or leave `where` out")]
    if findings:
        raise refuse(*findings)
    return where


class GroupEntry(Typed):
    """A limit that is a share of what some borrowers are lent, in the place of all of them."""

    measure: Annotated[Referred, one_of(*get_args(Referred))] = "offered"
    """What of theirs the bound is a fraction of: what they are offered, or expected to draw, or of a limit on
    loans how many they get."""
    where: Annotated[Filter, AfterValidator(readable), Field(examples=["{grade: car}"])]
    """Column: a text, a list of texts, or a range. Who counts passes all."""


class SoftEntry(Typed):
    """A limit that may be missed at a price."""

    soft: Annotated[
        float,
        BeforeValidator(_penalty),
        WithJsonSchema({"type": ["number", "string"], "unit": "money a unit"}),
    ]
    """Money for each unit by which the left-hand side exceeds the bound, or falls short of it: of money, or a
    loan, or of a share each unit of money above it. 0: it is only reported."""


class LimitEntry(Typed):
    """Measure, filter and bound; exactly one of at_most, at_least and exactly."""

    name: Annotated[LimitName, Field(examples=["A line"])]
    """Unique name; `budget` is reserved."""
    measure: Annotated[MeasureName, one_of(*MEASURES), Field(examples=["offered"])]
    """What is summed: money offered or expected to be drawn, interest expected (interest) or before
    defaults (gross_interest), expected loss, capital that is tied up, mean loss in the worst years
    (tail_loss), the number of loans, or of clients who get one and had none in the former run, or had one and
    get none (clients_changed), what amounts lie above or below those of the former run (money_moved), what
    offers are worth (value), all costs taken off; or the Herfindahl index (hhi) of what groups get."""
    of: (
        Annotated[
            Annotated[Reference, one_of(*get_args(Reference)), Tag("<name>")]
            | Annotated[GroupEntry, Tag("<where>")],
            told_by_keys("<name>", GroupEntry),
        ]
        | None
    ) = None
    """What the bound is a fraction of: the budget, own funds (own_funds), what the former run's offers come
    to in the same row (former), all offered (total) or drawn, all loans (loans), or what a group is lent, as
    {where: {grade: car}}; absent: money, or a number."""
    weight: Annotated[Text, AfterValidator(number_column)] | None = None
    """Column of numbers, negative ones too, that multiplies each borrower's share of the sum."""
    where: Annotated[Filter, AfterValidator(readable)] | None = None
    """Column: a text, a list of texts, or a range. Who counts passes all; absent: everybody."""
    each: Annotated[Text, AfterValidator(text_column)] | None = None
    """Column of texts: one limit for each of its values."""
    by: Annotated[Text, AfterValidator(text_column)] | None = None
    """Of measure hhi, the column of texts whose values are the groups: the sum of their squared shares; with
    top, that of the groups of which the largest are counted, absent: borrower_id."""
    top: PositiveWhole | None = None
    """How many groups are counted, those that come to most together: the 10 largest borrowers, or sectors."""
    at_most: Bound | None = None
    """Largest sum allowed."""
    at_least: Bound | None = None
    """Smallest sum allowed."""
    exactly: Bound | None = Field(default=None, validate_default=True)
    """The sum required."""
    if_lent_to: Annotated[Filter, AfterValidator(readable)] | None = None
    """Column: a text, a list of texts, or a range. The limit must hold if anything is offered to somebody who
    passes all, else it need not; absent: it must hold whatever is offered."""
    enforce: Annotated[
        Annotated[Literal["hard", "report"], one_of("hard", "report"), Tag("<name>")]
        | Annotated[SoftEntry, Tag("<soft>")],
        told_by_keys("<name>", SoftEntry),
    ] = "hard"
    """hard: every allocation keeps to it; report: it decides nothing, and every page says whether it is kept;
    {soft: 0.05}: it may be missed, and every unit of excess costs so much of the value."""

    under: Annotated[tuple[Text, ...], AfterValidator(_some_stress)] | None = None
    """Names of `stresses` in which the limit holds too, with PD and LGD as they are there; it always holds in
    the scenario as it stands."""

    @field_validator("of")
    @classmethod
    def _money_only(
        cls, of: Reference | GroupEntry | None, info: ValidationInfo
    ) -> Reference | GroupEntry | None:
        whole = of.measure if isinstance(of, GroupEntry) else of
        if misfit := no_share(info.data.get("measure"), whole, of_group=whole is not of):
            raise refuse(misfit)
        return of

    @field_validator("exactly")
    @classmethod
    def _one_bound(cls, exactly: float | None, info: ValidationInfo) -> float | None:
        # A bound that could not be read is missing from the data, but it was written.
        given = [key for key in ("at_most", "at_least") if info.data.get(key, "unread") is not None]
        given += ["exactly"] if exactly is not None else []
        if len(given) != 1:
            given_bounds = f"found {' and '.join(given)}" if given else "found none"
            problem = f"expected one of at_most, at_least and exactly, {given_bounds}"
            remedy = "keep one and set the others to null" if given else "add one, as `at_most: 63%`"
            raise refuse(Misfit(problem, remedy, up=True))
        return exactly

    @model_validator(mode="after")
    def _one_sided(self) -> LimitEntry:
        if isinstance(self.enforce, SoftEntry) and self.enforce.soft and self.exactly is not None:
            problem = "a bound that must be met exactly cannot be soft"
            raise refuse(Misfit(problem, "write at_most, or at_least, or both as two limits"))
        return self

    @model_validator(mode="after")
    def _unweighted(self) -> LimitEntry:
        if self.measure == MONEY_MOVED and self.weight is not None:
            problem = "money moved has no weights"
            raise refuse(Misfit(problem, "leave weight out, or narrow it with where", ("weight",)))
        return self

    @model_validator(mode="after")
    def _moved_by_stress(self) -> LimitEntry:
        of_group = self.of.where if isinstance(self.of, GroupEntry) else {}
        read = {self.weight, *(self.where or {}), *of_group}
        fixed = self.measure in get_args(NamedMeasure) and self.measure not in ON_RISK
        if self.under and fixed and not read & {*SHOCKED}:
            problem = "the limit reads neither PD nor LGD, which are all that a stress changes of it"
            raise refuse(Misfit(problem, "leave under out", ("under",)))
        return self

    @model_validator(mode="after")
    def _concentration(self) -> LimitEntry:
        if wrong := grouped_misfits(self):
            raise refuse(*wrong)
        return self

    @model_validator(mode="after")
    def _not_itself(self) -> LimitEntry:
        if isinstance(self.of, GroupEntry):
            same = (self.of.measure, self.of.where) == (self.measure, self.where)
            if same and not (self.weight or self.each or self.top):
                problem = f"what a group is {self.measure} is always 100 % of itself"
                raise refuse(Misfit(problem, "let `of` name another group"))
            return self
        whole = {"offered": "total", "drawn": "drawn", "loans": "loans"}.get(self.measure)
        if (
            self.of is not None
            and self.of == whole
            and not (self.weight or self.where or self.each or self.top)
        ):
            problem = f"{all_by(self.measure)} is always 100 % of itself"
            raise refuse(Misfit(problem, "add where, each or weight, or write another `of`"))
        return self


def misfits(column: str, test: str | tuple[str, ...] | RangeEntry) -> list[Misfit]:
    """Why `test` cannot be read from `column`."""
    below = (column,)
    if column == "exclude":
        return [Misfit("limits cannot read the column exclude", "name another column", below)]
    if not isinstance(test, RangeEntry):
        problem = f"{column} holds numbers, expected a range"
        remedy = "write a range, as {above: 5%}" if column in FRACTIONS else "write a range, as {above: 5}"
        return [Misfit(problem, remedy, below)] if column in NUMBER_COLUMNS else []
    if column in TEXTS:
        return [Misfit(f"{column} holds texts, expected one or a list", "write a value, as A", below)]
    ends = {key: end for key, end in test if end is not None} if column in FRACTIONS else {}
    return [
        Misfit(
            f"{end:.10g} lies outside {FRACTIONS[column]:.0%} to 100%",
            f"write {end:.10g}% or a fraction",
            (column, key),
        )
        for key, end in ends.items()
        if not FRACTIONS[column] <= end <= 1
    ]
