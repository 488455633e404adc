"""What a command reads: each file once, hashed as it is read, and the same bytes for whoever asks again.

So the hash in a certificate is that of the very bytes that its figures come from. A file that is found
changed later, while the command still works with what it was, is named and ends the command; so is one that
has come to a folder meanwhile whose files are read together.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from allocator.errors import Fault, InputError
from allocator.records.frames import File, Frame

Made = TypeVar("Made")

LARGEST = 4 << 30
"""Bytes of a file that can still be read: all of them are held at once."""
_PIECE = 4 << 20

Mark = tuple[int, int, int, int, int]
"""Device, inode, size, and times of the last change of content and of anything."""


Taken = tuple[Any, str]
"""A file's bytes as an Arrow buffer, which Arrow's threads may drop at any time, and their hash."""
Listed = tuple[Path, ...]
"""The files of a folder that are read together."""

_SEEN: ContextVar[dict[Path, tuple[Mark, str]] | None] = ContextVar("seen", default=None)
"""Each file as it was when it was read, and its hash."""
_LISTED: ContextVar[dict[Path, tuple[Listed, Callable[[], Listed]]] | None] = ContextVar(
    "listed", default=None
)
"""Each folder as it was listed, and how it is listed again."""
_HELD: ContextVar[dict[Hashable, Any] | None] = ContextVar("held", default=None)


@contextmanager
def watched() -> Iterator[None]:
    """Within it what is taken and listed is remembered, for `require_unchanged`; an outer one counts."""
    if _SEEN.get() is not None:
        yield
        return
    seen, listed = _SEEN.set({}), _LISTED.set({})
    try:
        yield
    finally:
        _SEEN.reset(seen)
        _LISTED.reset(listed)


@contextmanager
def one_reading() -> Iterator[None]:
    """Within it each file is read once, and each query runs once; an outer one counts."""
    if _HELD.get() is not None:
        yield
        return
    token = _HELD.set({})
    try:
        yield
    finally:
        _HELD.reset(token)


def once(key: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` gives, made once in one reading."""
    held = _HELD.get()
    if held is None:
        return make()
    if key not in held:
        held[key] = make()
    made: Made = held[key]
    return made


def take(file: File) -> Any:
    """The bytes of `file` as an Arrow buffer.

    Raises OSError where it cannot be read, is no regular file or larger than `LARGEST`; InputError where
    it changes meanwhile, or has changed since the command read it before.
    """
    return file.content if isinstance(file, Frame) else _taken(file)[0]


def take_bytes(file: File) -> bytes:
    """As `take`, for who wants Python's own."""
    content: bytes = take(file).to_pybytes()
    return content


def content_hash(file: File) -> str:
    """`sha256:` and 64 hexadecimal digits: of the bytes that `take` gives. Raises what it raises."""
    return file.hash if isinstance(file, Frame) else _taken(file)[1]


def list_files(folder: Path, find: Callable[[], Listed]) -> Listed:
    """The files that `find` finds in `folder`, to be read together.

    Raises InputError where some have come since the command listed them before.
    """
    listed = _LISTED.get()
    if listed is None:
        return find()
    before, again = listed.setdefault(folder, (find(), find))
    faults = _added_faults(before, again)
    if faults:
        raise InputError.of(faults, str(folder))
    return before


def require_unchanged() -> None:
    """Raise InputError that names every file of the command which is no longer as it was read, or is new."""
    seen, listed = _SEEN.get() or {}, _LISTED.get() or {}
    faults = [_changed_fault(path) for path, was in seen.items() if not _unchanged(path, *was)]
    faults += [fault for before in listed.values() for fault in _added_faults(*before)]
    if faults:
        raise InputError.of(faults, "inputs")
    seen.clear()
    listed.clear()


def _taken(path: Path) -> Taken:
    return once(("file", path), lambda: _remembered(path, *_read(path)))


def _remembered(path: Path, taken: Taken, mark: Mark) -> Taken:
    seen = _SEEN.get()
    if seen is not None:
        _, before = seen.setdefault(path, (mark, taken[1]))
        if before != taken[1]:
            raise InputError.of([_changed_fault(path)], str(path))
    return taken


def _read(path: Path) -> tuple[Taken, Mark]:
    """The whole file, hashed piece by piece as it comes."""
    import pyarrow as pa

    # Without waiting: a pipe that nobody writes to would never open.
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb", buffering=0) as file:
        before = _mark_of(file.fileno())
        content = pa.allocate_buffer(before[2])
        digest, view, place = hashlib.sha256(), memoryview(content), 0
        while place < len(view) and (count := file.readinto(view[place : place + _PIECE])):
            digest.update(view[place : place + count])
            place += count
        if place < len(view) or file.read(1) or _mark_of(file.fileno()) != before:
            raise InputError.of([_changed_fault(path)], str(path))
    return (content, f"sha256:{digest.hexdigest()}"), before


def _mark_of(file: int) -> Mark:
    """Raises OSError for what is no file, or too large a one."""
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file")
    if status.st_size > LARGEST:
        raise OSError(errno.EFBIG, f"Larger than {LARGEST >> 30} GB")
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _unchanged(path: Path, mark: Mark, hash: str) -> bool:
    """Whether the file is as it was; read again only where it has been touched."""
    try:
        with path.open("rb") as file:
            if _mark_of(file.fileno()) == mark:
                return True
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" == hash
    except OSError:
        return False


def _changed_fault(path: Path) -> Fault:
    return Fault("changed while it was in use", "start again when nobody writes to it", file=str(path))


def _added_faults(before: Listed, again: Callable[[], Listed]) -> list[Fault]:
    problem, remedy = "was added while its folder was in use", "start again when nobody writes there"
    new = sorted(set(again()) - set(before))
    return [Fault(problem, remedy, file=str(path)) for path in new]
