"""Special codes: named where they stand out, left alone where numbers are numbers, empty once declared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.scoring.codes import codes_beyond, standing_out
from allocator.scoring.preparing import prepare
from allocator.scoring.rules import IndicatorRule, learn, standardise
from allocator.scoring.variables import Variable

SEEDS = st.integers(0, 10_000)
KINDS = ("normal", "amounts", "counts", "shares")


def _values(seed: int, kind: str) -> np.ndarray:
    generator = np.random.default_rng(seed)
    match kind:
        case "normal":
            return generator.normal(size=500).round(4)
        case "amounts":
            return np.exp(generator.normal(9, 1, 500)).round()
        case "counts":
            return generator.poisson(4, 500).astype(float)
        case _:
            return generator.random(500).round(3)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(KINDS))
def test_numbers_are_no_codes(seed: int, kind: str) -> None:
    assert standing_out(_values(seed, kind)) == {}


@settings(max_examples=40, deadline=None)
@given(
    SEEDS,
    st.sampled_from(KINDS),
    st.sampled_from([-999.0, -99999.0, 99999999.0, -1.0, -32768.0]),
    st.integers(5, 150),
)
def test_planted_codes_are_counted(seed: int, kind: str, code: float, rows: int) -> None:
    values = _values(seed, kind)
    values[:rows] = code
    usual = kind == "normal" and code == -1  # one number among others
    assert standing_out(values) == ({} if usual else {code: rows})


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([*range(18, 80), 999, 999, 998], {998: 1, 999: 2}),
        ([*range(300, 850, 5), 9999], {9999: 1}),
        ([*np.linspace(0, 1e6, 400), *[9999.0] * 60], {9999: 60}),
        ([*range(90, 110)], {}),  # 99 among its neighbours
        ([0.0, 1.0] * 50 + [-1.0] * 20, {}),  # a category
        ([np.nan] * 5, {}),
    ],
)
def test_codes_by_hand(values: list[float], found: dict[float, int]) -> None:
    assert standing_out(np.array(values, dtype=float)) == found


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.sampled_from([-999.0, 999.0, -1.0]))
def test_declared_codes_count_as_empty(seed: int, code: float) -> None:
    values = _values(seed, "shares")
    coded, empty = values.copy(), values.copy()
    coded[::7], empty[::7] = code, np.nan
    with_codes, without = pd.DataFrame({"x": coded}), pd.DataFrame({"x": empty})
    special, plain = prepare(with_codes, [Variable("x", special=(code,))]), prepare(without, [Variable("x")])
    np.testing.assert_array_equal(special.matrix(with_codes), plain.matrix(without))
    assert special.imputed(with_codes)[0].cells == len(values[::7])
    rules = IndicatorRule("x", "positive", special=(code,)), IndicatorRule("x", "positive")
    np.testing.assert_array_equal(
        standardise(with_codes, learn(with_codes, rules[:1])), standardise(without, learn(without, rules[1:]))
    )


def test_codes_that_a_fit_never_saw_are_named_when_scored() -> None:
    values, pds = np.array([0.5, -999.0, np.nan, 9999.0, -999.0, 1.2]), np.linspace(0.1, 0.6, 6)
    found = codes_beyond("x", values, 0.0, 1.0, pds)
    assert [one.line() for one in found] == [
        "x '-999' lies far from all that the fit saw: 2 rows (2, 5) counted as 0, PD 20.00% to 50.00%; "
        "declare it as special if it says that nothing is known",
        "x '9999' lies far from all that the fit saw: row 4 counted as 1, PD 40.00%; "
        "declare it as special if it says that nothing is known",
    ]
    assert codes_beyond("x", values, -np.inf, np.inf, pds) == []
