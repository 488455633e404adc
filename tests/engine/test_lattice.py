"""Linear equations in whole numbers: every solution found solves them, and none is said to be missing."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from allocator.engine.lattice import solve_whole

Matrix = list[list[int]]


def times(matrix: Matrix, vector: list[int]) -> list[int]:
    return [sum(a * x for a, x in zip(row, vector, strict=True)) for row in matrix]


def test_shares_that_add_up_move_together() -> None:
    """63, 23 and 14 % of one total: sums of whole lots are multiples of (63, 23, 14)."""
    shares = [[37, -63, -63], [-23, 77, -23], [-14, -14, 86]]
    found = solve_whole(shares, [0, 0, 0], 3)
    assert found is not None
    assert found.start == [0, 0, 0]
    assert found.steps in ([[63, 23, 14]], [[-63, -23, -14]])


def test_what_no_whole_numbers_solve() -> None:
    assert solve_whole([[2, 4, 6]], [7], 3) is None
    assert solve_whole([[1, 1], [1, 1]], [1, 2], 2) is None
    assert solve_whole([[0, 0]], [1], 2) is None
    assert solve_whole([], [], 2) is not None


small = st.integers(-9, 9)


@given(st.integers(1, 3), st.integers(1, 4), st.data())
def test_solutions_solve_and_nothing_is_missed(rows: int, columns: int, data: st.DataObject) -> None:
    matrix = data.draw(
        st.lists(st.lists(small, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    )
    right = data.draw(st.lists(small, min_size=rows, max_size=rows))
    found = solve_whole(matrix, right, columns)
    if found is None:
        assert not any(times(matrix, list(x)) == right for x in product(range(-4, 5), repeat=columns))
        return
    assert times(matrix, found.start) == right
    for step in found.steps:
        assert any(step)
        assert times(matrix, step) == [0] * rows


@given(st.lists(st.integers(-(10**15), 10**15), min_size=3, max_size=3), st.integers(-(10**15), 10**15))
def test_large_numbers_are_exact(row: list[int], factor: int) -> None:
    right = [factor * row[0] + 3 * row[1]]
    found = solve_whole([row], right, 3)
    assert found is not None
    assert times([row], found.start) == right
