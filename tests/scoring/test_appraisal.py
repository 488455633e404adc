"""A scorecard judged: figures, verdicts, drift; and intervals that keep their word."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from allocator.errors import InputError
from allocator.scoring.appraisal import appraisal_of_files, appraise
from allocator.scoring.fitted import read_fitted, to_document
from allocator.scoring.reference import stability
from allocator.scoring.scorecard import Scorecard, fit_scorecard
from allocator.scoring.variables import Binning, Variable


def draw(n: int, seed: int, shift: float = 0.0, move: float = 0.0) -> pd.DataFrame:
    """Loans with two figures and a trade; `shift` raises their log-odds, `move` the first figure."""
    generator = np.random.default_rng(seed)
    x, u = generator.normal(size=(2, n))
    frame = pd.DataFrame({"x": x + move, "u": u, "trade": generator.choice(["a", "b"], n)})
    odds = -2 + frame["x"] + 0.5 * u + shift
    frame["bad"] = (generator.random(n) < special.expit(odds)).astype(int)
    return frame.assign(year=generator.choice([2020, 2021], n))


@pytest.fixture(scope="module")
def card() -> Scorecard:
    book = draw(3000, 1)
    variables = [Variable("x", sign=1, bins=Binning()), Variable("u"), Variable("trade", "category")]
    return fit_scorecard(book, book["bad"], variables, bounds={"A": 0.1, "B": 0.3, "C": 1.0})


def _lights(found: object) -> dict[str, str]:
    return {one.figure: one.light for one in found.verdicts}  # type: ignore[attr-defined]


def test_loans_of_the_same_kind_are_green(card: Scorecard) -> None:
    book = draw(2000, 12)
    found = appraise(book, book["bad"], card, ("year",))
    assert set(_lights(found).values()) == {"green"}
    assert list(_lights(found)) == [
        *("auc", "calibration_slope", "calibration_intercept", "classes"),
        *("psi of PD", "psi of x", "psi of u", "psi of trade"),
    ]
    parts = found.tables["By year"]
    assert parts["n"].sum() == 2000
    assert (parts["low"] < parts["auc"]).all()


def test_more_defaults_than_foreseen_are_red(card: Scorecard) -> None:
    book = draw(2000, 3, shift=0.7)
    found = appraise(book, book["bad"], card)
    lights = _lights(found)
    assert lights["calibration_intercept"] == lights["classes"] == "red"
    assert lights["auc"] == lights["psi of x"] == "green"
    assert found.figures["calibration_intercept"].value == pytest.approx(0.7, abs=0.2)


def test_other_borrowers_are_drift(card: Scorecard) -> None:
    book = draw(2000, 4, move=1.0)
    found = appraise(book, book["bad"], card)
    assert _lights(found)["psi of x"] == "red"
    assert _lights(found)["psi of u"] == "green"
    assert found.tables["Drift since the fit"]["psi"].to_dict()["x"] > 0.25


def test_psi_by_hand(card: Scorecard) -> None:
    assert card.reference is not None
    then = card.reference.variables["trade"]
    a, b = then.rows[then.labels.index("a")], then.rows[then.labels.index("b")]
    now = np.array([300.0 if label == "a" else 100.0 if label == "b" else 0.0 for label in then.labels])
    known = (0.75 - a / 3000) * np.log(0.75 / (a / 3000)) + (0.25 - b / 3000) * np.log(0.25 / (b / 3000))
    empty = 0.5 / 400 - 0.5 / 3000
    rest = 2 * empty * np.log((0.5 / 400) / (0.5 / 3000))
    assert stability(then, now) == pytest.approx(known + rest)


def test_a_class_is_tested_against_its_pd(card: Scorecard) -> None:
    book = draw(2000, 5)
    table = appraise(book, book["bad"], card).tables["Classes"]
    for row in table[["defaults", "n", "mean_pd", "p"]].to_numpy(float):
        expected = stats.binomtest(int(row[0]), int(row[1]), row[2], "greater").pvalue
        assert row[3] == pytest.approx(expected)


def test_the_parts_of_a_brier_score_add_up(card: Scorecard) -> None:
    book = draw(2000, 6)
    figures = appraise(book, book["bad"], card).figures
    parts = figures["brier_reliability"] - figures["brier_resolution"] + figures["brier_uncertainty"]
    assert parts + figures["brier_within_bins"] == pytest.approx(figures["brier"].value)
    assert abs(figures["brier_within_bins"]) < 0.005


def test_a_card_keeps_its_training_data_in_bins(card: Scorecard, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(json.dumps({"schema": 1, **to_document(card)}))
    again = read_fitted(tmp_path / "card.json")
    assert isinstance(again, Scorecard)
    assert again.reference == card.reference
    book = draw(500, 7)
    book.to_csv(tmp_path / "b.csv", index=False)
    found = appraisal_of_files(tmp_path / "b.csv", tmp_path / "card.json", "bad", ("year",))
    assert found.figures["auc"] == appraise(book, book["bad"], card).figures["auc"]
    with pytest.raises(InputError, match="lacks the column worse; name the column that holds the outcome"):
        appraisal_of_files(tmp_path / "b.csv", tmp_path / "card.json", "worse")
    with pytest.raises(InputError, match="month: the column is missing"):
        appraisal_of_files(tmp_path / "b.csv", tmp_path / "card.json", "bad", ("month",))


def test_an_older_card_has_no_drift(card: Scorecard) -> None:
    from dataclasses import replace

    book = draw(500, 8)
    found = appraise(book, book["bad"], replace(card, reference=None), ("year",))
    assert "Drift since the fit" not in found.tables
    assert "psi" not in found.tables["By year"]
