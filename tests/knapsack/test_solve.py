"""Knapsacks against every choice, and what must hold of any solution."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from allocator.errors import InfeasibleError, InputError, NoAllocationError
from allocator.knapsack import price_bound, solve_knapsack
from tests.knapsack.instances import Small, large, small

PAIR = {"values": [3.0, 5.0, 2.0, 4.0], "weights": [[1, 2, 1, 2]], "capacities": [3], "classes": [0, 0, 1, 1]}


def agrees(problem: Small) -> None:
    """The optimum of brute force or its verdict, and bounds that hold."""
    best = problem.best()
    if best == -np.inf:
        with pytest.raises(InfeasibleError, match="capacity"):
            problem.solve()
        return
    found = problem.solve()
    close = 1e-9 * max(abs(best), 1.0)
    assert found.stop == "optimal"
    assert found.value == pytest.approx(best, rel=1e-9, abs=1e-9)
    assert problem.fits(found.choice)
    assert np.array_equal(problem.classes[found.choice], found.classes)
    assert min(found.bound, found.price_bound, found.tree_bound) >= best - close
    assert found.price_bound == problem.price_bound(found.prices)
    assert problem.price_bound(np.zeros_like(found.prices)) >= best - close


@pytest.mark.parametrize("part", range(5))
def test_the_optimum_and_the_verdict_of_brute_force(part: int) -> None:
    for seed in range(30 * part, 30 * part + 30):
        agrees(small(seed))


@pytest.mark.full
def test_two_thousand_small_problems() -> None:
    for seed in range(1_000, 3_000):
        agrees(small(seed))


def test_any_prices_bound_the_value() -> None:
    chance = np.random.default_rng(5)
    for seed in range(60):
        problem = small(seed)
        best = problem.best()
        prices = chance.exponential(3.0, len(problem.capacities))
        assert problem.price_bound(prices) >= best - 1e-9 * max(abs(best), 1.0)


def test_order_and_names_do_not_matter() -> None:
    for seed in range(40):
        problem = small(seed)
        if problem.best() > -np.inf:
            assert problem.permuted(seed).solve().value == pytest.approx(problem.solve().value, rel=1e-12)


def test_items_in_another_order_give_the_same_bits() -> None:
    problem = large(1)
    order = np.random.default_rng(0).permutation(len(problem.values))
    shuffled = Small(
        problem.values[order], problem.weights[:, order], problem.capacities, problem.classes[order]
    )
    here, there = problem.solve(rounds=5, time_limit=600), shuffled.solve(rounds=5, time_limit=600)
    assert (here.value, here.bound, here.prices.tobytes()) == (
        there.value,
        there.bound,
        there.prices.tobytes(),
    )
    assert np.array_equal(here.choice, order[there.choice])


def test_more_capacity_never_lowers_the_value() -> None:
    for seed in range(40):
        problem = small(seed)
        if problem.best() > -np.inf:
            looser = problem.looser(seed % len(problem.capacities), 1.5)
            assert looser.solve().value >= problem.solve().value - 1e-9


def test_an_answer_that_ran_out_of_rounds_says_how_far_it_may_be() -> None:
    problem = large(2)
    found = problem.solve(rounds=3, time_limit=600)
    assert found.stop == "rounds"
    assert found.rounds == 3
    assert problem.fits(found.choice)
    assert found.value < found.bound <= found.price_bound
    assert found.gap == pytest.approx((found.bound - found.value) / found.bound)
    assert problem.solve(rounds=5, time_limit=600).value >= found.value


def test_a_gap_asked_for_is_enough() -> None:
    found = large(3).solve(gap=0.01)
    assert found.stop == "gap"
    assert 0 < found.gap <= 0.01


def test_the_time_limit_holds() -> None:
    found = large(4).solve(time_limit=3.0)
    assert found.stop == "time_limit"


def test_at_most_one_may_leave_a_class_out() -> None:
    found = solve_knapsack([3.0, -1.0], [[2.0, 1.0]], [2.0], [7, 4], choose="at_most_one")
    assert found.choice.tolist() == [-1, 0]
    assert found.classes.tolist() == [4, 7]
    assert found.value == 3.0


def test_values_by_a_step_prove_the_optimum_from_a_bound_within_it() -> None:
    assert solve_knapsack(**PAIR).bound == 7.0
    found = solve_knapsack(**{**PAIR, "values": [0.3, 0.5, 0.2, 0.4]})
    assert found.value == 0.7
    assert found.bound == pytest.approx(0.7, rel=1e-15)
    assert found.stop == "optimal"


def test_progress_is_told() -> None:
    told: list[str] = []
    large(5).solve(rounds=2, progress=told.append)
    assert told[0] == "pricing 12 capacities over 1,600 items"
    assert told[1].startswith("searching ")


def test_the_conflict_is_named() -> None:
    weights = [[1, 1, 1, 1, 1, 1], [2, 0, 2, 0, 2, 0], [0, 2, 0, 2, 0, 2]]
    with pytest.raises(InfeasibleError, match="capacity 1, capacity 2 cannot be kept together") as caught:
        solve_knapsack([1, 1, 1, 1, 1, 1], weights, [9, 2.9, 2.9], [0, 0, 1, 1, 2, 2])
    assert caught.value.conflict == ("capacity 1", "capacity 2")


def test_a_class_of_which_no_item_fits_names_the_capacity() -> None:
    with pytest.raises(InfeasibleError, match="no choice of items fits: capacity 1 cannot be kept"):
        solve_knapsack([1, 1], [[1, 1], [5, 6]], [9, 4], [0, 0])


def test_a_conflict_of_whole_items_only() -> None:
    weights = [[2, 0, 2, 0, 2, 0], [0, 2, 0, 2, 0, 2]]
    with pytest.raises(
        InfeasibleError, match="no choice of whole items fits: capacity 0, capacity 1 together"
    ):
        solve_knapsack([1, 1, 1, 1, 1, 1], weights, [3, 3], [0, 0, 1, 1, 2, 2])


def test_no_time_for_a_choice() -> None:
    problem = large(6)
    with pytest.raises(NoAllocationError, match="raise time_limit"):
        problem.solve(time_limit=1e-9)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        solve_knapsack([1.0, np.nan], [1.0, 2.0], ["much"], [0.5, 1.0], choose="some")  # type: ignore[arg-type]
    told = str(caught.value)
    assert "knapsack: 5 faults" in told
    for part in (
        "values: 1 without a finite number, first at [1]; give finite numbers",
        "weights: expected 2 dimension(s), found 1",
        "capacities: is no array of numbers",
        "classes: expected whole numbers in one dimension, found float64",
        "choose: unknown rule 'some'; use exactly_one or at_most_one",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"values": []}, "values: there is no item"),
        ({"classes": [0, 0, 1]}, "classes: 3 classes for 4 items"),
        ({"capacities": [3, 4]}, "weights: shape (1, 4), expected (2, 4)"),
        ({"gap": -1.0}, "gap: -1.0 is no gap"),
        ({"time_limit": 0}, "time_limit: 0 is no time"),
        ({"rounds": -2}, "rounds: -2 is no number of rounds"),
    ],
)
def test_a_fault_says_what_to_do(changed: dict[str, object], told: str) -> None:
    with pytest.raises(InputError) as caught:
        solve_knapsack(**{**PAIR, **changed})  # type: ignore[arg-type]
    assert told in str(caught.value)


@pytest.mark.parametrize("prices", [[1.0, 2.0], [-1.0], [np.nan], [[1.0]]])
def test_prices_that_prove_nothing_are_refused(prices: list[float]) -> None:
    with pytest.raises(InputError, match="expected 1 finite numbers of at least 0"):
        price_bound(**PAIR, prices=prices)


BITS = """
from tests.knapsack.instances import large
found = large(7, m=30).solve(rounds=5, time_limit=600)
print(found.choice.tolist(), found.value.hex(), found.bound.hex(), found.prices.tobytes().hex())
"""


def test_the_same_bits_for_any_number_of_threads() -> None:
    said = []
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, threads)}
        done = subprocess.run(
            [sys.executable, "-c", BITS], env=environment, capture_output=True, text=True, check=True
        )
        said.append(done.stdout)
    assert said[0] == said[1]
    assert len(said[0]) > 500
