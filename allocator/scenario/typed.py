"""The base of every section of a scenario file as people type it, and how forms of one are told apart."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, Discriminator


class Typed(BaseModel):
    """Frozen, without unknown keys; the text under a field is its description in the JSON schema.

    `field_texts` reads these texts when they are asked for; pydantic would parse the source of every module
    whenever a command starts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


def field_texts() -> dict[str, dict[str, str]]:
    """The text under each field: section -> key of the file -> text, those of its bases among them."""
    own: dict[type, dict[str, str]] = {}
    for module in {form.__module__ for form in _forms(Typed)}:
        for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
            if isinstance(node, ast.ClassDef) and (form := getattr(sys.modules[module], node.name, None)):
                own[form] = dict(_texts(node.body))
    return {form.__name__: _by_key(form, own) for form in _forms(Typed)}


def _by_key(form: type[Typed], own: Mapping[type, Mapping[str, str]]) -> dict[str, str]:
    texts = {name: text for base in reversed(form.__mro__) for name, text in own.get(base, {}).items()}
    return {field.alias or name: texts[name] for name, field in form.model_fields.items() if name in texts}


def _forms(base: type[Typed]) -> Iterator[type[Typed]]:
    for form in base.__subclasses__():
        yield form
        yield from _forms(form)


def _texts(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Field and text, for each annotated field with a string in the next line."""
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)


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
