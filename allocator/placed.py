"""What a command has put in place so far, so that its last words are true however it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_PLACED: ContextVar[list[Path] | None] = ContextVar("placed", default=None)


@contextmanager
def noting() -> Iterator[list[Path]]:
    """Yield the list of files and folders that are put in place from now on."""
    placed: list[Path] = []
    token = _PLACED.set(placed)
    try:
        yield placed
    finally:
        _PLACED.reset(token)


@contextmanager
def placing(path: Path) -> Iterator[None]:
    """Put `path` in place and have it noted; Ctrl-C and SIGTERM wait, so that both are done or neither.

    For steps that take no time. Where the block raises, nothing is noted.
    """
    with _undisturbed():
        yield
        placed = _PLACED.get()
        if placed is not None:
            placed.append(path)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold back signals that would raise in here; the first comes when the block has ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(came[0])
