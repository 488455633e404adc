"""Ctrl-C and SIGTERM: exceptions while a command works, nothing once it is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM)


class Terminated(BaseException):
    """SIGTERM: raised in the main thread, so that whatever is open is cleaned up on the way out."""


@contextmanager
def signals_raise(*, lasting: bool) -> Iterator[None]:
    """Within it SIGTERM raises Terminated; `lasting`: what holds at the end holds until the process ends."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ENDING}
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        for number, handler in before.items() if not lasting else ():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Have what a command did, and its last words, stand undisturbed."""
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated
