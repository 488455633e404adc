"""How a command fails: its exit status, and what is said for people or as JSON."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from allocator.errors import AllocatorError, Fault, InfeasibleError, OutputError
from allocator.report.room import room
from allocator.report.visible import visible

INTERRUPTED = 130
TERMINATED = 143
_STOPPED = (
    "solver.time_limit ended the search for conflicts and for what it would take: raise it, and there may be "
    "more, or less to change"
)


def say_failure(error: AllocatorError, as_json: bool) -> None:
    """Say what went wrong: JSON on standard output, or text on standard error."""
    if as_json:
        body: dict[str, Any] = {"faults": [asdict(fault) for fault in error.faults]}
        if isinstance(error, InfeasibleError):
            body["conflict"] = list(error.conflict)
            body["conflicts"] = [list(names) for names in error.conflicts]
            body["relaxations"] = [asdict(relaxation) for relaxation in error.relaxations]
            body["stopped"] = error.stopped
        if _said_as_json(error.code, error.message, **body):
            return
    lines = [*_lines(_in_short(error), error.faults)]
    if isinstance(error, InfeasibleError) and error.relaxations:
        lines += ["", "What it would take, each solved and certified; solve --relax N takes one:"]
        for number, relaxation in enumerate(error.relaxations, 1):
            lines += _wrapped(f"{relaxation}: worth {relaxation.value:,.2f}", f"  {number}  ", "     ")
    if isinstance(error, InfeasibleError) and error.stopped:
        lines += ["", *_wrapped(_STOPPED, "", "")]
    print("\n".join(lines), file=sys.stderr)


def _in_short(error: AllocatorError) -> str:
    """What went wrong in a sentence, however many rows of a limit are in conflict."""
    if not isinstance(error, InfeasibleError):
        return error.message
    from allocator.report.limits import in_short

    return in_short(error.message)


def say(code: str, message: str, as_json: bool) -> None:
    """Say a failure that is nothing but its message."""
    if not (as_json and _said_as_json(code, message)):
        print("\n".join(_wrapped(f"error: {message}", "", "  ")), file=sys.stderr)


def last_words(placed: Iterable[Path]) -> str:
    """What a command that was stopped had put in place before."""
    names = [str(_path_from_here(str(path))) for path in placed]
    return (
        f"stopped; written before that, and whole: {', '.join(names)}"
        if names
        else ("stopped; nothing was written")
    )


def _said_as_json(code: str, message: str, **more: Any) -> bool:
    """Whether standard output could take the failure: it may be what failed."""
    try:
        print(json.dumps({"error": {"code": code, "message": message, "faults": [], **more}}), flush=True)
    except (OSError, OutputError):
        return False
    return True


def _lines(message: str, faults: Iterable[Fault]) -> Iterable[str]:
    yield from _wrapped(f"error: {message}", "", "  ")
    for fault in faults:
        if fault.place:
            yield from _wrapped(replace(fault, file=_path_from_here(fault.file)).place, "  ", "    ")
        yield from _wrapped(fault.problem, "    ", "    ")
        yield from _wrapped(f"-> {fault.remedy}", "    ", "       ")


def _path_from_here(file: str | None) -> str | None:
    """A path below the working directory as it is written from there; anything else as it stands."""
    if file is None or not os.path.isabs(file):
        return file
    try:
        near = os.path.relpath(file)
    except OSError:  # the working directory is gone
        return file
    return file if near.startswith(os.pardir) else near


def _wrapped(text: str, first: str, further: str) -> list[str]:
    """`text` in lines as wide as a page; words, as paths are, stay whole.

    Line breaks, which the messages of libraries hold, are blanks.
    """
    return textwrap.wrap(
        visible(text.replace("\n", " ").replace("\t", " ")),
        room(),
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
