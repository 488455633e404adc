"""Figures of tables that tell little: all lost alike, one PD for all, a handful of loans."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.records.estimate import Estimate, figure_text
from allocator.scoring import validation
from allocator.scoring.appraisal import calibrated
from allocator.scoring.calibration import calibration
from allocator.scoring.fitted import write_fitted
from allocator.scoring.fitting_lgd import LgdAppraisal, lgd_appraisal_of_files, lgd_from_files
from allocator.scoring.lgd import bias_of, mean_of

MONEY = ("default", "owed", "lost")


def loans(share: float, n: int = 40) -> pd.DataFrame:
    """Defaulted loans of two segments that all lost one share."""
    return pd.DataFrame({"default": 1, "owed": 100.0, "lost": 100 * share, "seg": ["a", "b"] * (n // 2)})


def judged(folder: Path, learnt: float, met: float, n: int = 40) -> LgdAppraisal:
    """An LGD learnt where all lost `learnt`, on loans that all lost `met`."""
    for name, table in (("past", loans(learnt)), ("later", loans(met, n))):
        table.to_csv(folder / f"{name}.csv", index=False)
    fit = lgd_from_files(folder / "past.csv", *MONEY, by="seg")
    card = write_fitted(folder, "lgd", fit.document, fit.card)
    return lgd_appraisal_of_files(folder / "later.csv", card, *MONEY)


@pytest.mark.parametrize("share", [0.0, 0.45, 1 / 3, 1.0])
def test_an_lgd_of_equal_losses_is_right_about_them(tmp_path: Path, share: float) -> None:
    found = judged(tmp_path, share, share)
    assert (found.verdict.light, found.verdict.value) == ("green", 0.0)
    assert math.isnan(found.figures["r_squared"])
    assert found.figures["mae"] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("n", [2, 40])
def test_where_all_are_off_by_one_amount_nothing_tells_how_surely(tmp_path: Path, n: int) -> None:
    found = judged(tmp_path, 0.45, 0.0, n)
    assert (found.verdict.light, found.verdict.value) == ("amber", pytest.approx(-0.45))
    assert str(found.figures["lost_less_foreseen"]) == "-0.450 (how surely, these rows do not tell)"
    assert "leaves no error to test by" in found.verdict.source


def test_shares_that_are_all_alike_have_a_mean_whose_interval_is_of_their_number() -> None:
    for shares in (np.array([0.3]), np.full(50, 0.3), np.zeros(9), np.ones(9)):
        found = mean_of(shares)
        assert found.value == pytest.approx(shares[0])
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.low < found.high
    assert mean_of(np.zeros(9)).low == 0
    assert mean_of(np.ones(9)).high == 1
    assert bias_of(np.full(7, 0.1 + 0.2), np.full(7, 0.3)).value == 0.0


def test_one_pd_for_all_has_no_slope_and_one_bin_whatever_the_order_of_rows() -> None:
    y, pds = np.array([1.0, 0, 0, 0, 1, 0, 0, 0, 0, 0]), np.full(10, 0.1)
    found = calibration(y, pds)
    assert math.isnan(found.slope.value)
    assert found.intercept.value == pytest.approx(np.log(0.25) - np.log(1 / 9))
    assert figure_text(found.slope) == "these rows do not tell"
    assert validation.auc(y, pds).value == 0.5
    assert len(validation.reliability(y, pds)) == 1
    assert validation.brier_parts(y, pds)["brier_resolution"] == 0.0


@pytest.mark.parametrize("weighted", [False, True])
def test_bins_of_tied_pds_are_those_of_any_order(weighted: bool) -> None:
    generator = np.random.default_rng(0)
    pds = generator.choice([0.01, 0.05, 0.06, 0.2, 0.4], 500)
    y, mixed = (generator.random(500) < pds).astype(float), generator.permutation(500)
    weights = generator.uniform(0.5, 2, 500) if weighted else None
    own = None if weights is None else weights[mixed]
    once, again = validation.reliability(y, pds, weights), validation.reliability(y[mixed], pds[mixed], own)
    pd.testing.assert_frame_equal(once, again)
    assert once["n"].sum() == 500


def test_an_estimate_that_is_unknown_is_never_red() -> None:
    unknown = Estimate(0.5, math.nan, math.nan)
    assert calibrated("slope", unknown, 1.0).light == "amber"
    assert calibrated("slope", unknown, 0.5).light == "green"


def test_four_loans_are_too_few_to_judge(tmp_path: Path) -> None:
    from allocator import fit_logit, validate

    debt = np.linspace(0, 1, 60)
    firms = pd.DataFrame({"debt": debt, "bad": (np.arange(60) * 7 % 10 < 6 * debt).astype(int)})
    card = fit_logit(firms, ["debt"], "bad")
    few = pd.DataFrame({"debt": [0.2, 0.9, 0.5, 0.1, 0.3], "bad": [0, 1, 0, 0, 0]})
    with pytest.raises(InputError, match="4 loans tell nothing of a scorecard"):
        validate(few.iloc[:4], card, "bad")
    assert validate(few, card, "bad").record.figures["auc"].value == 1.0
    alike = validate(firms.assign(debt=0.5), card, "bad")
    assert "calibration_slope" not in {verdict.figure for verdict in alike.record.verdicts}
