"""What must hold of any optimum, whatever the case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from allocator.certification import recheck
from allocator.errors import InfeasibleError
from allocator.records.scenario import COUNTED, Limit
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import Solved, price_map, solve
from tests.strategies import cases, cases_in_cents, random_cases

TABLE = churn_table([0.04, 0.07, 0.1, 0.13], A=[0.0, 0.2, 0.45, 0.8], B=[0.0, 0.15, 0.35, 0.6])


def solved_or_skipped(case: Case) -> Solved:
    try:
        return solve(case)
    except InfeasibleError:
        assume(False)
        raise


def loosened(entry: Limit, how: str) -> Limit:
    """The limit with more room; one that must be met exactly gives way on one side."""
    room = 0.1 * abs(entry.bound) + 0.01
    if entry.sense == "exactly":
        return replace(entry, sense=how)
    return replace(entry, bound=entry.bound + room if entry.sense == "at_most" else entry.bound - room)


@random_cases(20, full=400)
@given(cases(), st.integers(0, 2), st.sampled_from(("at_most", "at_least")))
def test_loosening_a_limit_never_lowers_the_optimum(case: Case, which: int, how: str) -> None:
    limits = case.policy.limits
    assume(which < len(limits))
    tight = solved_or_skipped(case)
    loose = solve(case.under(limits=(*limits[:which], loosened(limits[which], how), *limits[which + 1 :])))
    assert loose.value >= tight.value - 1e-9 * max(abs(tight.value), 1.0)


@random_cases(20, full=400)
@given(cases())
def test_a_larger_budget_never_lowers_the_optimum(case: Case) -> None:
    budget = replace(case.policy.budget, spend="at_most")
    case = case.under(budget=budget, limits=tuple(e for e in case.policy.limits if e.of != "budget"))
    tight = solved_or_skipped(case)
    loose = solve(case.under(budget=replace(budget, amount=1.25 * budget.amount)))
    assert loose.value >= tight.value - 1e-9 * max(abs(tight.value), 1.0)


@random_cases(20, full=400)
@given(cases_in_cents(), st.integers(0, 2**32))
def test_the_bound_is_never_below_the_value_at_any_prices(case: Case, seed: int) -> None:
    """Prices of any size bound the value; those of the wrong sign are refused."""
    solved = solved_or_skipped(case)
    slack = 1e-9 * max(abs(solved.value), 1.0)
    assert solved.bound >= solved.value - slack
    assert solved.bound >= solved.solution.bound - slack
    random = np.random.default_rng(seed)
    for scale in (1e-6, 1e-2, 1.0):
        prices = solved.solution.prices + scale * random.normal(size=len(solved.solution.prices))
        signs = {"at_most": np.maximum, "at_least": np.minimum}
        rows = solved.columns.limits.rows
        prices = np.array(
            [signs[r.sense](p, 0.0) if r.sense in signs else p for r, p in zip(rows, prices, strict=True)]
        )
        outcome = recheck(case.scenario, case.inputs, solved.decisions, price_map(solved.columns, prices))
        assert outcome.certificate.bound >= solved.value - slack


def in_other_money(case: Case, factor: float) -> Case:
    """The same case in a currency whose unit is worth 1 / factor; filters compare money with 0 only."""
    p, terms = case.portfolio, case.policy
    book = replace(
        p,
        min_amount=p.min_amount * factor,
        max_amount=p.max_amount * factor,
        relationship_value=p.relationship_value * factor,
        exposure=p.exposure * factor,
        fixed_amount=p.fixed_amount * factor,
        numbers={name: own * factor if name == "former_amount" else own for name, own in p.numbers.items()},
    )
    ticket = terms.ticket
    limits = tuple(
        entry if entry.of or entry.measure in COUNTED else replace(entry, bound=entry.bound * factor)
        for entry in terms.limits
    )
    scaled = case.under(
        budget=replace(terms.budget, amount=terms.budget.amount * factor),
        ticket=replace(ticket, min=ticket.min * factor, max=ticket.max * factor, step=ticket.step * factor),
        processing_cost=terms.processing_cost * factor,
        own_funds=None if terms.own_funds is None else terms.own_funds * factor,
        limits=limits,
    )
    return replace(scaled, portfolio=book)


@random_cases(20, full=400)
@given(cases(), st.sampled_from((1e-3, 1e3, 1e5)))
def test_money_in_another_unit_gives_the_same_answer(case: Case, factor: float) -> None:
    """Amounts lie on a step, so that cents do not matter."""
    solved = solved_or_skipped(case)
    scaled = solve(in_other_money(case, factor))
    assert scaled.value == pytest.approx(solved.value * factor, rel=1e-9, abs=1e-9 * factor)
    assert scaled.bound == pytest.approx(solved.bound * factor, rel=1e-6, abs=1e-6 * factor)


@pytest.mark.parametrize("spend", ["at_most", "exactly"])
@pytest.mark.parametrize("basis", ["offered", "drawn"])
@pytest.mark.parametrize("step", [None, 50_000.0])
def test_no_budget_gives_nothing(spend: str, basis: str, step: float | None) -> None:
    book = portfolio(["A", "B"] * 4, relationship_value=[0.0, 5_000.0] * 4)
    share = limit("B", "offered", "at_most", 0.4, of="total", where={"grade": ["B"]})
    terms = policy(0.0, share, spend=spend, basis=basis, step=step, idle_rate=0.02, decline_churn=0.5)
    solved = solve(Case(book, TABLE, terms))
    assert not solved.decisions.amount.any()
    assert solved.value == 0.0
    assert solved.bound == pytest.approx(0.0, abs=1e-6)


@st.composite
def books_to_spend(draw: Any) -> tuple[Any, float]:
    """A book of 5 to 40, and a share of what it could take at most."""
    n = draw(st.integers(5, 40))

    def pick(*values: Any) -> list[Any]:
        return draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))

    book = portfolio(
        pick("A", "B"),
        pd=pick(0.001, 0.013, 0.02, 0.077, 0.31),
        term=pick(1.0, 0.5, 3.0),
        max_amount=pick(np.inf, 123_456.78, 400_000.0, 765_432.1),
        relationship_value=pick(0.0, 0.0, 1_234.5),
    )
    return book, draw(st.floats(0.25, 0.8))


@pytest.mark.parametrize("basis", ["offered", "drawn"])
@random_cases(6, full=60)
@given(books_to_spend(), st.integers(0, 99))
def test_a_budget_that_must_be_spent_is_spent_to_the_cent(
    basis: str, drawn: tuple[Any, float], cents: int
) -> None:
    book, share = drawn
    largest = np.minimum(book.max_amount, 1e6) * (0.35 if basis == "drawn" else 1.0)
    budget = float(np.floor(share * largest.sum())) + cents / 100
    solved = solve(Case(book, TABLE, policy(budget, spend="exactly", basis=basis)))
    amounts = solved.decisions.amount
    assert np.array_equal(amounts, np.round(amounts * 100) / 100)
    used = solved.outcome.certificate.limits[0].used
    assert used == pytest.approx(budget, rel=1e-15 if basis == "offered" else 1e-9, abs=1e-9)
