"""The start that needs no solver, and the yardstick that admits it."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from allocator.engine.filling import Filling
from allocator.engine.greedy import greedy
from allocator.engine.kernel.passes import prepare
from allocator.engine.search import Search, candidate
from allocator.testing import limit_rows
from allocator.testing import plain as naive
from tests.builders import SETTINGS, Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of
from tests.strategies import cases, random_cases

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])


def filled(case: Case, *, compiled: bool = False) -> Filling:
    return greedy(prepare(columns_of(case), 1, compiled=compiled))


def test_the_most_valuable_a_unit_comes_first_while_there_is_room() -> None:
    book = portfolio(["A"] * 3, pd=[0.03, 0.01, 0.02], max_amount=400_000.0)
    found = filled(Case(book, TABLE, policy(650_000.0)))
    assert found.amount.tolist() == [0.0, 400_000.0, 250_000.0]
    assert found.option.tolist() == [-1, 1, 1]


def test_amounts_stay_on_the_step_and_above_the_ticket() -> None:
    book = portfolio(["A"] * 3, pd=[0.03, 0.01, 0.02], max_amount=400_000.0)
    terms = policy(790_000.0, limit("loss", "expected_loss", "at_most", 3_000.0), step=60_000.0)
    assert filled(Case(book, TABLE, terms)).amount.tolist() == [0.0, 360_000.0, 240_000.0]


@random_cases(80, full=800)
@given(cases(borrowers=8, rates=4))
def test_what_is_admitted_meets_every_row_by_the_plain_rules(case: Case) -> None:
    columns = columns_of(case)
    made_so_far = filled(case)
    option, amount = made_so_far.option, made_so_far.amount
    found = candidate(prepare(columns, 1), option, amount)
    rates, take_up = columns.rate(option), columns.take_up(option)
    offers = [
        naive.Offer(float(x), float(r), float(a)) if k >= 0 else None
        for k, x, r, a in zip(option, amount, rates, take_up, strict=True)
    ]
    made = all(k >= 0 for k, must in zip(option, columns.offers.must, strict=True) if must)
    holds = [limit_rows.kept(case, row, offers) for row in limit_rows.rows(case)]
    if found is not None:
        assert made
        assert all(holds)
        idle = case.policy.idle_rate if case.policy.budget.spend == "at_most" else 0.0
        left = case.policy.budget.amount - limit_rows.left_side(case, limit_rows.rows(case)[0], offers)
        worth = sum(naive.worth(case, i, offer) for i, offer in enumerate(offers)) + idle * left
        assert abs(found.value - worth) <= 1e-9 * max(abs(worth), 1.0)


def test_a_search_keeps_its_best_and_its_tightest() -> None:
    book = portfolio(["A"] * 2, pd=[0.01, 0.02], max_amount=400_000.0)
    columns = columns_of(Case(book, TABLE, policy(1e6)))
    prepared = prepare(columns, 1)
    search = Search(prepared, SETTINGS)
    assert search.gap == np.inf
    good = candidate(prepared, np.array([1, 1], dtype=np.int32), np.array([400_000.0, 400_000.0]))
    worse = candidate(prepared, np.array([1, -1], dtype=np.int32), np.array([400_000.0, 0.0]))
    assert good is not None
    assert worse is not None
    for found in (worse, good, worse, None):
        search.offer(found)
    assert search.best is good
    for bound in (good.value + 9.0, good.value + 5.0, good.value + 7.0):
        search.tighten(bound, "prices")
    assert search.bound == good.value + 5.0
    search.tighten(good.value - 3.0, "solver")
    assert (search.bound, search.proof) == (good.value, "solver"), "no bound lies below a value reached"
    assert search.done
