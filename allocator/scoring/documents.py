"""JSON files of this room and the shape of each: what is wrong with a file is told at once, by place."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from allocator.errors import Fault, InputError
from allocator.intake import take_bytes
from allocator.records.frames import File, Frame
from allocator.scoring.rules import Kind as RuleKind
from allocator.scoring.runs import Shape as RunShape
from allocator.scoring.variables import Binning, Missing, OnUnseen, Transform, Variable
from allocator.scoring.variables import Kind as VariableKind

SCHEMA = 1


class Shape(BaseModel):
    """A part of a document: unknown keys, numbers that are not finite and wrong types are faults."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Document(Shape):
    """What every file may say of itself."""

    schema_: Literal[1] = Field(1, alias="schema")
    """Version of this format."""
    name: str = ""
    """Of the file."""
    version: int = 1
    """Number of the file among those of its name."""
    source: str = ""
    """Where it comes from."""
    training: dict[str, str] = {}
    """Training file and hash of its content."""


Found = TypeVar("Found", bound=Document)


def read_document(path: File, shape: type[Found], remedy: str) -> Found:
    """The document of a file. Raises InputError: no such file, not JSON, or every fault of its shape."""
    subject = str(path)
    if not isinstance(path, Frame) and not path.is_file():
        raise InputError.of([Fault("the file does not exist", remedy, subject)], subject)
    try:
        return shape.model_validate_json(take_bytes(path).removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        faults = [_fault(mistake, subject, remedy) for mistake in error.errors(include_url=False)]
        raise InputError.of(faults, subject) from error
    except OSError as error:
        reason = error.strerror or "unknown"
        raise InputError.of([Fault(f"cannot be read: {reason}", remedy, subject)], subject) from error


def _fault(error: ErrorDetails, file: str, remedy: str) -> Fault:
    """An error of pydantic's in our words."""
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error["loc"]).lstrip(".")
    context: Any = error.get("ctx", {})
    match error["type"]:
        case "json_invalid":
            problem, place = f"is not JSON: {context['error']}", ""
        case "missing":
            problem = "is missing"
        case "extra_forbidden":
            problem = "is not known here"
        case "value_error":
            problem = str(context["error"])
        case "literal_error":
            problem = f"{error['input']!r} is not one of {context['expected']}"
        case _:
            shown = repr(error["input"])
            problem = f"{shown if len(shown) < 40 else 'the value'}: {error['msg']}"
    return Fault(problem, remedy, file, field=place or None)


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError(f"[{pair[0]:g}, {pair[1]:g}] does not rise")
    return pair


def once(entries: Sequence[Any], what: str) -> None:
    """Raise ValueError where two entries have the same name."""
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what} {', '.join(twice)}: stands twice")


Name = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Interval = Annotated[tuple[float, float], AfterValidator(_rising)]
Quantiles = Annotated[tuple[Share, Share], AfterValidator(_rising)]


class DerivedShape(Shape):
    """A column that is 1 where another one is, is not, or is above a value, or is empty; else 0."""

    name: Name
    """Of the new column."""
    column: Name
    """That it is made from."""
    is_: str | float | None = Field(None, alias="is")
    """1 where the cell is this level."""
    not_: str | float | None = Field(None, alias="not")
    """1 where the cell is another level than this."""
    above: float | None = None
    """1 where the number is above this."""
    missing: Literal[True] | None = None
    """1 where the cell is empty."""

    @model_validator(mode="after")
    def _one_test(self) -> DerivedShape:
        tests = (self.is_, self.not_, self.above, self.missing)
        if sum(test is not None for test in tests) != 1:
            raise ValueError("is incomplete: give name, column and one of is, not, above, missing")
        return self


class BinningShape(Shape):
    """How a variable is cut into bins."""

    shape: RunShape | None = None
    """Of the default rates from the lowest values up; as `sign` has it, else monotone."""
    most: Annotated[int, Field(ge=2, le=50)] = 6
    """Bins at most."""
    least: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    """Share of all rows in each at least."""
    cuts: Annotated[tuple[float, ...], Field(min_length=1)] | None = None
    """The cuts of a number, where they are not to be sought."""
    groups: Annotated[tuple[tuple[str, ...], ...], Field(min_length=2)] | None = None
    """The groups of a category's levels, where they are not to be sought."""

    @model_validator(mode="after")
    def _in_order(self) -> BinningShape:
        if any(a >= b for a, b in itertools.pairwise(self.cuts or ())):
            raise ValueError("its cuts do not rise")
        levels = [level for group in self.groups or () for level in group]
        if len(set(levels)) < len(levels):
            raise ValueError("a level stands in two groups")
        return self


