"""Dependent columns: refused where others determine them, named where they nearly do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import InputError
from allocator.scoring.collinearity import Regressors, nearly_determined
from allocator.scoring.preparing import prepare
from allocator.scoring.variables import Variable

NAMES = ("x", "y", "u", "z")
WEIGHTS = st.floats(0.5, 3) | st.floats(-3, -0.5)


def _frame(seed: int, a: float, b: float, noise: float, heavy: bool = False) -> pd.DataFrame:
    """Three free columns, and z = a x + b y + noise."""
    generator = np.random.default_rng(seed)
    free = generator.normal(size=(400, 3))
    frame = pd.DataFrame(np.exp(1.5 * free) if heavy else free, columns=["x", "y", "u"])
    return frame.assign(z=a * frame["x"] + b * frame["y"] + noise * generator.normal(size=400))


def _prepared(frame: pd.DataFrame) -> np.ndarray:
    return prepare(frame, [Variable(name) for name in NAMES]).matrix(frame)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), WEIGHTS, WEIGHTS, st.sampled_from([0.0, 1e-9, 1e-6]), st.booleans())
def test_combinations_are_refused_though_cuts_hide_them(
    seed: int, a: float, b: float, noise: float, heavy: bool
) -> None:
    with pytest.raises(InputError) as caught:
        _prepared(_frame(seed, a, b, noise, heavy))
    (fault,) = caught.value.faults
    assert fault.field == "z"
    assert fault.problem.startswith("is a combination of x and y")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), WEIGHTS, WEIGHTS, st.sampled_from([0.003, 0.03, 0.1]))
def test_near_combinations_are_named(seed: int, a: float, b: float, noise: float) -> None:
    (found,) = nearly_determined(Regressors(_prepared(_frame(seed, a, b, noise)), NAMES))
    assert {found.name, *found.others} == {"x", "y", "z"}
    assert found.warning.startswith(f"{found.name} is nearly a combination of {' and '.join(found.others)}: ")
    assert 0 < found.left < 0.32


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1.0, 3.0]))
def test_free_columns_are_left_alone(seed: int, noise: float) -> None:
    assert nearly_determined(Regressors(_prepared(_frame(seed, 1, 1, noise)), NAMES)) == []


def test_all_at_once_and_after_dummies() -> None:
    frame = _frame(1, 2, 0, 0).assign(v=1.0, k=["a"] * 150 + ["b"] * 150 + ["c"] * 100)
    frame["town"] = frame["k"].map({"a": "A", "b": "B", "c": "C"})
    variables = [Variable("x"), Variable("v"), Variable("z"), Variable("k", "category")]
    with pytest.raises(InputError) as caught:
        prepare(frame, [*variables, Variable("town", "category")])
    assert [(fault.field, fault.problem) for fault in caught.value.faults] == [
        ("v", "is constant: it can explain nothing"),
        ("z", "is a combination of x"),
        ("town=B", "is a combination of k=b"),
        ("town=C", "is a combination of k=c"),
    ]


def test_one_wild_row_that_two_columns_share_makes_no_combination() -> None:
    frame = _frame(2, 0, 0, 1)
    frame.loc[0, ["x", "z"]] = 1e9, -2e9
    assert _prepared(frame).shape == (400, 4)


def test_shared_codes_are_given_as_the_reason() -> None:
    frame = _frame(3, 0, 0, 1)
    frame.loc[:100, ["x", "z"]] = -999999
    with pytest.raises(InputError, match="declare those of z, x as special"):
        _prepared(frame)
    special = [Variable(name, special=(-999999,)) for name in NAMES]
    assert prepare(frame, special).names == ("x", "x is -999999", "y", "u", "z")
