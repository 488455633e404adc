"""A resolved scenario as plain mappings, and how its paths look from a run's folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Place = tuple[str, ...]
"""Keys from the root of a document down."""

SOURCE: Place = ("portfolio", "source")
CHURN: Place = ("response", "churn")
BOOK: Place = ("strategy", "file")
URL: Place = (*SOURCE, "sql")
"""Where a database's address stands."""
DATABASE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///(?:file:)?)(?!:memory:)([^?]+)(.*)", re.DOTALL)
"""An address that names a file: what stands before, the file, its options."""


NO_CHURN = "none"
"""In the place of a churn curve's path: nobody walks away at any rate."""


def seen_from(document: Mapping[str, Any], paths: Iterable[Place], folder: Path) -> dict[str, Any]:
    """`document` for a file in `folder`: what stands at `paths` starts from there.

    There it is absolute, or names what is kept in that folder.
    """
    seen = dict(document)
    for place in (*paths, URL):
        seen = _moved(seen, place, folder)
    return seen


def value_at(document: Any, place: Place) -> Any:
    """What stands at `place`; None where nothing does."""
    for key in place:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def relative(raw: str, folder: Path) -> str:
    """The absolute path `raw` as seen from `folder`; any other, as from a variable, as it is."""
    head, tail = split(raw)
    if not os.path.isabs(head):
        return raw
    return os.path.join(os.path.relpath(head, folder.resolve()), tail).rstrip("/")


def _relative_address(raw: str, folder: Path) -> str:
    """A database's address as seen from `folder`, where it names a file, as SQLite's does."""
    match = DATABASE_FILE.fullmatch(raw)
    return raw if match is None else match[1] + relative(match[2], in_address(folder)) + match[3]


def in_address(folder: Path) -> Path:
    """`folder` as it stands in an address, where a question mark would begin the options."""
    return Path(str(folder.resolve()).replace("%", "%25").replace("?", "%3F"))


def split(raw: str) -> tuple[str, str]:
    """`raw` before and from its first component with a variable, whose dots must not be collapsed."""
    parts = raw.split("/")
    first = next((place for place, part in enumerate(parts) if "${" in part), len(parts))
    return "/".join(parts[:first]), "/".join(parts[first:])


def same_document(left: Any, right: Any) -> bool:
    """Whether two documents say the same; true is not 1, and the order of keys says nothing."""
    return json.dumps(_whole(left), sort_keys=True) == json.dumps(_whole(right), sort_keys=True)


def _whole(value: Any) -> Any:
    """`value` with whole numbers as integers, as a resolved scenario has them."""
    if isinstance(value, Mapping):
        return {str(key): _whole(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _moved(document: Mapping[str, Any], place: Place, folder: Path) -> dict[str, Any]:
    value = value_at(document, place)
    if not isinstance(value, str):
        return dict(document)
    return _with(document, place, (_relative_address if place == URL else relative)(value, folder))


def _with(document: Mapping[str, Any], place: Place, value: str) -> dict[str, Any]:
    key, *below = place
    return {**document, key: _with(document[key], tuple(below), value) if below else value}
