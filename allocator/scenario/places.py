"""What the schema says of a scenario's places: where a path stands, what must, what tells forms apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import Tag
from pydantic.fields import FieldInfo

from allocator.records.document import CHURN, NO_CHURN, Place
from allocator.records.nodes import Location, Step
from allocator.scenario.schema import ScenarioFile
from allocator.scenario.typed import Typed, keys_of

ANY = "*"
"""In a place: every key of a mapping."""
_ITEM = 0
"""In a place: every item of a list."""


def _sections(hint: Any = ScenarioFile, prefix: Location = ()) -> Iterator[tuple[Location, type[Typed]]]:
    """Every section that `hint` lets stand from `prefix` on, as pydantic locates it: with tags of forms."""
    if isinstance(hint, type) and issubclass(hint, Typed):
        yield prefix, hint
        for name, info in hint.model_fields.items():
            yield from _sections(info.annotation, (*prefix, info.alias or name))
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        tags = [form.tag for form in inner if isinstance(form, Tag)]
        yield from _sections(inner[0], (*prefix, *tags))
    elif origin is dict:
        yield from _sections(inner[1], (*prefix, ANY))
    elif origin is list:
        yield from _sections(inner[0], (*prefix, _ITEM))
    elif origin in (Union, UnionType):
        for form in inner:
            yield from _sections(form, prefix)


SECTIONS: Mapping[Location, type[Typed]] = dict(_sections())
"""Every section of the schema by its place."""


def is_tag(step: Step) -> bool:
    """Whether a step of pydantic's location names a form of a value, not a key of the file."""
    return isinstance(step, str) and step.startswith("<") and step.endswith(">")


def section_at(steps: Location) -> type[Typed] | None:
    """The section that pydantic's location `steps` leads to, if it leads to one."""
    wanted = [_ITEM if isinstance(step, int) else step for step in steps]
    fitting = (
        section
        for place, section in SECTIONS.items()
        if len(place) == len(wanted)
        and all(own in (step, ANY) for own, step in zip(place, wanted, strict=True))
    )
    return next(fitting, None)


def _plain(place: Location) -> Place:
    """A place as documents have it; what is in a list stands where the list does."""
    return tuple(str(step) for step in place if step != _ITEM and not is_tag(step))


_FIELDS = tuple(
    (_plain((*place, info.alias or name)), info)
    for place, section in SECTIONS.items()
    for name, info in section.model_fields.items()
)


def other_places(location: Location) -> tuple[str, ...]:
    """Where else the last key of `location` may stand, nearest to the top first: policy.currency."""
    here = _plain(location)
    places = {place for place, _ in _FIELDS if place[-1] == here[-1] and ANY not in place} - {here}
    ordered = sorted(places, key=lambda place: (len(place), place))
    return tuple(".".join(place) if len(place) > 1 else "the top of the file" for place in ordered)


def _is_path(info: FieldInfo) -> bool:
    extra = info.json_schema_extra
    return isinstance(extra, dict) and str(extra.get("unit", "")).startswith("path")


def _kinds() -> dict[Location, frozenset[str]]:
    forms: dict[Location, list[type[Typed]]] = {}
    for place, form in SECTIONS.items():
        if place and is_tag(place[-1]):
            forms.setdefault(_plain(place), []).append(form)
    several = {place: own for place, own in forms.items() if len(own) > 1}
    return {place: frozenset(key for form in own for key in keys_of(form)) for place, own in several.items()}


PATHS = tuple(dict.fromkeys(place for place, info in _FIELDS if _is_path(info)))
"""Where a path may stand."""
REQUIRED: frozenset[Location] = frozenset(
    place for place, info in _FIELDS if info.is_required() and place != ("name",)
)
"""Keys that null does not take back: it stands, for the schema to refuse. A file has a name without one."""
KINDS = _kinds()
"""Mappings of several forms, and the keys that tell those apart."""


def paths_of(document: Mapping[str, Any]) -> tuple[Place, ...]:
    """The places of a scenario, as plain mappings, where a path stands."""
    met = (entry for place in PATHS for entry in _met(document, place))
    return tuple(place for place, text in met if (place, text) != (CHURN, NO_CHURN))


def _met(document: Any, place: Place, prefix: Place = ()) -> Iterator[tuple[Place, str]]:
    """The places in `document` that `place` is about and that hold a text, with it."""
    if not place:
        yield from [(prefix, document)] if isinstance(document, str) else []
    elif isinstance(document, Mapping):
        for key in document if place[0] == ANY else document.keys() & {place[0]}:
            yield from _met(document[key], place[1:], (*prefix, key))
