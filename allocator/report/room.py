"""How wide a page of the terminal may be: a hundred columns, or as many as there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

WIDTH = 100
"""Columns of a page where nothing narrower shows it."""
_NARROWEST = 60
_ROOM: ContextVar[int] = ContextVar("room", default=WIDTH)


def room() -> int:
    """Columns that a page may take."""
    return _ROOM.get()


@contextmanager
def laid_out_in(columns: int | None) -> Iterator[None]:
    """Lay pages out for a terminal of so many columns; None: for no terminal."""
    token = _ROOM.set(WIDTH if columns is None else min(max(columns, _NARROWEST), WIDTH))
    try:
        yield
    finally:
        _ROOM.reset(token)
