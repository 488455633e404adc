"""Runs a command or a program as a new process does, without the seconds that its imports take.

One process imports the package and its libraries, once. Whatever is run is a fork of it, in a folder, an
environment and streams of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import allocator

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    [module.name for module in pkgutil.walk_packages(allocator.__path__, "allocator.")]
)


def command_output(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[bytes, bytes]:
    """What the command `allocator` with these arguments writes to standard output, and to standard error."""
    return _of_a_fork(None, arguments, folder, environment)


def program_output(program: str, folder: Path, environment: Mapping[str, str]) -> tuple[bytes, bytes]:
    """What a program in Python writes to standard output, and to standard error."""
    return _of_a_fork(program, (), folder, environment)


def _of_a_fork(
    program: str | None, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory(prefix="allocator-streams-") as name:
        streams = [Path(name) / stream for stream in ("out", "error")]
        fork = _PROCESSES.Process(
            target=_run, args=(program, list(arguments), folder, dict(environment), streams)
        )
        fork.start()
        fork.join()
        out, error = (stream.read_bytes() if stream.exists() else b"" for stream in streams)
        return out, error


def _run(
    program: str | None,
    arguments: list[str],
    folder: Path,
    environment: dict[str, str],
    streams: list[Path],
) -> None:
    """In the fork: a program's text, or the command where there is none."""
    for number, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if program is None:
        from allocator.cli.main import main

        sys.argv = ["allocator", *arguments]
        sys.exit(main())
    sys.path.insert(0, "")
    sys.argv = ["-c"]
    sys.modules["__main__"] = module = ModuleType("__main__")
    exec(compile(program, "<string>", "exec"), module.__dict__)
