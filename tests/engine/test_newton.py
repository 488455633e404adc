"""The steps of the dual Newton method, and how near the optimum they end."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from allocator.engine.kernel.curvature import Curvature
from allocator.engine.kernel.passes import prepare
from allocator.engine.newton import Box, _step, newton_prices
from allocator.engine.prices import relaxation_prices
from benchmarks.registry import CASES
from tests.builders import Case
from tests.stages import columns_of


@pytest.mark.parametrize("seed", range(40))
def test_a_step_is_the_minimiser_inside_the_box(seed: int) -> None:
    """By its optimality conditions: no slope where the box leaves room, the right sign at an edge."""
    draw = np.random.default_rng(seed)
    m = int(draw.integers(1, 12))
    root = draw.normal(size=(m, m)) * 10.0 ** draw.uniform(-2, 2, m)
    curvature = root.T @ root + 1e-8 * np.eye(m) * np.max(np.sum(root**2, axis=0))
    gradient, prices = draw.normal(size=m), draw.uniform(0.0, 1.0, m)
    box = Box(np.where(draw.random(m) < 0.7, 0.0, -np.inf), prices + draw.uniform(0.0, 1.0, m))
    none = np.zeros((m, 0))
    step = _step(gradient, Curvature(curvature, none, none), prices, box)
    check_minimiser(gradient, curvature, prices, box, step)


@pytest.mark.parametrize("seed", range(20))
def test_a_step_over_many_rows_is_the_same_minimiser(seed: int) -> None:
    """A sparse part and one of low rank, as the rows of an `each` give it."""
    draw = np.random.default_rng(1_000 + seed)
    m, rank = int(draw.integers(2, 40)), 2
    own = np.diag(draw.uniform(0.1, 2.0, m))
    common = draw.normal(size=(m, rank))
    curvature = own + common @ common.T
    gradient, prices = draw.normal(size=m), draw.uniform(0.0, 1.0, m)
    box = Box(np.where(draw.random(m) < 0.7, 0.0, -np.inf), prices + draw.uniform(0.0, 1.0, m))
    step = _step(gradient, Curvature(sparse.csc_array(own), common, common), prices, box)
    check_minimiser(gradient, curvature, prices, box, step)


def check_minimiser(
    gradient: np.ndarray, curvature: np.ndarray, prices: np.ndarray, box: Box, step: np.ndarray
) -> None:
    slope = (gradient + curvature @ step) / np.sqrt(np.diag(curvature))
    at_low, at_high = prices + step <= box.low + 1e-12, prices + step >= box.high - 1e-12
    assert np.all(prices + step >= box.low - 1e-12)
    assert np.all(prices + step <= box.high + 1e-12)
    assert np.all(slope[~at_low] <= 1e-6)
    assert np.all(slope[~at_high] >= -1e-6)


@pytest.mark.parametrize("name", ["central", "binding", "floors", "many-limits", "ties"])
def test_newton_ends_near_the_relaxation_whatever_the_shape_of_the_book(name: str) -> None:
    check_distance(name, 500)


@pytest.mark.full
@pytest.mark.parametrize("name", CASES)
def test_newton_ends_near_the_relaxation_of_larger_books(name: str) -> None:
    check_distance(name, 1_500)


def check_distance(name: str, size: int) -> None:
    book = CASES[name].book(size)
    columns = columns_of(Case(book.portfolio, book.table, book.policy, "isotonic"))
    exact = relaxation_prices(columns, lambda _: None).bound
    ready = newton_prices(columns, 1)
    near = prepare(columns, 1).sweep(ready, 1e-6).bound
    assert exact * (1 - 1e-9) <= near <= exact * 1.1
