"""Invented borrowers: the same for the same seed, in the right proportions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import InputError
from allocator.portfolio import synthesis
from allocator.portfolio.synthesis import grade_counts, parts


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts, quickly."""
    monkeypatch.setattr(synthesis, "PART", 300)


def synthesise(borrowers: int, seed: int) -> pd.DataFrame:
    return pa.concat_tables(parts(borrowers, seed)).to_pandas()


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


def test_a_portfolio_comes_in_parts() -> None:
    assert [len(part) for part in parts(1_000, 5)] == [300, 300, 300, 100]


def test_a_past_lies_where_it_should() -> None:
    past = pa.concat_tables(parts(20_000, 5, range(2011, 2021))).to_pandas()
    pd.testing.assert_frame_equal(past.loc[:, :"turnover"], synthesise(20_000, 5))
    assert past["year"].between(2011, 2020).all()
    assert past["default"].mean() == pytest.approx(past["pd"].mean(), rel=0.3)
    by_year = past.groupby("year")["default"].mean()
    assert by_year.max() > 1.3 * by_year.min()
    bad = past["default"] == 1
    assert (past["default_year"].notna() == bad).all()
    assert set(past["default_year"][bad] - past["year"][bad]) == {0, 1, 2}
    assert (past["lost"][~bad] == 0).all()
    assert (past["lost"] <= past["owed"]).all()
    assert past["owed"].between(past["max_amount"] / 2, past["max_amount"]).all()
    lost = past["lost"][bad].sum() / past["owed"][bad].sum()
    assert lost == pytest.approx(0.45, rel=0.05)
    assert past["leverage"][bad].mean() > 1.2 * past["leverage"][~bad].mean()
    assert past["margin"][bad].mean() < past["margin"][~bad].mean()


def test_arguments_out_of_range() -> None:
    with pytest.raises(InputError) as caught:
        synthesise(0, -1)
    assert str(caught.value) == (
        "synthetic portfolio: 2 faults\n"
        "  borrowers: 0 borrowers; ask for at least 1\n"
        "  seed: -1 is below 0; give a seed of at least 0"
    )
