"""`allocator synth`: invented borrowers to a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Allocator


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_synth_writes_as_many_borrowers_as_asked(tmp_path: Path, allocator: Allocator, suffix: str) -> None:
    file = tmp_path / f"b.{suffix}"
    outcome = allocator("synth", "--borrowers", "50", "--seed", "7", "--out", file)
    assert (outcome.status, outcome.out) == (0, f"50 borrowers of seed 7 written to {file}\n")
    frame = pd.read_csv(file) if suffix == "csv" else pd.read_parquet(file)
    assert len(frame) == frame["borrower_id"].nunique() == 50


def test_synth_as_json_and_again_with_the_same_seed(tmp_path: Path, allocator: Allocator) -> None:
    for name in ("a.csv", "b.csv"):
        outcome = allocator("synth", "--borrowers", 9, "--seed", 3, "--out", tmp_path / name, "--json")
        assert outcome.json == {"file": str(tmp_path / name), "borrowers": 9, "seed": 3}
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_synth_replaces_a_file_only_with_force(tmp_path: Path, allocator: Allocator) -> None:
    file = tmp_path / "b.csv"
    file.write_text("mine")
    refused = allocator("synth", "--borrowers", 9, "--out", file)
    assert refused.status != 0
    assert "give --force" in refused.told
    assert file.read_text() == "mine"
    assert allocator("synth", "--borrowers", 9, "--out", file, "--force").status == 0
    assert len(pd.read_csv(file)) == 9


def test_synth_with_a_past(tmp_path: Path, allocator: Allocator) -> None:
    file = tmp_path / "b.csv"
    arguments = ("synth", "--borrowers", 60, "--seed", 3, "--out", file)
    assert allocator(*arguments, "--years", "2001-2003", "--json").json["years"] == "2001-2003"
    frame = pd.read_csv(file)
    assert sorted(frame["year"].unique()) == [2001, 2002, 2003]
    assert allocator(*arguments, "--force").status == 0
    pd.testing.assert_frame_equal(pd.read_csv(file), frame.loc[:, :"turnover"])


@pytest.mark.parametrize(
    ("years", "words"),
    [
        ("2001", "'2001' is no span of years -> write it as 2019-2024"),
        ("2003-2001", "no year lies between them -> name the first year first"),
    ],
)
def test_years_that_are_none(tmp_path: Path, allocator: Allocator, years: str, words: str) -> None:
    outcome = allocator("synth", "--borrowers", 9, "--out", tmp_path / "b.csv", "--years", years)
    assert outcome.status == 2
    assert words in outcome.told
    assert not list(tmp_path.iterdir())


def test_an_unknown_suffix_is_bad_input(tmp_path: Path, allocator: Allocator) -> None:
    outcome = allocator("synth", "--borrowers", 9, "--out", tmp_path / "b.doc")
    assert outcome.status == 2
    assert "let it end in .csv or .parquet or .xlsx" in outcome.told
