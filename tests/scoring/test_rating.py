"""The debt rating: published weights and scale, the whole method on real loans."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.declarations import Declarations, read_declarations
from allocator.scoring.fitted import read_fitted
from allocator.scoring.rating import Rating, clusters, fit_rating, select, weights_of
from allocator.scoring.rules import IndicatorRule
from allocator.scoring.trial import auc_by_share, try_rating

F_VALUES = (
    16.801, 18.215, 18.47, 10.841, 48.505, 24.67, 152.219, 14.501, 7.219, 9.88, 321.115,
    51.717, 29.126, 23.626, 52.055, 7.969, 75.485, 17.477, 12.068, 24.393, 11.134,
)  # fmt: skip
WEIGHTS = (
    0.018, 0.019, 0.019, 0.011, 0.051, 0.026, 0.161, 0.015, 0.008, 0.010, 0.339,
    0.055, 0.031, 0.025, 0.055, 0.008, 0.080, 0.018, 0.013, 0.026, 0.012,
)  # fmt: skip
"""Columns 5 and 6 of Meng and Chi's Table 3."""
SCALE = {
    "AAA": (85.237, 0.00114),
    "AA": (75.871, 0.00759),
    "A": (74.664, 0.01298),
    "BBB": (73.703, 0.02575),
    "BB": (62.065, 0.04576),
    "B": (58.476, 0.06879),
    "CCC": (58.114, 0.10641),
    "CC": (48.461, 0.14981),
    "C": (0.0, 0.19797),
}
"""Low end and loss rate of each class, Meng and Chi's Table 5."""


@pytest.fixture(scope="module")
def published(models: Path) -> Rating:
    rating = read_fitted(models / "ratings" / "small-enterprise-published.json")
    assert isinstance(rating, Rating)
    return rating


@pytest.fixture(scope="module")
def declared(models: Path) -> Declarations:
    return read_declarations(models / "ratings" / "sba-rules.json", "rules", ["Default", "ChgOffPrinGr"])


@pytest.fixture(scope="module")
def rules(declared: Declarations) -> tuple[IndicatorRule, ...]:
    return declared.rules


@pytest.fixture(scope="module")
def fitted(loans: pd.DataFrame, rules: tuple[IndicatorRule, ...]) -> tuple[Rating, pd.DataFrame]:
    return fit_rating(loans, loans["Default"], loans["DisbursementGross"], loans["lost"], rules)


def test_the_published_weights_from_the_published_f_values(published: Rating) -> None:
    np.testing.assert_array_equal(np.round(weights_of(np.array(F_VALUES)), 3), WEIGHTS)
    np.testing.assert_array_equal(published.f_values, F_VALUES)
    np.testing.assert_allclose(published.weights, weights_of(np.array(F_VALUES)))


def test_the_published_scale(published: Rating) -> None:
    table = published.scale.table()
    assert {name: (row["low"], row["loss_rate"]) for name, row in table.iterrows()} == SCALE
    assert table.loc["AAA", "high"] == 100
    assert table["n"].sum() == 1231
    np.testing.assert_allclose(table["pd"] * table["lgd"], table["loss_rate"], atol=1e-8)


def test_a_firm_on_the_published_scale(published: Rating) -> None:
    frame = pd.DataFrame(np.vstack([np.ones(21), np.zeros(21), np.full(21, 0.6)]))
    frame.columns = [one.rule.name for one in published.indicators]
    scored = published.apply(frame)
    np.testing.assert_allclose(scored["score"], [100, 0, 60])
    assert scored["grade"].tolist() == ["AAA", "C", "B"]


def test_nine_classes_of_rising_loss_on_real_loans(fitted: tuple[Rating, pd.DataFrame]) -> None:
    rating, chosen = fitted
    assert len(rating.scale.classes) == 9
    assert (np.diff(rating.scale.column("loss_rate")) > 0).all()
    assert rating.weights.sum() == pytest.approx(1)
    assert not {"Term", "Recession", "daysterm", "xx"} & set(chosen.index)
    assert chosen.loc["RetainedJob", "why"] == "F test not significant at 0.05"
    assert chosen.loc["GrAppv", "why"].startswith("cluster")


