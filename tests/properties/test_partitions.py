"""However a large book is cut and whoever computes it: threads, row order and file parts change no bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from allocator.engine.kernel.passes import COMPILED_FROM
from allocator.pipeline import allocate
from allocator.records.run import Run
from allocator.scenario import load_scenario
from benchmarks.command import as_table, write_scenario
from benchmarks.registry import CASES

SIZE = COMPILED_FROM + 2_000
"""Large enough for the compiled pass and for several parts of the recheck."""
TABLE = as_table(CASES["central"].book(SIZE))


def solved(folder: Path, threads: int = 1) -> Run:
    return allocate(load_scenario(folder / "scenario.yaml", [f"solver.threads={threads}"]))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """The book in one file, solved on one thread."""
    folder = tmp_path_factory.mktemp("plain")
    write_scenario(folder, SIZE)
    return folder, solved(folder)


def rewritten(folder: Path, target: Path) -> Path:
    """The folder's scenario without its borrowers, in `target`."""
    target.mkdir()
    for name in ("scenario.yaml", "churn.csv"):
        (target / name).write_bytes((folder / name).read_bytes())
    return target


def by_borrower(run: Run) -> pd.DataFrame:
    ordered = run.allocation.sort_values("borrower_id", ignore_index=True)
    return ordered.astype({"grade": str, "reason": str})


def same_bits(one: Run, other: Run) -> None:
    assert (one.prices, one.certificate.bound) == (other.prices, other.certificate.bound)
    assert one.certificate.value == other.certificate.value
    assert one.certificate.limits == other.certificate.limits
    assert by_borrower(one).equals(by_borrower(other))


def test_two_threads(plain: tuple[Path, Run]) -> None:
    folder, one = plain
    assert one.certificate.gap <= 1e-9
    same_bits(one, solved(folder, threads=2))


def test_other_rows_in_small_row_groups(plain: tuple[Path, Run], tmp_path: Path) -> None:
    folder = rewritten(plain[0], tmp_path / "other")
    order = np.random.default_rng(5).permutation(SIZE)
    parquet.write_table(TABLE.take(order), folder / "borrowers.parquet", row_group_size=1_000)
    run = solved(folder, threads=2)
    same_bits(plain[1], run)
    assert run.allocation["borrower_id"].tolist() == TABLE["borrower_id"].take(order).to_pylist()


def test_a_folder_of_parts(plain: tuple[Path, Run], tmp_path: Path) -> None:
    folder = rewritten(plain[0], tmp_path / "parts")
    parts = folder / "borrowers.parquet"
    parts.mkdir()
    for at, begin in enumerate(range(0, SIZE, 5_000)):
        part: pa.Table = TABLE.slice(begin, 5_000)
        parquet.write_table(part, parts / f"part-{at}.parquet")
    run = solved(folder)
    same_bits(plain[1], run)
    assert run.allocation.equals(plain[1].allocation)
