"""HiGHS behind one door: two statuses, prices of the right sign, and nothing accepted in silence."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import highspy
import numpy as np
import pytest
from scipy import sparse

from allocator.engine.program import Effort, Program, measure_of, row_bounds, side_by_side, stack
from allocator.engine.solving import LiveProgram, OutOfTimeError, SolverError, solve

LP = Program(
    cost=np.array([3.0, 2.0]),
    matrix=sparse.csc_array(np.array([[1.0, 1.0], [1.0, 0.0]])),
    row_lower=np.array([-np.inf, 0.5]),
    row_upper=np.array([4.0, np.inf]),
    column_lower=np.zeros(2),
    column_upper=np.array([2.5, np.inf]),
    integer=np.zeros(2, dtype=bool),
    offset=10.0,
)
"""max 3x + 2y + 10, x + y <= 4, x >= 0.5, x <= 2.5: 20.5 at (2.5, 1.5)."""


def test_an_lp_has_its_point_value_bound_and_prices() -> None:
    answer = solve(LP, Effort())
    assert answer.stop == "optimal"
    assert answer.point is not None
    assert answer.point.tolist() == [2.5, 1.5]
    assert (answer.value, answer.bound) == (20.5, 20.5)
    assert answer.row_prices.tolist() == [2.0, 0.0]


def test_a_price_is_what_one_more_of_the_right_hand_side_is_worth() -> None:
    """Positive on <=, negative on >=: as highspy's row_dual of a maximisation stands."""
    program = replace(LP, cost=np.array([-1.0, 2.0]))
    prices = solve(program, Effort()).row_prices
    for row, bounds in (
        (0, {"row_upper": np.array([4.01, np.inf])}),
        (1, {"row_lower": np.array([-np.inf, 0.51])}),
    ):
        change = solve(replace(program, **bounds), Effort()).value - solve(program, Effort()).value
        assert change == pytest.approx(0.01 * prices[row])
    assert prices[1] < 0 < prices[0]


def test_integers_are_whole_and_bounded() -> None:
    answer = solve(replace(LP, integer=np.ones(2, dtype=bool)), Effort())
    assert answer.stop == "optimal"
    assert answer.point is not None
    assert answer.point.tolist() == [2.0, 2.0]
    assert answer.bound == pytest.approx(20.0)
    assert len(answer.row_prices) == 0


def test_no_point_is_no_value() -> None:
    answer = solve(replace(LP, row_lower=np.array([-np.inf, 3.0])), Effort())
    assert (answer.stop, answer.point, answer.value) == ("infeasible", None, -np.inf)


def test_a_program_without_rows_or_columns_is_solved_all_the_same() -> None:
    nothing = np.zeros(0)
    empty = Program(
        nothing, sparse.csc_array((0, 0)), nothing, nothing, nothing, nothing, nothing.astype(bool), 7.0
    )
    assert solve(empty, Effort()).stop == "optimal"


def test_dust_among_the_coefficients_is_dropped_not_refused() -> None:
    matrix = LP.matrix.copy()
    matrix.data[1] = 1e-13
    program = replace(LP, matrix=matrix, row_lower=np.full(2, -np.inf))
    assert solve(program, Effort()).value == 20.5


def test_dust_in_columns_that_join_a_live_program_is_dropped_not_refused() -> None:
    boxed = replace(LP, row_lower=np.full(2, -np.inf), column_lower=np.zeros(2), column_upper=np.ones(2))
    live = LiveProgram(boxed)
    before = live.solve(10.0).value
    live.add(0, np.array([2.0]), sparse.csc_array(np.array([[1e-13], [0.0]])))
    assert live.solve(10.0).value == pytest.approx(before + 2.0)


def test_a_live_program_that_gets_no_time_says_so_and_is_solved_when_it_gets_some() -> None:
    random = np.random.default_rng(5)
    rows, columns = 40, 400
    live = LiveProgram(
        Program(
            cost=random.random(columns),
            matrix=sparse.csc_array(random.random((rows, columns))),
            row_lower=np.full(rows, -np.inf),
            row_upper=np.full(rows, 20.0),
            column_lower=np.zeros(columns),
            column_upper=np.ones(columns),
            integer=np.zeros(columns, dtype=bool),
        )
    )
    with pytest.raises(OutOfTimeError):
        live.solve(0.0)
    assert live.solve(60.0).stop == "optimal"


