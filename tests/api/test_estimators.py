"""The scorecard is an estimator as scikit-learn wants them."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import allocator
from allocator import InputError, LogitScorecard, fit_logit

EXCEPTIONS = {"check_array_api_input": "it is asked for by the environment variable SCIPY_ARRAY_API alone"}
"""Check of scikit-learn's that is not made -> why."""
RANDOM = np.random.default_rng(7)
FIRMS = pd.DataFrame({"debt": RANDOM.normal(size=300), "cash": RANDOM.normal(size=300)})
BAD = (RANDOM.random(300) < 1 / (1 + np.exp(1 - FIRMS["debt"] + FIRMS["cash"]))).astype(int)


def test_it_passes_the_checks_of_scikit_learn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(LogitScorecard(), on_fail=None)
    others = {one["check_name"]: one for one in found if one["status"] != "passed"}
    assert set(others) == set(EXCEPTIONS), others
    assert len(found) > 50


def test_it_is_the_scorecard_that_the_command_fits() -> None:
    card = LogitScorecard(["debt", "cash"]).fit(FIRMS, BAD)
    fitted = fit_logit(FIRMS.assign(bad=BAD), ["debt", "cash"], "bad")
    own, theirs = card.scorecard_.fit.coefficients.tolist(), fitted.fit.document["coefficients"]
    assert own == pytest.approx(
        [entry["estimate"] for entry in theirs] if isinstance(theirs, list) else list(theirs.values())
    )
    assert list(card.classes_) == [0, 1]
    assert list(card.feature_names_in_) == ["debt", "cash"]
    assert card.predict_proba(FIRMS).sum(axis=1) == pytest.approx(1.0)
    assert card.scorecard_.wald().loc["debt", "estimate"] > 0


def test_pipelines_and_searches_take_it() -> None:
    search = GridSearchCV(LogitScorecard(penalty="ridge"), {"strength": [0.1, 1.0]}, cv=3, scoring="roc_auc")
    assert search.fit(FIRMS, BAD).best_score_ > 0.6
    assert cross_val_score(make_pipeline(StandardScaler(), LogitScorecard()), FIRMS, BAD, cv=3).mean() > 0.5


def test_texts_are_levels_and_empty_cells_are_imputed() -> None:
    sector = np.where(RANDOM.random(300) < 0.5, "retail", "food")
    frame = FIRMS.mask(RANDOM.random((300, 2)) < 0.1).assign(sector=sector)
    card = LogitScorecard().fit(frame, np.where(BAD == 1, "bad", "good"))
    names = {name.partition("=")[0] for name in card.scorecard_.fit.names[1:]}
    assert names == {"debt", "debt is missing", "cash", "cash is missing", "sector"}
    assert list(card.classes_) == ["bad", "good"]
    assert np.isfinite(card.predict_proba(frame)).all()


def test_what_cannot_be_fitted_is_both_errors() -> None:
    with pytest.raises(InputError, match="nothing: the column is missing") as caught:
        LogitScorecard(["debt", "nothing"]).fit(FIRMS, BAD)
    assert isinstance(caught.value, ValueError)


def test_without_scikit_learn_it_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    monkeypatch.setattr("allocator.extras.find_spec", lambda _: None)
    monkeypatch.delitem(sys.modules, "allocator.api.estimators")
    monkeypatch.delitem(vars(allocator), "LogitScorecard")
    with pytest.raises(InputError, match=r'pip install "allocator\[sklearn\]"'):
        _ = allocator.LogitScorecard


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"variables": 5}, "variables: 5 is not a list of texts or mappings"),
        ({"variables": [{"name": "debt", "x": 1}]}, r"variables\[debt\].x: unknown key 'x'"),
        ({"penalty": "x"}, "penalty: 'x' is not 'none' or"),
        ({"penalty": "ridge", "strength": -1}, "strength: -1 is below 0"),
    ],
)
def test_parameters_that_cannot_be_are_told_when_it_is_fitted(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LogitScorecard(**parameters).fit(FIRMS, BAD)
