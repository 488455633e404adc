"""PD by grade: the contest's frequencies, shrinkage, pooling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.errors import InputError
from allocator.scoring.frequencies import pd_by_grade


def firms(counts: list[tuple[int, int]]) -> tuple[pd.Series, pd.Series]:
    """Grades A, B, ... of (firms, defaults)."""
    grade = [name for name, (n, _) in zip("ABCD", counts, strict=False) for _ in range(n)]
    default = [int(i < d) for n, d in counts for i in range(n)]
    return pd.Series(grade), pd.Series(default, dtype=int)


def test_the_contest() -> None:
    table = pd_by_grade(*firms([(27, 0), (38, 1), (34, 2), (24, 24)]))
    np.testing.assert_allclose(table["frequency"], [0, 1 / 38, 2 / 34, 1])
    np.testing.assert_allclose(table["pd"], [0.5 / 28, 1.5 / 39, 2.5 / 35, 24.5 / 25])
    assert ((table["low"] < table["pd"]) & (table["pd"] < table["high"])).all()
    assert not table["pooled"].any()


def test_no_shrinkage_gives_frequencies() -> None:
    table = pd_by_grade(*firms([(27, 0), (38, 1), (34, 2), (24, 24)]), shrinkage=0)
    np.testing.assert_allclose(table["pd"], table["frequency"])
    assert table.loc["A", ["low", "high"]].tolist() == [0.0, 1.0]


def test_grades_out_of_order_are_pooled() -> None:
    table = pd_by_grade(*firms([(20, 4), (20, 1), (20, 8), (20, 10)]), shrinkage=0)
    np.testing.assert_allclose(table["pd"], [0.125, 0.125, 0.4, 0.5])
    assert table["pooled"].tolist() == [True, True, False, False]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=4, max_size=4), st.floats(0.1, 5))
def test_pds_never_fall_from_best_to_worst(counts: list[tuple[int, int]], shrinkage: float) -> None:
    table = pd_by_grade(*firms([(n, min(n, d)) for n, d in counts]), shrinkage=shrinkage)
    assert (np.diff(table["pd"]) >= -1e-12).all()
    assert table["pd"].between(0, 1, inclusive="neither").all()


def test_bad_input_comes_together() -> None:
    with pytest.raises(InputError) as caught:
        pd_by_grade(pd.Series(["A", "X"]), pd.Series([0, 3]), shrinkage=-1)
    problems = [fault.problem for fault in caught.value.faults]
    assert problems == ["a shrinkage of -1", "'X' is no grade", "outcomes other than 0 and 1"]
