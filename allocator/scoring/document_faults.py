"""What is wrong with the content of a JSON document, every fault at its place; and the sound part of it.

Whatever is refused is taken out, and what is left is looked at again: so checks of whole entries find what is
wrong with the others. No fault is told that only came of what was taken out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from allocator.errors import Fault
from allocator.records.misfits import Misfit, describe, findings_of, no_choice, unknown_key
from allocator.records.nodes import Location, Node

Found = TypeVar("Found", bound=BaseModel)
Words = tuple[str, str]
"""Problem and remedy."""


def sound_part(
    tree: Node, shape: type[Found], faults: list[Fault], remedy: str | None = None
) -> tuple[Found | None, frozenset[Location]]:
    """The document without what is wrong with it, None where nothing is left; and the items of lists that
    were taken out, (list, number), or that something was, (list, number, key).

    Every fault is added to `faults`; `remedy` is that of each, in a file that nobody writes by hand.
    """
    pruned = _Pruned(tree)
    schema = shape.model_json_schema(by_alias=True)
    while True:
        try:
            part = shape.model_validate_json(json.dumps(pruned.tree.plain()))
        except ValidationError as error:
            told = list(_told(error, pruned, schema))
            for place, (problem, own) in told:
                faults.append(tree.fault(place, problem, remedy or own))
            if not pruned.drop_all():
                return None, pruned.touched
            continue
        return part, pruned.touched


@dataclass
class _Pruned:
    """A tree that parts are taken out of, at places of the whole tree."""

    tree: Node
    gone: set[Location] = field(default_factory=set)
    """What was taken out, at its place in the whole tree."""
    marked: set[Location] = field(default_factory=set)
    """What is to be taken out of `tree`, at its place there."""
    hopeless: bool = False

    @property
    def touched(self) -> frozenset[Location]:
        """Items of lists at the top that were taken out, and keys of them: (list, number, key)."""
        return frozenset(place[:3] for place in self.gone if len(place) > 1 and isinstance(place[1], int))

    def whole(self, location: Location) -> Location:
        """A place of `tree` in the whole tree: items that were taken out before it count."""
        place: Location = ()
        for step in location:
            if isinstance(step, int):
                before = (gone[-1] for gone in self.gone if gone[:-1] == place)
                for number in sorted(number for number in before if isinstance(number, int)):
                    step += number <= step
            place = (*place, step)
        return place

    def mark(self, location: Location) -> None:
        """Take out what stands at `location`: an entry of an object, or an object in a list."""
        while location and isinstance(location[-1], int):
            held = self.tree.find(location[:-1])
            if held is not None and any(isinstance(item.value, Mapping) for item in held.items):
                break
            location = location[:-1]
        if location:
            self.marked.add(location)
        else:
            self.hopeless = True

    def drop_all(self) -> bool:
        """Take out what is marked; False where nothing is left to look at."""
        if self.hopeless or not self.marked:
            return False
        self.gone |= {self.whole(location) for location in self.marked}
        self.tree = _without(self.tree, self.marked)
        self.marked = set()
        return True


def _without(tree: Node, places: set[Location], here: Location = ()) -> Node:
    """The tree without what stands at `places`."""
    if isinstance(tree.value, Mapping):
        kept = {key: node for key, node in tree.value.items() if (*here, key) not in places}
        return replace(tree, value={key: _without(node, places, (*here, key)) for key, node in kept.items()})
    if isinstance(tree.value, tuple):
        numbered = [(i, node) for i, node in enumerate(tree.value) if (*here, i) not in places]
        return replace(tree, value=tuple(_without(node, places, (*here, i)) for i, node in numbered))
    return tree


def _told(
    error: ValidationError, pruned: _Pruned, schema: Mapping[str, Any]
) -> Iterator[tuple[Location, Words]]:
    """Place in the whole tree and words of each error, once; what is wrong is marked."""
    seen: set[Location] = set()
    for detail in error.errors(include_url=False):
        location = _existing(pruned.tree, detail)
        if detail["type"] == "scenario":
            for finding in findings_of(detail.get("ctx")):
                yield from _found(finding, location, pruned)
            continue
        place = pruned.whole(location)
        if location in seen:
            continue
        seen.add(location)
        pruned.mark(_entry(location[:-1]) if pruned.tree.find(location) is None else location)
        if not place or all(gone[: len(place)] != place for gone in pruned.gone):
            yield place, _in_words(detail, location, schema)


def _found(finding: Misfit, location: Location, pruned: _Pruned) -> Iterator[tuple[Location, Words]]:
    """A finding of our own, unless a key that it is about was taken out."""
    for place in [(*location, key) for key in finding.of] or [(*location, *finding.below)]:
        pruned.mark(place if pruned.tree.find(place) is not None else location)
    if not pruned.gone & {pruned.whole((*location, key)) for key in finding.of}:
        yield pruned.whole((*location, *finding.below)), (finding.problem, finding.remedy)


def _entry(location: Location) -> Location:
    """The object in a list that `location` is or stands in; nothing where it stands in none."""
    while location and not isinstance(location[-1], int):
        location = location[:-1]
    return location


def _existing(tree: Node, detail: ErrorDetails) -> Location:
    """Where the error stands: its steps as far as there is something, and a key that is missing."""
    steps = detail["loc"]
    if detail["type"] == "missing":
        return steps[:-1] if isinstance(steps[-1], int) else steps  # a list that is too short
    return steps[: len(list(tree.path_to(steps))) - 1]


def _in_words(detail: ErrorDetails, location: Location, schema: Mapping[str, Any]) -> Words:
    """An error of pydantic's own in our words."""
    kind, given = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        misfit = unknown_key(str(location[-1]), _at(schema, location[:-1]).get("properties", {}))
        return misfit.problem, misfit.remedy
    expected = _allowed(_at(schema, location), schema)
    if kind == "missing" and detail["loc"] == location:
        return "the key is missing", f'add "{location[-1]}": {expected}'
    if kind == "value_error":
        return str(detail.get("ctx", {}).get("error")), "correct it"
    choices = _choices(_at(schema, location))
    if choices:
        misfit = no_choice(given, choices)
        return misfit.problem, misfit.remedy
    found_words = describe(given)
    if isinstance(given, list | tuple | dict):
        found_words = f"{found_words} of {len(given)}" if given else found_words.replace("a ", "an empty ")
    return f"expected {expected}, found {found_words}", _to_write(expected, given)


