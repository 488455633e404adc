"""From what the schema refused to faults that name file, line, key and remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from allocator.errors import Fault
from allocator.records.misfits import describe, findings_of, unknown_key
from allocator.records.nodes import Location, Node
from allocator.scenario.places import is_tag, other_places, section_at
from allocator.scenario.typed import Typed


def faults_of(error: ValidationError, tree: Node, *, complete: bool = True) -> list[Fault]:
    """Every fault that the schema found in `tree`, in the order of the schema.

    With `complete` false a file of the chain could not be read: what is missing may stand there.
    """
    details = error.errors(include_url=False)
    return [
        fault
        for detail in details
        if complete or detail["type"] != "missing"
        for fault in _faults(detail, tree)
    ]


def _faults(error: ErrorDetails, tree: Node) -> Iterator[Fault]:
    steps = error["loc"]
    location = tuple(step for step in steps if not is_tag(step) and step != "[key]")
    if error["type"] == "scenario":
        for finding in findings_of(error.get("ctx")):
            place = (*(location[:-1] if finding.up else location), *finding.below)
            yield tree.fault(place, finding.problem, finding.remedy)
        return
    yield tree.fault(location, *_in_words(error, steps, location))


def _in_words(error: ErrorDetails, steps: Location, location: Location) -> tuple[str, str]:
    """Problem and remedy of an error of pydantic's own."""
    kind = error["type"]
    if kind == "missing":
        section = section_at(steps[:-1])
        return "the key is missing", f"add `{location[-1]}: {_example(section, str(location[-1]))}`"
    if kind == "extra_forbidden":
        known = [info.alias or name for name, info in _fields(section_at(steps[:-1])).items()]
        known += ["extends"] if len(location) == 1 else []
        misfit = unknown_key(str(location[-1]), known)
        return misfit.problem, _its_place(location) or misfit.remedy
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"expected a mapping, found {describe(error['input'])}", "write `key: value` lines below it"
    if kind in ("list_type", "tuple_type"):
        return f"expected a list, found {describe(error['input'])}", "write `- item` lines below it"
    return error["msg"], "see docs/scenario.md"


def _its_place(location: Location) -> str:
    """Where a key that is known elsewhere belongs; empty where several sections below the top have it."""
    places = other_places(location)
    told = places[:2] if len(location) == 1 else places if len(places) == 1 else ()
    return f"its place is {' or '.join(told)}" if told else ""


def _example(section: type[Typed] | None, key: str) -> str:
    """A value for `key` of `section`, as a remedy shows it."""
    for name, info in _fields(section).items():
        if (info.alias or name) == key:
            return str(info.examples[0]) if info.examples else "{...}"
    return "..."


def _fields(section: type[Typed] | None) -> Mapping[str, FieldInfo]:
    return {} if section is None else section.model_fields
