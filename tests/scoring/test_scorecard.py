"""PD scorecards: the nineteen variables of the default risk thesis, and real loans beside scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from scipy import special

from allocator.errors import InputError
from allocator.scoring import validation
from allocator.scoring.calibration import calibration
from allocator.scoring.declarations import read_declarations
from allocator.scoring.fitting_logit import logit_from_files
from allocator.scoring.folds import stratified_folds
from allocator.scoring.order import Order
from allocator.scoring.preparing import prepare
from allocator.scoring.scorecard import check_bounds, fit_scorecard, grade_of, out_of_fold_pd
from allocator.scoring.variables import Variable
from tests.scoring.small_enterprises import FILE, FIRMS, STRENGTH, text


@pytest.fixture(scope="module")
def schema(models: Path) -> tuple[Variable, ...]:
    variables = read_declarations(
        models / "scorecards" / "small-enterprise-schema.json", "variables"
    ).variables
    return tuple(Variable(v.name, v.kind, v.group, v.sign, "none", None) for v in variables)


def draw(schema: tuple[Variable, ...], seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Firms whose variables have mean 0 and deviation 1, defaulting by a stated logit."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(generator.normal(size=(FIRMS, len(schema))), columns=[v.name for v in schema])
    odds = -1.0 + sum(weight * frame[name] for name, weight in STRENGTH.items())
    return frame, pd.Series((generator.random(FIRMS) < special.expit(odds)).astype(int))


def test_nineteen_variables_in_four_groups(schema: tuple[Variable, ...]) -> None:
    assert len(schema) == 19
    assert len({variable.group for variable in schema}) == 4
    signs = {variable.name: variable.sign for variable in schema if variable.sign}
    assert signs == {
        "business_years": -1,
        "registered_capital": -1,
        "debt_to_asset_ratio": 1,
        "cash_ratio": -1,
        "special_support": -1,
    }
    assert set(STRENGTH) <= {variable.name for variable in schema}


def test_signs_and_significance_come_back(schema: tuple[Variable, ...]) -> None:
    table = fit_scorecard(*draw(schema, 0), schema, penalty="none").wald()
    for name, weight in STRENGTH.items():
        assert table.loc[name, "estimate"] * weight > 0
        assert table.loc[name, "p"] < 0.05
    assert table["agrees"].dropna().all()


def test_the_shipped_small_enterprises_are_as_they_are_drawn(models: Path) -> None:
    assert FILE.read_text(encoding="utf-8") == text()
    path = models / "scorecards" / "small-enterprise-schema.json"
    fit = logit_from_files(FILE, path, Order("default"))
    wald = fit.tables["Wald tests"].iloc[1:]
    assert set(wald.index[wald["p"] < 0.05]) == set(STRENGTH)
    assert (wald.loc[list(STRENGTH), "estimate"] * pd.Series(STRENGTH) > 0).all()
    means = fit.tables["Variables by outcome"]
    firms = pd.read_csv(FILE)
    assert len(means) == 19
    assert means.loc["cash_ratio", "mean_defaulted"] == firms.loc[firms["default"] == 1, "cash_ratio"].mean()
    assert means.loc["cash_ratio", "sd_repaid"] == pytest.approx(
        firms.loc[firms["default"] == 0, "cash_ratio"].std()
    )


def test_wald_intervals_cover_the_truth(schema: tuple[Variable, ...]) -> None:
    inside, n = 0, 0
    truth = np.array([-1.0, *(STRENGTH.get(variable.name, 0.0) for variable in schema)])
    for seed in range(80):
        table = fit_scorecard(*draw(schema, seed), schema, penalty="firth").wald()
        covered = (table["low"] <= truth) & (truth <= table["high"])
        inside, n = inside + int(covered.sum()), n + len(truth)
    assert 0.92 <= inside / n <= 0.98


def lending_club(data: Path) -> tuple[pd.DataFrame, pd.Series, list[Variable]]:
    frame = pd.read_csv(data / "lending_club_modeldata" / "lending_club.csv.gz")
    logs = ("funded_amnt", "annual_inc", "total_bal_il", "total_il_high_credit_limit")
    plain = (
        "int_rate",
        "delinq_2yrs",
        "inq_last_6mths",
        "revol_util",
        "all_util",
        "inq_last_12m",
        "num_il_tl",
    )
    variables = [Variable(name, transform="log") for name in logs] + [Variable(name) for name in plain]
    variables += [Variable("term", "category"), Variable("verification_status", "category")]
    return frame, (frame["Class"] == "bad").astype(int), variables


def sba(loans: pd.DataFrame, models: Path) -> tuple[pd.DataFrame, pd.Series, list[Variable]]:
    return (
        loans,
        loans["Default"],
        list(read_declarations(models / "ratings" / "sba-rules.json", "variables").variables),
    )


def scikit_learn_pd(frame: pd.DataFrame, y: pd.Series, variables: list[Variable], folds: int) -> np.ndarray:
    """Out-of-fold PDs of scikit-learn's unpenalised logit on the same folds and columns."""
    from sklearn.linear_model import LogisticRegression

    fold = stratified_folds(y.to_numpy(), folds, 0)
    out = np.empty(len(y))
    for k in range(folds):
        preparation = prepare(frame[fold != k], variables)
        fit = LogisticRegression(C=np.inf, max_iter=2000, tol=1e-8)
        fit.fit(preparation.matrix(frame[fold != k]), y[fold != k])
        out[fold == k] = fit.predict_proba(preparation.matrix(frame[fold == k]))[:, 1]
    return out


