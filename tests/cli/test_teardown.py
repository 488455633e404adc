"""How the process ends: with the command's status, each time, whatever threads libraries have running.

One of Arrow's threads may be the last to hold what a read was given. Were that Python's (a handler of rows, a
file, a buffer over bytes), the thread would ask for the interpreter to let go of it, and where that is ending
the process would abort: `terminate called without an active exception`, exit status 134.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from allocator.store import folder
from tests.cli.conftest import BORROWERS, Allocator, finish, start

BUSY = "while True: pass"
UNEVEN = BORROWERS.replace("steel\n", "steel,extra\n", 1).replace("0.005", "x")
NATIVE = (pa.BufferReader, pa.CompressedInputStream)


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """Other processes that never rest."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture
def false_run(case: Path, run: Path) -> Path:
    """A run whose first amount was written over."""
    file = run / "allocation.csv"
    header, first, *rows = file.read_text().splitlines()
    cells = first.split(",")
    cells[2] = "100000.0" if cells[2] != "100000.0" else "110000.0"
    file.write_text("\n".join([header, ",".join(cells), *rows]) + "\n")
    return case


@pytest.mark.parametrize("runs", [1, pytest.param(500, marks=pytest.mark.full)])
def test_a_command_that_fails_ends_with_its_status_each_time(false_run: Path, runs: int) -> None:
    (false_run / "borrowers.csv").rename(false_run / "good.csv")
    scenario = (false_run / "scenario.yaml").read_text()
    (false_run / "bad.csv").write_text(UNEVEN)
    (false_run / "bad.yaml").write_text(scenario.replace("borrowers.csv", "bad.csv"))
    (false_run / "good.csv").rename(false_run / "borrowers.csv")
    found: Counter[tuple[str, int]] = Counter()
    with busy(2 if runs > 2 else 0):
        for _ in range(runs):
            found["solve", finish(start("solve", "bad.yaml"), 600).status] += 1
            found["verify", finish(start("verify", "run"), 600).status] += 1
    assert found == {("solve", 2): runs, ("verify", 5): runs}


def test_no_thread_of_arrows_is_given_anything_of_pythons(
    case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources: list[Any] = []
    read_csv, open_parquet, read_parquet = csv.read_csv, parquet.ParquetFile, parquet.read_table

    def watched_csv(source: Any, read_options: Any = None, parse_options: Any = None, *more: Any) -> Any:
        sources.append(source)
        threads = read_options is None or read_options.use_threads
        handler = parse_options is not None and parse_options.invalid_row_handler is not None
        assert not (threads and handler), "a handler in a read with threads"
        return read_csv(source, read_options, parse_options, *more)

    def watched(read: Any) -> Any:
        def reading(source: Any, *given: Any, **more: Any) -> Any:
            sources.append(source)
            return read(source, *given, **more)

        return reading

    monkeypatch.setattr(csv, "read_csv", watched_csv)
    monkeypatch.setattr(parquet, "ParquetFile", watched(open_parquet))
    monkeypatch.setattr(parquet, "read_table", watched(read_parquet))
    monkeypatch.setattr(folder, "PARQUET_FROM", 1)
    table = read_csv(case / "borrowers.csv")
    parquet.write_table(table, case / "book.parquet")
    for source in ("borrowers.csv", "book.parquet"):
        solved = allocator(
            "solve", "scenario.yaml", "--out", f"run-{source[-3:]}", "--set", f"portfolio.source={source}"
        )
        assert solved.status == 0, solved.err
        assert allocator("verify", f"run-{source[-3:]}").status == 0
    (case / "borrowers.csv").write_text(UNEVEN)
    assert allocator("solve", "scenario.yaml").status == 2
    assert len(sources) >= 6
    assert all(isinstance(source, NATIVE) for source in sources)
