"""Commands on a database: it is as it was, wherever the command is called from, and Ctrl-C ends a query."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from allocator.borrowers import read_inputs
from allocator.scenario import load_scenario
from tests.cli.conftest import BORROWERS, Allocator, finish

QUERY = "SELECT *, '12:30' AS at FROM borrowers -- see :doc"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.fixture
def books(case: Path) -> Path:
    """The case with its borrowers in a database beside the scenario."""
    header, *rows = (line.split(",") for line in BORROWERS.splitlines())
    with contextlib.closing(sqlite3.connect(case / "books.db")) as connection, connection:
        connection.execute(f"CREATE TABLE borrowers ({', '.join(header)})")
        connection.executemany(f"INSERT INTO borrowers VALUES ({', '.join('?' * len(header))})", rows)
    query(case, QUERY)
    return case


def query(case: Path, text: str) -> None:
    scenario = (case / "scenario.yaml").read_text()
    start = scenario.index("  source:")
    end = scenario.index("\n", start)
    source = f'  source: {{sql: "sqlite:///books.db", query: "{text}"}}'
    (case / "scenario.yaml").write_text(scenario[:start] + source + scenario[end:])


def test_a_run_on_a_database_is_solved_and_verified_from_anywhere(
    books: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (books / "elsewhere").mkdir()
    monkeypatch.chdir(books / "elsewhere")
    solved = allocator("solve", "../scenario.yaml", "--out", "run", "--json")
    assert solved.status == 0, solved.err
    assert "sqlite:///../../books.db" in (books / "elsewhere" / "run" / "scenario.yaml").read_text()
    monkeypatch.chdir("/")
    assert allocator("verify", books / "elsewhere" / "run").status == 0
    shutil.move(books, books.with_name("moved"))
    assert allocator("verify", books.with_name("moved") / "elsewhere" / "run").status == 0


@pytest.mark.parametrize("text", ["DROP TABLE borrowers", "WITH x AS (SELECT 1) DELETE FROM borrowers"])
def test_a_query_that_writes_is_refused(books: Path, allocator: Allocator, text: str) -> None:
    query(books, text)
    before = (books / "books.db").read_bytes()
    outcome = allocator("check", "scenario.yaml")
    assert outcome.status == 2
    assert "-> write one SELECT" in outcome.told
    assert (books / "books.db").read_bytes() == before


def test_a_query_runs_once(books: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash is that of the rows that the figures come from."""
    from allocator.tables import sql

    asked: list[object] = []
    plain = sql._result
    monkeypatch.setattr(sql, "_result", lambda *given: asked.append(given) or plain(*given))
    assert {"portfolio", "churn"} <= set(read_inputs(load_scenario(books / "scenario.yaml")).hashes)
    assert len(asked) == 1


SPOKEN = """
import sys
from allocator.cli.main import main
from allocator.tables import sql
plain = sql._result
def told(*given):
    print("there", file=sys.stderr, flush=True)
    return plain(*given)
sql._result = told
sys.exit(main())
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_endless_query_ends_by_a_signal(books: Path, number: int, status: int) -> None:
    query(books, ENDLESS)
    process = subprocess.Popen(
        [sys.executable, "-c", SPOKEN, "check", "scenario.yaml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "there\n"
    process.send_signal(number)
    outcome = finish(process)
    assert (outcome.status, outcome.out) == (status, "")
    assert "stopped; nothing was written" in outcome.err
