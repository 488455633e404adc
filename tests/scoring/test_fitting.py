"""Fits ordered from files: what they say, and what they refuse."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.fitted import read_fitted, to_document, write_fitted
from allocator.scoring.fitting_firms import (
    ahp_from_file,
    churn_from_file,
    correlation_from_files,
    grade_from_files,
)
from allocator.scoring.fitting_logit import logit_from_files
from allocator.scoring.fitting_rating import RatingOrder, rating_from_files
from allocator.scoring.foreseen import foreseen_pd
from allocator.scoring.order import Order
from tests.scoring.conftest import rated

DECLARED = {
    "schema": 1,
    "variables": [{"name": "x", "sign": 1}, {"name": "y"}],
    "rules": [{"name": "x", "kind": "negative"}, {"name": "y", "kind": "positive"}],
    "leaks": [
        {
            "name": "bad2",
            "why": "the outcome again",
            "variable": {"name": "bad2"},
            "rule": {"name": "bad2", "kind": "negative"},
        }
    ],
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(2, 600))
    bad = (generator.random(600) < 1 / (1 + np.exp(1 - 1.5 * x + 0.8 * y))).astype(int)
    lent = generator.uniform(10, 20, 600)
    day = pd.date_range("2018-01-01", periods=600).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"x": x, "y": y, "bad": bad, "lent": lent, "unpaid": 0.6 * lent * bad, "day": day})
    frame["bad2"] = np.where(generator.random(600) < 0.9, bad, 1 - bad)
    frame.to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "v.json").write_text(json.dumps(DECLARED))
    return tmp_path / "d.csv", tmp_path / "v.json"


def test_a_logit_with_its_card(files: tuple[Path, Path], tmp_path: Path) -> None:
    fit = logit_from_files(
        *files, Order("bad", bounds={"A": 0.1, "B": 1.0}, time="day", money=("lent", "unpaid"))
    )
    assert fit.document["lgd"] == pytest.approx(0.6)
    assert fit.figures["auc"]["value"] > 0.75
    assert fit.figures["calibration_slope"]["low"] < 1 < fit.figures["calibration_slope"]["high"]
    assert fit.figures["out_of_time"]["psi"] < 0.2
    assert fit.tables["Wald tests"].loc["x", "agrees"]
    drawn = {**(fit.extra or {}), ".svg": "<svg/>"}
    path = write_fitted(tmp_path / "out", "bad", fit.document, fit.card, drawn)
    assert to_document(read_fitted(path)) == fit.document
    card = path.with_suffix(".md").read_text()
    assert "## Wald tests" in card
    assert "calibration slope, out of fold (5 folds)" in card
    assert card.count("sha256:") == 2
    assert "![Reliability](bad-v1.svg)" in card
    assert "| bad2 | the outcome again |" in card
    assert fit.figures["auc_with_bad2_which_leaks"]["value"] > fit.figures["auc"]["value"] + 0.05


def test_rows_without_an_outcome_to_learn_from_are_left_out_and_counted(files: tuple[Path, Path]) -> None:
    whole = pd.read_csv(files[0])
    reasons = np.repeat(["rejected", "immature", None], [30, 20, 550])
    whole.assign(why=reasons, bad=whole["bad"].where(reasons == None)).to_csv(files[0], index=False)  # noqa: E711
    fit = logit_from_files(*files, Order("bad", without="why"))
    assert fit.figures["left_out"] == {"immature": 20, "rejected": 30}
    assert fit.card.metrics["left out, rejected"] == "30 rows"
    pd.read_csv(files[0]).assign(x=whole["x"].astype(object).where(whole.index != 70, "much")).to_csv(
        files[0], index=False
    )
    with pytest.raises(InputError, match="row 71, x: 'much' is no number"):
        logit_from_files(*files, Order("bad", without="why"))
    whole[50:].to_csv(files[0], index=False)
    assert fit.document == logit_from_files(*files, Order("bad")).document
    whole.assign(why="immature").to_csv(files[0], index=False)
    with pytest.raises(InputError, match="why: gives every row a reason to be left out"):
        logit_from_files(*files, Order("bad", without="why"))
    with pytest.raises(InputError, match="lacks the column gone; name the column that holds the reason"):
        logit_from_files(*files, Order("bad", without="gone"))


def test_a_rating_leaves_rows_out_as_a_logit_does(files: tuple[Path, Path]) -> None:
    frame = pd.read_csv(files[0])
    frame.assign(why=["rejected"] * 5 + [""] * (len(frame) - 5)).to_csv(files[0], index=False)
    order = {"classes": ["a", "b"], "repeats": 1}
    fit = rating_from_files(*files, RatingOrder("bad", "lent", "unpaid", without="why", **order))
    assert fit.figures["left_out"] == {"rejected": 5}
    assert "| left out, rejected | 5 rows |" in fit.card.text(1)
    frame.iloc[5:].to_csv(files[0], index=False)
    fewer = rating_from_files(*files, RatingOrder("bad", "lent", "unpaid", **order))
    assert fit.document == fewer.document


def test_a_rating_with_its_card(files: tuple[Path, Path]) -> None:
    fit = rating_from_files(*files, RatingOrder("bad", "lent", "unpaid", classes=["a", "b", "c"], repeats=1))
    assert (np.diff(fit.tables["Classes"]["loss_rate"]) > 0).all()
    shares = fit.tables["AUC by training share, beside a logit"]
    assert shares.shape[0] == 6
    assert (shares["auc_with_bad2"] > shares["auc"]).all()
    assert fit.figures["kept"] == ["x", "y"]
    assert fit.document["kind"] == "rating"


def test_losses_of_performing_loans_and_beyond_the_loan_are_corrected(
    files: tuple[Path, Path],
) -> None:
    frame = pd.read_csv(files[0])
    performing, bad = frame.index[frame["bad"] == 0][:2], frame.index[frame["bad"] == 1][0]
    frame.loc[performing, "unpaid"] = 5.0
    frame.loc[bad, "unpaid"] = 99.0
    frame.to_csv(files[0], index=False)
    fit = rating_from_files(*files, RatingOrder("bad", "lent", "unpaid", classes=["a", "b"], repeats=1))
    assert fit.figures["corrected"] == "2 performing loans' losses set to 0, 1 losses cut to what was owed"


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("unpaid", -5.0, "row 1, unpaid: -5 is below 0"),
        ("lent", np.nan, "row 1, lent: is empty"),
        ("lent", "much", "row 1, lent: 'much' is no number"),
        ("day", "spring", "row 1, day: 'spring' is neither a date nor a number"),
        ("day", None, "row 1, day: is empty; write dates as 2019-03-01"),
    ],
)
def test_amounts_and_dates_that_are_none(
    files: tuple[Path, Path], column: str, value: object, text: str
) -> None:
    frame = pd.read_csv(files[0])
    frame[column] = frame[column].astype(object)
    frame.loc[0, column] = value
    frame.to_csv(files[0], index=False)
    fit = (
        partial(logit_from_files, *files, Order("bad", time="day"))
        if column == "day"
        else partial(
            rating_from_files, *files, RatingOrder("bad", "lent", "unpaid", classes=["a", "b"], repeats=1)
        )
    )
    with pytest.raises(InputError) as caught:
        fit()
    assert f"{files[0]}, {text}" in str(caught.value.faults[0])


def test_refusals(files: tuple[Path, Path]) -> None:
    with pytest.raises(
        InputError, match="gone: lacks the column gone; name the column that holds the outcome"
    ):
        logit_from_files(*files, Order("gone"))
    with pytest.raises(InputError, match=r"lent: .* is no outcome"):
        logit_from_files(*files, Order("lent"))
    with pytest.raises(InputError, match=r"x would tell the outcome: it is what the fit is to foretell"):
        logit_from_files(*files, Order("x"))
    with pytest.raises(InputError, match="lacks the column week"):
        logit_from_files(*files, Order("bad", time="week"))
    with pytest.raises(InputError) as caught:
        rating_from_files(*files, RatingOrder("bad", "owed", "lost"))
    assert [fault.field for fault in caught.value.faults] == ["owed", "lost"]


def test_grades_with_their_card(contest: Path) -> None:
    fit = grade_from_files(rated(contest), method="void_ranges")
    assert fit.figures["accuracy"] < fit.figures["baseline"]
    assert fit.tables["PD by grade"].loc["D", "pd"] == pytest.approx(0.98)
    assert "| D | 24 |" in fit.card.text(1)
    assert len(fit.figures["in_no_range"]) == 21
    table, grades = correlation_from_files(rated(contest), ["void_share"])
    assert table.loc["void_share", "pearson"] == pytest.approx(-0.2662, abs=5e-5)
    assert grades.loc["void_share", "n"].tolist() == [27, 38, 34, 24]
    assert grades.loc[("void_share", "A"), "median"] == pytest.approx(0.0672, abs=5e-5)


def test_weights_with_their_card(models: Path) -> None:
    fit = ahp_from_file(models / "ahp" / "enterprise-credit.json")
    assert {name: round(weight, 2) for name, weight in fit.figures["weights"].items()} == {
        "A": 0.63,
        "B": 0.23,
        "C": 0.14,
    }
    moved = fit.tables["Weights when one judgement is half as large again"]
    np.testing.assert_allclose(moved[["A", "B", "C"]].sum(axis=1), 1)


def test_a_churn_curve_with_its_card(data: Path, tmp_path: Path) -> None:
    fit = churn_from_file(data / "churn_curve.csv")
    path = write_fitted(tmp_path, "churn", fit.document, fit.card, fit.extra)
    curve = pd.read_csv(path.with_suffix(".csv"))
    assert (curve.diff().iloc[1:] >= 0).all(axis=None)
    assert fit.figures["curves"]["A"]["slope_se"] > 0


def test_no_decision_knows_a_default_of_its_own_period_or_later(files: tuple[Path, Path]) -> None:
    when = np.repeat(np.arange(6.0), 100)
    known = when + 1
    before = foreseen_pd(*files, "bad", when=when, known=known).pd
    frame = pd.read_csv(files[0])
    frame["bad"] = np.where(known >= 4, 1 - frame["bad"], frame["bad"])
    frame.to_csv(files[0], index=False)
    after = foreseen_pd(*files, "bad", when=when, known=known).pd
    assert np.isnan(before).tolist() == (when < 2).tolist()
    np.testing.assert_array_equal(after[when <= 4], before[when <= 4])
    assert not np.array_equal(after[when == 5], before[when == 5])


def test_who_has_no_period_has_no_pd_and_teaches_nothing(files: tuple[Path, Path]) -> None:
    when = np.repeat([np.nan, 1.0, 2.0], [50, 250, 300])
    some = foreseen_pd(*files, "bad", when=when).pd
    pd.read_csv(files[0])[50:].to_csv(files[0], index=False)
    np.testing.assert_array_equal(some[50:], foreseen_pd(*files, "bad", when=when[50:]).pd)
    assert np.isnan(some[:50]).all()
