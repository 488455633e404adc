"""A scorecard brought to another level: the ranking stays, and the new version says from which and why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from allocator.errors import InputError
from allocator.scoring.appraisal import appraise
from allocator.scoring.calibration import calibration
from allocator.scoring.fitted import read_fitted, to_document
from allocator.scoring.recalibration import RecalibrationOrder, recalibrate
from allocator.scoring.scorecard import Points, Recalibration, Scorecard, fit_scorecard
from allocator.scoring.variables import Binning, Variable
from tests.scoring.test_appraisal import draw


@pytest.fixture(scope="module")
def card() -> Scorecard:
    book = draw(3000, 1)
    variables = [Variable("x", sign=1, bins=Binning()), Variable("u"), Variable("trade", "category")]
    return fit_scorecard(book, book["bad"], variables, points=Points())


def test_slope_and_intercept_meet_what_happened(card: Scorecard) -> None:
    book = draw(2000, 2, shift=0.8)
    y = book["bad"].to_numpy(float)
    new = recalibrate(card, book, y, RecalibrationOrder("slope", "defaults rose"), "sme-v1.json")
    pds = new.apply(book)["pd"].to_numpy()
    found = calibration(y, pds)
    assert pds.mean() == pytest.approx(y.mean(), abs=1e-9)
    assert found.slope.value == pytest.approx(1, abs=0.01)
    assert found.intercept.value == pytest.approx(0, abs=1e-6)
    before = card.apply(book)["pd"].to_numpy()
    assert (np.argsort(pds, kind="stable") == np.argsort(before, kind="stable")).all()
    assert new.recalibrated is not None
    assert (new.recalibrated.of, new.recalibrated.why) == ("sme-v1.json", "defaults rose")
    odds = new.recalibrated.shift + new.recalibrated.slope * special.logit(before)
    np.testing.assert_allclose(pds, special.expit(odds), rtol=1e-9)
    np.testing.assert_allclose(new.apply(book)["score"], Points().score(odds), rtol=1e-9)


def test_intercept_alone_and_a_target(card: Scorecard) -> None:
    book = draw(2000, 3)
    y = book["bad"].to_numpy(float)
    kept = recalibrate(card, book, y, RecalibrationOrder("intercept", "w"), "c")
    assert kept.apply(book)["pd"].mean() == pytest.approx(y.mean())
    to = recalibrate(card, book, None, RecalibrationOrder("target", "central tendency", 0.05), "c")
    assert to.apply(book)["pd"].mean() == pytest.approx(0.05)
    assert to.recalibrated is not None
    said = Recalibration("c", "central tendency", "target", 1.0, to.recalibrated.shift, 0.0)
    assert to.recalibrated == said
    careful = recalibrate(card, book, None, RecalibrationOrder("target", "w", 0.05, margin=0.1), "c")
    assert careful.apply(book)["pd"].mean() == pytest.approx(0.055)


def test_drift_is_still_measured_against_the_training_data(card: Scorecard) -> None:
    book = draw(2000, 4)
    new = recalibrate(card, book, None, RecalibrationOrder("target", "w", 0.02), "c")
    found = [appraise(book, book["bad"], one).tables["Drift since the fit"] for one in (card, new)]
    before, after = (table["psi"].to_dict()["PD"] for table in found)
    assert before == pytest.approx(after)


def test_a_new_version_reads_back(card: Scorecard, tmp_path: Path) -> None:
    book = draw(500, 5)
    new = recalibrate(card, book, None, RecalibrationOrder("target", "why not", 0.1), "sme-v1.json")
    (tmp_path / "c.json").write_text(json.dumps({"schema": 1, **to_document(new)}))
    again = read_fitted(tmp_path / "c.json")
    assert isinstance(again, Scorecard)
    assert again.recalibrated == new.recalibrated
    np.testing.assert_array_equal(again.apply(book)["pd"], new.apply(book)["pd"])


def test_what_is_refused(card: Scorecard) -> None:
    book = draw(2000, 6)
    with pytest.raises(InputError, match="the ranking does not hold here; fit a new scorecard"):
        recalibrate(card, book, 1 - book["bad"].to_numpy(float), RecalibrationOrder("slope", "w"), "c")
    with pytest.raises(InputError, match=r"a mean PD of 1.2; it lies between 0 and 1"):
        recalibrate(card, book, None, RecalibrationOrder("target", "w", 0.6, margin=1.0), "c")
