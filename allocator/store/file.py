"""A file that appears whole or not at all: written under a hidden name beside its place, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from allocator.errors import Fault, InputError, OutputError


def require_file(path: Path, endings: Sequence[str], *, force: bool = False) -> None:
    """Raise InputError now if `path` could not be written later: ending, folder, a file that stands there."""
    faults = []
    if path.suffix.lower() not in endings:
        problem = f"no format for the ending {path.suffix}" if path.suffix else "a name without ending"
        faults.append(Fault(problem, f"let it end in {' or '.join(endings)}", file=str(path)))
    if path.is_dir():
        faults.append(Fault("is a folder", "name a file in it", file=str(path)))
    elif path.exists() and not force:
        faults.append(Fault("a file of this name is there", "name another or give --force", file=str(path)))
    elif not path.parent.is_dir():
        faults.append(Fault("its folder does not exist", "make the folder first", file=str(path)))
    elif not os.access(path.parent, os.W_OK):
        faults.append(Fault("its folder may not be written to", "name another folder", file=str(path)))
    if faults:
        raise InputError.of(faults, "output")


@contextmanager
def file_placed_whole(path: Path) -> Iterator[IO[bytes]]:
    """Yield an open file; when the block ends without an error, it stands at `path` in place of any other.

    Raises OutputError where it cannot be written; `path` is then as it was, and nothing else is left.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        fault = Fault(problem, "make room or name another file", file=str(path))
        raise OutputError(f"{path}: not written", [fault]) from error
    finally:
        aside.unlink(missing_ok=True)


def write_file(path: Path, text: str) -> None:
    """`text` in UTF-8 as the file `path`, whole or not at all."""
    with file_placed_whole(path) as file:
        file.write(text.encode("utf-8"))
