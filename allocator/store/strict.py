"""Files of a run read strictly: each says one thing, and the same thing to every reader."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A number as JSON writes it, in ASCII."""
_LONGEST = 1000
"""Digits of a whole number; no double needs more."""


def read_json(text: str) -> Any:
    """What the JSON in `text` says. -0 is the number -0.0.

    Raises ValueError for what is no JSON, and for what two readers might take for two things: a key that
    stands twice in an object, NaN and Infinity, numbers beyond a double's range.
    """
    return json.loads(
        text,
        object_pairs_hook=_one_of_each,
        parse_constant=_no_number,
        parse_float=_float,
        parse_int=_whole,
    )


def number(text: str) -> float:
    """The number that a cell writes as JSON would; NaN where it writes none."""
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else math.nan


def repeated_names(names: Sequence[str]) -> Iterable[str]:
    """Names that stand more than once, each once."""
    return dict.fromkeys(name for name in names if names.count(name) > 1)


def _one_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        name = next(iter(repeated_names([key for key, _ in pairs])))
        raise ValueError(f"has the key {name!r} twice in one object")
    return entries


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"is not JSON: it knows no number {name}")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"holds the number {text[:40]}, which is beyond a double")
    return value


def _whole(text: str) -> int | float:
    if text == "-0":
        return -0.0
    if len(text) > _LONGEST:
        raise ValueError(f"holds a whole number of {len(text)} digits, which is beyond a double")
    return int(text)
