"""Isotonic recalibration: its steps, beside scikit-learn, in documents, points, terms and SQL."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn.isotonic import IsotonicRegression

from allocator.errors import InputError
from allocator.scoring.appraisal import appraise
from allocator.scoring.export import sql_of
from allocator.scoring.fitted import read_fitted, to_document
from allocator.scoring.recalibration import RecalibrationOrder, recalibrate
from allocator.scoring.scorecard import Points, Scorecard, fit_scorecard
from allocator.scoring.steps import isotonic
from allocator.scoring.terms import terms_of
from allocator.scoring.variables import Binning, Variable
from tests.scoring.test_appraisal import draw
from tests.scoring.test_terms import scored_in_sql


@pytest.fixture(scope="module")
def book() -> pd.DataFrame:
    return draw(3000, 2, shift=0.8)


@pytest.fixture(scope="module")
def stepped(book: pd.DataFrame) -> Scorecard:
    past = draw(3000, 1)
    variables = [Variable("x", sign=1, bins=Binning()), Variable("u"), Variable("trade", "category")]
    card = fit_scorecard(past, past["bad"], variables, points=Points())
    return recalibrate(
        card, book, book["bad"].to_numpy(float), RecalibrationOrder("isotonic", "bends"), "c.json"
    )


def test_steps_are_the_isotonic_regression_with_a_row_of_all_in_each() -> None:
    generator = np.random.default_rng(0)
    odds = np.round(generator.normal(size=4000), 2)
    y = (generator.random(4000) < special.expit(-1 + np.abs(odds) * odds)).astype(float)
    steps = isotonic(odds, y)
    rates = special.expit(np.array(steps.log_odds))
    assert (np.diff(rates) > 0).all()
    plain = IsotonicRegression().fit(odds, y).predict(odds)
    ours = special.expit(steps.of(odds))
    assert np.abs(ours - plain)[np.abs(odds) < 1.5].max() < 0.05
    assert ours.mean() == pytest.approx(y.mean(), abs=1e-3)
    inside = steps.of(odds) == steps.log_odds[0]
    first = (y[inside].sum() + y.mean()) / (inside.sum() + 1)
    assert rates[0] == pytest.approx(first, rel=1e-12)


def test_the_pds_are_what_happened_and_the_order_stays(stepped: Scorecard, book: pd.DataFrame) -> None:
    scored = stepped.apply(book, intervals=True)
    assert scored["pd"].mean() == pytest.approx(book["bad"].mean(), rel=0.01)
    line = stepped.linear(book)
    assert (np.diff(scored["pd"].to_numpy()[np.argsort(line, kind="stable")]) >= 0).all()
    assert (scored["pd_low"] <= scored["pd"]).all()
    assert (scored["pd"] <= scored["pd_high"]).all()
    np.testing.assert_allclose(scored["score"], Points().score(special.logit(scored["pd"])), rtol=1e-9)
    verdicts = {one.figure: one.light for one in appraise(book, book["bad"], stepped).verdicts}
    assert verdicts["calibration_intercept"] == verdicts["calibration_slope"] == "green"


def test_steps_read_back_and_may_be_moved_again(
    stepped: Scorecard, book: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "c.json").write_text(json.dumps({"schema": 1, **to_document(stepped)}))
    again = read_fitted(tmp_path / "c.json")
    assert isinstance(again, Scorecard)
    assert again.steps == stepped.steps
    np.testing.assert_array_equal(again.apply(book)["pd"], stepped.apply(book)["pd"])
    lower = recalibrate(again, book, None, RecalibrationOrder("target", "w", 0.05, margin=0.1), "c.json")
    assert lower.apply(book)["pd"].mean() == pytest.approx(0.055)
    assert lower.fit is again.fit
    drift = [appraise(book, book["bad"], one).tables["Drift since the fit"] for one in (again, lower)]
    assert drift[0]["psi"].to_dict() == drift[1]["psi"].to_dict()


def test_a_query_and_terms_hold_the_steps(stepped: Scorecard, book: pd.DataFrame) -> None:
    assert stepped.steps is not None
    there = scored_in_sql(sql_of(stepped), book)
    here = stepped.apply(book)
    np.testing.assert_allclose(there["scored_pd"], here["pd"], rtol=1e-9)
    np.testing.assert_allclose(there["scored_score"], here["score"], rtol=1e-9)
    rows = terms_of(stepped).loc["step"]
    np.testing.assert_array_equal(rows["log_odds"], stepped.steps.log_odds)
    np.testing.assert_allclose(rows["points"], Points().score(np.array(stepped.steps.log_odds)))


def test_what_has_too_few_defaults_gets_no_steps(stepped: Scorecard) -> None:
    few = draw(3000, 3).assign(bad=0)
    few.loc[:9, "bad"] = 1
    with pytest.raises(InputError, match="2,990 loans repaid are too few for steps; give 20"):
        recalibrate(stepped, few, few["bad"].to_numpy(float), RecalibrationOrder("isotonic", "w"), "c")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"cuts": [0.0]}, "1 cuts make 2 steps"),
        ({"cuts": [1.0, 0.0], "log_odds": [0.0, 1.0, 2.0]}, "its cuts do not rise"),
        ({"cuts": [0.0], "log_odds": [1.0, 0.0]}, "its log-odds fall"),
    ],
)
def test_steps_that_are_none(
    stepped: Scorecard, changed: dict[str, list[float]], text: str, tmp_path: Path
) -> None:
    document = {"schema": 1, **to_document(stepped)}
    document["steps"] = {"cuts": [], "log_odds": [0.0]} | changed
    (tmp_path / "c.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=text):
        read_fitted(tmp_path / "c.json")
