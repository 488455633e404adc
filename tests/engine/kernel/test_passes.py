"""The compiled pass and the NumPy pass are one contract, the same bits for any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.engine.kernel.passes import Pass, prepare
from allocator.testing.books import random_case
from tests.stages import columns_of


def both(seed: int) -> tuple[Pass, Pass]:
    columns = columns_of(random_case(seed))
    return prepare(columns, 1, compiled=False), prepare(columns, 2, compiled=True)


def random_prices(book: Pass, seed: int) -> np.ndarray:
    rows = book.columns.limits.rows
    draw = np.random.default_rng(seed)
    sign = np.array([{"at_most": 1.0, "at_least": -1.0, "exactly": 0.5}[row.sense] for row in rows])
    scale = np.array([1e3 if row.measure == "loans" else 0.01 for row in rows])
    return np.abs(draw.normal(size=len(rows))) * sign * scale


@pytest.mark.parametrize("seed", range(8))
def test_sweeps_agree(seed: int) -> None:
    dense, compiled = both(seed)
    prices = random_prices(dense, seed)
    one, other = dense.sweep(prices, 0.01), compiled.sweep(prices, 0.01)
    assert other.bound == pytest.approx(one.bound, rel=1e-12)
    assert other.near == one.near
    scale = np.abs(one.usage).max()
    np.testing.assert_allclose(other.usage, one.usage, rtol=1e-12, atol=1e-12 * scale)
    top = np.abs(one.curvature.table()).max()
    np.testing.assert_allclose(other.curvature.table(), one.curvature.table(), rtol=1e-12, atol=1e-12 * top)


@pytest.mark.parametrize("seed", range(8))
def test_answers_agree(seed: int) -> None:
    dense, compiled = both(seed)
    prices = random_prices(dense, seed + 100)
    one, other = dense.respond(prices), compiled.respond(prices)
    assert np.array_equal(one.option, other.option)
    assert np.array_equal(one.amount, other.amount)
    np.testing.assert_allclose(other.reduced, one.reduced, rtol=1e-12, atol=1e-6)
    np.testing.assert_allclose(other.margin, one.margin, rtol=1e-12, atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_sweep_prices_what_the_answers_are_worth(seed: int) -> None:
    """Two ways to the same sums: the hull's vertices, and every option at its better end."""
    dense, compiled = both(seed)
    prices = random_prices(dense, seed)
    answers = compiled.respond(prices)
    sums = compiled.sweep(prices, 1e-6)
    limits = dense.columns.limits
    idle = max(0.0, limits.idle_rate - prices[0]) * limits.idle_room
    by_answers = float(limits.rhs @ prices) + float(answers.reduced.sum()) + idle
    assert sums.bound == pytest.approx(by_answers, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_tallies_agree(seed: int) -> None:
    dense, compiled = both(seed)
    answers = dense.respond(random_prices(dense, seed))
    one, other = (book.tally(answers.option, answers.amount) for book in (dense, compiled))
    assert other.value == pytest.approx(one.value, rel=1e-12, abs=1e-6)
    np.testing.assert_allclose(other.usage, one.usage, rtol=1e-12, atol=1e-3)


def test_threads_do_not_change_a_bit() -> None:
    columns = columns_of(random_case(3))
    one, two = (prepare(columns, threads, compiled=True) for threads in (1, 2))
    prices = random_prices(one, 3)
    first, second = one.sweep(prices, 0.01), two.sweep(prices, 0.01)
    assert first.bound == second.bound
    assert np.array_equal(first.usage, second.usage)
    assert np.array_equal(first.curvature.table(), second.curvature.table())
