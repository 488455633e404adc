"""Borrowers from frames and from four files of invoices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.records.sources import InvoiceFiles
from allocator.scoring.fitted import read_fitted
from allocator.scoring.frequencies import pd_by_grade
from allocator.scoring.grades import GradeScorecard, fit_grades
from allocator.scoring.invoices import invoices_from_frames
from allocator.scoring.score import graded_borrowers, rated_firms, score_firms, score_frame
from tests.scoring.conftest import rated

PROBABILITIES = ["p_A", "p_B", "p_C", "p_D"]


@pytest.fixture(scope="module")
def shipped(models: Path) -> GradeScorecard:
    card = read_fitted(models / "grades" / "cumcm-2020-v1.json")
    assert isinstance(card, GradeScorecard)
    return card


@pytest.fixture(scope="module")
def unrated(contest: Path) -> InvoiceFiles:
    """The files of the 302 firms."""
    return InvoiceFiles(
        contest / "invoices_in_302.parquet",
        contest / "invoices_out_302.parquet",
        firms=contest / "enterprises_302.csv",
    )


def test_the_unrated_firms_of_the_contest(unrated: InvoiceFiles, shipped: GradeScorecard) -> None:
    borrowers, notes, _ = score_firms(unrated, shipped)
    assert len(borrowers) == 302
    assert borrowers["borrower_id"].iloc[0] == "E124"
    np.testing.assert_allclose(borrowers[PROBABILITIES].sum(axis=1), 1)
    assert borrowers["pd"].between(0.01, 0.99).all()
    assert (borrowers["lgd"] == 0.5).all()
    counts = borrowers["grade"].value_counts(sort=False).to_dict()
    assert counts == {"A": 63, "B": 112, "C": 88, "D": 39, "ungraded": 0}
    assert [note.rows for note in notes] == [395175, 330835]
    worse = borrowers.groupby("grade", observed=True)["pd"].mean()
    assert worse.is_monotonic_increasing


def test_the_shipped_grades_are_those_of_a_fresh_fit(
    firms: tuple[pd.DataFrame, pd.DataFrame], shipped: GradeScorecard
) -> None:
    known, indicators = firms
    pds = pd_by_grade(known["rating"], known["default"])["pd"].to_numpy()
    fresh = fit_grades(indicators, known["rating"], pds)
    pd.testing.assert_frame_equal(shipped.apply(indicators), fresh.apply(indicators), rtol=1e-5)


def test_42_firms_lie_in_no_published_range(unrated: InvoiceFiles, models: Path) -> None:
    card = read_fitted(models / "grades" / "cumcm-2020-void-ranges-v1.json")
    assert isinstance(card, GradeScorecard)
    borrowers, _, _ = score_firms(unrated, card)
    outside = borrowers["note"] == "void share in no grade's range: the grades' frequencies"
    assert outside.sum() == 42
    np.testing.assert_allclose(borrowers.loc[outside, PROBABILITIES], [card.frequency] * 42)


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
    borrowers, _ = graded_borrowers(invoices_from_frames(rows, rows), shipped, ["E1", "E2", "E3"], lgd=0.5)
    assert borrowers["note"].tolist() == ["", *["no valid sales invoice: not graded"] * 2]
    assert borrowers["grade"].tolist()[1:] == ["ungraded", "ungraded"]
    assert borrowers["exclude"].tolist() == [False, True, True]
    np.testing.assert_allclose(borrowers["pd"][1:], shipped.frequency @ shipped.pd_by_grade)
    np.testing.assert_allclose(borrowers[PROBABILITIES].sum(axis=1), 1)
    with pytest.raises(InputError, match="no firm has a valid sales invoice"):
        graded_borrowers(invoices_from_frames(rows, rows), shipped, ["E7"], lgd=0.5)
    with pytest.raises(InputError, match=r"lgd: an LGD of 1\.5"):
        graded_borrowers(invoices_from_frames(rows, rows), shipped, None, lgd=1.5)


def test_ratings_are_kept_and_the_scorecard_fills_in(
    shipped: GradeScorecard, contest: Path, tmp_path: Path
) -> None:
    known = pd.read_csv(contest / "enterprises_123.csv", dtype=str)
    known.loc[known["enterprise_id"] == "E2", "rating"] = ""
    known.to_csv(tmp_path / "firms.csv", index=False)
    files = replace(rated(contest), firms=tmp_path / "firms.csv")

    scored, _, _ = score_firms(files, shipped, indicators=True)
    inferred, _, _ = score_firms(replace(rated(contest), firms=None), shipped)

    scored, inferred = (firms.set_index("borrower_id") for firms in (scored, inferred))
    rating = known.set_index("enterprise_id")["rating"].drop("E2")
    rest = scored.drop(index="E2")
    assert (rest["grade"].astype(object) == rating).all()
    assert rest.groupby("grade", observed=True)["pd"].nunique().eq(1).all()
    assert (rest["note"] == "rated: its rating is kept").all()
    assert scored.loc["E2", "pd"] == inferred.loc["E2", "pd"]
    assert scored.loc["E2", "note"] == ""
    np.testing.assert_allclose(scored[PROBABILITIES].sum(axis=1), 1)
    features = pd.read_csv(contest / "features_123.csv").set_index("enterprise_id")
    profit = (features["out_amount_2019"] - features["in_amount_2019"]).loc[scored.index]
    np.testing.assert_allclose(scored["profit_2019"], profit, rtol=1e-6, atol=0.01)


def test_rated_firms_must_be_rated_and_sell(contest: Path, tmp_path: Path) -> None:
    files = rated(contest)
    known = pd.read_csv(contest / "enterprises_123.csv")
    known.drop(columns="default").to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match="lacks the column default"):
        rated_firms(replace(files, firms=tmp_path / "a.csv"))
    known.replace("E1", "E999").to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(InputError, match="no valid sales invoice of the rated firm E999"):
        rated_firms(replace(files, firms=tmp_path / "b.csv"))
    with pytest.raises(InputError, match="ratings: no rated firms are named; give a table of them"):
        rated_firms(replace(files, firms=None))


def test_invoices_come_in_two_files_or_one_workbook(shipped: GradeScorecard) -> None:
    one = Path("in.csv")
    with pytest.raises(InputError, match="one direction is missing"):
        score_firms(InvoiceFiles(purchases=one), shipped)
    with pytest.raises(InputError, match="a workbook holds both directions already"):
        score_firms(InvoiceFiles(one, one, one), shipped)


def test_a_frame_is_scored_beside_its_columns(models: Path) -> None:
    rating = read_fitted(models / "ratings" / "small-enterprise-published.json")
    frame = pd.DataFrame({f"indicator_{i:02d}": [1.0, 0.2] for i in range(1, 22)})
    scored = score_frame(frame.assign(borrower_id=["a", "b"], pd=0.3), rating)
    assert scored["borrower_id"].tolist() == ["a", "b"]
    assert scored["grade"].tolist() == ["AAA", "C"]
    assert list(scored.columns).count("pd") == 1
    assert scored["pd"].iloc[1] == pytest.approx(0.19797 / 0.45)
