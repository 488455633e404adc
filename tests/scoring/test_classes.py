"""The cut into classes: against every cut of small cases, strictly rising always."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from allocator.errors import InputError
from allocator.scoring.classes import CLASSES, RatingClass, Scale, cut_classes, valued
from allocator.scoring.rating import fit_rating
from allocator.scoring.rules import IndicatorRule
from allocator.scoring.trial import try_rating
from tests.strategies import random_cases

NAMES = ("good", "fair", "bad")


def case(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Score, default, owed, lost of n loans; a worse score defaults more."""
    generator = np.random.default_rng(seed)
    score = np.round(generator.uniform(0, 100, n), 1)
    default = (generator.random(n) < 0.7 - 0.6 * score / 100).astype(float)
    default[:2] = [0, 1]
    owed = generator.uniform(1, 10, n)
    return score, default, owed, owed * default * generator.uniform(0.2, 1, n)


def best_by_hand(score: np.ndarray, owed: np.ndarray, lost: np.ndarray, k: int) -> float:
    """The largest between-class sum of squares over all cuts with strictly rising rates."""
    order = np.argsort(-score, kind="stable")
    score, owed, lost = score[order], owed[order], lost[order]
    places = [i for i in range(1, len(score)) if score[i] != score[i - 1]]
    overall, best = lost.sum() / owed.sum(), -np.inf
    for cut in combinations(places, k - 1):
        edges = [0, *cut, len(score)]
        parts = [slice(a, b) for a, b in pairwise(edges)]
        rates = [lost[part].sum() / owed[part].sum() for part in parts]
        if all(a < b for a, b in pairwise(rates)):
            gain = sum(owed[p].sum() * (r - overall) ** 2 for p, r in zip(parts, rates, strict=True))
            best = max(best, gain)
    return best


def gain_of(scale: Scale, score: np.ndarray, owed: np.ndarray, lost: np.ndarray) -> float:
    codes, overall = scale.codes(score), lost.sum() / owed.sum()
    total = 0.0
    for i in range(len(scale.classes)):
        inside = codes == i
        total += owed[inside].sum() * (lost[inside].sum() / owed[inside].sum() - overall) ** 2
    return total


@random_cases(60, full=600)
@given(st.integers(6, 14), st.integers(0, 10**6), st.integers(2, 4))
def test_no_other_cut_is_better(n: int, seed: int, k: int) -> None:
    score, default, owed, lost = case(n, seed)
    by_hand = best_by_hand(score, owed, lost, k)
    names = [f"c{i}" for i in range(k)]
    if by_hand == -np.inf:
        with pytest.raises(InputError, match="no cut into"):
            cut_classes(score, default, owed, lost, names, smallest=1)
        return
    scale = cut_classes(score, default, owed, lost, names, smallest=1)
    assert gain_of(scale, score, owed, lost) == pytest.approx(by_hand)


@random_cases(12, full=250)
@given(st.integers(0, 10**6), st.integers(2, 9))
def test_rates_rise_strictly_and_classes_cover_the_score(seed: int, k: int) -> None:
    score, default, owed, lost = case(300, seed)
    try:
        scale = cut_classes(score, default, owed, lost, CLASSES[:k], smallest=5)
    except InputError:
        return
    rates = scale.column("loss_rate")
    assert (np.diff(rates) > 0).all()
    assert (np.diff(scale.column("pd")) >= 0).all()
    assert scale.classes[0].high == 100
    assert scale.classes[-1].low == 0
    for above, below in pairwise(scale.classes):
        assert above.low == below.high
    counts = np.bincount(scale.codes(score), minlength=k)
    assert counts.tolist() == [one.n for one in scale.classes]
    assert counts.min() >= 5


def test_more_loans_than_cut_points() -> None:
    score, default, owed, lost = case(5000, 1)
    scale = cut_classes(score, default, owed, lost, CLASSES[:5])
    assert (np.diff(scale.column("loss_rate")) > 0).all()
    assert sum(one.n for one in scale.classes) == 5000


def test_borders_belong_to_the_better_class() -> None:
    scale = Scale((RatingClass("a", 50, 100, 0.1, 0.1, 0.5), RatingClass("b", 0, 50, 0.2, 0.2, 0.5)))
    assert scale.codes(np.array([100.0, 50.0, 49.999, 0.0])).tolist() == [0, 0, 1, 1]


