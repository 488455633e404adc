"""A folder that appears whole or not at all.

It is filled under a hidden name beside its place, synced to the disk and renamed. Writers to one
place take turns by a lock that ends with its process, so whatever hidden folder the holder of the
lock finds was left by a killed writer, and is cleaned up.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from allocator.errors import Fault, InputError, OutputError
from allocator.intake import require_unchanged
from allocator.placed import placing

_NOT_WRITABLE = {
    errno.EACCES,
    errno.EEXIST,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}
"""Errors that say the place was a bad choice; any other says that the machine failed."""


@contextmanager
def placed_whole(target: Path, refusal: Callable[[], Fault | None]) -> Iterator[Path]:
    """Yield an empty folder; when the block ends without an error, it stands at `target`.

    What stood there before is replaced by two renames, so readers see the old folder or the new one.
    A second writer waits for the first; then `refusal` says why `target` may not be taken, or None.
    Raises InputError where the place cannot be written to or a file that was read has changed since,
    OutputError where it is taken or where writing fails; all leave `target` as it was.
    """
    target = resolved(target)
    with _os_errors_explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target):
            _recover(target)
            fault = refusal()
            if fault is not None:
                raise OutputError(f"{target} is taken", [fault])
            fresh = _hidden_neighbour(target, "partial")
            try:
                fresh.mkdir()
                yield fresh
                _sync(fresh)
                require_unchanged()
                old = _hidden_neighbour(target, "replaced")
                with placing(target):
                    _swap(fresh, target, old)
                _settle(old, target)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)


def resolved(target: Path) -> Path:
    """`target` absolute and without links, so that a link to a folder stays a link to it."""
    return Path(os.path.realpath(target))


def require_writable(target: Path) -> None:
    """Raise InputError unless a folder can be made at `target`, found out by making one beside it."""
    target = resolved(target)
    try:
        existing = next(folder for folder in target.parents if os.path.lexists(folder))
        trial = _hidden_neighbour(existing / target.name, "trial")
        trial.mkdir()
        trial.rmdir()
    except OSError as error:
        raise _not_writable(target, error) from error


@contextmanager
def _os_errors_explained(target: Path) -> Iterator[None]:
    """Turn what the operating system reports into the errors of this project."""
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_WRITABLE:
            raise _not_writable(target, error) from error
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "free some space or write elsewhere" if full else "write elsewhere"
        fault = Fault(f"writing failed: {_reason(error)}", remedy, file=str(target))
        raise OutputError("the result could not be written; nothing was left behind", [fault]) from error


def _not_writable(target: Path, error: OSError) -> InputError:
    problem = f"no folder can be made here: {_reason(error)}"
    return InputError.of([Fault(problem, "name a folder that you may write to", file=str(target))], "output")


def _reason(error: OSError) -> str:
    if error.errno == errno.EEXIST:  # mkdir of parents, one of which is a file
        return os.strerror(errno.ENOTDIR)
    return error.strerror or str(error)


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Hold the lock of `target`, waiting while another writer holds it."""
    path = target.parent / f".{target.name}.lock"
    while True:
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _stands_at(lock, path):
                continue  # its last holder has removed it: a newer file counts
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return
        finally:
            os.close(lock)


def _stands_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _hidden_neighbour(target: Path, ending: str) -> Path:
    return target.parent / f".{target.name}.{secrets.token_hex(4)}.{ending}"


def _recover(target: Path) -> None:
    """Clean up after killed writers; the caller holds the lock.

    One killed between the two renames of a replacement has put the old folder aside: back with it.
    """
    ours = re.compile(re.escape(f".{target.name}.") + r"[0-9a-f]{8}\.(partial|replaced)")
    left = sorted(path for path in target.parent.iterdir() if ours.fullmatch(path.name))
    for path in left:
        if path.suffix == ".replaced" and not target.exists():
            path.rename(target)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _swap(fresh: Path, target: Path, old: Path) -> None:
    """Give `fresh` the name `target`; what had it is `old`."""
    try:
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise


def _settle(old: Path, target: Path) -> None:
    """Have the new name on the disk and the old folder gone; the target stands, whatever comes of that."""
    with suppress(OSError):
        _sync_folder(target.parent)
    if old.exists():
        # Under the name of a leftover: were it removed halfway, nobody may put it back.
        with suppress(OSError):
            shutil.rmtree(old.rename(_hidden_neighbour(target, "partial")), ignore_errors=True)


def _sync(folder: Path) -> None:
    """Have every file of `folder` on the disk before the folder gets its name."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
