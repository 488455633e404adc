"""Separation: found where some combination of columns tells the outcome, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.scoring.separation import separating_columns, separating_together

NAMES = ("a", "b", "c", "d")
SEEDS = st.integers(0, 10_000)


def _columns(seed: int, rows: int = 60) -> tuple[np.ndarray, np.random.Generator]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, len(NAMES))), generator


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.sampled_from([0.0, 0.3]))
def test_a_planted_combination_is_found(seed: int, doubt: float) -> None:
    x, generator = _columns(seed)
    score = x[:, 0] - x[:, 1]
    y = (score > 0).astype(float)
    unsure = (np.abs(score) < doubt) & (x[:, 0] < 0)  # some rows overlap only where the score is within doubt
    x[unsure, 0] = x[unsure, 1]
    y[unsure] = generator.integers(0, 2, int(unsure.sum()))
    found = separating_together(x, y, NAMES)
    assert {"a", "b"} <= set(found)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.booleans())
def test_rows_with_a_twin_of_the_other_outcome_are_never_separated(seed: int, steep: bool) -> None:
    x, generator = _columns(seed)
    y = ((20 if steep else 1) * x[:, 0] + generator.logistic(size=len(x)) > 0).astype(float)
    twins, outcomes = np.vstack([x, x]), np.concatenate([y, 1 - y])
    assert separating_columns(twins, outcomes, NAMES) == []
    assert separating_together(twins, outcomes, NAMES) == []


@pytest.mark.parametrize(
    ("column", "guilty"),
    [
        ([0, 0, 1, 2, 3, 4], True),
        ([4, 3, 2, 1, 0, 0], True),
        ([0, 0, 0, 0, 0, 1], True),  # a dummy all of whose rows defaulted
        ([0, 1, 2, 0, 1, 2], False),
    ],
)
def test_one_column_alone(column: list[float], guilty: bool) -> None:
    x, y = np.array([column], dtype=float).T, np.array([0, 0, 0, 1, 1, 1.0])
    assert separating_columns(x, y, ["a"]) == (["a"] if guilty else [])
