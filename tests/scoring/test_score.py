"""Borrowers from frames and from four files of invoices."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.fitted import read_fitted
from allocator.scoring.grades import GradeScorecard
from allocator.scoring.invoices import invoices_from_frames, read_invoices
from allocator.scoring.score import (
    InvoiceScores,
    borrowers_from_invoices,
    rated_firms,
    read_table,
    score_frame,
    score_invoices,
)

PROBABILITIES = ["p_A", "p_B", "p_C", "p_D"]


@pytest.fixture(scope="module")
def shipped(models: Path) -> GradeScorecard:
    card = read_fitted(models / "grades" / "cumcm-2020-v1.json")
    assert isinstance(card, GradeScorecard)
    return card


@pytest.fixture(scope="module")
def scored(contest: Path) -> InvoiceScores:
    return score_invoices(
        (contest / "invoices_in_123.parquet", contest / "invoices_out_123.parquet"),
        contest / "enterprises_123.csv",
        (contest / "invoices_in_302.parquet", contest / "invoices_out_302.parquet"),
        firms=contest / "enterprises_302.csv",
    )


def test_the_unrated_firms_of_the_contest(scored: InvoiceScores) -> None:
    borrowers = scored.borrowers
    assert len(borrowers) == 302
    assert borrowers["borrower_id"].iloc[0] == "E124"
    np.testing.assert_allclose(borrowers[PROBABILITIES].sum(axis=1), 1)
    assert borrowers["pd"].between(0.01, 0.99).all()
    assert (borrowers["lgd"] == 0.5).all()
    counts = borrowers["grade"].value_counts(sort=False).to_dict()
    assert counts == {"A": 63, "B": 112, "C": 88, "D": 39, "ungraded": 0}
    assert [note.rows for note in scored.notes] == [210947, 162484, 395175, 330835]
    worse = borrowers.groupby("grade", observed=True)["pd"].mean()
    assert worse.is_monotonic_increasing


def test_the_shipped_grades_are_those_of_a_fresh_fit(
    scored: InvoiceScores, shipped: GradeScorecard, contest: Path
) -> None:
    started = perf_counter()
    invoices = read_invoices(contest / "invoices_in_302.parquet", contest / "invoices_out_302.parquet")
    borrowers = borrowers_from_invoices(invoices, shipped, firms=scored.borrowers["borrower_id"].tolist())
    assert perf_counter() - started < 5.0
    pd.testing.assert_frame_equal(borrowers, scored.borrowers, rtol=1e-5)


def test_a_firm_that_sells_nothing_is_listed_and_not_graded(shipped: GradeScorecard) -> None:
    rows = pd.DataFrame(
        {
            "enterprise_id": ["E1", "E1", "E2"],
            "date": ["2018-01-01", "2019-12-31", "2018-05-05"],
            "counterparty_id": "K",
            "amount": 100.0,
            "tax": 0.0,
            "total": 100.0,
            "valid": [True, True, False],
        }
    )
    borrowers = borrowers_from_invoices(invoices_from_frames(rows, rows), shipped, firms=["E1", "E2", "E3"])
    assert borrowers["note"].tolist() == ["", *["no valid sales invoice: not graded"] * 2]
    assert borrowers["grade"].tolist()[1:] == ["ungraded", "ungraded"]
    assert borrowers["exclude"].tolist() == [False, True, True]
    np.testing.assert_allclose(borrowers["pd"][1:], shipped.frequency @ shipped.pd_by_grade)
    np.testing.assert_allclose(borrowers[PROBABILITIES].sum(axis=1), 1)
    with pytest.raises(InputError, match="no firm has a valid sales invoice"):
        borrowers_from_invoices(invoices_from_frames(rows, rows), shipped, firms=["E7"])
    with pytest.raises(InputError, match=r"lgd: an LGD of 1\.5"):
        borrowers_from_invoices(invoices_from_frames(rows, rows), shipped, lgd=1.5)


def test_rated_firms_must_be_rated_and_sell(contest: Path, tmp_path: Path) -> None:
    files = (contest / "invoices_in_123.parquet", contest / "invoices_out_123.parquet")
    known = pd.read_csv(contest / "enterprises_123.csv")
    known.drop(columns="default").to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match="lacks the column default"):
        rated_firms(*files, tmp_path / "a.csv")
    known.replace("E1", "E999").to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(InputError, match="the rated firm E999 has no valid sales invoice"):
        rated_firms(*files, tmp_path / "b.csv")


def test_a_frame_is_scored_beside_its_columns(models: Path) -> None:
    rating = read_fitted(models / "ratings" / "small-enterprise-published.json")
    frame = pd.DataFrame({f"indicator_{i:02d}": [1.0, 0.2] for i in range(1, 22)})
    scored = score_frame(frame.assign(borrower_id=["a", "b"], pd=0.3), rating)
    assert scored["borrower_id"].tolist() == ["a", "b"]
    assert scored["grade"].tolist() == ["AAA", "C"]
    assert list(scored.columns).count("pd") == 1
    assert scored["pd"].iloc[1] == pytest.approx(0.19797 / 0.45)


def test_tables_of_each_kind(tmp_path: Path) -> None:
    frame = pd.DataFrame({"borrower_id": ["001", "NA"], "x": [1.5, 2.5]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    for name in ("a.csv", "a.parquet", "a.xlsx"):
        read = read_table(tmp_path / name)
        assert read["x"].tolist() == [1.5, 2.5]
        assert read["borrower_id"].tolist() == ["001", "NA"]


@pytest.mark.parametrize(("name", "text"), [("a.txt", "is neither csv"), ("none.csv", "does not exist")])
def test_tables_that_cannot_be_read(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match=text):
        read_table(tmp_path / name)


def test_broken_files(tmp_path: Path) -> None:
    for name in ("a.parquet", "a.xlsx", "a.csv"):
        (tmp_path / name).write_bytes(b"\xff\x00broken" if name != "a.csv" else b"")
        with pytest.raises(InputError, match="cannot be read"):
            read_table(tmp_path / name)