def test_too_many_classes_are_refused_with_the_number_that_works() -> None:
    score = np.array([90.0, 80, 70, 60])
    owed, lost = np.ones(4), np.array([0.0, 0.5, 0.0, 0.5])
    with pytest.raises(InputError, match=r"no cut into 4 classes .*; ask for [23] classes or fewer"):
        cut_classes(score, (lost > 0).astype(float), owed, lost, ["1", "2", "3", "4"], smallest=1)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"lost": np.array([0.0, 2.0, 0.0])}, "row 2, lost: lost is not within 0 and owed"),
        ({"owed": np.array([1.0, -1.0, 1.0])}, "lost is not within 0 and owed"),
        ({"score": np.array([1.0, np.nan, 2.0])}, "row 2, score: is no finite number"),
        ({"default": np.zeros(3)}, "default: the outcomes are of one class only"),
    ],
)
def test_amounts_that_make_no_sense(changed: dict[str, np.ndarray], text: str) -> None:
    good = {
        "score": np.array([1.0, 2.0, 3.0]),
        "default": np.array([0.0, 1.0, 0.0]),
        "owed": np.ones(3),
        "lost": np.zeros(3),
    }
    with pytest.raises(InputError, match=text):
        cut_classes(**{**good, **changed}, names=NAMES)


def test_a_class_is_valued_by_the_firms_that_are_given() -> None:
    score, default, owed, lost = case(400, 3)
    scale = cut_classes(score, default, owed, lost, ["a", "b", "c"])
    again = valued(scale, scale.codes(score), default, owed, lost)
    assert again == scale
    other = valued(scale, np.repeat([0, 1, 2], [100, 150, 150]), default, owed, lost)
    assert [one.low for one in other.classes] == [one.low for one in scale.classes]
    bad = default[:100].sum()
    best = other.classes[0]
    assert best.pd_low is not None
    assert best.pd_high is not None
    assert best.pd_low < bad / 100 < best.pd_high
    np.testing.assert_allclose(
        (best.pd_low, best.pd_high), stats.beta(bad + 0.5, 100.5 - bad).ppf([0.025, 0.975])
    )


RULES = [IndicatorRule(f"x{j}", "positive", f"layer {j}") for j in range(4)]


def loans(n: int, seed: int) -> pd.DataFrame:
    """Loans whose log-odds of default fall with four columns; losses of 30 to 100 %."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 4))
    bad = (generator.random(n) < special.expit(-1.2 - x @ np.array([0.8, 0.5, 0.4, 0.2]))).astype(int)
    owed = generator.lognormal(0, 0.5, n)
    frame = pd.DataFrame(x, columns=[rule.name for rule in RULES])
    return frame.assign(bad=bad, owed=owed, lost=owed * bad * generator.uniform(0.3, 1, n))


def best_class(
    here: pd.DataFrame, there: pd.DataFrame, names: tuple[str, ...]
) -> tuple[float, float, float, bool]:
    """Defaults foreseen of the best class there, in sample and cross-fitted, those that came, and covered."""
    rating, _ = fit_rating(here, here["bad"], here["owed"], here["lost"], RULES, names=names)
    trial = try_rating(rating, here, here["bad"], here["owed"], here["lost"], RULES, names=names)
    money = (here[name].to_numpy(float) for name in ("bad", "owed", "lost"))
    crossed = valued(rating.scale, rating.scale.codes(trial.scores), *money).classes[0]
    inside = there["bad"][rating.scale.codes(rating.score(there)) == 0]
    assert crossed.pd_low is not None
    assert crossed.pd_high is not None
    covered = crossed.pd_low <= inside.mean() <= crossed.pd_high
    return (
        len(inside) * rating.scale.classes[0].pd,
        len(inside) * crossed.pd,
        float(inside.sum()),
        bool(covered),
    )


@pytest.mark.full
@pytest.mark.parametrize("n", [1000, 3000])
def test_the_best_class_defaults_as_foreseen_over_ten_splits(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allocator.scoring.classes.POINTS", 60)
    cases = [
        best_class(loans(n, seed), loans(20 * n, 1000 + seed), ("A", "B", "C", "D", "E"))
        for seed in range(10)
    ]
    _, crossed, came, covered = np.array(cases, float).T
    assert crossed.sum() == pytest.approx(came.sum(), rel=0.12)
    assert covered.sum() >= 9
