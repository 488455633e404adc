"""Validation figures against scikit-learn and closed forms, and their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from allocator.errors import InputError
from allocator.scoring import validation
from allocator.scoring.calibration import calibration
from allocator.scoring.folds import stratified_folds


def draw(n: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    p = special.expit(generator.normal(-1, 1, n))
    return (generator.random(n) < p).astype(float), p


def test_auc_and_brier_agree_with_scikit_learn() -> None:
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    y, p = draw()
    p = np.round(p, 2)
    assert validation.auc(y, p).value == pytest.approx(roc_auc_score(y, p))
    assert validation.gini(y, p).value == pytest.approx(2 * roc_auc_score(y, p) - 1)
    assert validation.brier(y, p).value == pytest.approx(brier_score_loss(y, p))
    assert validation.log_loss(y, p) == pytest.approx(log_loss(y, p))


def test_the_auc_interval_by_its_equation() -> None:
    y, p = draw(60)
    bad, good = p[y == 1], p[y == 0]
    wins = (bad[:, None] > good[None, :]) + 0.5 * (bad[:, None] == good[None, :])
    found = validation.auc(y, p)
    assert found.value == pytest.approx(wins.mean())
    spread = found.value * (1 - found.value)
    for a in (found.low, found.high):
        parts = []
        shapes = a / (1 + a), (1 - a) / (2 - a)
        for placements, shape in zip((wins.mean(axis=1), wins.mean(axis=0)), shapes, strict=True):
            rows = len(placements)
            worth = rows - 1 + np.sqrt(rows)
            own = placements.var(ddof=1) / spread
            parts.append((((rows - 1) * own + np.sqrt(rows) * shape) / worth / rows, worth))
        freedom = sum(each for each, _ in parts) ** 2 / sum(each**2 / worth for each, worth in parts)
        t = special.stdtrit(freedom, 0.975)
        assert 1.959964 < t < 2.1
        assert (found.value - a) ** 2 == pytest.approx(t**2 * a * (1 - a) * sum(each for each, _ in parts))


def test_a_perfect_score_has_an_auc_interval_too() -> None:
    y, _ = draw(200)
    perfect = validation.auc(y, y)
    assert perfect.value == perfect.high == 1
    assert 0.9 < perfect.low < 1
    assert validation.auc(y, -y).high == pytest.approx(1 - perfect.low)


def test_with_many_loans_the_auc_interval_is_delongs() -> None:
    y, p = draw(100_000)
    found = validation.auc(y, p)
    bad, good = np.sort(p[y == 1]), np.sort(p[y == 0])
    spread = np.searchsorted(good, bad).var() / len(good) ** 2 / len(bad)
    spread += np.searchsorted(bad, good).var() / len(bad) ** 2 / len(good)
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * np.sqrt(spread), rel=0.01)


@given(st.integers(0, 10**6))
def test_auc_of_the_opposite_score(seed: int) -> None:
    y, p = draw(80, seed)
    if 0 < y.sum() < 80:
        assert validation.auc(y, p).value + validation.auc(y, -p).value == pytest.approx(1)


def test_true_probabilities_are_calibrated_and_squeezed_ones_are_not() -> None:
    y, p = draw(4000)
    true = calibration(y, p)
    assert true.slope.low < 1 < true.slope.high
    assert true.intercept.low < 0 < true.intercept.high
    squeezed = calibration(y, special.expit(2 * special.logit(p)))
    assert squeezed.slope.high < 0.7
    assert calibration(y, p * 0.5).intercept.low > 0


def test_reliability_accounts_for_every_firm() -> None:
    y, p = draw()
    table = validation.reliability(y, p, bins=7)
    assert len(table) == 7
    assert table["n"].sum() == 500
    assert table["defaults"].sum() == y.sum()
    assert table["predicted"].is_monotonic_increasing
    assert ((table["low"] <= table["observed"]) & (table["observed"] <= table["high"])).all()


def test_psi() -> None:
    generator = np.random.default_rng(0)
    base = generator.normal(size=5000)
    assert validation.psi(base, base) == pytest.approx(0)
    assert validation.psi(base, generator.normal(size=5000)) < 0.02
    assert validation.psi(base, base + 1) > 0.25
    assert np.isfinite(validation.psi(base, np.full(100, 50.0)))


def test_score_table_by_class() -> None:
    classes = pd.Series(pd.Categorical(["A", "B", "B"], categories=["A", "B", "C"]))
    table = validation.by_class(
        classes, np.array([0.0, 1, 0]), np.array([10.0, 20, 20]), np.array([0.0, 10, 0])
    )
    assert table["n"].tolist() == [1, 2, 0]
    assert table.loc["B", "default_rate"] == 0.5
    assert table.loc["B", "loss_rate"] == 0.25
    assert np.isnan(table.loc["C", "default_rate"])


def test_folds_spread_every_label() -> None:
    labels = np.repeat([0, 1, 2], [50, 20, 10])
    fold = stratified_folds(labels, 5)
    for label, each in ((0, 10), (1, 4), (2, 2)):
        assert np.bincount(fold[labels == label]).tolist() == [each] * 5


def test_what_cannot_be_judged() -> None:
    with pytest.raises(InputError, match="of one class only"):
        validation.auc(np.zeros(5), np.arange(5.0))
    with pytest.raises(InputError, match="row 2: the score is not finite"):
        validation.auc(np.array([0.0, 1]), np.array([0.5, np.nan]))
    with pytest.raises(InputError, match="2 rows have"):
        stratified_folds(np.array([0, 0, 0, 1, 1]), 3)


def test_moves_are_counted_by_row() -> None:
    before = pd.Series({"a": "A", "b": "A", "c": "B", "d": "B", "e": "C"})
    after = pd.Series({"a": "A", "b": "B", "c": "A", "d": "C", "f": "C"})
    table = validation.migration(before, after, ["A", "B", "C"])
    assert table.loc["A", ["A", "B", "C", "n"]].tolist() == [1, 1, 0, 2]
    assert table.loc["A", ["stayed", "up", "down"]].tolist() == [0.5, 0.0, 0.5]
    assert table.loc["B", ["stayed", "up", "down"]].tolist() == [0.0, 0.5, 0.5]
    assert table.loc["C", "n"] == 0


def test_unknown_classes_and_no_firm_in_common() -> None:
    with pytest.raises(InputError) as caught:
        validation.migration(pd.Series({"a": "A"}), pd.Series({"b": "X"}), ["A"])
    assert [fault.problem for fault in caught.value.faults] == ["'X' is no class", "no firm is rated twice"]
