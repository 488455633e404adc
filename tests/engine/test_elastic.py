"""Moves of bounds are the least that make a book fit, and conflicts are what a plain LP says they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given

from allocator.engine.diagnosis import diagnose
from allocator.engine.elastic import Elastic
from allocator.engine.kernel.columns import Columns
from allocator.engine.options import options_of, uses_of
from allocator.engine.program import Effort
from allocator.engine.relaxation import relax
from allocator.engine.solving import solve
from allocator.limits import compile_limits
from allocator.limits.bounds import bounds_of
from allocator.records.scenario import Policy
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of
from tests.strategies import cases, random_cases

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])


def elastic_of(case: Case) -> Elastic:
    columns = columns_of(case)
    return Elastic(columns, bounds_of(case.policy, columns.limits), 1)


def fits(columns: Columns, rows: Iterable[int]) -> bool:
    """Whether the relaxation written out as one LP, every option in, can keep `rows`."""
    options = options_of(columns, np.flatnonzero(columns.offers.menu >= 0))
    relaxation = relax(columns, options, uses_of(columns, options))
    dropped = sorted(set(range(len(columns.limits))) - set(rows))
    program = relaxation.program
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[dropped], upper[dropped] = -np.inf, np.inf
    asked = replace(program, cost=np.zeros(len(program.cost)), row_lower=lower, row_upper=upper)
    return solve(asked, Effort(feasibility=1e-8)).stop != "infeasible"


def moved(case: Case, names: tuple[str, ...], bounds: np.ndarray) -> Policy:
    terms = case.policy
    for name, bound in zip(names, bounds.tolist(), strict=True):
        terms = terms.with_bound(name, bound)
    return terms


@random_cases(15, full=400)
@given(cases(borrowers=6, limits=4))
def test_conflicts_are_smallest_and_their_cures_end_them(case: Case) -> None:
    elastic = elastic_of(case)
    columns, entry = elastic.columns, elastic.bounds.entry
    everything = set(range(elastic.rows))
    diagnosis = diagnose(elastic)
    assert bool(diagnosis.conflicts) != fits(columns, everything)
    for conflict in diagnosis.conflicts:
        assert not fits(columns, conflict)
        assert all(fits(columns, set(conflict) - {row}) for row in conflict)
    for cure in diagnosis.cures:
        assert fits(columns, {row for row in everything if int(entry[row]) not in cure})


@random_cases(15, full=400)
@given(cases(borrowers=6, limits=4))
def test_a_bound_moves_as_far_as_it_must_and_no_further(case: Case) -> None:
    elastic = elastic_of(case)
    assume(elastic.support(range(elastic.rows)) is not None)
    bounds, book = elastic.bounds, case.portfolio
    for e, name in enumerate(bounds.names):
        moves = elastic.least_moves([e])
        if moves is None:
            continue
        assert np.count_nonzero(moves) == 1
        for factor, enough in ((1.0, True), (0.99, False)):
            bound = bounds.written[[e]] + factor * moves[[e]]
            bound[np.abs(bound) <= 1e-12 * np.abs(bounds.written[[e]])] = 0.0  # what the difference rounds to
            terms = moved(case, (name,), bound)
            columns = replace(elastic.columns, limits=compile_limits(terms, book))
            assert fits(columns, range(elastic.rows)) is enough


def test_two_conflicts_that_share_nothing_are_both_named() -> None:
    book = portfolio(["A"] * 4 + ["B"] * 2)
    terms = policy(
        5e6,
        limit("A least", "offered", "at_least", 3e6, where={"grade": ["A"]}),
        limit("A most", "offered", "at_most", 2.4e6, where={"grade": ["A"]}),
        limit("B least", "loans", "at_least", 2.0, where={"grade": ["B"]}),
        limit("B most", "loans", "at_most", 1.0, where={"grade": ["B"]}),
    )
    diagnosis = diagnose(elastic_of(Case(book, TABLE, terms)))
    assert sorted(diagnosis.conflicts) == [(1, 2), (3, 4)]
    assert [sorted(cure) for cure in diagnosis.cures] == [[1, 3], [1, 4], [2, 3], [2, 4]]


def test_a_conflict_that_the_suspects_hold_comes_first() -> None:
    terms = policy(
        5e6,
        limit("B", "loans", "at_least", 1.0, where={"grade": ["B"]}),
        limit("C", "loans", "at_least", 1.0, where={"grade": ["C"]}),
    )
    elastic = elastic_of(Case(portfolio(["A"]), TABLE, terms))
    assert diagnose(elastic, [2]).conflicts == ((2,), (1,))
    assert diagnose(elastic, [1]).conflicts == ((1,), (2,))


def test_a_share_of_what_is_lent_moves_by_the_least_ratio() -> None:
    """Loans of 1e5 to 1e6: four of A at 1e6 are at most 4/5 of the total, beside two of B at 5e5."""
    book = portfolio(["A"] * 4 + ["B"] * 2, max_amount=[1e6] * 4 + [5e5] * 2)
    terms = policy(
        1e7,
        limit("B", "loans", "at_least", 2.0, where={"grade": ["B"]}),
        limit("B share", "offered", "at_most", 0.02, of="total", where={"grade": ["B"]}),
    )
    elastic = elastic_of(Case(book, TABLE, terms))
    moves = elastic.least_moves([2])
    assert moves is not None
    least = float(np.min(elastic.columns.offers.low))
    share = 2 * least / (2 * least + 4e6)
    assert moves[2] == pytest.approx(share - 0.02, rel=1e-3)
    assert moves[2] >= (share - 0.02) * (1 - 1e-9)


def test_many_borrowers_a_group_give_the_same_answer() -> None:
    few = portfolio(["A", "B"] * 90, max_amount=[3e5, 7e5] * 90)
    many = portfolio(["A", "B"] * 900, max_amount=[3e5, 7e5] * 900)
    answers = []
    for size, book in ((1.0, few), (10.0, many)):
        terms = policy(
            5e7 * size,
            limit("all", "offered", "at_least", 0.9, of="budget"),
            limit("A", "offered", "at_least", 0.8, of="total", where={"grade": ["A"]}),
        )
        elastic = elastic_of(Case(book, TABLE, terms))
        answers.append([elastic.least_moves([e]) for e in range(3)])
    for one, other in zip(*answers, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one[1:] == pytest.approx(other[1:], rel=2e-3)
            assert one[0] == pytest.approx(other[0] / 10.0, rel=2e-3)