def test_out_of_fold_rates_and_auc_by_share(
    fitted: tuple[Rating, pd.DataFrame], loans: pd.DataFrame, declared: Declarations
) -> None:
    rating, _ = fitted
    money = (loans["DisbursementGross"], loans["lost"])
    rules = declared.rules
    trial = try_rating(rating, loans, loans["Default"], *money, rules, folds=3)
    assert trial.table["n"].sum() == trial.table["n_out_of_fold"].sum() == 2102
    held_out = trial.table["loss_rate_out_of_fold"]
    assert held_out.corr(pd.Series(range(9), index=held_out.index), method="spearman") > 0.8
    table = auc_by_share(loans, loans["Default"], rules, declared.variables, repeats=2)
    assert table.index.tolist() == [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert table["auc"].between(0.70, 0.80).all()
    assert table["logit_auc"].between(0.75, 0.85).all()


def test_the_term_would_leak(loans: pd.DataFrame, declared: Declarations) -> None:
    term = declared.leaks[0]
    assert (term.name, len(declared.leaks)) == ("Term", 11)
    assert term.rule is not None
    assert term.variable is not None
    rules, variables = [*declared.rules, term.rule], [*declared.variables, term.variable]
    table = auc_by_share(loans, loans["Default"], rules, variables, shares=(0.7,), repeats=2)
    assert table["auc"].iloc[0] > 0.80
    assert table["logit_auc"].iloc[0] > 0.86


def test_an_own_number_of_classes(loans: pd.DataFrame, rules: tuple[IndicatorRule, ...]) -> None:
    names = ["1", "2", "3", "4"]
    money = (loans["DisbursementGross"], loans["lost"])
    rating, _ = fit_rating(loans, loans["Default"], *money, rules, names=names, smallest=50)
    assert [one.name for one in rating.scale.classes] == names
    assert min(one.n for one in rating.scale.classes) >= 50


def test_clusters_stay_inside_their_layer() -> None:
    generator = np.random.default_rng(0)
    base = generator.normal(size=(300, 2))
    x = np.column_stack([base[:, 0], base[:, 0] + 0.1 * base[:, 1], base[:, 1], base[:, 0]])
    found = clusters(x, ["a", "a", "a", "b"], np.ones(4, dtype=bool))
    assert found[0] == found[1]
    assert len({found[0], found[2], found[3]}) == 3


def test_the_largest_f_of_a_cluster_is_kept_and_wrong_directions_are_not() -> None:
    generator = np.random.default_rng(1)
    default = (generator.random(400) < 0.3).astype(float)
    strong = 1 - default + 0.5 * generator.normal(size=400)
    weak = strong + 0.5 * generator.normal(size=400)
    x = np.column_stack([weak, strong, -strong])
    names = [
        IndicatorRule(name, "positive", layer)
        for name, layer in (("weak", "a"), ("strong", "a"), ("reversed", "b"))
    ]
    table = select(x, default, names)
    assert table["kept"].tolist() == [False, True, False]
    assert "the wrong way" in table.loc["reversed", "why"]


def test_what_cannot_be_rated() -> None:
    noise = np.random.default_rng(0).normal(size=(40, 1))
    rule = [IndicatorRule("v", "positive")]
    with pytest.raises(InputError, match="of one class only"):
        select(noise, np.zeros(40), rule)
    with pytest.raises(InputError, match="no indicator tells defaults from the rest"):
        select(np.ones((40, 1)), np.repeat([0.0, 1.0], 20), rule)
    with pytest.raises(InputError, match="F values must be finite and above 0"):
        weights_of(np.array([1.0, 0.0]))


def test_a_million_borrowers(
    fitted: tuple[Rating, pd.DataFrame],
    loans: pd.DataFrame,
    record_property: Callable[[str, object], None],
) -> None:
    rating, _ = fitted
    drawn = np.random.default_rng(0).integers(len(loans), size=1_000_000)
    many = loans.iloc[drawn].reset_index(drop=True)
    started = perf_counter()
    scored = rating.apply(many)
    record_property("seconds", perf_counter() - started)
    pd.testing.assert_frame_equal(scored[-99:], rating.apply(many[-99:]), check_exact=True)
