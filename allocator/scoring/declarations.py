"""What an analyst declares in a JSON file before a fit: variables of a logit, rules of a rating.

    {"variables": [{"name": "cash_ratio", "group": "finance", "sign": -1, "transform": "log"}]}
    {"rules": [{"name": "quick_ratio", "layer": "solvency", "kind": "interval", "interval": [1, 2]}],
     "derived": [{"name": "out_of_state", "column": "BankState", "not": "CA"}],
     "leaks": [{"name": "Term", "why": "it is cut at charge-off"}]}

A leak is a column that only what came after the decision makes known. No variable and no rule may read
it; how it would be read is declared to measure what that would feign.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from allocator.errors import Fault, InputError
from allocator.records.frames import File
from allocator.scoring.documents import (
    DeclarationsShape,
    DerivedShape,
    RuleShape,
    read_document,
    variable_of,
)
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
    remedy = "compare it with a shipped one in models/scorecards or models/ratings"
    shape = read_document(path, DeclarationsShape, remedy)
    declared = Declarations(
        tuple(variable_of(variable) for variable in shape.variables),
        tuple(rule_of(rule) for rule in shape.rules),
        tuple(derived_of(derivation) for derivation in shape.derived),
        tuple(
            LeakyVariable(
                leak.name,
                leak.why,
                None if leak.variable is None else variable_of(leak.variable),
                None if leak.rule is None else rule_of(leak.rule),
            )
            for leak in shape.leaks
        ),
    )
    faults = [] if getattr(declared, wanted) else [Fault(f"has no list {wanted}", remedy, str(path))]
    faults += _leak_faults(declared, results, str(path))
    if faults:
        raise InputError.of(faults, str(path))
    return declared


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


def _leak_faults(declared: Declarations, results: Sequence[str], file: str) -> list[Fault]:
    """Variables and rules that read what the decision did not know."""
    late = {leak.name: leak.why for leak in declared.leaks}
    late |= dict.fromkeys(results, "it is what the fit is to foretell")
    source = {derivation.name: derivation.column for derivation in declared.derived}
    read = [(f"variables[{i}]", entry.name) for i, entry in enumerate(declared.variables)]
    read += [(f"rules[{i}]", entry.name) for i, entry in enumerate(declared.rules)]
    remedy = "leave it out; under leaks, the fit says what it would be worth"
    return [
        Fault(f"{name} would tell the outcome: {late[column]}", remedy, file, field=place)
        for place, name in read
        for column in {name, source.get(name, name)} & set(late)
    ]
