"""What commands print: a page for people or one JSON object, and progress beside it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from threading import Lock, Timer
from time import perf_counter
from typing import TYPE_CHECKING, Any, TextIO

from allocator.errors import OutputError
from allocator.intake import require_unchanged
from allocator.records.progress import Progress
from allocator.report.room import room
from allocator.report.visible import visible, visible_page

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.status import Status


class ReaderLeftError(Exception):
    """Whoever read standard output has closed it, as `head` does."""


PATIENCE = 2.0
"""Seconds after which somebody at a terminal is told what is being done."""
_STANDARD_OUTPUT, _STANDARD_ERROR = 1, 2

_PRINTED: ContextVar[bool] = ContextVar("printed", default=False)


class _ClosedOutput(io.TextIOBase):
    """Stands in for a standard output that was closed before the command began."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        raise OutputError("standard output cannot be written: it is closed")


def stand_in_for_closed_streams() -> None:
    """Have a closed standard output fail when it is written to, and a closed standard error keep silent.

    The null device takes their numbers: a file of ours that got one would get what a library prints.
    """
    if sys.stdout is not None and sys.stderr is not None:
        return
    while (spare := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(spare)
    sys.stdout = sys.stdout or _ClosedOutput()
    sys.stderr = sys.stderr or io.StringIO()


@contextmanager
def result_alone(*, lasting: bool) -> Iterator[None]:
    """Have standard output take the result alone: what libraries print, in C too, goes to standard error.

    With `lasting` it stays so until the process ends, since libraries have buffers that are written out
    then. Nothing happens where standard output is none of the process's own, as in tests.
    """
    _PRINTED.set(False)
    ours = sys.stdout
    if not _is_standard_output(ours):
        yield
        return
    ours.flush()
    kept = os.dup(_STANDARD_OUTPUT)
    os.dup2(_STANDARD_ERROR, _STANDARD_OUTPUT)
    sys.stdout = open(kept, "w", encoding=ours.encoding, errors=ours.errors)  # noqa: SIM115
    try:
        yield
    finally:
        if not lasting:
            _write_out_libraries()
            os.dup2(kept, _STANDARD_OUTPUT)
            sys.stdout.close()
            sys.stdout = ours


def _is_standard_output(stream: TextIO) -> bool:
    try:
        return stream.fileno() == _STANDARD_OUTPUT
    except OSError:  # not a file of the operating system
        return False


def _write_out_libraries() -> None:
    """Have what C libraries hold back written now, while it goes to standard error."""
    import ctypes

    ctypes.CDLL(None).fflush(None)


def columns_of(stream: TextIO | None) -> int | None:
    """What COLUMNS says, for a file too; else what the terminal has that `stream` writes to, if it does."""
    width = os.environ.get("COLUMNS", "")
    if width.isdecimal() and int(width):
        return int(width)
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream and stream.isatty() else None
    except OSError:
        return None


def print_page(page: RenderableType) -> None:
    """Print for people: plain text unless on a terminal; what is unseen as escapes."""
    from rich.console import Console
    from rich.segment import Segment, Segments

    console = Console(file=sys.stdout, highlight=False, emoji=False)
    console.width = room()
    with _writing(), console.capture() as capture:  # rich touches the file even then
        plain = console.options.update(markup=False)
        for line in console.render_lines(visible_page(page), plain, pad=False):
            shown = [Segment(visible(part.text), part.style) for part in line]
            console.print(Segments([*shown, Segment.line()]))
    _write("".join(line.rstrip() + "\n" for line in capture.get().split("\n")[:-1]))


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON object, in characters that every terminal and pipe can carry."""
    from allocator.store import to_json

    _write(to_json(document, ascii_only=True))


def print_line(line: str) -> None:
    """Print one line for people."""
    _write(visible(line) + "\n")


def has_printed() -> bool:
    """Whether some of the result went to standard output already."""
    return _PRINTED.get()


def _write(text: str) -> None:
    """Write to standard output now, so that what goes wrong is told while the command can still fail."""
    _PRINTED.set(True)
    with _writing():
        sys.stdout.write(_encodable(text))
        sys.stdout.flush()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise ReaderLeftError from None
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error


def _encodable(text: str) -> str:
    """`text` with what standard output cannot encode as escapes: a name must not end the command."""
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


@contextmanager
def progress(verbose: bool) -> Iterator[Progress]:
    """Somebody to tell, on standard error, what is being done.

    With `verbose` every step is a line. Otherwise one line on the terminal follows the steps once the
    work has taken two seconds; where standard error is no terminal nothing is said. Standard output
    is for the result alone: what a library prints meanwhile goes to standard error too. Files that were
    read and have changed when the work is done end the command.
    """
    with redirect_stdout(sys.stderr):
        if verbose:
            started = perf_counter()
            yield lambda step: print(f"{perf_counter() - started:7.1f} s  {visible(step)}", flush=True)
        elif sys.stderr.isatty():
            line = _LiveLine()
            try:
                yield line.tell
            finally:
                line.end()
        else:
            yield lambda _: None
    require_unchanged()


class _LiveLine:
    """One line on the terminal that starts late and is gone at the end.

    A terminal that cannot take a line back (TERM=dumb) gets a line a step, of those from then on.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._step = "working"
        self._show: Progress | None = None
        self._status: Status | None = None
        self._timer = Timer(PATIENCE, self._begin)
        self._timer.daemon = True
        self._timer.start()

    def tell(self, step: str) -> None:
        with self._lock:
            self._step = step
            if self._show is not None:
                self._show(step)

    def end(self) -> None:
        self._timer.cancel()
        with self._lock:
            if self._status is not None:
                self._status.stop()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.text import Text

        with self._lock:
            if self._timer.finished.is_set():
                return
            console = Console(stderr=True, emoji=False)
            if console.is_dumb_terminal:
                self._show = lambda step: console.print(visible(step), markup=False, highlight=False)
                self._show(self._step)
            else:
                self._status = status = console.status(Text(visible(self._step)))
                self._show = lambda step: status.update(Text(visible(step)))
                self._status.start()
