"""Variables one by one, and their odds ratios, beside figures from elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.outliers_influence import variance_inflation_factor

from allocator.scoring.collinearity import Regressors
from allocator.scoring.scorecard import fit_scorecard
from allocator.scoring.univariate import odds_ratios, univariate
from allocator.scoring.validation import auc
from allocator.scoring.variables import Binning, Variable
from tests.scoring.test_choice import table


def test_each_variable_by_itself() -> None:
    frame, y = table()
    frame.loc[:149, "a"] = np.nan
    declared = [Variable("noise"), Variable("a", sign=1), Variable("flat"), Variable("kind", "category")]
    told = univariate(frame, y.to_numpy(float), declared, {"flat": "is constant"})
    assert told.index[0] == "a"
    assert told.loc["a", "missing"] == pytest.approx(0.1)
    assert told.loc["a", ["sign", "expected", "in_the_logit"]].tolist() == [1, 1, "yes"]
    assert told.loc["flat", ["iv", "auc", "sign", "in_the_logit"]].tolist() == [0, 0.5, 0, "is constant"]
    assert told.loc["noise", "strength"] == "none"


def test_the_area_of_bins_is_that_of_their_weights_of_evidence() -> None:
    frame, y = table()
    told = univariate(frame, y.to_numpy(float), [Variable("b", bins=Binning())], {})
    card = fit_scorecard(frame, y, [Variable("b", bins=Binning())])
    weights = card.matrix(frame)[:, 0]
    assert told.loc["b", "auc"] == pytest.approx(auc(y.to_numpy(float), weights).value, abs=1e-12)
    bins = card.preparation.columns[0].bins
    assert bins is not None
    assert told.loc["b", "iv"] == pytest.approx(bins.information_value)
    assert told.loc["b", "sign"] == -1


def test_odds_ratios_and_inflation_as_elsewhere() -> None:
    frame, y = table()
    card = fit_scorecard(
        frame, y, [Variable("a", cut=None), Variable("near_a"), Variable("kind", "category")]
    )
    matrix = card.matrix(frame)
    found = odds_ratios(card, Regressors(matrix, card.preparation.names))
    design = np.column_stack([np.ones(len(matrix)), matrix])
    by_statsmodels = [variance_inflation_factor(design, j) for j in range(1, design.shape[1])]
    np.testing.assert_allclose(found["vif"], by_statsmodels, rtol=1e-9)
    wald = card.wald().iloc[1:]
    np.testing.assert_allclose(found["odds_ratio"], np.exp(wald["estimate"]), rtol=1e-12)
    np.testing.assert_allclose(found["low"], np.exp(wald["low"]), rtol=1e-9)
    slope, spread = wald.loc["a", "estimate"], frame["a"].std(ddof=0)
    assert found.loc["a", "per_deviation"] == pytest.approx(float(np.exp(slope * spread)))
    assert found["per_deviation"].isna().tolist() == [False, False, True, True]
    assert isinstance(found, pd.DataFrame)
