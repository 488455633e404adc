"""What every call of the front door is made in: its arguments read, its errors in the words of Python.

The rooms below speak of options, as the command line has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import ParamSpec, TypeVar

from allocator.api.arguments import read_arguments
from allocator.errors import AllocatorError
from allocator.intake import watched

_WORDS = {
    "BORROWER": "borrower",
    "--force": "force=True",
    "--from": "low",
    "--to": "high",
    "--limit": "limits",
    "--out names the folder": "the first argument names the folder",
    "--set": "sets",
    "without --exact": "without exact",
}
_SPOKEN = re.compile("|".join(map(re.escape, sorted(_WORDS, key=len, reverse=True))) + r"|--[a-z][a-z-]*")


P = ParamSpec("P")
R = TypeVar("R")


def public_function(function: Callable[P, R]) -> Callable[P, R]:
    """`function` as people call it: what it is given is read by its signature, files that it reads stay as
    they are, its errors speak of arguments."""

    @wraps(function)
    def ask(*args: P.args, **kwargs: P.kwargs) -> R:
        with _errors_in_python_words():
            read, named = read_arguments(function, args, kwargs)
            return function(*read, **named)

    return ask


@contextmanager
def _errors_in_python_words() -> Iterator[None]:
    try:
        with watched():
            yield
    except AllocatorError as error:
        error.message = error.message.replace("command line: ", "arguments: ")
        error.faults = tuple(
            replace(
                fault,
                problem=_python(fault.problem),
                remedy=_python(fault.remedy),
                field=None if fault.field is None else _python(fault.field),
            )
            for fault in error.faults
        )
        raise


def _python(text: str) -> str:
    """`text` with the names of arguments in the place of options."""
    return _SPOKEN.sub(lambda match: _WORDS.get(match[0], match[0][2:].replace("-", "_")), text)