class VariableShape(Shape):
    """A variable of a logit, as an analyst declares it."""

    name: Name
    """The column."""
    kind: VariableKind = "number"
    """Whether its cells are numbers or levels."""
    group: str = ""
    """What it belongs to, for the page."""
    sign: Literal[-1, 0, 1] = 0
    """Expected effect on default: 1 raises it, -1 lowers it, 0 none is claimed."""
    transform: Transform = "none"
    """log: sign(v) log(1 + |v|)."""
    cut: Quantiles | None = (0.01, 0.99)
    """Quantiles at which values are cut; null leaves them."""
    special: tuple[float, ...] = ()
    """Codes such as -999 that say something else than an amount."""
    missing: Missing | None = None
    """What an empty cell becomes: a flag or bin of its own, or the median; by itself from 1 % of the rows."""
    unseen: OnUnseen = "other"
    """Whether a level that the fit has not seen counts as another, or the table is refused."""
    bins: BinningShape | None = None
    """The logit reads weights of evidence of bins in the place of values or levels."""
    named: bool = False
    """Whether a source names it."""
    note: str = ""
    """For readers."""

    @model_validator(mode="after")
    def _numeric(self) -> VariableShape:
        if self.special and self.kind == "category":
            raise ValueError("special codes are of numbers: of a category each is a level of its own")
        if self.missing == "median" and self.kind == "category":
            raise ValueError("a category has no median: say flag, or nothing")
        if self.unseen == "refuse" and self.kind == "number":
            raise ValueError("a number has no levels to refuse")
        if self.missing == ("bin" if self.bins is None else "flag"):
            raise ValueError("has no bins: say flag" if self.bins is None else "has bins: say bin")
        if self.bins is not None and self.transform != "none":
            raise ValueError("bins stay the same under a transform: leave it out")
        if self.bins is not None and (self.bins.groups if self.kind == "number" else self.bins.cuts):
            raise ValueError("numbers have cuts, a category has groups")
        return self


class RuleShape(Shape):
    """An indicator of a rating, as an analyst declares it."""

    name: Name
    """The column."""
    kind: RuleKind
    """Whether more is safer, less is, an interval is, or texts have scores."""
    layer: str = ""
    """What it belongs to; indicators of one layer are clustered."""
    interval: Interval | None = None
    """The safest values, [low, high]."""
    scores: Annotated[dict[str, Share], Field(min_length=1)] | None = None
    """Text and its score, 0 to 1."""
    cut: Quantiles = (0.01, 0.99)
    """Quantiles at which values are cut."""
    special: tuple[float, ...] = ()
    """Codes such as -999 that count as empty."""
    note: str = ""
    """For readers."""

    @model_validator(mode="after")
    def _complete(self) -> RuleShape:
        if self.kind == "interval" and self.interval is None:
            raise ValueError("needs an interval [low, high]")
        if self.kind == "qualitative" and self.scores is None:
            raise ValueError("needs a table of scores, text: score")
        if self.special and self.kind == "qualitative":
            raise ValueError("special codes are of numbers: give each a score in the table")
        return self


class LeakShape(Shape):
    """A column that is only known after the decision, and how it would be read if one cheated."""

    name: Name
    """The column."""
    why: Name
    """What makes it known only after the decision."""
    variable: VariableShape | None = None
    """How a logit would read it, to measure what that would feign."""
    rule: RuleShape | None = None
    """How a rating would read it."""


class DeclarationsShape(Document):
    """What an analyst declares before a fit."""

    kind: Literal["variables", "rules"] = "variables"
    """What the file declares."""
    derived: tuple[DerivedShape, ...] = ()
    """Columns that are made from others."""
    variables: tuple[VariableShape, ...] = ()
    """Variables of a logit."""
    rules: tuple[RuleShape, ...] = ()
    """Indicators of a rating."""
    leaks: tuple[LeakShape, ...] = ()
    """Columns that only the time after the decision makes known: none may be read."""

    @model_validator(mode="after")
    def _unique(self) -> DeclarationsShape:
        for entries, what in ((self.variables, "variable"), (self.rules, "rule"), (self.derived, "column")):
            once(entries, what)
        return self


class BinnedShape(Shape):
    """Bins with what was learnt of them, in order: intervals or groups, then states."""

    cuts: tuple[float, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    states: tuple[str, ...] = ()
    rows: tuple[int, ...]
    defaults: tuple[int, ...] = ()
    woe: tuple[float, ...] = ()
    pool: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _whole(self) -> BinnedShape:
        number = (len(self.groups) or len(self.cuts) + 1) + len(self.states)
        known = {len(self.rows)} | {len(more) for more in (self.defaults, self.woe) if more}
        if known != {number} or self.pool >= number:
            raise ValueError(f"needs rows, defaults and woe of {number} bins, and a pool that is one of them")
        return self


class ColumnShape(VariableShape):
    """A variable with what was learnt of it."""

    low: float | None = None
    high: float | None = None
    fill: float = 0.0
    centre: float = 0.0
    scale: Annotated[float, Field(gt=0)] = 1.0
    flags: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    rare: tuple[Name, ...] = ()
    binned: BinnedShape | None = None

    @model_validator(mode="after")
    def _levels(self) -> ColumnShape:
        if (self.binned is None) != (self.bins is None):
            raise ValueError("has bins and nothing learnt of them, or the other way round")
        if self.binned is not None and not self.binned.woe:
            raise ValueError("its bins have no weights of evidence")
        if self.bins is None and self.kind == "category" and len(set(self.levels)) < max(len(self.levels), 2):
            raise ValueError("needs two levels or more, each once")
        return self


def variable_of(shape: VariableShape) -> Variable:
    """The variable that a shape declares."""
    how = shape.transform, shape.cut, shape.special, shape.missing, shape.unseen
    bins = None if shape.bins is None else Binning(**dict(shape.bins))
    return Variable(shape.name, shape.kind, shape.group, shape.sign, *how, bins)
