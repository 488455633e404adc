"""Queries that end: in time, by a signal, or where they are told to before they begin."""

from __future__ import annotations

from threading import Event, Thread
from time import sleep

import pytest

from allocator.tables.database import within_seconds


def test_a_stop_that_comes_before_the_work_does_is_said_again() -> None:
    """A query that has not begun is stopped by nothing: only the next word reaches it."""
    begun, told = Event(), Event()
    words: list[bool] = []

    def work() -> None:
        while len(words) < 2:
            sleep(0.001)
        begun.set()
        assert told.wait(5.0)

    def stop() -> None:
        words.append(begun.is_set())
        if begun.is_set():
            told.set()

    with pytest.raises(TimeoutError):
        within_seconds(0.01, work, stop)
    assert words[:2] == [False, False]
    assert told.is_set()


def test_a_signal_that_comes_while_the_work_begins_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread may run before whoever starts it is back: a query left running would block the rollback."""
    begun, told = Event(), Event()
    plain = Thread.start

    def interrupted(thread: Thread) -> None:
        plain(thread)
        assert begun.wait(5.0)
        raise KeyboardInterrupt

    def work() -> None:
        begun.set()
        assert told.wait(5.0)

    monkeypatch.setattr(Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        within_seconds(60.0, work, told.set)
    assert told.is_set()
