"""Invented borrowers: the same for the same seed, in the right proportions, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import InputError, OutputError
from allocator.portfolio import load_portfolio, synthesis, writing
from allocator.portfolio.synthesis import grade_counts, synthesise, synthesise_to, write_portfolio
from allocator.records.scenario import PortfolioSource

SUFFIXES = ("csv", "parquet", "xlsx")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts, quickly."""
    monkeypatch.setattr(synthesis, "PART", 300)
    monkeypatch.setattr(writing, "PART", 300)


def test_one_seed_gives_one_portfolio() -> None:
    pd.testing.assert_frame_equal(synthesise(1_000, 7), synthesise(1_000, 7))
    assert not synthesise(1_000, 7).equals(synthesise(1_000, 8))


def test_figures_lie_where_they_should() -> None:
    book = synthesise(20_000, 1)
    means = book.groupby("grade")["pd"].mean()
    assert means.to_dict() == pytest.approx({"A": 0.008, "B": 0.026, "C": 0.059, "D": 0.36}, rel=0.05)
    assert book["pd"].between(0.0003, 0.9).all()
    assert book["lgd"].mean() == pytest.approx(0.45, rel=0.02)
    assert book["max_amount"].between(100_000, 1_000_000).all()
    assert (book["max_amount"] % 10_000 == 0).all()
    assert book["max_amount"].mean() > book["max_amount"].median()
    assert (book["min_amount"] == 100_000).all()
    assert (book["sector"].nunique(), book["region"].nunique()) == (10, 8)
    assert book["borrower_id"].is_monotonic_increasing
    assert book["borrower_id"].is_unique
    assert book["borrower_id"][0] == "B000001"
    assert (book["turnover"] > 0).all()


def test_grades_of_the_contest() -> None:
    assert grade_counts(123).tolist() == [27, 38, 34, 24]
    counts = synthesise(1_230, 3)["grade"].value_counts()
    assert counts.to_dict() == {"A": 270, "B": 380, "C": 340, "D": 240}


@given(st.integers(1, 10**9))
def test_grade_counts_are_nearest(borrowers: int) -> None:
    counts = grade_counts(borrowers)
    assert counts.sum() == borrowers
    assert np.abs(counts - borrowers * np.array([27, 38, 34, 24]) / 123).max() < 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_same_bytes_held_or_streamed(suffix: str, tmp_path: Path) -> None:
    held, streamed = tmp_path / f"held.{suffix}", tmp_path / f"streamed.{suffix}"
    write_portfolio(synthesise(1_000, 5), held)
    synthesise_to(streamed, 1_000, 5)
    assert held.read_bytes() == streamed.read_bytes()


def test_what_is_written_can_be_loaded(tmp_path: Path) -> None:
    expected = synthesise(700, 2)
    for suffix in SUFFIXES:
        path = tmp_path / f"book.{suffix}"
        synthesise_to(path, 700, 2)
        book = load_portfolio(PortfolioSource(suffix, path), frozenset({"sector"}), frozenset({"turnover"}))
        assert book.borrower_id.tolist() == expected["borrower_id"].tolist()
        assert book.pd.tolist() == expected["pd"].tolist()
        assert book.number("turnover").tolist() == expected["turnover"].tolist()
        sectors = [book.texts["sector"].values[code] for code in book.texts["sector"].codes]
        assert sectors == expected["sector"].tolist()


def test_any_frame_is_written_as_it_is(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"borrower_id": ["=1+1", "https://a.b"], "max_amount": [1.5, None], "exclude": [True, False]}
    )
    for suffix in SUFFIXES:
        path = tmp_path / f"book.{suffix}"
        write_portfolio(frame.assign(grade="A", pd=0.1, lgd=0.5), path)
        book = load_portfolio(PortfolioSource(suffix, path))
        assert book.borrower_id.tolist() == ["=1+1", "https://a.b"]
        assert book.max_amount.tolist() == [1.5, np.inf]
        assert book.exclude.tolist() == [True, False]


def test_a_file_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("mine")
    with pytest.raises(OutputError) as caught:
        synthesise_to(path, 10, 0)
    assert str(caught.value) == (
        f"{path}: not written\n  {path}: a file of this name is there; name another or give --force"
    )
    assert path.read_text() == "mine"
    synthesise_to(path, 10, 0, force=True)
    assert path.read_text().count("\n") == 11


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_left_behind_by_a_failure(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="no space left on device; make room or name another file"):
        synthesise_to(tmp_path / f"book.{suffix}", 10, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no such file or directory"):
        synthesise_to(tmp_path / "none" / "book.csv", 10, 0)


@pytest.mark.parametrize(
    ("name", "words"),
    [("book.json", "no format for the suffix .json"), ("book", "a name without suffix")],
)
def test_unknown_formats(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write_portfolio(synthesise(5, 0), tmp_path / name)
    assert str(caught.value).endswith(f"{words}; name the file .csv, .parquet or .xlsx")


def test_more_rows_than_a_sheet_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SHEET_ROWS", 100)
    with pytest.raises(InputError, match="100 rows are more than a worksheet holds"):
        synthesise_to(tmp_path / "book.xlsx", 100, 0)
    assert list(tmp_path.iterdir()) == []


def test_arguments_out_of_range() -> None:
    with pytest.raises(InputError) as caught:
        synthesise(0, -1)
    assert str(caught.value) == (
        "synthetic portfolio: 2 faults\n"
        "  borrowers: 0 borrowers; ask for at least 1\n"
        "  seed: -1 is below 0; give a seed of at least 0"
    )