def _to_write(expected: str, given: object) -> str:
    if isinstance(given, str) and expected.startswith(("a number", "a whole number")):
        return "write it without quotes" if _is_number(given) else "write a number, without quotes"
    if expected.startswith("text"):
        return "write one text, in double quotes"
    if expected.startswith("a list"):
        return "write it in square brackets: [..., ...]"
    if expected.startswith("a mapping"):
        return 'write it in braces: {"key": value}'
    return "write it so"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _at(schema: Mapping[str, Any], location: Location) -> Mapping[str, Any]:
    """The schema of what stands at `location`; empty where it says nothing of it."""
    node: Mapping[str, Any] = schema
    for step in location:
        for form in _forms(node, schema):
            if isinstance(step, int):
                listed = form.get("prefixItems", ())
                below = listed[step] if step < len(listed) else form.get("items")
            else:
                below = form.get("properties", {}).get(step) or form.get("additionalProperties")
            if isinstance(below, Mapping):
                node = below
                break
        else:
            return {}
    forms = _forms(node, schema)
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _forms(node: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a value may be, null aside, with what is named elsewhere in its place."""
    forms = node.get("anyOf", [node])
    named = [schema["$defs"][form["$ref"].rpartition("/")[2]] if "$ref" in form else form for form in forms]
    return [form for form in named if form.get("type") != "null"]


def _choices(node: Mapping[str, Any]) -> list[str]:
    given = node.get("enum", [node["const"]] if "const" in node else [])
    return [choice if isinstance(choice, str) else json.dumps(choice) for choice in given]


def _allowed(node: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    forms = _forms(node, schema)
    if len(forms) > 1:
        return " or ".join(_allowed(form, schema) for form in forms)
    form = forms[0] if forms else {}
    choices = _choices(form)
    if choices:
        return f"{'one of ' if len(choices) > 1 else ''}{', '.join(choices)}"
    match form.get("type"):
        case "string":
            return "text"
        case "integer" | "number" as kind:
            return f"{'a whole number' if kind == 'integer' else 'a number'}{_range(form)}"
        case "boolean":
            return "true or false"
        case "array":
            return _list(form, schema)
        case "object":
            return "a mapping that is not empty" if form.get("minProperties") else "a mapping"
        case _:
            return "another value"


def _range(form: Mapping[str, Any]) -> str:
    low, high = form.get("minimum"), form.get("maximum")
    above, below = form.get("exclusiveMinimum"), form.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    parts = [f"{word} {end:g}" for word, end in
             (("of at least", low), ("above", above), ("below", below), ("up to", high))
             if end is not None]  # fmt: skip
    return f" {' and '.join(parts)}" if parts else ""


def _list(form: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    pair = form.get("prefixItems")
    if pair:
        return f"a list of {len(pair)}, each {_allowed(pair[0], schema)}"
    least = form.get("minItems")
    number = f" of {least} or more" if least else ""
    items = form.get("items")
    return f"a list{number}, each {_allowed(items, schema)}" if items else f"a list{number}"
