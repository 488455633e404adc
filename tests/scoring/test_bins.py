"""Bins and their weights of evidence: what they hold, what they tell, what a declaration fixes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.bins import between, information_values
from allocator.scoring.declarations import read_declarations
from allocator.scoring.fitted import read_fitted, to_document
from allocator.scoring.preparing import prepare
from allocator.scoring.runs import Shape
from allocator.scoring.scorecard import Scorecard, fit_scorecard, out_of_fold_pd
from allocator.scoring.validation import auc
from allocator.scoring.variables import Binning, Variable


@pytest.fixture(scope="module")
def book() -> pd.DataFrame:
    """2,000 firms: both ends of x are risky, u rises and is sometimes empty, two trades of six are risky."""
    generator = np.random.default_rng(11)
    x, u = generator.normal(size=(2, 2000))
    trade = generator.choice(list("abcdef"), 2000)
    odds = -2 + 1.2 * np.abs(x) + 0.8 * (u > 0.5) + 1.2 * np.isin(trade, ["c", "d"])
    frame = pd.DataFrame({"x": x, "u": np.where(generator.random(2000) < 0.1, np.nan, u), "trade": trade})
    return frame.assign(bad=(generator.random(2000) < 1 / (1 + np.exp(-odds))).astype(int))


def _bins(frame: pd.DataFrame, variable: Variable):  # type: ignore[no-untyped-def]
    bins = prepare(frame, [variable], frame["bad"].to_numpy(float)).columns[0].bins
    assert bins is not None
    return bins


def test_weights_of_evidence_and_information_value_by_hand() -> None:
    frame = pd.DataFrame({"x": [1.0] * 100 + [2.0] * 100, "bad": [1] * 10 + [0] * 90 + [1] * 30 + [0] * 70})
    bins = _bins(frame, Variable("x", bins=Binning(cuts=(2.0,))))
    low, high = np.log((10 / 40) / (90 / 160)), np.log((30 / 40) / (70 / 160))
    assert bins.woe == pytest.approx((low, high))
    assert bins.information_value == pytest.approx((0.25 - 0.5625) * low + (0.75 - 0.4375) * high)
    assert bins.labels == ("below 2", "2 or more")
    assert information_values(["x"], [bins])["strength"].tolist() == ["strong"]


@pytest.mark.parametrize(
    ("shape", "kept"),
    [
        ("rising", lambda steps: (steps > 0).all()),
        ("falling", lambda steps: (steps < 0).all()),
        ("valley", lambda steps: len(steps) >= 3 and (np.diff(np.sign(steps)) >= 0).all()),
        ("peak", lambda steps: (np.diff(np.sign(steps)) <= 0).all()),
    ],
)
def test_bins_keep_the_shape_and_the_share(book: pd.DataFrame, shape: Shape, kept) -> None:  # type: ignore[no-untyped-def]
    table = _bins(book, Variable("x", bins=Binning(shape=shape, most=5))).table("x")
    assert kept(np.diff(table["default_rate"]))
    assert table["share"].min() >= 0.05
    assert len(table) <= 5


def test_the_sign_is_the_shape_where_none_is_declared(book: pd.DataFrame) -> None:
    rising = _bins(book, Variable("u", sign=1, bins=Binning()))
    assert (np.diff(rising.woe[:-1]) > 0).all()
    assert rising.labels[-1] == "missing"
    backwards = book.assign(u=-book["u"])
    assert (np.diff(_bins(backwards, Variable("u", bins=Binning())).woe[:-1]) < 0).all()


def test_bins_tell_what_a_line_does_not(book: pd.DataFrame) -> None:
    y = book["bad"]
    binned = [
        Variable("x", bins=Binning(shape="valley")),
        Variable("u", sign=1, bins=Binning()),
        Variable("trade", "category", bins=Binning()),
    ]
    raw = [Variable("x"), Variable("u"), Variable("trade", "category")]
    ours, plain = (
        auc(y.to_numpy(float), out_of_fold_pd(book, y, variables)).value for variables in (binned, raw)
    )
    assert ours > plain + 0.05
    card = fit_scorecard(book, y, [*binned[:1], *raw[1:]])
    assert card.preparation.names[:2] == ("x", "u")
    assert card.wald().loc["x", "agrees"]
    assert card.wald().loc["x", "estimate"] == pytest.approx(1, abs=0.25)


def test_levels_are_grouped_by_their_rates(book: pd.DataFrame) -> None:
    rare = book.assign(trade=[f"r{i % 5}" if i < 30 else name for i, name in enumerate(book["trade"])])
    bins = _bins(rare, Variable("trade", "category", bins=Binning(most=3)))
    assert {level for group in bins.groups for level in group} == {*"abcdef", "other"}
    rates = bins.table("trade")["default_rate"]
    assert (np.diff(rates) > 0).all()
    assert {"c", "d"} <= {*bins.groups[-1], *bins.groups[-2]}
    assert len(bins.groups) == 3
    assert "other" in bins.groups[bins.pool]


def test_declared_cuts_and_groups_stand(book: pd.DataFrame) -> None:
    assert _bins(book, Variable("x", bins=Binning(cuts=(-1.0, 1.0)))).cuts == (-1.0, 1.0)
    groups = (("a", "b", "e", "f"), ("c", "d"))
    bins = _bins(book, Variable("trade", "category", bins=Binning(groups=groups)))
    assert bins.groups == groups
    assert bins.labels == ("a, b, e, f", "c, d")


def test_a_state_without_a_bin_counts_where_the_median_does(book: pd.DataFrame) -> None:
    column = prepare(
        book, [Variable("u", missing="median", bins=Binning(cuts=(-1.0, 1.0)))], book["bad"].to_numpy(float)
    ).columns[0]
    assert column.stand_in == "the bin -1 to 1"
    rows = pd.DataFrame({"u": [np.nan, 0.0, -1.0, 1.0, -9.0]})
    matrix = prepare(book, [column.variable], book["bad"].to_numpy(float)).matrix(rows)[:, 0]
    assert column.bins is not None
    assert matrix.tolist() == [column.bins.woe[i] for i in (1, 1, 1, 2, 0)]


@pytest.mark.parametrize(
    ("low", "high", "cut"),
    [(1.23456, 1.3, 1.3), (0, 1, 1), (-5, -4.2, -4.2), (12345.1, 12999, 12900), (-0.2, 0.1, 0), (1, 2.5, 2)],
)
def test_a_cut_has_few_decimals(low: float, high: float, cut: float) -> None:
    assert between(low, high) == cut


def test_a_card_keeps_its_bins(book: pd.DataFrame, tmp_path: Path) -> None:
    declared = [
        {"name": "x", "bins": {"shape": "valley", "most": 5, "least": 0.1}},
        {"name": "u", "bins": {"cuts": [0, 1]}, "missing": "bin"},
        {"name": "trade", "kind": "category", "bins": {"groups": [["a", "b", "e", "f"], ["c", "d"]]}},
    ]
    (tmp_path / "v.json").write_text(json.dumps({"variables": declared}))
    variables = read_declarations(tmp_path / "v.json", "variables").variables
    card = fit_scorecard(book, book["bad"], variables)
    (tmp_path / "card.json").write_text(json.dumps({"schema": 1, **to_document(card)}))
    again = read_fitted(tmp_path / "card.json")
    assert isinstance(again, Scorecard)
    assert again.preparation == card.preparation
    np.testing.assert_array_equal(again.apply(book)["pd"], card.apply(book)["pd"])
    new = pd.DataFrame({"trade": ["z"], "x": 0.0, "u": 0.0})
    assert [one.counts_as for one in again.preparation.unseen(new, np.array([0.1]))] == [
        f"the bin {again.preparation.columns[2].pool}"
    ]


def test_what_bins_cannot_do(book: pd.DataFrame, tmp_path: Path) -> None:
    declared = [
        {"name": "a", "bins": {"cuts": [2, 1]}},
        {"name": "b", "bins": {"groups": [["x"], ["y"]]}},
        {"name": "c", "kind": "category", "bins": {"groups": [["x"], ["x"]]}},
        {"name": "d", "bins": {}, "transform": "log"},
        {"name": "e", "bins": {}, "missing": "flag"},
    ]
    (tmp_path / "v.json").write_text(json.dumps({"variables": declared}))
    with pytest.raises(InputError) as caught:
        read_declarations(tmp_path / "v.json", "variables")
    assert [(fault.field, fault.problem) for fault in caught.value.faults] == [
        ("variables[a].bins.cuts", "its cuts do not rise"),
        ("variables[b].bins.groups", "a number has cuts, not groups"),
        ("variables[c].bins.groups", "'x' stands in two groups"),
        ("variables[d].transform", "bins stay the same under a transform"),
        ("variables[e].missing", "has bins"),
    ]
    with pytest.raises(InputError, match="x: no cut that its declaration allows tells defaults apart"):
        fit_scorecard(book.assign(x=1.0), book["bad"], [Variable("x", bins=Binning())])
