"""Books of very many rows: a core carries those alone that it can move, and a sample those that it knows."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.engine import finish, narrowing, newton
from allocator.engine.farkas import prove_impossible
from allocator.engine.finish import Parts
from allocator.engine.kernel import curvature, passes
from allocator.engine.kernel.passes import prepare
from allocator.engine.narrowing import rows_moved
from allocator.engine.search import candidate
from allocator.testing.books import random_case
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, solve

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8])


def every_size_is_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done for hundreds of rows, done for a few."""
    for module in (curvature, finish, narrowing, newton, passes):
        monkeypatch.setattr(module, "DENSE_UP_TO", 0)


@pytest.mark.parametrize("seed", [1, 8, 15, 21])
def test_the_answer_is_the_same_as_with_few_rows(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(seed, "reduced", largest=300)
    few = solve(case)
    every_size_is_many(monkeypatch)
    many = solve(case)
    assert many.value == pytest.approx(few.value, rel=2e-6)
    assert many.bound >= many.value - 1e-9 * abs(many.value)
    assert many.bound == pytest.approx(few.bound, rel=1e-5)


def clients(count: int, of: str | None, bound: float) -> Case:
    """`count` clients of four borrowers each, one limit a client."""
    n = 4 * count
    draw = np.random.default_rng(count)
    book = portfolio(
        ["A"] * n,
        pd=np.round(draw.uniform(0.01, 0.03, n), 4).tolist(),
        max_amount=(1_000.0 * draw.integers(200, 900, n)).tolist(),
        texts={"client": [f"c{i // 4:04d}" for i in range(n)]},
    )
    terms = policy(
        3e5 * n,
        limit("clients", "offered", "at_most", bound, of=of, each="client"),
        limit("loss", "expected_loss", "at_most", 0.01, of="drawn"),
        rates={"A": (0.04, 0.12)},
    )
    return Case(book, TABLE, terms)


def test_a_core_carries_the_rows_of_its_borrowers_and_of_shares_the_tightest() -> None:
    columns = columns_of(clients(700, "total", 0.01))
    option, amount = np.zeros(len(columns), dtype=np.int32), columns.offers.high.copy()
    used = np.bincount(np.arange(len(columns)) // 4, amount)
    rows = rows_moved(columns, np.array([0, 9]), option, amount)
    names = [columns.limits.rows[j].name for j in rows]
    tightest = int(np.argmax(np.where(np.isin(np.arange(700), [0, 2]), 0.0, used)))
    loosest = int(np.argmin(np.where(np.isin(np.arange(700), [0, 2]), np.inf, used)))
    wanted = {f"clients[c{i:04d}]" for i in (0, 2, tightest, loosest)}
    assert set(names) == {"budget", "loss", *wanted}


def test_limits_in_money_that_others_alone_use_are_left_out() -> None:
    columns = columns_of(clients(700, None, 1e6))
    nobody = np.full(len(columns), -1, dtype=np.int32)
    rows = rows_moved(columns, np.array([40]), nobody, np.zeros(len(columns)))
    assert [columns.limits.rows[j].name for j in rows] == ["budget", "clients[c0010]", "loss"]


def test_a_thousand_clients_are_priced_to_the_relaxation_and_lent_to_near_it() -> None:
    """Every client's limit binds; each splits one borrower, who gets the part that is left."""
    columns = columns_of(clients(1_000, None, 1_000_000.0))
    book = prepare(columns, 1)
    found = finish.finish(book, newton.newton_prices(columns, 1), 1e-10, lambda: 600.0)
    assert abs(found.gap) <= 1e-9 * found.priced.bound
    lent = candidate(book, *found.parts.into(found.priced.option, found.priced.amount))
    assert lent is not None
    assert 0.95 * found.priced.bound <= lent.value <= found.priced.bound * (1 + 1e-9)


def test_a_conflict_is_proved_by_prices_and_no_feasible_book_is_refused() -> None:
    columns = columns_of(clients(10, None, 1e6))
    rows = len(columns.limits)
    assert not prove_impossible(columns, np.zeros(rows))
    draw = np.random.default_rng(0)
    for _ in range(50):
        assert not prove_impossible(columns, np.abs(draw.normal(size=rows)))
    floor = limit("floor", "offered", "at_least", 1e8, where={"client": ["c0001"]})
    conflicting = clients(10, None, 1e6)
    conflicting = conflicting.under(limits=(*conflicting.policy.limits, floor))
    columns = columns_of(conflicting)
    prices = np.zeros(len(columns.limits))
    names = [row.name for row in columns.limits.rows]
    prices[names.index("clients[c0001]")], prices[names.index("floor")] = 1.0, -1.0
    assert prove_impossible(columns, prices)


def test_parts_change_only_those_whom_the_relaxation_splits() -> None:
    parts = Parts(np.array([1]), np.array([2], dtype=np.int32), np.array([250.0]))
    option, amount = parts.into(np.array([0, -1, 0], dtype=np.int32), np.array([100.0, 0.0, 300.0]))
    assert option.tolist() == [0, 2, 0]
    assert amount.tolist() == [100.0, 250.0, 300.0]
    assert len(Parts.none().borrower) == 0
