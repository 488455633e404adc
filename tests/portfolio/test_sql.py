"""Databases are read, never written, in their own SQL and within a time limit."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy

from allocator.errors import InputError
from allocator.portfolio import load_portfolio
from allocator.records.scenario import PortfolioSource
from allocator.tables.database import GRACE, database_file, reading_only, within_seconds
from allocator.tables.statement import why_not_reading
from tests.portfolio.sources import as_sql

BOOK: dict[str, list[Any]] = {
    "borrower_id": ["E1", "E2"],
    "grade": ["A", "B"],
    "pd": [0.1, 0.2],
    "lgd": [0.5, 0.5],
}
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS i FROM n"

CHANGING = [
    "DROP TABLE book",
    "ALTER TABLE book ADD COLUMN x",
    "CREATE TABLE t AS SELECT * FROM book",
    "INSERT INTO book SELECT * FROM book",
    "UPDATE book SET pd = 0",
    "DELETE FROM book",
    "REPLACE INTO book SELECT * FROM book",
    "PRAGMA user_version = 7",
    "PRAGMA journal_mode = WAL",
    "ATTACH 'other.db' AS o",
    "VACUUM",
    "VACUUM INTO 'copy.db'",
    "REINDEX",
    "ANALYZE",
    "BEGIN IMMEDIATE",
    "EXPLAIN SELECT 1",
    "VALUES (1)",
    "WITH x AS (SELECT 1) DELETE FROM book",
    "WITH x AS (SELECT 1) INSERT INTO book SELECT * FROM book",
    "WITH x AS (SELECT 1) UPDATE book SET pd = 0",
    "WITH gone AS (DELETE FROM book RETURNING *) SELECT * FROM gone",
    "/* SELECT */ DROP TABLE book",
    "-- SELECT\nDROP TABLE book",
    "SELECT 1; DROP TABLE book",
    "SELECT ''''; DROP TABLE book -- '",
    "SELECT * INTO other FROM book",
    "SELECT 1 /*! INTO OUTFILE '/tmp/x' */",
    "",
    "  ;",
]
READING = [
    "SELECT 1;",
    "  ( select 1 )",
    "WITH x AS (SELECT 1) SELECT * FROM x",
    "SELECT replace(a, 'x', 'y'), insert(a, 1, 2, 'z') FROM b",
    "SELECT '; DROP TABLE b', \"delete\", `into`, [update] FROM b -- ; INSERT INTO b",
    "SELECT $tag$; INTO $tag$, $$; it's$$",
    "SELECT a[1], ARRAY[1, 2] FROM b /* DELETE ; */",
    "SELECT updated, deleted_at, into_use FROM b",
]


@pytest.mark.parametrize("query", CHANGING)
def test_a_database_is_never_changed(query: str, tmp_path: Path) -> None:
    url = as_sql(BOOK, tmp_path).url
    before = (tmp_path / "borrowers.db").read_bytes()
    with pytest.raises(InputError, match="SQL query: 1 fault"):
        load_portfolio(PortfolioSource("sql", url=url, query=query or " "))
    assert [path.name for path in tmp_path.iterdir()] == ["borrowers.db"]
    assert (tmp_path / "borrowers.db").read_bytes() == before


@pytest.mark.parametrize("query", [query for query in CHANGING if query.strip(" ;")])
def test_the_connection_refuses_what_the_words_would_let_pass(
    query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allocator.tables.sql.why_not_reading", lambda query: None)
    monkeypatch.chdir(tmp_path)
    url = as_sql(BOOK, tmp_path).url
    before = (tmp_path / "borrowers.db").read_bytes()
    with pytest.raises(InputError):
        load_portfolio(PortfolioSource("sql", url=url, query=query))
    assert [path.name for path in tmp_path.iterdir()] == ["borrowers.db"]
    assert (tmp_path / "borrowers.db").read_bytes() == before


@pytest.mark.parametrize("query", READING)
def test_what_only_reads_passes(query: str) -> None:
    assert why_not_reading(query) is None


OWN_SQL = {
    "a colon in a comment": ("-- see :doc", "0.1"),
    "a time": ("/* at '12:30' */", "CASE WHEN '12:30' < '13:00' THEN 0.1 ELSE 1 END"),
    "a percent sign": ("WHERE grade LIKE '%' -- 100 %s", "0.1"),
    "a question mark": ("WHERE '?' = '?'", "0.1"),
    "a backslash": (r"WHERE '\:x' <> ''", "0.1"),
}


@pytest.mark.parametrize("case", OWN_SQL)
def test_a_query_is_the_databases_own_sql(case: str, tmp_path: Path) -> None:
    more, pd = OWN_SQL[case]
    url = as_sql(BOOK, tmp_path).url
    query = f"SELECT borrower_id, grade, {pd} AS pd, lgd FROM book {more}"
    assert load_portfolio(PortfolioSource("sql", url=url, query=query)).pd.tolist() == [0.1, 0.1]


def test_an_endless_query_is_stopped(tmp_path: Path) -> None:
    url = as_sql(BOOK, tmp_path).url
    source = PortfolioSource("sql", url=url, query=ENDLESS, query_limit=0.2)
    with pytest.raises(InputError, match=r"stopped after 0\.2 seconds; raise source\.time_limit"):
        load_portfolio(source)


def test_an_interruption_reaches_a_query_that_works(tmp_path: Path) -> None:
    """The connection is told to stop, whatever comes to the thread that waits."""
    stopped: list[float] = []

    def work() -> None:
        while not stopped:
            time.sleep(0.001)

    with pytest.raises(TimeoutError):
        within_seconds(0.05, work, lambda: stopped.append(1.0))
    assert stopped


def test_what_a_query_raises_comes_to_who_waits() -> None:
    with pytest.raises(ZeroDivisionError):
        within_seconds(10.0, lambda: 1 / 0, pytest.fail)


FILES = {
    "sqlite:///loans.db": "loans.db",
    "sqlite:////books/loans.db?timeout=5": "/books/loans.db",
    "sqlite:///file:loans.db?mode=rwc&uri=true": "loans.db",
    "sqlite://": None,
    "sqlite:///:memory:": None,
    "sqlite:///file:shared?mode=memory&uri=true": None,
    "postgresql://host/loans.db": None,
}


@pytest.mark.parametrize("url", FILES)
def test_the_file_of_a_database(url: str) -> None:
    file = FILES[url]
    assert database_file(sqlalchemy.make_url(url)) == (None if file is None else Path(file))


@pytest.mark.parametrize("address", ["file:{}?mode=rwc&uri=true", "file:{}?uri=true", "{}?timeout=5"])
def test_a_file_is_opened_for_reading_however_it_is_named(address: str, tmp_path: Path) -> None:
    as_sql(BOOK, tmp_path)
    odd = tmp_path / "a b.db" if address.startswith("file:") else tmp_path / "a %20?#b.db"
    (tmp_path / "borrowers.db").rename(odd)
    url = f"sqlite:///{address.format(quote(str(odd)))}"
    query = "SELECT borrower_id, grade, pd, lgd FROM book"
    assert len(load_portfolio(PortfolioSource("sql", url=url, query=query))) == 2


def test_tables_that_searches_use_can_be_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "b.db")) as connection, connection:
        connection.execute("CREATE VIRTUAL TABLE book USING fts5(borrower_id, grade, pd, lgd)")
        connection.execute("INSERT INTO book VALUES ('E1', 'A', 0.1, 0.5)")
    url = f"sqlite:///{tmp_path}/b.db"
    query = "SELECT borrower_id, grade, pd, lgd FROM book WHERE book MATCH 'E1'"
    assert len(load_portfolio(PortfolioSource("sql", url=url, query=query))) == 1


def statements(backend: str, **dialect: Any) -> list[str]:
    """What another database is told before a query of 60 seconds, and after it."""
    told: list[str] = []
    note: Callable[[str], None] = told.append
    connection = SimpleNamespace(
        dialect=SimpleNamespace(name=backend, **dialect),
        exec_driver_sql=note,
        rollback=lambda: note("rollback"),
    )
    with reading_only(connection, 60.0):  # type: ignore[arg-type]
        note("query")
    return told


def test_other_databases_are_told_to_read_only_and_to_stop() -> None:
    limit = 60 + GRACE
    assert statements("postgresql") == [
        f"SET LOCAL statement_timeout = {limit * 1000:.0f}", "query", "rollback"
    ]  # fmt: skip
    read_only = "SET SESSION TRANSACTION READ ONLY"
    slow = f"SET SESSION max_execution_time = {limit * 1000:.0f}"
    assert statements("mysql", is_mariadb=False) == [read_only, slow, "query", "rollback"]
    slow = f"SET SESSION max_statement_time = {limit}"
    assert statements("mysql", is_mariadb=True) == [read_only, slow, "query", "rollback"]
    assert statements("oracle") == ["SET TRANSACTION READ ONLY", "query", "rollback"]
    assert statements("mssql") == ["query", "rollback"]
