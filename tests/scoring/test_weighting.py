"""Rows that count by a weight: against rows repeated, statsmodels and scikit-learn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from allocator.errors import InputError
from allocator.scoring import validation
from allocator.scoring.bins import learn_bins
from allocator.scoring.calibration import calibration
from allocator.scoring.distance import ks
from allocator.scoring.fitted import to_document, write_fitted
from allocator.scoring.fitting_lgd import lgd_appraisal_of_files, lgd_from_files
from allocator.scoring.fitting_logit import logit_from_files
from allocator.scoring.lgd import fit_regression, fit_segments
from allocator.scoring.logit import Penalty, fit_logit
from allocator.scoring.order import Order
from allocator.scoring.recalibration import Method, RecalibrationOrder, recalibrate, recalibrated_from_files
from allocator.scoring.scorecard import fit_scorecard
from allocator.scoring.variables import Binning, Variable, cells_of
from allocator.scoring.weighting import effective, of_mean_one, quantiles, weights_of

VARIABLES = [Variable("debt"), Variable("size", bins=Binning()), Variable("branch", kind="category")]


def draw(n: int = 600, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"debt": generator.normal(size=n), "size": generator.integers(0, 9, n) * 1.0})
    frame["branch"] = generator.choice(list("abc"), n)
    true = special.expit(frame["debt"] - 0.2 * frame["size"] - 0.5)
    frame["bad"] = (generator.random(n) < true).astype(int)
    return frame.assign(weight=generator.choice([1.0, 2.0, 4.0], n))


BOOK = draw()
WEIGHTS = weights_of(BOOK, "weight")


def test_weights_are_estimates_of_rows_repeated_and_of_statsmodels() -> None:
    import statsmodels.api as sm

    x, y = BOOK[["debt", "size"]].to_numpy(), BOOK["bad"].to_numpy(float)
    raw = BOOK["weight"].to_numpy()
    fit = fit_logit(x, y, ["debt", "size"], "none", weights=WEIGHTS)
    again = np.repeat(np.arange(len(y)), raw.astype(int))
    repeated = fit_logit(x[again], y[again], ["debt", "size"], "none")
    assert fit.coefficients == pytest.approx(repeated.coefficients, rel=1e-9)
    model = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial(), freq_weights=raw)
    assert fit.coefficients == pytest.approx(model.fit(tol=1e-14).params, rel=1e-9)
    probability = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial(), var_weights=raw)
    errors = probability.fit(tol=1e-14, cov_type="HC0").bse
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(errors, rel=1e-7)


LOANS = BOOK.assign(owed=100.0, lost=np.round(100 * special.expit(BOOK["debt"]) * (BOOK["size"] > 1), 2))
ONCE = LOANS.loc[LOANS.index.repeat(LOANS["weight"].astype(int))].reset_index(drop=True)
"""Each loan as often as its weight says."""


def test_lgds_are_those_of_rows_repeated_and_of_statsmodels() -> None:
    import statsmodels.api as sm

    parts = [
        fit_segments(book["branch"], book["owed"].to_numpy(), book["lost"].to_numpy(), own)
        for book, own in ((LOANS, WEIGHTS), (ONCE, None))
    ]
    for mine, theirs in zip(parts[0].segments, parts[1].segments, strict=True):
        assert (mine.mean, mine.by_money) == pytest.approx((theirs.mean, theirs.by_money), rel=1e-12)
        assert mine.high - mine.low > theirs.high - theirs.low  # rows repeated feign what is known
    variables = [Variable("debt", cut=None), Variable("size", cut=None)]
    mine, theirs = (
        fit_regression(book, book["lost"].to_numpy() / 100, variables, weights=own)
        for book, own in ((LOANS, WEIGHTS), (ONCE, None))
    )
    assert mine.of(LOANS) == pytest.approx(theirs.of(LOANS), rel=1e-9)
    x = mine.preparation.matrix(LOANS)
    model = sm.GLM(LOANS["lost"] / 100, sm.add_constant(x), sm.families.Binomial(), var_weights=WEIGHTS)
    fitted = model.fit(tol=1e-14, cov_type="HC0")
    assert mine.fit.coefficients == pytest.approx(fitted.params.to_numpy(), rel=1e-8)
    errors = fitted.bse.to_numpy() * np.sqrt(len(x) / (len(x) - 3))
    assert np.sqrt(np.diag(mine.fit.covariance)) == pytest.approx(errors, rel=1e-6)


@pytest.mark.parametrize("method", ["target", "intercept", "slope", "isotonic"])
def test_a_recalibration_is_that_of_rows_repeated(method: Method) -> None:
    card = fit_scorecard(BOOK, BOOK["bad"], VARIABLES)
    order = RecalibrationOrder(method, "w", 0.1 if method == "target" else None, 0.2)
    odds = [
        recalibrate(card, book, book["bad"].to_numpy(float), order, "c", own).log_odds(BOOK)
        for book, own in ((LOANS, WEIGHTS), (ONCE, None))
    ]
    if method in ("target", "intercept"):
        assert odds[0] == pytest.approx(odds[1], abs=1e-9)
    else:  # draws in by what the rows are worth
        assert np.quantile(np.abs(odds[0] - odds[1]), 0.75) < 0.1
    again = recalibrate(card, LOANS, LOANS["bad"].to_numpy(float), order, "c", of_mean_one(7 * WEIGHTS))
    assert again.log_odds(BOOK) == pytest.approx(odds[0], abs=1e-9)


def test_files_say_by_which_column_rows_were_weighted(tmp_path: Path) -> None:
    LOANS.to_csv(tmp_path / "t.csv", index=False)
    fit = lgd_from_files(tmp_path / "t.csv", "bad", "owed", "lost", by="branch", weights="weight")
    assert fit.figures["weighted"]["by"] == "weight"
    path = write_fitted(tmp_path, "lgd", fit.document, fit.card)
    assert json.loads(path.read_text())["weighted"] == "weight"
    assert "each defaulted loan counts by weight" in path.with_suffix(".md").read_text()
    judged = lgd_appraisal_of_files(tmp_path / "t.csv", path, "bad", "owed", "lost", "weight")
    assert judged.figures["lost_less_foreseen"].value == pytest.approx(0, abs=1e-12)
    assert judged.weighted == "weight"
    logit = write_fitted(tmp_path, "pd", to_document(fit_scorecard(BOOK, BOOK["bad"], VARIABLES)), fit.card)
    order = RecalibrationOrder("slope", "w")
    new = recalibrated_from_files(logit, tmp_path / "t.csv", "bad", order, weights="weight")
    assert new.card.weighted == "weight"
    assert new.figures["table"]["after"]["observed"] == pytest.approx(ONCE["bad"].mean(), rel=1e-12)


def test_ridge_is_scikit_learns() -> None:
    from sklearn.linear_model import LogisticRegression

    assert WEIGHTS is not None
    x, y = BOOK[["debt", "size"]].to_numpy(), BOOK["bad"].to_numpy(float)
    fit = fit_logit(x, y, ["debt", "size"], "ridge", 2.0, weights=WEIGHTS)
    counts = WEIGHTS * effective(len(y), WEIGHTS) / len(y)
    theirs = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000).fit(x, y, sample_weight=counts)
    assert fit.coefficients[1:] == pytest.approx(theirs.coef_[0], rel=1e-5)


@pytest.mark.parametrize("penalty", ["none", "flic"])
def test_a_weight_shared_by_two_rows_changes_no_estimate(penalty: Penalty) -> None:
    parted = BOOK.loc[BOOK.index.repeat(np.where(BOOK["weight"] == 4, 2, 1))].reset_index(drop=True)
    parted["weight"] = parted["weight"].replace(4.0, 2.0)
    cards = [
        fit_scorecard(book, book["bad"], VARIABLES, penalty=penalty, weights=weights_of(book, "weight"))
        for book in (BOOK, parted)
    ]
    odds = [card.log_odds(BOOK) for card in cards]
    assert odds[0] == pytest.approx(odds[1], abs=1e-9 if penalty == "none" else 0.05)
    if penalty == "none" and cards[0].reference and cards[1].reference:
        assert cards[0].reference.pd.cuts == cards[1].reference.pd.cuts


@pytest.mark.parametrize("scale", [1e-6, 37.0])
def test_the_scale_of_weights_says_nothing(scale: float) -> None:
    scaled = BOOK.assign(weight=BOOK["weight"] * scale)
    cards = [fit_scorecard(book, BOOK["bad"], VARIABLES, weights=weights_of(book, "weight"))
             for book in (BOOK, scaled)]  # fmt: skip
    assert cards[0].fit.coefficients == pytest.approx(cards[1].fit.coefficients, rel=1e-9)
    assert cards[0].fit.covariance == pytest.approx(cards[1].fit.covariance, rel=1e-9)
    alike = fit_scorecard(BOOK, BOOK["bad"], VARIABLES, weights=of_mean_one(np.full(len(BOOK), scale)))
    plain = fit_scorecard(BOOK, BOOK["bad"], VARIABLES)
    assert alike.fit.coefficients.tolist() == plain.fit.coefficients.tolist()


def test_figures_are_those_of_rows_repeated_and_of_scikit_learn() -> None:
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    assert WEIGHTS is not None
    y, raw = BOOK["bad"].to_numpy(float), BOOK["weight"].to_numpy()
    p = np.round(special.expit(BOOK["debt"].to_numpy() - 1), 2)
    again = np.repeat(np.arange(len(y)), raw.astype(int))
    area = validation.auc(y, p, WEIGHTS)
    assert area.value == pytest.approx(roc_auc_score(y, p, sample_weight=raw))
    assert area.low < area.value < area.high
    sure = validation.auc(y[again], p[again])
    assert area.high - area.low > sure.high - sure.low
    assert ks(y, p, WEIGHTS).value == pytest.approx(ks(y[again], p[again]).value)
    assert validation.brier(y, p, WEIGHTS).value == pytest.approx(brier_score_loss(y, p, sample_weight=raw))
    assert validation.log_loss(y, p, WEIGHTS) == pytest.approx(log_loss(y, p, sample_weight=raw))
    weighed, repeated = calibration(y, p, WEIGHTS), calibration(y[again], p[again])
    assert weighed.intercept.value == pytest.approx(repeated.intercept.value)
    assert weighed.slope.value == pytest.approx(repeated.slope.value, abs=0.01)  # Firth's penalty
    parts = validation.brier_parts(y, p, WEIGHTS)
    assert parts["brier_uncertainty"] == pytest.approx(y[again].mean() * (1 - y[again].mean()))


def test_bins_are_those_of_rows_repeated() -> None:
    variable = Variable("size", bins=Binning())
    raw = BOOK["weight"].to_numpy()
    repeated = BOOK.loc[BOOK.index.repeat(raw.astype(int))]
    both = []
    for book, weights in ((BOOK, WEIGHTS), (repeated, None)):
        cells = cells_of(variable, book, [])
        assert cells is not None
        both.append(learn_bins(variable, cells, book["bad"].to_numpy(float), weights))
    assert both[0].cuts == both[1].cuts
    assert both[0].woe == pytest.approx(both[1].woe)
    assert both[0].information_value == pytest.approx(both[1].information_value)


def test_quantiles_without_weights_are_numpys() -> None:
    values = np.random.default_rng(1).normal(size=57)
    shares = [0.01, 0.25, 0.99]
    assert quantiles(values, shares, None) == np.quantile(values, shares).tolist()
    assert quantiles(values, [0.5], None) == [np.median(values)]
    weights = np.arange(1.0, 58)
    found = np.quantile(values, shares, weights=weights, method="inverted_cdf")
    assert quantiles(values, shares, weights) == found.tolist()


def test_the_sandwich_of_weights_covers() -> None:
    """Good loans thinned to a third, each counting 3 times: the slope of all is held as promised."""
    held = 0
    for seed in range(80):
        generator = np.random.default_rng(seed)
        x = generator.normal(size=(1500, 1))
        y = (generator.random(1500) < special.expit(x[:, 0] - 2)).astype(float)
        kept = (y == 1) | (generator.random(1500) < 1 / 3)
        weights = of_mean_one(np.where(y == 1, 1.0, 3.0)[kept])
        table = fit_logit(x[kept], y[kept], ["x"], weights=weights).wald()
        held += table.loc["x", "low"] <= 1 <= table.loc["x", "high"]
    assert 71 <= held <= 80


def test_faults_of_weights_by_row(tmp_path: Path) -> None:
    book = BOOK.assign(weight=[np.nan, 0, -1, *BOOK["weight"][3:]])
    place, declared = tmp_path / "book.csv", tmp_path / "variables.json"
    book.to_csv(place, index=False)
    declared.write_text(json.dumps({"schema": 1, "variables": [{"name": "debt"}]}))
    with pytest.raises(InputError) as caught:
        logit_from_files(place, declared, Order("bad", weights="weight"))
    told = [(fault.problem, fault.row, fault.field) for fault in caught.value.faults]
    assert told == [("is empty", 1, "weight"), ("is not above 0, in 2 rows: 2, 3", 2, "weight")]
    with pytest.raises(InputError, match="lacks the column other"):
        logit_from_files(place, declared, Order("bad", weights="other"))
