"""JSON files of this room and the shape of each: what is wrong with a file is told at once, by place."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from allocator.errors import Fault, InputError
from allocator.intake import take_bytes
from allocator.records.frames import File, Frame
from allocator.records.misfits import Misfit, refuse
from allocator.records.nodes import Location, Origin
from allocator.scoring.document_faults import sound_part
from allocator.scoring.json_tree import read_json
from allocator.scoring.rules import Kind as RuleKind
from allocator.scoring.runs import Shape as RunShape
from allocator.scoring.variables import Binning, Missing, OnUnseen, Transform, Variable
from allocator.scoring.variables import Kind as VariableKind

SCHEMA = 1
_TESTS = ("is", "not", "above", "missing")
"""Of a derived column."""


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


class WeighedDocument(Document):
    """What the file of a fit that rows may be weighted in says besides."""

    weighted: str = ""
    """Column that its rows were weighted by; empty where each counts once."""


Found = TypeVar("Found", bound=BaseModel)


def read_document(path: File, shape: type[Found], remedy: str | None = None) -> Found:
    """The document of a file. Raises InputError: no such file, not JSON, or every fault of its shape.

    `remedy` is that of a file that nobody writes by hand; without one every fault has its own.
    """
    subject = str(path)
    faults: list[Fault] = []
    content = content_of(path, faults, remedy or "give a file that is there")
    if content is not None:
        try:
            return shape.model_validate_json(content.removeprefix(codecs.BOM_UTF8))
        except ValidationError:
            tree = read_json(content, origin_of(path), faults)
            document = None if tree is None else sound_part(tree, shape, faults, remedy)[0]
            if not faults and document is not None:
                return document
    raise InputError.of(faults, subject)


def fault_at(path: File, place: Location, problem: str, remedy: str) -> Fault:
    """A fault at a place of the document of a file, which is JSON: with its line."""
    tree = read_json(take_bytes(path), origin_of(path), [])
    return Fault(problem, remedy, str(path)) if tree is None else tree.fault(place, problem, remedy)


def content_of(path: File, faults: list[Fault], remedy: str) -> bytes | None:
    """The bytes of a file; None and a fault where it cannot be read."""
    try:
        if isinstance(path, Frame) or path.is_file():
            return take_bytes(path)
        faults.append(Fault("the file does not exist", remedy, str(path)))
    except OSError as error:
        faults.append(Fault(f"cannot be read: {error.strerror or 'unknown'}", remedy, str(path)))
    return None


def origin_of(path: File) -> Origin:
    """Where a document begins; what was given in memory has no lines."""
    return Origin(str(path), None if isinstance(path, Frame) else 1, Path())


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        problem = f"[{pair[0]:g}, {pair[1]:g}] does not rise"
        raise refuse(Misfit(problem, f"write [{pair[1]:g}, {pair[0]:g}]"))
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
            given = [key for key, test in zip(_TESTS, tests, strict=True) if test is not None]
            problem = f"has {len(given)} tests: {', '.join(given)}" if given else "has no test"
            remedy = "keep one of them" if given else f"give one of {', '.join(_TESTS)}"
            raise refuse(Misfit(problem, remedy, of=_TESTS))
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
        findings = []
        if any(a >= b for a, b in itertools.pairwise(self.cuts or ())):
            problem, rising = "its cuts do not rise", sorted(set(self.cuts or ()))
            remedy = f"write [{', '.join(f'{cut:g}' for cut in rising)}]"
            findings.append(Misfit(problem, remedy, ("cuts",), of=("cuts",)))
        levels = [level for group in self.groups or () for level in group]
        twice = sorted({level for level in levels if levels.count(level) > 1})
        if twice:
            problem = f"{', '.join(map(repr, twice))} stands in two groups"
            findings.append(Misfit(problem, "leave it in one of them", ("groups",), of=("groups",)))
        if findings:
            raise refuse(*findings)
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
        category, binned = self.kind == "category", self.bins is not None
        findings = []
        if self.special and category:
            problem, remedy = "special codes are of numbers", "leave them out: each is a level of its own"
            findings.append(Misfit(problem, remedy, ("special",), of=("special", "kind")))
        if self.missing == "median" and category:
            remedy = "write flag, or leave missing out"
            findings.append(Misfit("a category has no median", remedy, ("missing",), of=("missing", "kind")))
        if self.unseen == "refuse" and not category:
            problem, remedy = "a number has no levels to refuse", 'leave it out, or write "kind": "category"'
            findings.append(Misfit(problem, remedy, ("unseen",), of=("unseen", "kind")))
        if self.missing == ("flag" if binned else "bin"):
            problem, remedy = ("has bins", "write bin") if binned else ("has no bins", "write flag")
            findings.append(Misfit(problem, remedy, ("missing",), of=("missing", "bins")))
        if binned and self.transform != "none":
            problem, remedy = "bins stay the same under a transform", "leave it out"
            findings.append(Misfit(problem, remedy, ("transform",), of=("transform", "bins")))
        if self.bins is not None and self.bins.groups is not None and not category:
            problem, remedy = "a number has cuts, not groups", "write cuts, or the kind category"
            findings.append(Misfit(problem, remedy, ("bins", "groups"), of=("bins", "kind")))
        if self.bins is not None and self.bins.cuts is not None and category:
            problem, remedy = "a category has groups, not cuts", "write groups, or the kind number"
            findings.append(Misfit(problem, remedy, ("bins", "cuts"), of=("bins", "kind")))
        if findings:
            raise refuse(*findings)
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
        findings = []
        if self.kind == "interval" and self.interval is None:
            remedy = 'add "interval": [low, high], the safest values'
            findings.append(Misfit("needs an interval", remedy, of=("kind", "interval")))
        if self.kind == "qualitative" and self.scores is None:
            remedy = 'add "scores": {"text": 0.5}, each from 0 to 1'
            findings.append(Misfit("needs a table of scores", remedy, of=("kind", "scores")))
        if self.special and self.kind == "qualitative":
            problem, remedy = "special codes are of numbers", "give each a score in the table"
            findings.append(Misfit(problem, remedy, ("special",), of=("special", "kind")))
        if findings:
            raise refuse(*findings)
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


class BinnedShape(Shape):
    """Bins with what was learnt of them, in order: intervals or groups, then states."""

    cuts: tuple[float, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    states: tuple[str, ...] = ()
    rows: tuple[int | float, ...]
    defaults: tuple[int | float, ...] = ()
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
