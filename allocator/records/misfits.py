"""What a check of people's writing found, and the words in which it is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic_core import PydanticCustomError

_LONGEST_SHOWN = 60
"""Characters of a value that a message repeats."""


@dataclass(frozen=True)
class Misfit:
    """What a check found: the problem, the remedy, and the key below the checked value it concerns."""

    problem: str
    remedy: str
    below: tuple[str | int, ...] = ()
    up: bool = False
    """Whether it concerns the mapping that holds the checked value, not the value."""
    of: tuple[str, ...] = ()
    """Keys of the checked mapping that do not go together."""


def refuse(*findings: Misfit) -> PydanticCustomError:
    """The error, to be raised in a validator, that carries `findings`."""
    return PydanticCustomError(
        "scenario", "{problem}", {"problem": findings[0].problem, "findings": findings}
    )


def findings_of(context: Mapping[str, Any] | None) -> tuple[Misfit, ...]:
    """The findings that an error made by `refuse` carries in its context."""
    return tuple(context["findings"]) if context is not None else ()


def describe(value: object) -> str:
    """A value in the words of a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return repr(brief(value)) if isinstance(value, str) else brief(str(value))


def brief(text: str) -> str:
    """A text for a line: the beginning of a long one."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def unknown_key(key: str, known: Iterable[str]) -> Misfit:
    """A key that is none of the `known` ones."""
    remedy = meant(key, known) or f"the keys here are {', '.join(known)}"
    return Misfit(f"unknown key {key!r}", remedy)


def no_choice(value: object, choices: Sequence[str]) -> Misfit:
    """A value that is none of the `choices`."""
    alone = len(choices) == 1
    remedy = meant(value, choices) or f"write {'it so' if alone else 'one of them'}"
    expected = f"expected {'' if alone else 'one of '}{', '.join(choices)}"
    return Misfit(f"{expected}, found {describe(value)}", remedy)


def meant(value: object, known: Iterable[str]) -> str:
    """`did you mean amount?`; empty where none of the `known` texts is near."""
    near = get_close_matches(value, list(known), n=1) if isinstance(value, str) else []
    return f"did you mean {near[0]}?" if near else ""
