"""LGD by segment and by regression: by hand and by statsmodels, intervals that cover, cards, faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from allocator.borrowers import read_inputs
from allocator.errors import InputError
from allocator.scenario import load_scenario
from allocator.scoring.fitted import read_fitted, write_fitted
from allocator.scoring.fitting_lgd import lgd_appraisal_of_files, lgd_from_files
from allocator.scoring.lgd import RegressionLgd, SegmentLgd, fit_regression, fit_segments, mean_of
from allocator.scoring.score import imputed_cells, score_frame, unseen_levels
from allocator.scoring.variables import Binning, Variable


def two_humps(generator: np.random.Generator, n: int) -> np.ndarray:
    return generator.beta(0.5, 0.5, n)


def skewed(generator: np.random.Generator, n: int) -> np.ndarray:
    return generator.beta(0.3, 1.5, n)


def mostly_nothing(generator: np.random.Generator, n: int) -> np.ndarray:
    lot = generator.random(n)
    return np.where(lot < 0.1, 1.0, np.where(lot < 0.8, 0.0, 0.3 * generator.random(n)))


@pytest.mark.parametrize("n", [30, 100, 500])
@pytest.mark.parametrize(("draw", "truth"), [(two_humps, 0.5), (skewed, 1 / 6), (mostly_nothing, 0.13)])
def test_the_interval_of_a_mean_covers(
    draw: Callable[[np.random.Generator, int], np.ndarray], truth: float, n: int
) -> None:
    generator = np.random.default_rng(n)
    found = [mean_of(draw(generator, n)) for _ in range(1500)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.925 <= covered <= 0.975


def loans(n: int = 600, seed: int = 0) -> pd.DataFrame:
    """Loans of which all but a tenth have defaulted, with LGDs by a stated fractional logit."""
    generator = np.random.default_rng(seed)
    cover = generator.normal(size=n)
    sector = generator.choice(["steel", "food", "art"], n, p=[0.6, 0.37, 0.03])
    mean = special.expit(-0.5 - 0.8 * cover + 0.6 * (sector == "steel"))
    owed = generator.uniform(1e5, 1e6, n).round()
    lost = (owed * generator.beta(2 * mean, 2 * (1 - mean))).round()
    bad = (generator.random(n) < 0.9).astype(int)
    return pd.DataFrame(
        {"cover": cover, "sector": sector, "bad": bad, "owed": owed, "lost": np.where(bad == 1, lost, 0.0)}
    )


def test_segments_by_hand() -> None:
    bad = loans().query("bad == 1")
    card = fit_segments(bad["sector"], bad["owed"].to_numpy(), bad["lost"].to_numpy())
    shares = bad["lost"] / bad["owed"]
    assert card.names == ("food", "steel")  # of art there are too few, and too few others to pool
    for segment in card.segments:
        mine = bad["sector"] == segment.name
        assert (segment.n, segment.mean) == (mine.sum(), pytest.approx(shares[mine].mean()))
        assert segment.by_money == pytest.approx(bad.loc[mine, "lost"].sum() / bad.loc[mine, "owed"].sum())
        assert segment.low < segment.mean < segment.high
    new = pd.DataFrame({"sector": ["food", "art", "rail", None]})
    food, whole = card.segments[0].mean, shares.mean()
    np.testing.assert_allclose(card.of(new), [food, whole, whole, whole])
    assert [one.line() for one in card.unseen(new)] == [
        f"sector {name!r} has no segment of its own (fewer than 30 defaulted loans): row {row} "
        f"counted as all loans, LGD {whole:.2%}"
        for name, row in (("art", 2), ("rail", 3))
    ]
    assert card.unseen(new)[0].figures()["lgd"] == [whole, whole]
    assert [(one.name, one.cells) for one in card.imputed(new)] == [("sector", 1)]


def test_rare_segments_are_pooled() -> None:
    sector = pd.Series([*["a"] * 40, *[f"rare {i % 8}" for i in range(40)]], name="sector")
    lost = np.linspace(1, 80, 80)
    card = fit_segments(sector, np.full(80, 100.0), lost)
    assert card.names == ("a", "other")
    assert card.of(pd.DataFrame({"sector": ["rare 3"]}))[0] == pytest.approx(lost[40:].mean() / 100)


def test_a_regression_is_statsmodels_with_its_robust_errors() -> None:
    from statsmodels.api import GLM, add_constant, families

    bad = loans().query("bad == 1")
    shares = (bad["lost"] / bad["owed"]).to_numpy()
    variables = (Variable("cover", cut=None), Variable("sector", "category"))
    card = fit_regression(bad, shares, variables)
    n, design = len(bad), add_constant(card.preparation.matrix(bad))
    theirs = GLM(shares, design, family=families.Binomial()).fit(cov_type="HC0", tol=1e-13)
    np.testing.assert_allclose(card.fit.coefficients, theirs.params, rtol=1e-7)
    np.testing.assert_allclose(card.fit.covariance, theirs.cov_params() * n / (n - 3), rtol=1e-6)
    np.testing.assert_allclose(card.of(bad), theirs.predict(design), rtol=1e-7)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    loans().to_csv(tmp_path / "loans.csv", index=False)
    (tmp_path / "v.json").write_text(
        '{"variables": [{"name": "cover"}, {"name": "sector", "kind": "category"}]}'
    )
    return tmp_path


@pytest.mark.parametrize("how", ["segments", "regression"])
def test_a_card_is_written_read_and_scores(how: str, written: Path) -> None:
    way = {"by": "sector"} if how == "segments" else {"declared": written / "v.json"}
    fit = lgd_from_files(written / "loans.csv", "bad", "owed", "lost", **way)
    assert fit.figures["mae"] < fit.figures["mae_of_the_mean"]
    assert fit.figures["mean_foreseen"] == pytest.approx(fit.figures["mean_lost"], abs=0.01)
    table = fit.tables["Foreseen and lost"]
    assert table["n"].sum() == loans()["bad"].sum()
    path = write_fitted(written, "lgd", fit.document, fit.card)
    card = read_fitted(path)
    assert isinstance(card, SegmentLgd if how == "segments" else RegressionLgd)
    frame = loans(seed=1)
    scored = score_frame(frame, card)
    assert list(scored.columns) == [*frame.columns, "lgd"]
    assert scored["lgd"].between(0, 1).all()
    assert imputed_cells(frame.assign(sector=None), card)
    told = unseen_levels(frame.assign(sector="rail"), card, scored)
    assert "PD" not in told[0].line()
    frame.to_csv(written / "new.csv", index=False)
    judged = lgd_appraisal_of_files(written / "new.csv", path, "bad", "owed", "lost")
    assert judged.verdict.light == "green"
    assert judged.figures["lost_less_foreseen"].value == pytest.approx(
        judged.figures["mean_lost"] - judged.figures["mean_foreseen"]
    )


def test_a_scenario_takes_lgds_from_a_card(written: Path) -> None:
    fit = lgd_from_files(written / "loans.csv", "bad", "owed", "lost", by="sector")
    path = write_fitted(written, "lgd", fit.document, fit.card)
    pd.DataFrame(
        {
            "borrower_id": ["a", "b"],
            "grade": "A",
            "pd": 0.02,
            "max_amount": 500_000,
            "sector": ["food", "steel"],
        }
    ).to_csv(written / "book.csv", index=False)
    (written / "churn.csv").write_text("rate,A\n0.04,0\n0.15,0.5\n")
    (written / "s.yaml").write_text(
        f"schema: 1\nportfolio: {{source: book.csv, scorecard: {path.name}}}\n"
        "response: {churn: churn.csv}\npolicy: {budget: {amount: 1_000_000}, rates: "
        "{A: [4%, 15%]}, ticket: {min: 1, max: 1_000_000}}\n"
    )
    card = read_fitted(path)
    assert isinstance(card, SegmentLgd)
    borrowers = read_inputs(load_scenario(written / "s.yaml")).portfolio
    assert borrowers.lgd.tolist() == [segment.mean for segment in card.segments]


def test_what_cannot_be_fitted_is_told(written: Path) -> None:
    data = written / "loans.csv"
    with pytest.raises(InputError, match="both or none is given"):
        lgd_from_files(data, "bad", "owed", "lost")
    with pytest.raises(InputError, match="lacks the column town"):
        lgd_from_files(data, "bad", "owed", "lost", by="town")
    loans(30).to_csv(data, index=False)
    with pytest.raises(InputError, match="loans have defaulted and owed money"):
        lgd_from_files(data, "bad", "owed", "lost", by="sector")
    frame = loans()
    with pytest.raises(InputError, match="bins are of defaults, not of losses"):
        fit_regression(frame, np.full(len(frame), 0.3), [Variable("cover", bins=Binning())])
    with pytest.raises(InputError, match="every share is 0"):
        fit_regression(frame, np.zeros(len(frame)), [Variable("cover")])
