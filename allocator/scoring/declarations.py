"""What an analyst declares in a JSON file before a fit: variables of a logit, rules of a rating.

    {"variables": [{"name": "cash_ratio", "group": "finance", "sign": -1, "transform": "log"}]}
    {"rules": [{"name": "quick_ratio", "layer": "solvency", "kind": "interval", "interval": [1, 2]}],
     "derived": [{"name": "out_of_state", "column": "BankState", "not": "CA"}],
     "leaks": [{"name": "Term", "why": "it is cut at charge-off"}]}

A leak is a column that only what came after the decision makes known. No variable and no rule may read
it; how it would be read is declared to measure what that would feign.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

from allocator.errors import Fault, InputError
from allocator.records.frames import File
from allocator.records.nodes import Location, Node, entry_name
from allocator.scoring.document_faults import sound_part
from allocator.scoring.documents import (
    DeclarationsShape,
    DerivedShape,
    RuleShape,
    VariableShape,
    content_of,
    origin_of,
    variable_of,
)
from allocator.scoring.json_tree import read_json
from allocator.scoring.reading import DerivedColumn
from allocator.scoring.rules import IndicatorRule
from allocator.scoring.variables import Variable


@dataclass(frozen=True)
class LeakyVariable:
    """A column known only after the decision."""

    name: str
    why: str
    variable: Variable | None = None
    rule: IndicatorRule | None = None


@dataclass(frozen=True)
class Declarations:
    """A file of declarations."""

    variables: tuple[Variable, ...] = ()
    rules: tuple[IndicatorRule, ...] = ()
    derived: tuple[DerivedColumn, ...] = ()
    leaks: tuple[LeakyVariable, ...] = ()
    doubtful: frozenset[str] = frozenset()
    """Variables and rules that something is wrong with: only their cells can be looked at."""
    figures: frozenset[str] = frozenset()
    """Those of them that read numbers, whatever else is wrong."""
    unmade: frozenset[str] = frozenset()
    """Derived columns that something is wrong with."""

    @property
    def text_columns(self) -> frozenset[str]:
        """Columns that every entry reads as levels."""
        variables = (*self.variables, *(leak.variable for leak in self.leaks if leak.variable is not None))
        rules = (*self.rules, *(leak.rule for leak in self.leaks if leak.rule is not None))
        return text_columns(variables, rules, self.derived)


def text_columns(
    variables: Iterable[Variable], rules: Iterable[IndicatorRule], derived: Iterable[DerivedColumn]
) -> frozenset[str]:
    """Columns that are read as levels, never as numbers: in a file of text their cells are as they stand."""
    variables, rules, derived = list(variables), list(rules), list(derived)
    levels = {variable.name for variable in variables if variable.kind == "category"}
    levels |= {rule.name for rule in rules if rule.kind == "qualitative"}
    levels |= {derivation.column for derivation in derived if derivation.test != "above"}
    figures = {variable.name for variable in variables if variable.kind == "number"}
    figures |= {rule.name for rule in rules if rule.kind != "qualitative"}
    return frozenset(
        levels - figures - {derivation.column for derivation in derived if derivation.test == "above"}
    )


def read_declarations(
    path: File, wanted: Literal["variables", "rules"], results: Sequence[str] = ()
) -> Declarations:
    """Read a file of declarations that has the list `wanted`.

    `results` are columns that hold the outcome: none may be read either. Raises InputError with every fault.
    """
    faults: list[Fault] = []
    declared = sound_declarations(path, wanted, results, faults)
    if faults:
        raise InputError.of(faults, str(path))
    return declared


def sound_declarations(
    path: File,
    wanted: Literal["variables", "rules"],
    results: Sequence[str],
    faults: list[Fault],
    *,
    binned: bool = True,
    weights: str | None = None,
) -> Declarations:
    """The declarations of a file that nothing is wrong with; faults of the others are added to `faults`.

    Where they are not to be `binned`, bins are faults; so is a variable that rows count by, the column
    `weights`.
    """
    content = content_of(path, faults, "name a file of declarations, as docs/declarations.md describes")
    tree = None if content is None else read_json(content, origin_of(path), faults)
    if tree is None:
        return Declarations()
    shape, touched = sound_part(tree, DeclarationsShape, faults)
    if isinstance(tree.value, Mapping):
        listed = tree.child(wanted)
        if listed is None or listed.value == ():
            faults.append(tree.fault((wanted,), f"has no {wanted}", f'write "{wanted}": [{{"name": "..."}}]'))
        faults += _repeats(tree)
        for i in range(0 if binned or listed is None else len(listed.items)):
            place = (wanted, i, "bins")
            if tree.find(place) is not None:
                faults.append(tree.fault(place, "bins are of defaults, not of losses", "leave them out"))
    other = "leave it out, or weight them by another column"
    faults += [
        tree.fault(place, f"{name} is what the rows are weighted by", other)
        for place, name, _ in _reading(tree, {} if weights is None else {weights: ""})
    ]
    late = [*_late(tree, results)]
    remedy = "leave it out; under leaks, the fit says what it would be worth"
    faults += [
        tree.fault(place, f"{name} would tell the outcome" + (f": {why}" if why else ""), remedy)
        for place, name, why in late
    ]
    if shape is None:
        return Declarations()
    names = {place: entry_name(tree.find(place[:2])) or "" for place in touched}
    doubtful = {name for place, name in names.items() if place[0] in (wanted, "leaks") and name}
    unread = {name for place, name in names.items() if place[2:] in ((), ("name",), ("kind",))}
    unread |= {name for _, name, _ in late}
    doubtful |= {name for _, name, _ in late} - set(results)
    unmade = {name for place, name in names.items() if place[0] == "derived" and name}
    return _declared(shape, doubtful, doubtful - unread, unmade, frozenset(results))


def _declared(
    shape: DeclarationsShape, doubtful: Set[str], known: Set[str], unmade: Set[str], results: Set[str]
) -> Declarations:
    """The entries of a shape but those that something is wrong with; of some their kind is still `known`."""
    entries: list[VariableShape | RuleShape] = [*shape.variables, *shape.rules]
    wrong = doubtful | results
    derived = [derived_of(entry) for entry in shape.derived if entry.name not in unmade]
    leaks = [
        LeakyVariable(
            leak.name,
            leak.why,
            None if leak.variable is None else variable_of(leak.variable),
            None if leak.rule is None else rule_of(leak.rule),
        )
        for leak in shape.leaks
        if leak.name not in doubtful
    ]
    variables = {
        entry.name: variable_of(entry) for entry in reversed(shape.variables) if entry.name not in wrong
    }
    rules = {entry.name: rule_of(entry) for entry in reversed(shape.rules) if entry.name not in wrong}
    return Declarations(
        tuple(reversed(variables.values())),
        tuple(reversed(rules.values())),
        tuple(derived),
        tuple(leaks),
        frozenset(doubtful - unmade),
        frozenset(entry.name for entry in entries if entry.name in known and entry.kind not in OF_LEVELS)
        - unmade,
        frozenset(unmade),
    )


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a file of declarations, a description with each key."""
    schema = DeclarationsShape.model_json_schema(by_alias=True)
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **schema, "title": "Declarations of a fit"}