@pytest.mark.parametrize("penalty", ["none", "flic"])
@pytest.mark.parametrize("case", ["lending club", "sba"])
def test_real_loans_beside_scikit_learn(
    case: str, penalty: str, data: Path, loans: pd.DataFrame, models: Path
) -> None:
    frame, y, variables = lending_club(data) if case == "lending club" else sba(loans, models)
    outcome = y.to_numpy(float)
    ours = out_of_fold_pd(frame, y, variables, penalty=penalty, folds=5)  # type: ignore[arg-type]
    theirs = scikit_learn_pd(frame, y, variables, 5)
    assert validation.auc(outcome, ours).value == pytest.approx(
        validation.auc(outcome, theirs).value, abs=0.01
    )
    slope = calibration(outcome, ours).slope
    assert slope.low < 1 < slope.high


def test_the_nearest_proxies_on_real_loans(loans: pd.DataFrame) -> None:
    """New firm for years in business, guaranteed share for special support, approved for lending."""
    proxies = [
        Variable("New", sign=1),
        Variable("NoEmp", sign=-1, transform="log"),
        Variable("Portion", sign=-1),
        Variable("GrAppv", transform="log"),
    ]
    table = fit_scorecard(loans, loans["Default"], proxies).wald()
    assert table.loc["Portion", "agrees"]
    assert table.loc["Portion", "p"] < 0.001
    assert table.loc["NoEmp", "agrees"]
    assert table.loc["New", "p"] > 0.05


def test_the_term_of_sba_loans_tells_the_outcome(loans: pd.DataFrame) -> None:
    rounded = (loans["Term"] % 12 == 0).groupby(loans["Default"]).mean()
    assert rounded[0] > 0.9
    assert rounded[1] < 0.1


def test_intervals_hold_the_pd_and_wald_intercept_is_on_the_raw_scale(loans: pd.DataFrame) -> None:
    card = fit_scorecard(
        loans, loans["Default"], [Variable("Portion", cut=None), Variable("OutOfState", cut=None)]
    )
    scored = card.apply(loans, intervals=True)
    assert ((scored["pd_low"] < scored["pd"]) & (scored["pd"] < scored["pd_high"])).all()
    table = card.wald()
    row = loans[["Portion", "OutOfState"]].fillna(loans[["Portion", "OutOfState"]].median()).iloc[0]
    odds = table.loc["intercept", "estimate"] + table["estimate"].iloc[1:].to_numpy() @ row.to_numpy()
    assert special.expit(odds) == pytest.approx(scored["pd"].iloc[0])


def test_a_grade_from_its_bounds() -> None:
    bounds = {"A": 0.01, "B": 0.05, "C": 1.0}
    assert list(grade_of(np.array([0.0, 0.01, 0.011, 0.9, 1.0]), bounds)) == ["A", "A", "B", "C", "C"]
    with pytest.raises(InputError) as caught:
        check_bounds({"A": 0.5, "B": 0.4, "C": 1.5})
    assert len(caught.value.faults) == 3


def test_a_million_borrowers(
    schema: tuple[Variable, ...], record_property: Callable[[str, object], None]
) -> None:
    card = fit_scorecard(*draw(schema, 0), schema, bounds={"A": 0.1, "B": 0.4, "C": 1.0})
    values = np.random.default_rng(0).normal(size=(1_000_000, 19))
    many = pd.DataFrame(values, columns=[v.name for v in schema])
    started = perf_counter()
    scored = card.apply(many)
    record_property("seconds", perf_counter() - started)
    pd.testing.assert_frame_equal(scored[-3:], card.apply(many[-3:]), check_exact=True)


def test_a_fault_of_a_fold_says_so() -> None:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generator.normal(size=100), "once": np.arange(100) == 0}).astype(float)
    y = pd.Series(generator.integers(0, 2, 100))
    variables = [Variable("x"), Variable("once")]
    assert fit_scorecard(frame, y, variables).fit.n == 100
    told = "once: is constant: it can explain nothing, in the rows without fold [1-5] of the validation"
    with pytest.raises(InputError, match=told):
        out_of_fold_pd(frame, y, variables)
    frame.loc[60, "x"] = np.inf
    told = r"row 61, x: is infinite, in the rows without folds 1, 2, 3, 4, 5 of the validation"
    with pytest.raises(InputError, match=told):
        out_of_fold_pd(frame, y, [Variable("x")])
