"""The correlation study: the credit strategy study's Table 4 on the real firms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.correlation import rating_correlations, stars
from allocator.scoring.fitting_firms import correlation_from_files
from allocator.scoring.indicators import never_known
from allocator.scoring.score import InvoiceFiles


def test_void_share_and_grade_of_the_real_firms(firms: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    known, indicators = firms
    table = rating_correlations(known["rating"], indicators, ["void_share", "void_share_count"])
    assert table.loc["void_share", "pearson"] == pytest.approx(-0.2662, abs=5e-5)
    assert table.loc["void_share", "pearson_p"] == pytest.approx(0.0029, abs=5e-5)
    assert table.loc["void_share", "n"] == 123
    assert table.loc["void_share", "pearson_stars"] == "**"
    assert table.loc["void_share_count", "pearson"] == pytest.approx(-0.355, abs=5e-4)


def test_missing_and_constant_indicators_are_noted() -> None:
    rating = pd.Series(["A", "B", "C", "D"])
    indicators = pd.DataFrame({"x": [1.0, np.nan, 3.0, 4.0], "flat": 1.0, "rare": [1.0, np.nan, np.nan, 2.0]})
    table = rating_correlations(rating, indicators)
    assert table.loc["x", "n"] == 3
    assert table.loc["x", "pearson"] < -0.9
    assert table.loc["flat", "note"] == "constant"
    assert table.loc["rare", "note"] == "fewer than 3 firms have it"
    assert np.isnan(table.loc["flat", "pearson"])


def test_an_infinite_value_counts_as_missing() -> None:
    table = rating_correlations(pd.Series([1, 2, 3, 4]), pd.DataFrame({"x": [1.0, 2.0, np.inf, 3.0]}))
    assert table.loc["x", "n"] == 3


def test_stars_as_the_source_prints_them() -> None:
    assert [stars(p) for p in (0.003, 0.03, 0.3)] == ["**", "*", ""]


def test_unknown_grades_and_indicators() -> None:
    with pytest.raises(InputError, match="row 2: 'X' is no grade; the grades are A, B, C, D"):
        rating_correlations(pd.Series(["A", "X", "B"]), pd.DataFrame({"x": [1.0, 2.0, 3.0]}))
    with pytest.raises(InputError, match="void: is no indicator"):
        rating_correlations(pd.Series(["A", "B"]), pd.DataFrame({"x": [1.0, 2.0]}), ["void"])


def test_a_name_that_no_indicator_has_is_told_with_the_faults_of_files(tmp_path: Path) -> None:
    files = InvoiceFiles(tmp_path / "in.csv", tmp_path / "out.csv", None, None)
    with pytest.raises(InputError) as told:
        correlation_from_files(files, ["void", "void_share", "in_first", "profit_2019"])
    problems = [(fault.field, fault.problem) for fault in told.value.faults]
    assert problems[:2] == [("void", "is no indicator"), ("in_first", "is no indicator")]
    assert len([problem for _, problem in problems if "does not exist" in problem]) == 2


def test_every_indicator_of_the_real_firms_is_known(firms: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    assert never_known(firms[1].select_dtypes("number").columns) == []
