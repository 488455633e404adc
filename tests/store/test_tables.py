"""Tables in three formats, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from allocator.errors import InputError, OutputError
from allocator.portfolio import load_portfolio
from allocator.portfolio.synthesis import parts
from allocator.records.scenario import PortfolioSource
from allocator.store import tables
from allocator.store.file import text_content, write_files
from allocator.store.tables import write_frame, write_tables

SUFFIXES = ("csv", "parquet", "xlsx")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts, quickly."""
    monkeypatch.setattr(tables, "PART", 300)
    monkeypatch.setattr("allocator.portfolio.synthesis.PART", 300)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_same_bytes_held_or_streamed(suffix: str, tmp_path: Path) -> None:
    held, streamed = tmp_path / f"held.{suffix}", tmp_path / f"streamed.{suffix}"
    write_frame(pa.concat_tables(parts(1_000, 5)).to_pandas(), held)
    write_tables(parts(1_000, 5), streamed)
    assert held.read_bytes() == streamed.read_bytes()


def test_what_is_written_can_be_loaded(tmp_path: Path) -> None:
    expected = pa.concat_tables(parts(700, 2)).to_pandas()
    for suffix in SUFFIXES:
        path = tmp_path / f"book.{suffix}"
        write_tables(parts(700, 2), path)
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
        write_frame(frame.assign(grade="A", pd=0.1, lgd=0.5), path)
        book = load_portfolio(PortfolioSource(suffix, path))
        assert book.borrower_id.tolist() == ["=1+1", "https://a.b"]
        assert book.max_amount.tolist() == [1.5, np.inf]
        assert book.exclude.tolist() == [True, False]


def test_a_file_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("mine")
    with pytest.raises(InputError) as caught:
        write_tables(parts(10, 0), path)
    assert str(caught.value) == (
        f"output: 1 fault\n  {path}: a file of this name is there; name another or give --force"
    )
    assert path.read_text() == "mine"
    write_tables(parts(10, 0), path, force=True)
    assert path.read_text().count("\n") == 11


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_left_behind_by_a_failure(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="no space left on device; make room or name another file"):
        write_tables(parts(10, 0), tmp_path / f"book.{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its folder does not exist; make the folder first"):
        write_tables(parts(10, 0), tmp_path / "none" / "book.csv")


@pytest.mark.parametrize(
    ("name", "words"),
    [("book.json", "no format for the ending .json"), ("book", "a name without ending")],
)
def test_unknown_formats(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write_frame(pd.DataFrame({"amount": [1.0]}), tmp_path / name)
    assert str(caught.value).endswith(f"{words}; let it end in .csv or .parquet or .xlsx")


def test_more_rows_than_a_sheet_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allocator.store.workbook.SHEET_ROWS", 100)
    with pytest.raises(
        InputError, match=r"100 rows are more than .* split the table into 2 of at most 99 rows"
    ):
        write_tables(parts(100, 0), tmp_path / "book.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_several_files_appear_together_or_not_at_all(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("before")

    def fails(file: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_files({good: text_content("after"), bad: fails})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good.txt"]
    assert good.read_text() == "before"
    write_files({good: text_content("after"), bad: text_content("too")})
    assert (good.read_text(), bad.read_text()) == ("after", "too")
