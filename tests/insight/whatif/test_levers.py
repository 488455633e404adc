"""What a change would add lies in its range, whether it was solved for or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given

from allocator.certification import recheck
from allocator.errors import InfeasibleError
from allocator.insight.variants import answer
from allocator.insight.whatif.levers import levers_of, price_levers
from allocator.records.run import Decisions
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.insight.explain.test_explanation import crowded
from tests.stages import prepared
from tests.strategies import cases_in_cents, random_cases


@random_cases(4, full=6)
@given(cases_in_cents(borrowers=6, limits=2))
def test_the_quick_range_holds_what_solving_again_finds(case: Case) -> None:
    ready = prepared(case)
    try:
        own = answer(ready)
    except InfeasibleError:
        assume(False)
        raise
    scale = 1e-9 * max(abs(own.certificate.bound), 1e5)
    quick = {one.name: one for one in price_levers(own, 0.05, quick=True).worths}
    for lever in levers_of(ready, 0.05):
        one = quick[lever.name]
        try:
            again = answer(lever.case()).certificate
        except InfeasibleError:
            continue
        gained = again.value - own.certificate.value
        assert one.low - scale <= again.bound - own.certificate.value
        assert gained <= one.high + scale
        assert one.low <= one.high + scale


def test_solved_ranges_lie_inside_the_quick_ones_and_are_ranked() -> None:
    ready = prepared(crowded())
    run = answer(ready)
    quick = {one.name: one for one in price_levers(run, 0.05, quick=True).worths}
    exact = price_levers(run, 0.05).worths
    assert [one.low for one in exact] == sorted((one.low for one in exact), reverse=True)
    for one in exact:
        assert one.solved
        assert quick[one.name].low <= one.low <= one.high <= quick[one.name].high


def test_of_the_first_levers_none_other_may_add_more() -> None:
    """They are solved again, the others priced; the largest at most stands first."""
    run = answer(prepared(crowded()))
    found = price_levers(run, 0.05, first=2).worths
    assert [one.high for one in found] == sorted((one.high for one in found), reverse=True)
    assert [one.solved for one in found[:2]] == [True, True]
    quick = {one.name: one for one in price_levers(run, 0.05, quick=True).worths}
    solved = {one.name: one for one in price_levers(run, 0.05).worths}
    assert all(one == (solved if one.solved else quick)[one.name] for one in found)
    assert not all(one.solved for one in found)


def test_everything_that_may_move_is_a_lever_and_nothing_else() -> None:
    case = crowded(rate_step=0.02, rates={"A": (0.04, 0.1), "B": (0.06, 0.12)})
    fixed = limit("sized", "loans", "exactly", 3.0)
    whole = limit("whole", "offered", "at_most", 1.0, of="budget")
    case = case.under(limits=(*case.policy.limits, fixed, whole, limit("none", "interest", "at_least", 0.0)))
    names = {lever.name for lever in levers_of(prepared(case), 0.01)}
    assert {"budget", "limit sectors", "limit loss rate", "limit book", "funding rate"} <= names
    assert {"processing cost of a loan", "cost of churn", "PD of grade A", "churn of grade B"} <= names
    assert not names & {"limit sized", "limit whole", "limit none"}
    rates = {name for name in names if "rate of grade" in name}
    assert rates == {"highest rate of grade A", "lowest rate of grade B"}


def test_a_free_lever_is_worth_the_price_times_its_room() -> None:
    """Equal borrowers under one budget: half of one loan more, at one margin."""
    table = churn_table([0.05, 0.1], A=[0.0, 0.9])
    book = portfolio(["A"] * 10, pd=0.0, min_amount=0.0, max_amount=1e6)
    ready = prepared(Case(book, table, policy(5.2e6, rates={"A": (0.05, 0.1)})))
    own = answer(ready)
    found = {one.name: one for one in price_levers(own, 0.05).worths}
    assert found["budget"].low == pytest.approx(0.05 * 0.05 * 5.2e6)
    assert found["budget"].high == pytest.approx(found["budget"].low)
    assert found["requests of every grade"].high == pytest.approx(0.0, abs=1e-3)


def test_where_the_present_allocation_breaks_a_limit_only_the_bound_is_known() -> None:
    table = churn_table([0.05], A=[0.5])
    book = portfolio(["A"] * 4, pd=0.01, max_amount=5e5)
    drawn = limit("drawn", "drawn", "at_most", 5e5)
    ready = prepared(Case(book, table, policy(1e9, drawn, rates={"A": (0.05, 0.05)})))
    run = answer(ready)
    quick = {one.name: one for one in price_levers(run, 0.05, quick=True).worths}
    assert quick["churn of every grade"].low == -np.inf
    exact = {one.name: one for one in price_levers(run, 0.05).worths}
    assert np.isfinite(exact["churn of every grade"].low)


def test_a_strategys_run_has_honest_wide_ranges() -> None:
    ready = prepared(crowded())
    best = answer(ready)
    run = replace(best, certificate=replace(best.certificate, value=0.5 * best.value))
    found = {one.name: one for one in price_levers(run, 0.05).worths}
    assert found["budget"].high >= 0.5 * best.certificate.value


def test_what_only_loosens_takes_nothing_off_whatever_is_known() -> None:
    """A run far below its bound: its frozen value under the change says less than 0."""
    ready = prepared(crowded())
    nothing = Decisions(*np.zeros((2, len(ready.inputs.portfolio))))
    poor = recheck(ready.scenario, ready.inputs, nothing, answer(ready).prices)
    found = price_levers(poor, 0.05, quick=True)
    low = {one.name: one.low for one in found.worths}
    loosening = {lever.name for lever in levers_of(ready, 0.05) if lever.loosens}
    assert {"budget", "limit loss rate", "limit book", "funding rate", "largest ticket"} <= loosening
    assert {low[name] for name in loosening} == {0.0}
    assert low["PD of every grade"] < 0


def test_a_number_of_loans_moves_by_whole_loans_and_a_budget_that_is_owed_does_not_loosen() -> None:
    owed = limit("owed", "offered", "at_least", 0.1, of="budget")
    case = prepared(crowded(n=10).under(limits=(*crowded(n=10).policy.limits, owed)))
    changes = {lever.name: lever for lever in levers_of(case, 0.01)}
    assert changes["limit book"].change == "4 to 5"
    assert not changes["budget"].loosens


def test_a_band_whose_highest_rate_is_no_step_may_lose_it() -> None:
    case = prepared(crowded(rate_step=0.015, rates={"A": (0.04, 0.1), "B": (0.05, 0.1)}))
    kept = {lever.name: lever.loosens for lever in levers_of(case, 0.01) if "rate of grade" in lever.name}
    assert kept == {"highest rate of grade A": True, "highest rate of grade B": False}