def test_small_coefficients_that_are_no_dust_count() -> None:
    """1e-10 x <= 1e-10 keeps x at 1, which HiGHS left to itself would forget."""
    program = replace(
        LP,
        matrix=sparse.csc_array(np.array([[1.0, 1.0], [1e-10, 0.0]])),
        row_lower=np.array([-np.inf, -np.inf]),
        row_upper=np.array([4.0, 1e-10]),
    )
    answer = solve(program, Effort(feasibility=0.0))
    assert answer.point is not None
    assert answer.point[0] <= 2.0


def test_an_option_that_highs_does_not_take_is_an_error() -> None:
    with pytest.raises(SolverError, match=r"^HiGHS did not accept option random_seed = -1$"):
        solve(LP, Effort(seed=-1))


def test_a_program_that_highs_does_not_take_is_an_error() -> None:
    matrix = LP.matrix.copy()
    matrix.data[0] = 1e20
    with pytest.raises(SolverError, match=r"^HiGHS did not accept the program$"):
        solve(replace(LP, matrix=matrix), Effort())


def test_a_run_that_highs_gives_up_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core too hard for it is no error of the whole: prices and other cores stand."""
    monkeypatch.setattr("allocator.engine.solving._run", lambda *_: highspy.HighsStatus.kError)
    answer = solve(replace(LP, integer=np.ones(2, dtype=bool)), Effort())
    assert (answer.stop, answer.point, answer.bound) == ("other", None, np.inf)


def knapsack() -> Program:
    """Twelve rows of many near-equal items: far from solved in a moment."""
    random = np.random.default_rng(5)
    weights = random.integers(10_000, 99_999, (12, 60)).astype(float)
    return Program(
        cost=weights.sum(axis=0) + random.integers(0, 100, 60),
        matrix=sparse.csc_array(weights),
        row_lower=np.full(12, -np.inf),
        row_upper=weights.sum(axis=1) / 2,
        column_lower=np.zeros(60),
        column_upper=np.ones(60),
        integer=np.ones(60, dtype=bool),
    )


def test_the_time_limit_is_kept_and_the_bound_stands() -> None:
    answer = solve(knapsack(), Effort(time_limit=0.3), keep_log=True)
    assert answer.stop == "time_limit"
    assert answer.value <= answer.bound < np.inf
    assert "Time limit reached" in answer.log


def test_a_start_is_where_the_search_begins() -> None:
    answer = solve(knapsack(), Effort(time_limit=0.1), start=np.zeros(60), keep_log=True)
    assert re.search("MIP start solution is feasible[,:] objective value is 0", answer.log)


def test_blocks_are_put_together_and_rows_have_a_measure() -> None:
    top, right = np.array([[1.0, -2.0]]), np.array([[0.0], [5.0]])
    assert side_by_side(stack(top, np.zeros((1, 2))), right).toarray().tolist() == [
        [1.0, -2.0, 0.0],
        [0.0, 0.0, 5.0],
    ]
    limits: Any = SimpleNamespace(sizes=np.array([50.0]), shares=np.zeros(1))
    assert measure_of(limits, 1.0, top, np.array([[3.0, 0.0]])).tolist() == [3.0]
    limits = SimpleNamespace(sizes=np.array([5e3, 0.0, 0.0]), shares=np.array([0.0, 0.5, 0.0]))
    assert measure_of(limits, 4e3, np.zeros((3, 0))).tolist() == [5.0, 2.0, 1.0]
    lower, upper = row_bounds(("at_most", "at_least", "exactly"), np.array([1.0, 2.0, 3.0]))
    assert lower.tolist() == [-np.inf, 2.0, 3.0]
    assert upper.tolist() == [1.0, np.inf, 3.0]
