"""The steps of the dual Newton method, and how near the optimum they end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from allocator.engine import finish
from allocator.engine.farkas import prove_impossible
from allocator.engine.kernel.curvature import Curvature
from allocator.engine.kernel.passes import prepare
from allocator.engine.newton import PriceBox, _step, newton_prices
from allocator.engine.prices import relaxation_prices
from allocator.engine.program import ProgramAnswer
from allocator.records.scenario import Limit
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
    box = PriceBox(np.where(draw.random(m) < 0.7, 0.0, -np.inf), prices + draw.uniform(0.0, 1.0, m))
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
    box = PriceBox(np.where(draw.random(m) < 0.7, 0.0, -np.inf), prices + draw.uniform(0.0, 1.0, m))
    step = _step(gradient, Curvature(sparse.csc_array(own), common, common), prices, box)
    check_minimiser(gradient, curvature, prices, box, step)


def check_minimiser(
    gradient: np.ndarray, curvature: np.ndarray, prices: np.ndarray, box: PriceBox, step: np.ndarray
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


def test_no_step_begins_when_time_is_up() -> None:
    """Prices are then those of the first small sample: a bound, if a weak one."""
    book = CASES["central"].book(500)
    columns = columns_of(Case(book.portfolio, book.table, book.policy, "isotonic"))
    hurried, ready = newton_prices(columns, 1, left=lambda: 0.0), newton_prices(columns, 1)
    weak, tight = (prepare(columns, 1).sweep(prices, 1e-6).bound for prices in (hurried, ready))
    assert relaxation_prices(columns, lambda _: None).bound * (1 - 1e-9) <= tight < weak


def test_a_sample_whose_prices_prove_that_nothing_fits_ends_the_descent() -> None:
    book = CASES["central"].book(30_000)
    most = next(limit for limit in book.policy.limits if limit.name == "expected loss").bound
    limits = (*book.policy.limits, Limit("floor", "expected_loss", "at_least", 2.0 * most))
    policy = replace(book.policy, limits=limits)
    columns = columns_of(Case(book.portfolio, book.table, policy, "isotonic"))
    said: list[str] = []
    prices = newton_prices(columns, 1, progress=said.append)
    assert said == ["pricing the limits on 10,000 of 30,000 borrowers"]
    assert prove_impossible(columns, prices)


def test_prices_that_are_not_finished_have_the_signs_that_limits_want(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A step may end at -2e-19; a certificate with such a price is refused."""
    book = CASES["central"].book(500)
    columns = columns_of(Case(book.portfolio, book.table, book.policy, "isotonic"))
    nothing = ProgramAnswer("time_limit", None, -np.inf, np.inf, np.zeros(0))
    monkeypatch.setattr(finish, "solve", lambda *_, **__: nothing)
    prices = np.full(len(columns.limits), -2e-19)
    ended = finish.finish(prepare(columns, 1), prices, 1e-10, lambda: 0.0)
    assert np.all(ended.priced.prices >= 0.0)
