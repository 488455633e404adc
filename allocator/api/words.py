"""Errors in the words of Python: the rooms below speak of options, as the command line has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from allocator.errors import AllocatorError
from allocator.intake import watched

_WORDS = {
    "BORROWER": "borrower",
    "--force": "force=True",
    "--from": "low",
    "--to": "high",
    "--limit": "limits",
    "--set": "sets",
    "without --exact": "without exact",
}
_SPOKEN = re.compile("|".join(map(re.escape, sorted(_WORDS, key=len, reverse=True))) + r"|--[a-z][a-z-]*")


@contextmanager
def asked() -> Iterator[None]:
    """What a question is asked in: files that it reads stay as they are, its errors speak of arguments."""
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
