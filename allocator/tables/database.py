"""Connections that only read, and queries that end: by themselves, by their time limit or by Ctrl-C."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection

Found = TypeVar("Found")

GRACE = 5.0
"""Seconds that a query which was told to stop is waited for."""
_STOPS = 50
"""Times that it is told in them."""
_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_SEARCHING = {(sqlite3.SQLITE_UPDATE, "sqlite_master"), (sqlite3.SQLITE_PRAGMA, "data_version")}
_TIME_LIMITS = {
    "postgresql": "SET LOCAL statement_timeout = {milliseconds}",
    "mysql": "SET SESSION max_execution_time = {milliseconds}",
    "mariadb": "SET SESSION max_statement_time = {seconds}",
}
_READ_ONLY = {
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}
"""Statement that begins a read-only transaction, for those whose driver has no option for one."""


def database_file(url: URL) -> Path | None:
    """The file of a SQLite database; None for one in memory, and for any other database."""
    named = url.database or ""
    name = named[5:].partition("?")[0] if named.startswith("file:") else named
    in_memory = not name or name == ":memory:" or url.query.get("mode") == "memory"
    return None if url.get_backend_name() != "sqlite" or in_memory else Path(name)


def connect(url: URL) -> Connection:
    """A connection that reads: SQLite's file is opened for reading, so that none is ever made."""
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "do_connect", _for_reading)
    connection = engine.connect()
    if url.get_backend_name() == "postgresql":
        return connection.execution_options(postgresql_readonly=True)
    return connection


def _for_reading(dialect: object, record: object, named: list[Any], options: dict[str, Any]) -> None:
    """Have sqlite3 open its file by an address that says `mode=ro`, and from the thread of the query."""
    options["check_same_thread"] = False
    name = str(named[0])
    if name != ":memory:":
        path, _, given = name[5:].partition("?") if name.startswith("file:") else (quote(name), "", "")
        query = dict(parse_qsl(given))
        if query.get("mode") != "memory":
            query["mode"] = "ro"
        named[0], options["uri"] = f"file:{path}?{urlencode(query)}", True


@contextmanager
def reading_only(connection: Connection, seconds: float) -> Iterator[None]:
    """Within it the database refuses what changes anything, and ends a query after `seconds`, where it can.

    Whatever was done none the less is taken back. SQLite asks before each action of a statement.
    """
    backend = "mariadb" if getattr(connection.dialect, "is_mariadb", False) else connection.dialect.name
    if backend == "sqlite":
        connection.connection.driver_connection.set_authorizer(_authorise)  # type: ignore[union-attr]
    limit = seconds + GRACE  # who waits for the query stops first, and says so
    for statements in (_READ_ONLY, _TIME_LIMITS):
        if backend in statements:
            text = statements[backend].format(seconds=limit, milliseconds=int(limit * 1000))
            connection.exec_driver_sql(text)
    try:
        yield
    finally:
        connection.rollback()


def _authorise(action: int, subject: str | None, *_: str | None) -> int:
    """What SQLite asks: whether a statement may do something.

    A table for searches announces itself by an update of the schema, in memory: the file is open for reading.
    """
    known = action in _READING or (action, subject) in _SEARCHING
    return sqlite3.SQLITE_OK if known else sqlite3.SQLITE_DENY


def within_seconds(seconds: float, work: Callable[[], Found], stop: Callable[[], None]) -> Found:
    """What `work` gives, done beside this thread, which can be interrupted while a library works.

    Raises what it raises, and TimeoutError where it takes longer. `stop` is called from here where
    it does, and where an exception comes here, as Ctrl-C does.
    """
    outcome: Future[Found] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # whatever it is belongs to who waits
            outcome.set_exception(error)

    try:
        Thread(target=run, daemon=True).start()  # where an exception may come too, the work begun
        return outcome.result(seconds)
    finally:
        for _ in range(_STOPS):
            if outcome.done():
                break
            stop()  # again: the first may come before the query does, and then stops nothing
            wait([outcome], GRACE / _STOPS)


def stop_query(connection: Connection) -> None:
    """Have the driver give up the query that runs, from another thread, where it knows how to."""
    driver = connection.connection.driver_connection
    for name in ("interrupt", "cancel", "close"):  # sqlite3; psycopg, oracledb and others; the rest
        if hasattr(driver, name):
            getattr(driver, name)()
            return
