"""Files that appear whole or not at all: written under hidden names beside their places, then renamed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from allocator.errors import Fault, InputError, OutputError
from allocator.extras import require
from allocator.intake import require_unchanged
from allocator.placed import placing

_EXTRAS = {".xlsx": "excel", ".pdf": "pdf", ".png": "pdf"}
"""What is needed to write a file of an ending."""


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
    extra = _EXTRAS.get(path.suffix.lower())
    if extra is not None:
        require(extra)


@contextmanager
def _files_placed_whole(paths: Sequence[Path]) -> Iterator[list[IO[bytes]]]:
    """Yield open files; when the block ends without an error, they stand at `paths` in place of any others.

    Raises OutputError where one cannot be written, InputError where a file that was read has changed since;
    all are then as they were, and nothing else is left.
    """
    aside = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in paths}
    place = paths[0]
    try:
        with ExitStack() as stack:
            files: list[IO[bytes]] = []
            for place, part in aside.items():  # noqa: B007
                files.append(stack.enter_context(part.open("wb")))
            yield files
            for place, file in zip(aside, files, strict=True):  # noqa: B007
                file.flush()
                os.fsync(file.fileno())
        require_unchanged()
        for place, part in aside.items():
            with placing(place):
                os.replace(part, place)
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        fault = Fault(problem, "make room or name another file", file=str(place))
        raise OutputError(f"{place}: not written", [fault]) from error
    finally:
        for part in aside.values():
            part.unlink(missing_ok=True)


Content = Callable[[IO[bytes]], None]
"""Writes itself into an open file."""


def write_files(contents: Mapping[Path, Content]) -> None:
    """Every file whole, or none of them."""
    with _files_placed_whole(list(contents)) as files:
        for content, file in zip(contents.values(), files, strict=True):
            content(file)


def text_content(text: str) -> Content:
    """`text` in UTF-8."""
    return bytes_content(text.encode("utf-8"))


def bytes_content(whole: bytes) -> Content:
    """What a file consists of, as it is."""

    def write(file: IO[bytes]) -> None:
        file.write(whole)

    return write
