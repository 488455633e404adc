"""Preparation of variables: what is learnt, how missing and unknown cells are met, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.scoring.bins import OTHER
from allocator.scoring.preparing import prepare
from allocator.scoring.variables import Variable

RAW = pd.DataFrame(
    {"x": np.arange(100.0), "y": np.sin(np.arange(100.0)), "k": ["a"] * 50 + ["b"] * 25 + ["c"] * 25}
)


def test_numbers_are_standardised_after_the_cut() -> None:
    matrix = prepare(RAW, [Variable("x")]).matrix(RAW)
    assert matrix.mean() == pytest.approx(0, abs=1e-12)
    assert matrix.std() == pytest.approx(1)
    wild = RAW.assign(x=np.where(RAW["x"] == 99, 1e9, RAW["x"]))
    cut = prepare(RAW, [Variable("x")]).matrix(wild)
    assert cut.max() == pytest.approx(matrix.max())


def test_missing_cells_take_the_median() -> None:
    holed = RAW.assign(x=RAW["x"].where(RAW["x"] != 10))
    preparation = prepare(holed, [Variable("x")])
    median = preparation.matrix(RAW.assign(x=float(np.nanmedian(holed["x"]))))[0, 0]
    assert preparation.matrix(holed)[10, 0] == median


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_values_beyond_what_can_be_squared_are_refused() -> None:
    with pytest.raises(InputError, match="x: has values too large to be squared; count in a larger unit"):
        prepare(RAW.assign(x=RAW["x"] * 1e200), [Variable("x")])
    assert prepare(RAW.assign(x=RAW["x"] * 1e200), [Variable("x", transform="log")]).columns


def test_log_keeps_the_sign() -> None:
    column = prepare(RAW.assign(x=RAW["x"] - 50), [Variable("x", transform="log", cut=None)]).columns[0]
    assert column.centre == pytest.approx(np.mean(np.sign(RAW["x"] - 50) * np.log1p(np.abs(RAW["x"] - 50))))


def test_categories_compare_with_the_commonest() -> None:
    preparation = prepare(RAW, [Variable("k", "category")])
    assert preparation.names == ("k=b", "k=c")
    np.testing.assert_array_equal(preparation.matrix(RAW.iloc[[0, 50, 75]]), [[0, 0], [1, 0], [0, 1]])


def test_rare_levels_are_pooled_and_unknown_ones_join_them() -> None:
    rare = RAW.assign(k=["a"] * 50 + ["b"] * 25 + [f"r{i}" for i in range(25)])
    preparation = prepare(rare, [Variable("k", "category")])
    assert preparation.columns[0].levels == ("a", "b", OTHER)
    new = pd.DataFrame({"k": ["never seen", None, "a"]})
    np.testing.assert_array_equal(preparation.matrix(new), [[0, 1], [0, 1], [0, 0]])


def test_an_unknown_level_without_a_pool_is_the_reference() -> None:
    preparation = prepare(RAW, [Variable("k", "category")])
    np.testing.assert_array_equal(preparation.matrix(pd.DataFrame({"k": ["never seen"]})), [[0, 0]])


@pytest.mark.parametrize(
    ("frame", "names", "text"),
    [
        (RAW.assign(x=3.0), ["x"], "x: is constant: it can explain nothing; leave the variable out"),
        (RAW.assign(x=np.nan), ["x"], "x: has no value at all"),
        (RAW.assign(x=np.where(RAW["x"] == 4, np.inf, 1.0)), ["x"], "row 5, x: is infinite"),
        (RAW.assign(x="12"), ["x"], "x: is constant: it can explain nothing"),
        (RAW.assign(x=pd.Timestamp("2020-02-01")), ["x"], "x: holds dates, not numbers; write plain numbers"),
        (RAW, ["z"], "z: the column is missing"),
        (RAW.assign(z=2 * RAW["x"] - 3), ["x", "y", "z"], "z: is a combination of x; leave one of them out"),
        (RAW.assign(z=RAW["x"] + RAW["y"]), ["x", "y", "z"], "z: is a combination of x and y"),
        (RAW, [], "no variable is named"),
    ],
)
def test_what_cannot_be_fitted(frame: pd.DataFrame, names: list[str], text: str) -> None:
    with pytest.raises(InputError, match=text):
        prepare(frame, [Variable(name, cut=None) for name in names])


def test_a_category_of_one_level() -> None:
    with pytest.raises(InputError, match="k: has no two levels with 20 rows or more"):
        prepare(RAW.assign(k="a"), [Variable("k", "category")])


def test_all_faults_at_once() -> None:
    with pytest.raises(InputError) as caught:
        prepare(RAW.assign(x=1.0, y=np.nan), [Variable("x"), Variable("y"), Variable("k", "category")])
    assert [fault.field for fault in caught.value.faults] == ["x", "y"]


def test_use_on_new_data_checks_again() -> None:
    preparation = prepare(RAW, [Variable("x"), Variable("y")])
    with pytest.raises(InputError) as caught:
        preparation.matrix(pd.DataFrame({"x": [np.inf]}))
    assert [fault.problem for fault in caught.value.faults] == ["is infinite", "the column is missing"]
