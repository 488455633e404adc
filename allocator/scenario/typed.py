"""The base of every section of a scenario file as people type it, and how forms of one are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Discriminator


class Typed(BaseModel):
    """Frozen, without unknown keys; the text under a field is its description in the JSON schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def keys_of(form: type[Typed]) -> list[str]:
    """The keys that tell a form of a mapping: those it requires, or else its first."""
    required = [name for name, field in form.model_fields.items() if field.is_required()]
    return required or [*form.model_fields][:1]


def tag_of(form: type[Typed]) -> str:
    """What pydantic calls the form, in angle brackets as no key of a file stands."""
    return f"<{keys_of(form)[0]}>"


def told_by_keys(plain: str, *forms: type[Typed]) -> Discriminator:
    """Tells a value that is no mapping, tagged `plain`, from the `forms`; by no key it is the last one."""

    def tag(value: Any) -> str:
        if isinstance(value, Typed):
            return tag_of(type(value))
        if not isinstance(value, Mapping):
            return plain
        return tag_of(next((form for form in forms if value.keys() & {*keys_of(form)}), forms[-1]))

    return Discriminator(tag)
