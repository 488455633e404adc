"""The order in which a source lists rows and columns changes no bit of the answer."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from allocator.pipeline import allocate
from allocator.records.run import Run
from allocator.scenario import load_scenario
from tests.cases import BORROWERS, write_rich


def solved(folder: Path, borrowers: str) -> Run:
    folder.mkdir()
    return allocate(load_scenario(write_rich(folder, borrowers)))


def shuffled(text: str, seed: int) -> str:
    """The same table with its rows and its columns in another order."""
    shuffle = random.Random(seed).shuffle
    header, *rows = [line.split(",") for line in text.splitlines()]
    order = list(range(len(header)))
    shuffle(order)
    shuffle(rows)
    return "".join(",".join(row[at] for at in order) + "\n" for row in [header, *rows])


def by_borrower(run: Run) -> pd.DataFrame:
    ordered = run.allocation.sort_values("borrower_id", ignore_index=True)
    return ordered.astype({"grade": str, "reason": str})


@pytest.mark.parametrize("seed", range(4))
def test_permuted_rows_and_columns_give_the_same_bits(tmp_path: Path, seed: int) -> None:
    other = shuffled(BORROWERS, seed)
    assert other != BORROWERS
    first, second = solved(tmp_path / "first", BORROWERS), solved(tmp_path / "second", other)
    assert by_borrower(first).equals(by_borrower(second))
    at = other.split("\n")[0].split(",").index("borrower_id")
    source_order = [line.split(",")[at] for line in other.splitlines()[1:]]
    assert second.allocation["borrower_id"].tolist() == source_order
    assert (first.prices, first.certificate.bound) == (second.prices, second.certificate.bound)
    assert first.certificate.value == second.certificate.value
    assert first.certificate.limits == second.certificate.limits


def test_the_same_run_twice_gives_the_same_bits(tmp_path: Path) -> None:
    first, second = (solved(tmp_path / name, BORROWERS) for name in ("first", "second"))
    assert first.allocation.equals(second.allocation)
    assert first.certificate.tree == second.certificate.tree
    assert first.summary["bound"] == second.summary["bound"]
