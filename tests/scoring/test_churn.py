"""Churn curves: monotone, and standard errors that cover."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from allocator.errors import InputError
from allocator.scoring.churn import churn_frame, fit_churn
from allocator.scoring.fitting_firms import churn_from_file


def offers(n: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    rate = generator.choice(np.arange(0.04, 0.16, 0.01), n).round(2)
    left = generator.random(n) < special.expit(6 + 2.5 * np.log(rate))
    return pd.DataFrame({"rate": rate, "grade": "A", "left": left.astype(int)})


def test_the_contest_curve_no_longer_falls(data: Path) -> None:
    fit = fit_churn(pd.read_csv(data / "churn_curve.csv"))
    assert fit.falls.tolist() == [3, 2, 2]
    for table in (fit.isotonic, fit.logistic):
        for curve in table.churn.values():
            assert (np.diff(curve) >= 0).all()
    assert (fit.table()["rms_error"] < 0.04).all()
    assert churn_frame(fit.isotonic).columns.tolist() == ["rate", "A", "B", "C"]


def test_isotonic_is_the_nearest_rising_curve() -> None:
    fit = fit_churn(pd.DataFrame({"rate": [0.04, 0.05, 0.06, 0.07], "A": [0.1, 0.4, 0.2, 0.5]}))
    np.testing.assert_allclose(fit.isotonic.churn["A"], [0.1, 0.3, 0.3, 0.5])


def test_isotonic_weighs_by_offers() -> None:
    frame = pd.DataFrame(
        {
            "rate": [0.04] * 10 + [0.05] * 2 + [0.06] * 8,
            "grade": "A",
            "left": [0] * 10 + [1, 1] + [1, 0] * 4,
        }
    )
    np.testing.assert_allclose(fit_churn(frame).isotonic.churn["A"], [0.0, 0.6, 0.6])


def test_standard_errors_of_counted_offers_cover() -> None:
    covered = 0
    for seed in range(60):
        curve = fit_churn(offers(1500, seed)).curves["A"]
        assert curve is not None
        covered += abs(curve.slope - 2.5) <= 1.96 * np.sqrt(curve.covariance[1, 1])
    assert covered >= 52


@pytest.mark.parametrize("shape", ["isotonic", "logistic"])
def test_the_interval_holds_the_curve(shape: str) -> None:
    fit = fit_churn(offers(1500, 1))
    curve = getattr(fit, shape)
    ends = fit.interval(curve)
    assert ends is not None
    low, high = (end.churn["A"] for end in ends)
    assert ((low <= curve.churn["A"]) & (curve.churn["A"] <= high)).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()
    assert low.min() >= 0
    assert high.max() <= 1


def test_the_interval_covers_the_true_curve() -> None:
    """At 8 %, about the logistic curve: 95 of 100 draws, 87 to 100 by their own scatter."""
    covered = 0
    for seed in range(100):
        fit = fit_churn(offers(800, seed))
        ends = fit.interval(fit.logistic)
        assert ends is not None
        at = int(np.flatnonzero(np.isclose(fit.logistic.rates, 0.08))[0])
        covered += ends[0].churn["A"][at] <= special.expit(6 + 2.5 * np.log(0.08)) <= ends[1].churn["A"][at]
    assert covered >= 87


def test_a_grade_without_a_logistic_curve_has_no_interval() -> None:
    fit = fit_churn(pd.DataFrame({"rate": [0.04, 0.05, 0.06], "A": [0.1, 0.2, 0.3], "B": [0.0, 0.0, 0.0]}))
    assert fit.interval(fit.isotonic) is None


def test_the_ends_are_files_beside_the_curve(tmp_path: Path) -> None:
    file = tmp_path / "shares.csv"
    file.write_text("rate,A\n0.04,0\n0.06,0.2\n0.08,0.5\n0.1,0.6\n")
    fit = churn_from_file(file)
    low, curve, high = (pd.read_csv(StringIO(fit.extra[s])) for s in (".low.csv", ".csv", ".high.csv"))
    assert low["A"][0] == curve["A"][0] == high["A"][0] == 0
    assert (low["A"][1:] < curve["A"][1:]).all()
    assert (curve["A"][1:] < high["A"][1:]).all()


def test_a_logistic_curve_never_falls() -> None:
    falling = pd.DataFrame({"rate": [0.04, 0.05, 0.06, 0.07], "A": [0.4, 0.3, 0.3, 0.2]})
    fit = fit_churn(falling)
    np.testing.assert_allclose(fit.logistic.churn["A"], 0.3)
    assert fit.table().loc["A", "slope"] == 0
    assert fit.table().loc["A", "falls"] == 2


@pytest.mark.parametrize("answers", [[0, 0, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]])
def test_answers_that_no_logistic_curve_can_follow(answers: list[int]) -> None:
    few = pd.DataFrame({"rate": [0.04, 0.05, 0.06, 0.07], "grade": "A", "left": answers})
    fit = fit_churn(few)
    np.testing.assert_array_equal(fit.isotonic.churn["A"], answers)
    assert fit.table().loc["A"].isna().sum() == 5
    with pytest.raises(InputError, match="A: has no logistic curve"):
        _ = fit.logistic


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (pd.DataFrame({"r": [0.04]}), "lacks the column rate"),
        (pd.DataFrame({"rate": [0.04, 0.05, 0.06]}), "has no column of churn"),
        (pd.DataFrame({"rate": [4.0, 0.05, 0.06], "A": [0, 0.1, 0.2]}), "row 1, rate: 4 is out of range"),
        (pd.DataFrame({"rate": [0.04, 0.05, 0.06], "A": [0, 0.1, 20]}), "row 3, A: 20 is out of range"),
        (
            pd.DataFrame({"rate": [0.04, 0.05, 0.06], "A": ["x", "0.1", "0.2"]}),
            "row 1, A: 'x' is out of range",
        ),
        (pd.DataFrame({"rate": [0.04, 0.05], "A": [0, 0.1]}), "A: fewer than 3 rates"),
        (pd.DataFrame({"rate": [0.04, 0.04, 0.06], "A": [0, 0.1, 0.2]}), "rate: a rate stands twice"),
        (pd.DataFrame({"rate": [0.04], "grade": ["A"], "left": [0.5]}), "row 1, left: 0.5 is out of range"),
        (pd.DataFrame({"rate": [0.04], "grade": ["A"], "left": [None]}), "row 1, left: is empty"),
        (pd.DataFrame({"rate": [0.04], "grade": [None], "left": [1]}), "row 1, grade: is empty"),
    ],
)
def test_bad_curves(frame: pd.DataFrame, text: str) -> None:
    with pytest.raises(InputError, match=text):
        fit_churn(frame)


def test_rates_without_an_answer_are_named_and_read_from_those_around_them(tmp_path: Path) -> None:
    path = tmp_path / "shares.csv"
    path.write_text("rate,A,B\n0.04,0.1,\n0.05,,0.2\n0.06,0.3,0.3\n0.07,0.4,0.4\n")
    fit = churn_from_file(path)
    assert fit.document["filled"] == fit.figures["filled"] == {"A": [0.05], "B": [0.04]}
    assert fit.card.metrics["empty shares filled between the rates around them, A"] == "0.05"
    assert fit.extra[".csv"].splitlines()[1:3] == ["0.04,0.1,0.2", "0.05,0.2,0.2"]
    logistic = churn_from_file(path, "logistic")
    assert logistic.card.metrics["empty shares filled from the curve, B"] == "0.04"
