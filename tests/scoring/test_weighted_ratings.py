"""Rows that weigh in a debt rating: estimates are those of rows repeated, certainty is that of fewer rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from allocator.errors import InputError
from allocator.scoring.fitted import read_fitted, to_document
from allocator.scoring.fitting_rating import RatingOrder, rating_from_files
from allocator.scoring.frequencies import jeffreys
from allocator.scoring.rating import fit_rating, select
from allocator.scoring.rules import IndicatorRule
from allocator.scoring.weighting import effective

WHOLE = (0.0, 1.0)
RULES = [
    IndicatorRule("x", "negative", layer="money", cut=WHOLE),
    IndicatorRule("u", "positive", layer="money", cut=WHOLE),
    IndicatorRule("v", "negative", layer="people", cut=WHOLE),
]
NAMES = ["a", "b", "c"]


def book(n: int = 240, seed: int = 3) -> pd.DataFrame:
    """Loans with three indicators, two of them alike, and whole weights that say something of defaults."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(generator.normal(size=(n, 3)), columns=["x", "u", "v"])
    frame["u"] = 0.8 * frame["u"] - 0.6 * frame["x"]
    odds = -1 + 1.2 * frame["x"] + 0.8 * frame["v"]
    frame["bad"] = (generator.random(n) < 1 / (1 + np.exp(-odds))).astype(int)
    frame["owed"] = generator.integers(5, 50, n).astype(float)
    frame["lost"] = (frame["owed"] * generator.uniform(0.2, 0.9, n)).round(2) * frame["bad"]
    return frame.assign(w=generator.integers(1, 4, n) + frame["bad"])


def _fitted(frame: pd.DataFrame, smallest: int, weights: np.ndarray | None = None):  # type: ignore[no-untyped-def]
    money = frame["bad"], frame["owed"], frame["lost"]
    own = None if weights is None else weights / weights.mean()
    return fit_rating(frame, *money, RULES, names=NAMES, smallest=smallest, weights=own)


def test_a_weighted_rating_is_that_of_rows_repeated() -> None:
    frame = book()
    whole = frame["w"].to_numpy()
    weighed, chosen = _fitted(frame, 1, whole.astype(float))
    repeated, told = _fitted(frame.loc[frame.index.repeat(whole)].reset_index(drop=True), 1)
    np.testing.assert_allclose(weighed.weights, repeated.weights, rtol=1e-12)
    np.testing.assert_allclose(weighed.score(frame), repeated.score(frame), rtol=1e-12)
    assert chosen["kept"].tolist() == told["kept"].tolist()
    pd.testing.assert_series_equal(chosen["cluster"], told["cluster"])
    for name in ("low", "high", "loss_rate"):
        np.testing.assert_allclose(weighed.scale.column(name), repeated.scale.column(name), rtol=1e-9)
    assert weighed.weights.tolist() != _fitted(frame, 1)[0].weights.tolist()


def test_f_goes_by_the_effective_number_of_rows() -> None:
    frame = book()
    x, y = frame[["x"]].to_numpy(), frame["bad"].to_numpy(float)
    squeezed = (x - x.min()) / np.ptp(x)
    weights = frame["w"].to_numpy(float) / frame["w"].mean()
    found = select(1 - squeezed, y, RULES[:1], weights=weights).iloc[0]
    freedom = effective(len(y), weights) - 2
    design = np.column_stack([np.ones(len(y)), y])
    root = np.sqrt(weights)[:, None]
    _, within, *_ = np.linalg.lstsq(root * design, root[:, 0] * (1 - squeezed[:, 0]), rcond=None)
    _, about_mean, *_ = np.linalg.lstsq(root, root[:, 0] * (1 - squeezed[:, 0]), rcond=None)
    f = (about_mean[0] - within[0]) / (within[0] / freedom)
    assert found["f"] == pytest.approx(f, rel=1e-9)
    assert found["p"] == pytest.approx(stats.f.sf(f, 1, freedom), rel=1e-6)


def test_a_class_is_worth_the_effective_number_of_its_loans() -> None:
    frame = book()
    weights = frame["w"].to_numpy(float) / frame["w"].mean()
    rating, _ = _fitted(frame, 20, frame["w"].to_numpy(float))
    codes = rating.scale.codes(rating.score(frame))
    for i, one in enumerate(rating.scale.classes):
        inside = codes == i
        n = effective(inside.sum(), weights[inside])
        rate = np.average(frame["bad"][inside], weights=weights[inside])
        assert one.n == inside.sum()
        assert one.pd == pytest.approx((n * rate + 0.5) / (n + 1), rel=1e-12)
        assert (one.pd_low, one.pd_high) == pytest.approx(jeffreys(n * rate, n))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A table of loans, and the rules with the variables of a logit beside them."""
    book().to_csv(tmp_path / "loans.csv", index=False)
    rules = [{"name": rule.name, "kind": rule.kind, "layer": rule.layer} for rule in RULES]
    declared = {"rules": rules, "variables": [{"name": "x"}, {"name": "v"}]}
    (tmp_path / "rules.json").write_text(json.dumps(declared))
    return tmp_path / "loans.csv", tmp_path / "rules.json"


def test_weights_of_one_say_nothing_and_others_are_told(files: tuple[Path, Path]) -> None:
    order = {"classes": NAMES, "folds": 3, "repeats": 1}
    plain = rating_from_files(*files, RatingOrder("bad", "owed", "lost", **order))
    frame = pd.read_csv(files[0])
    frame.assign(one=7.0).to_csv(files[0], index=False)
    same = rating_from_files(*files, RatingOrder("bad", "owed", "lost", weights="one", **order))
    assert plain.document == same.document
    found = rating_from_files(*files, RatingOrder("bad", "owed", "lost", weights="w", **order))
    worth = effective(len(frame), frame["w"].to_numpy(float))
    assert found.figures["weighted"] == {"by": "w", "worth": pytest.approx(worth)}
    assert found.card.told["weighted"] == "w"
    assert found.card.metrics["weighted"] == f"by w: as uncertain as {worth:,.0f} of one weight"
    assert found.figures["auc_out_of_fold"]["value"] != plain.figures["auc_out_of_fold"]["value"]


def test_a_weighted_rating_is_read_as_it_was_written(files: tuple[Path, Path]) -> None:
    found = rating_from_files(
        *files, RatingOrder("bad", "owed", "lost", NAMES, folds=3, repeats=1, weights="w")
    )
    written = {"schema": 1, **found.document, **found.card.told}
    place = files[0].parent / "rating.json"
    place.write_text(json.dumps(written))
    assert json.loads(json.dumps(to_document(read_fitted(place)))) == json.loads(json.dumps(found.document))


def test_weights_that_are_none_are_told_with_all_else(files: tuple[Path, Path]) -> None:
    frame = pd.read_csv(files[0]).astype(object)
    frame.loc[1, "w"], frame.loc[2, "bad"] = -1, 5
    frame.to_csv(files[0], index=False)
    order = RatingOrder("bad", "owed", "lost", ["a"], weights="w")
    with pytest.raises(InputError) as caught:
        rating_from_files(*files, order)
    assert [fault.field for fault in caught.value.faults] == ["--classes", "bad", "w"]
    with pytest.raises(InputError, match="v is what the rows are weighted by"):
        rating_from_files(*files, RatingOrder("bad", "owed", "lost", NAMES, weights="v"))
