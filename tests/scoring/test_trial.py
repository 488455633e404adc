"""Trials of a rating on loans that it has not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.preparation import Variable
from allocator.scoring.rating import fit_rating
from allocator.scoring.rules import Rule
from allocator.scoring.trial import auc_by_share, try_rating

RULES = (Rule("x", "negative"), Rule("noise", "positive"))


@pytest.fixture(scope="module")
def book() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    frame = pd.DataFrame(generator.normal(size=(500, 2)), columns=["x", "noise"])
    frame["bad"] = (generator.random(500) < 1 / (1 + np.exp(1 - 2 * frame["x"]))).astype(int)
    return frame.assign(owed=1.0, lost=0.5 * frame["bad"])


def test_a_signal_is_seen_out_of_fold_and_noise_is_not(book: pd.DataFrame) -> None:
    rating, _ = fit_rating(book, book["bad"], book["owed"], book["lost"], RULES, names=["a", "b", "c"])
    trial = try_rating(
        rating, book, book["bad"], book["owed"], book["lost"], RULES, names=["a", "b", "c"], folds=4
    )
    assert trial.table["loss_rate_out_of_fold"].is_monotonic_increasing
    assert trial.table["n_out_of_fold"].sum() == 500
    assert np.corrcoef(trial.scores, book["x"])[0, 1] < -0.9


def test_with_one_indicator_rating_and_logit_order_firms_alike(book: pd.DataFrame) -> None:
    rules, variables = (Rule("x", "negative", cut=(0.01, 0.99)),), [Variable("x", cut=(0.01, 0.99))]
    table = auc_by_share(book, book["bad"], rules, variables, shares=(0.3, 0.8), repeats=4)
    np.testing.assert_allclose(table["auc"], table["logit_auc"], atol=1e-9)
    assert table["n"].tolist() == [150, 400]
    assert (table["low"] <= table["auc"]).all()


def test_shares_are_fractions(book: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="30 is no training share; use fractions between 0 and 1"):
        auc_by_share(book, book["bad"], RULES, [Variable("x")], shares=(30, 0.5))
