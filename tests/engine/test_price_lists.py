"""Price lists: the best of them and its proof, held against trying every list."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.certification.exact import ExactCase
from allocator.certification.exact_lists import exact_list_faults
from allocator.errors import InfeasibleError
from allocator.records.price_lists import AcrossGrades, Posting
from allocator.records.scenario import Limit
from allocator.records.strategy import SolverSettings
from allocator.testing import plain
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.engine.brute_force import best_value, solved_to
from tests.engine.test_optimise import hard_case
from tests.stages import Solved, solve
from tests.strategies import cases, random_cases


def held_to(case: Case, posted: dict[str, float]) -> Case:
    """The ordinary case that one price list leaves."""
    return case.under(posted=posted)


def best_of_all_lists(case: Case) -> float | None:
    values = [best_value(held_to(case, posted)) for posted in plain.price_lists(case)]
    return max((value for value in values if value is not None), default=None)


def check_against_brute_force(case: Case) -> None:
    solved = solved_to(case, best_of_all_lists(case))
    if solved is not None:
        check_list(case, solved)


def check_list(case: Case, solved: Solved) -> None:
    """Every offer at a rate of its own keeps to the list, and the proof holds in rational numbers."""
    certificate = solved.outcome.certificate
    posted, book = certificate.posted, case.portfolio
    assert posted is not None
    assert posted in list(plain.price_lists(case))
    free = (solved.decisions.amount > 0) & np.isnan(book.rate) & np.isnan(book.fixed_amount)
    for i in np.flatnonzero(free):
        grade = book.grade.values[book.grade.codes[i]]
        assert solved.decisions.rate[i] == posted[plain.segment_of(case, grade, i)]
    exact = ExactCase.of(case.scenario, book, case.table)
    assert exact_list_faults(exact, certificate.lists or {}) == []


def test_a_list_cut_short_by_memory_says_so() -> None:
    case = replace(hard_case(), settings=SolverSettings(gap=1e-12, memory=1e6))
    spent = solve(case.under(posting=Posting()))
    assert spent.solution.stop == "memory"
    assert (spent.outcome.faults, spent.outcome.stopped) == ((), True)


@random_cases(15, full=600)
@given(cases())
def test_the_best_list_of_brute_force(case: Case) -> None:
    check_against_brute_force(case.under(posting=Posting()))


@random_cases(10, full=400)
@given(cases())
def test_the_best_rising_list_of_brute_force(case: Case) -> None:
    check_against_brute_force(case.under(posting=Posting(rising=True)))


@random_cases(12, full=400)
@given(cases(), st.sampled_from(("together", "apart", "monotone")), st.booleans())
def test_the_best_list_of_segments_of_brute_force(case: Case, across: AcrossGrades, two: bool) -> None:
    groups = {"food": "shops", "retail": "shops"} if two else {}
    posting = Posting(across != "together", across == "monotone", "sector", groups)
    case = case.under(posting=posting)
    if sum(1 for _ in plain.price_lists(case)) <= 300:
        check_against_brute_force(case)


@pytest.mark.parametrize("step", [0.0025, 0.01])
def test_rates_are_posted_in_the_steps_of_the_grid(step: float) -> None:
    table = churn_table([0.04, 0.0765, 0.15], A=[0.0, 0.3, 0.9], B=[0.0, 0.2, 0.9])
    bands = {"A": (0.04, 0.1), "B": (0.05, 0.12)}
    terms = policy(1.5e5, rates=bands, rate_step=step, step=1e5, posting=Posting(rising=True))
    solved = solve(Case(portfolio(["A", "B"]), table, terms))
    steps = np.array(list((solved.outcome.certificate.posted or {}).values())) / step
    assert len(steps) == 2
    assert steps == pytest.approx(np.round(steps), abs=1e-9)


def unserved(*limits: Limit, **columns: object) -> Case:
    """Two borrowers of a grade who share no rate, with limits that ask for both."""
    table = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])
    book = portfolio(["A", "A"], min_rate=[0.1, np.nan], max_rate=[np.nan, 0.05])
    return Case(book, table, policy(1e6, *limits)).under(posting=Posting())


def test_what_no_list_can_do_is_told_from_what_nobody_can() -> None:
    case = unserved(limit("both", "loans", "at_least", 2))
    with pytest.raises(InfeasibleError, match="no price list has an allocation") as caught:
        solve(case)
    assert caught.value.conflict == ()
    nobody = unserved(limit("both", "loans", "at_least", 3))
    with pytest.raises(InfeasibleError, match="'both' cannot be met") as caught:
        solve(nobody)
    assert caught.value.conflict == ("both",)


def test_an_average_that_only_a_mixture_of_rates_meets() -> None:
    table = churn_table([0.04, 0.08], A=[0.0, 0.0])
    average = limit("average", "gross_interest", "exactly", 0.06, of="drawn")
    both = limit("both", "loans", "at_least", 2)
    bare = policy(1e6, average, both, rates={"A": (0.04, 0.08)}, ticket=(100_000.0, 100_000.0))
    case = Case(portfolio(["A", "A"]), table, bare)
    assert solve(case).value > 0
    with pytest.raises(InfeasibleError, match="no price list has an allocation"):
        solve(case.under(posting=Posting()))


def test_a_list_without_whole_amounts_leaves_no_gap() -> None:
    """At 8 % what is drawn is 0.7 x whole steps, never 300,000, though parts of a step would do."""
    table = churn_table([0.04, 0.08], A=[0.0, 0.3])
    drawn = limit("drawn", "drawn", "exactly", 3e5)
    terms = policy(1e6, drawn, rates={"A": (0.04, 0.08)}, step=1e5)
    solved = solve(Case(portfolio(["A"]), table, terms).under(posting=Posting()))
    assert solved.outcome.certificate.posted == {"A": 0.04}
    assert solved.solution.bound == pytest.approx(solved.value, rel=1e-9)