def rule_of(shape: RuleShape) -> IndicatorRule:
    return IndicatorRule(
        shape.name, shape.kind, shape.layer, shape.interval, shape.scores, shape.cut, shape.special
    )


def derived_of(shape: DerivedShape) -> DerivedColumn:
    if shape.above is not None:
        return DerivedColumn(shape.name, shape.column, "above", shape.above)
    if shape.missing:
        return DerivedColumn(shape.name, shape.column, "missing", True)
    if shape.is_ is not None:
        return DerivedColumn(shape.name, shape.column, "is", shape.is_)
    return DerivedColumn(shape.name, shape.column, "not", "" if shape.not_ is None else shape.not_)


OF_LEVELS = ("category", "qualitative")
"""Kinds whose cells are no numbers."""
_LISTS = ("variables", "rules", "derived", "leaks")


def _repeats(tree: Node) -> Iterator[Fault]:
    """Names that stand in a list twice."""
    for listed in _LISTS:
        held = tree.child(listed)
        first: dict[str, int] = {}
        for i, entry in enumerate(held.items if held is not None else ()):
            name = entry_name(entry)
            if name and first.setdefault(name, i) != i:
                problem = f"{name} is declared twice, first as {listed}[#{first[name] + 1}]"
                yield tree.fault((listed, i, "name"), problem, "keep one of the two")


def _late(tree: Node, results: Sequence[str]) -> Iterator[tuple[Location, str, str]]:
    """Place and name of variables and rules that read what the decision did not know, and why it did not."""
    late = dict(_pairs(tree, "leaks", "why"))
    late |= dict.fromkeys(results, "it is what the fit is to foretell")
    yield from _reading(tree, late)


def _reading(tree: Node, columns: Mapping[str, str]) -> Iterator[tuple[Location, str, str]]:
    """Place and name of variables and rules that read one of the `columns`, and what is said of it."""
    source = dict(_pairs(tree, "derived", "column"))
    for listed in ("variables", "rules"):
        held = tree.child(listed)
        for i, entry in enumerate(held.items if held is not None else ()):
            name = entry_name(entry) or ""
            for column in {name, source.get(name, name)} & set(columns):
                yield (listed, i), name, columns[column]


def _pairs(tree: Node, listed: str, key: str) -> Iterator[tuple[str, str]]:
    """Name and text under `key` of each entry of a list that has a name."""
    held = tree.child(listed)
    for entry in held.items if held is not None else ():
        name, other = entry_name(entry), entry.child(key)
        if name:
            yield name, other.value if other is not None and isinstance(other.value, str) else ""
