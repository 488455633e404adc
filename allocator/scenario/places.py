"""What the schema says of a scenario's places: where a path stands, what must, what tells forms apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from allocator.records.document import CHURN, NO_CHURN, Place
from allocator.scenario.nodes import Location
from allocator.scenario.schema import ScenarioFile
from allocator.scenario.typed import Typed, keys_of

ANY = "*"
"""In a place: every key of a mapping."""


def _fields(section: type[Typed] = ScenarioFile, at: Place = ()) -> Iterator[tuple[Place, FieldInfo]]:
    """Every field of the schema below `section`; entries of a list stand at the list's own place."""
    for name, info in section.model_fields.items():
        place = (*at, info.alias or name)
        yield place, info
        for below, form in _forms(info.annotation, place):
            yield from _fields(form, below)


def _forms(hint: Any, place: Place) -> Iterator[tuple[Place, type[Typed]]]:
    """The sections that `hint` lets stand at `place` or below it."""
    if isinstance(hint, type) and issubclass(hint, Typed):
        yield place, hint
    elif get_origin(hint) is Annotated:
        yield from _forms(get_args(hint)[0], place)
    elif get_origin(hint) is dict:
        yield from _forms(get_args(hint)[1], (*place, ANY))
    elif get_origin(hint) in (list, Union, UnionType):
        for one in get_args(hint):
            yield from _forms(one, place)


def _is_path(info: FieldInfo) -> bool:
    extra = info.json_schema_extra
    return isinstance(extra, dict) and str(extra.get("unit", "")).startswith("path")


PATHS = tuple(dict.fromkeys(place for place, info in _fields() if _is_path(info)))
"""Where a path may stand."""
REQUIRED: frozenset[Location] = frozenset(place for place, info in _fields() if info.is_required()) - {
    ("name",)
}
"""Keys that null does not take back: it stands, for the schema to refuse. A file has a name without one."""
KINDS: Mapping[Location, frozenset[str]] = {
    place: frozenset(key for form in forms for key in keys_of(form))
    for place, info in _fields()
    if len(forms := [form for below, form in _forms(info.annotation, place) if below == place]) > 1
}
"""Mappings of several forms, and the keys that tell those apart."""


def paths_of(document: Mapping[str, Any]) -> tuple[Place, ...]:
    """The places of a scenario, as plain mappings, where a path stands."""
    found = (one for place in PATHS for one in _met(document, place))
    return tuple(place for place, text in found if (place, text) != (CHURN, NO_CHURN))


def _met(document: Any, place: Place, at: Place = ()) -> Iterator[tuple[Place, str]]:
    """The places in `document` that `place` is about and that hold a text, with it."""
    if not place:
        yield from [(at, document)] if isinstance(document, str) else []
    elif isinstance(document, Mapping):
        for key in document if place[0] == ANY else document.keys() & {place[0]}:
            yield from _met(document[key], place[1:], (*at, key))
