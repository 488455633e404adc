"""Equal borrowers switch as one kind, and a book of few kinds is priced exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.engine.finish import finish
from allocator.engine.kernel.passes import prepare
from allocator.engine.prices import relaxation_prices
from allocator.engine.switches import Switches, kinds, next_best
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, solve

KINDS = (0.01, 0.03, 0.02)
"""Probability of default of each kind, by position modulo 3."""


def book(n: int, kinds: int) -> Case:
    """n borrowers who take turns to be of each kind, under two limits that bind."""
    table = churn_table([0.04, 0.06, 0.08, 0.12], A=[0.0, 0.2, 0.45, 0.7])
    amount = 150_000.0 * n
    limits = (
        limit("capital", "drawn", "at_most", 0.02 * amount, weight="k"),
        limit("loss", "expected_loss", "at_most", 0.003 * amount),
    )
    borrowers = portfolio(
        ["A"] * n,
        pd=[KINDS[i % kinds] for i in range(n)],
        max_amount=500_000.0,
        numbers={"k": [0.05] * n},
    )
    return Case(borrowers, table, policy(amount, *limits, rates={"A": (0.04, 0.12)}))


def switches(*sizes: int, kind: tuple[int, ...] = ()) -> Switches:
    """One switch a size, of the kinds given or each of its own, members 10, 11, ... for kind 1 and so on."""
    kind = kind or tuple(range(len(sizes)))
    first = np.array([10 * (k + 1) for k in kind])
    members = [np.arange(f, f + size) for f, size in zip(first, sizes, strict=True)]
    start = np.append(0, np.cumsum(sizes))
    return Switches(
        first, np.arange(len(sizes), dtype=np.int32), np.ones(len(sizes)), np.concatenate(members), start
    )


def test_kinds_are_the_distinct_borrowers() -> None:
    columns = columns_of(book(10, 3))
    found = kinds(columns, np.arange(1, 10))
    assert found.borrower.tolist() == [1, 2, 3]
    assert found.member.tolist() == [1, 4, 7, 2, 5, 8, 3, 6, 9]
    assert found.start.tolist() == [0, 3, 6, 9]


def test_a_weight_tells_borrowers_apart() -> None:
    case = book(4, 1)
    case = replace(case, portfolio=replace(case.portfolio, numbers={"k": np.array([0.05, 0.05, 0.06, 0.05])}))
    assert kinds(columns_of(case), np.arange(4)).borrower.tolist() == [0, 2]


def test_no_borrowers_are_no_kinds() -> None:
    assert len(kinds(columns_of(book(4, 1)), np.zeros(0, dtype=np.int64)).borrower) == 0


def test_the_first_of_a_kind_switch_and_those_around_a_fraction_are_open() -> None:
    borrower, switch, around = switches(8, 4).made(np.array([5.4 / 8, 0.5]))
    assert borrower.tolist() == [10, 11, 12, 13, 14, 20, 21]
    assert switch.tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert around.tolist() == [12, 13, 14, 15, 16, 17]


def test_switches_of_one_kind_take_turns() -> None:
    borrower, switch, around = switches(8, 8, 8, kind=(0, 0, 1)).made(np.array([2.5 / 8, 3.5 / 8, 0.0]))
    assert borrower.tolist() == [10, 11, 12, 13, 14]
    assert switch.tolist() == [0, 0, 1, 1, 1]
    assert around.tolist() == list(range(10, 18))


def test_nobody_switches_without_a_share() -> None:
    assert [len(part) for part in switches(3, 2).made(np.zeros(2))] == [0, 0, 0]


@pytest.mark.parametrize("kinds", [1, 3])
def test_the_finish_of_few_kinds_proves_the_relaxation(kinds: int) -> None:
    columns = columns_of(book(400, kinds))
    found = finish(prepare(columns, 1), np.zeros(len(columns.limits)), 1e-12, lambda: 60.0)
    exact = relaxation_prices(columns, lambda _: None)
    assert found.gap <= 1e-9 * exact.bound
    assert found.priced.bound == pytest.approx(exact.bound, rel=1e-11)


@pytest.mark.parametrize("kinds", [1, 3])
def test_equal_borrowers_leave_no_gap(kinds: int) -> None:
    case = book(400, kinds)
    solved = solve(replace(case, settings=replace(case.settings, method="reduced")))
    assert (solved.solution.bound - solved.value) <= 1e-9 * solved.value


@pytest.mark.parametrize(("different", "most"), [(True, 3_000), (False, 8)])
def test_of_many_equal_margins_few_different_borrowers_or_all_of_few_kinds_switch(
    different: bool, most: int
) -> None:
    """Nobody takes 15 %, so that such an offer is as good as none to every one of 8,000 who never pay."""
    n = 8_000
    table = churn_table([0.04, 0.15], A=[0.1, 1.0])
    amount = 200_000.0 + np.arange(n) % (n if different else 8) * 10
    columns = columns_of(
        Case(
            portfolio(["A"] * n, pd=[0.5] * n, max_amount=amount),
            table,
            policy(1e9, rates={"A": (0.04, 0.15)}),
        )
    )
    response = prepare(columns, 1).respond(np.zeros(len(columns.limits)))
    assert np.all(response.margin == 0.0)
    found = next_best(columns, np.zeros(len(columns.limits)), response)
    assert 0 < len(found) <= most
    assert np.sum(found.size) == (most if different else n)


def test_a_finish_without_time_says_what_it_has() -> None:
    columns = columns_of(book(400, 3))
    given = np.full(len(columns.limits), 1e-3)
    ready = prepare(columns, 1)
    stopped = finish(ready, given, 0.0, lambda: 0.0)
    assert stopped.priced.bound >= relaxation_prices(columns, lambda _: None).bound * (1 - 1e-12)
