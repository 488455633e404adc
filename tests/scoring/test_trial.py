"""Trials of a rating on loans that it has not seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.declarations import read_declarations
from allocator.scoring.rating import fit_rating
from allocator.scoring.rules import IndicatorRule
from allocator.scoring.scorecard import fit_scorecard
from allocator.scoring.trial import FEWEST, auc_by_share, try_rating, walk_forward
from allocator.scoring.validation import auc
from allocator.scoring.variables import Variable
from tests.conftest import ROOT

RULES = (IndicatorRule("x", "negative"), IndicatorRule("noise", "positive"))


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
    rules, variables = (IndicatorRule("x", "negative", cut=(0.01, 0.99)),), [Variable("x", cut=(0.01, 0.99))]
    table = auc_by_share(book, book["bad"], rules, variables, shares=(0.3, 0.8), repeats=4)
    np.testing.assert_allclose(table["auc"], table["logit_auc"], atol=1e-9)
    assert table["n"].tolist() == [150, 400]
    assert (table["low"] <= table["auc"]).all()


def test_shares_are_fractions(book: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="30 is no training share; use fractions between 0 and 1"):
        auc_by_share(book, book["bad"], RULES, [Variable("x")], shares=(30, 0.5))


@pytest.fixture(scope="module")
def years() -> pd.DataFrame:
    """600 firms over six years; `late` has no value but 0 before the fourth."""
    generator = np.random.default_rng(5)
    frame = pd.DataFrame({"year": np.repeat(np.arange(2001, 2007), 100), "x": generator.normal(size=600)})
    frame["late"] = np.where(frame["year"] >= 2004, generator.normal(size=600), 0.0)
    frame["bad"] = (generator.random(600) < 1 / (1 + np.exp(1 - 2 * frame["x"]))).astype(int)
    return frame


VARIABLES = (Variable("x", sign=1), Variable("late"))


def test_a_period_is_judged_by_earlier_ones_alone(years: pd.DataFrame) -> None:
    found = walk_forward(years, years["bad"], years["year"], VARIABLES)
    assert found["pd"].isna().tolist() == (years["year"] == 2001).tolist()
    third = years["year"] <= 2003
    turned = years["bad"].where(third, 1 - years["bad"])
    again = walk_forward(years, turned, years["year"], VARIABLES)
    early = years["year"] <= 2004
    pd.testing.assert_frame_equal(again[early], found[early])
    assert not again["pd"][~early].equals(found["pd"][~early])
    assert found["trained"].unique().tolist() == [0, 100, 200, 300, 400, 500]
    alone = fit_scorecard(years[third], years["bad"][third], VARIABLES[:1])
    fourth = years["year"] == 2004
    np.testing.assert_allclose(found["pd"][fourth], alone.apply(years[fourth])["pd"])
    assert found["left_out"][fourth].unique().tolist() == ["late"]
    assert found["left_out"].iloc[-1] == ""


@pytest.mark.parametrize("kind", [1, 0])
def test_fewer_known_than_the_pages_say_give_no_pd(years: pd.DataFrame, kind: int) -> None:
    first = np.flatnonzero((years["year"] == 2001) & (years["bad"] == kind))
    other = np.flatnonzero((years["year"] == 2001) & (years["bad"] != kind))
    later = np.flatnonzero(years["year"] == 2002)
    for count, judged in ((FEWEST, True), (FEWEST - 1, False)):
        some = years.iloc[[*first[:count], *other, *later]]
        found = walk_forward(some, some["bad"], some["year"], VARIABLES[:1])
        assert found["pd"].iloc[-len(later) :].notna().all() == judged
        assert found["pd"].iloc[-len(later) :].isna().all() != judged
    for page, words in (
        ("backtest", "at least {} defaults and {} performing"),
        ("scoring", "once {} of their"),
    ):
        told = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        assert words.format(FEWEST, FEWEST) in told


def test_a_default_counts_once_it_is_known(years: pd.DataFrame) -> None:
    known = (years["year"] + 2.0).where(years["bad"] == 1)
    found = walk_forward(years, years["bad"], years["year"], VARIABLES, known=known)
    told = found.groupby(years["year"])["defaults"].first()
    by_year = years.groupby("year")["bad"].sum().cumsum()
    assert told.tolist() == [0, 0, 0, *by_year.tolist()[:3]]
    assert found["pd"].isna().groupby(years["year"]).first().tolist() == [True] * 3 + [False] * 3
    with pytest.raises(InputError, match="row 1, year: is empty"):
        walk_forward(years, years["bad"], years["year"].where(years.index > 0), VARIABLES)


def test_what_decisions_on_real_loans_could_have_known(loans: pd.DataFrame, models: Path) -> None:
    variables = read_declarations(models / "ratings" / "sba-rules.json", "variables").variables
    charged_off = pd.to_datetime(loans["ChgOffDate"]).dt.year
    figures = []
    for known in (None, charged_off):
        found = walk_forward(loans, loans["Default"], loans["ApprovalFY"], variables, known=known)["pd"]
        judged = found.notna()
        seen = loans["Default"][judged].to_numpy(float)
        area = auc(seen, found[judged].to_numpy()).value
        figures.append((int(judged.sum()), area, float(found[judged].mean()), float(seen.mean())))
    page = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")
    for n, area, foreseen, observed in figures:
        assert f"| {n:,} | {area:.3f} | {foreseen:.1%} | {observed:.1%} |".replace("%", " %") in page
