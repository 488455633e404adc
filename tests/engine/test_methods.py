"""The two methods are one: `reduced` and `exact` agree on value, bounds and verdict on random books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest

from allocator.engine.optimise import optimise
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.scenario import Group, Limit
from allocator.records.ticket import Choices, OwnSteps, SizedSteps, Ticket
from allocator.testing.books import MEASURES, random_case
from tests.builders import SETTINGS, Case, churn_table, policy, portfolio
from tests.engine import whole_program
from tests.stages import solve

METHODS = ("exact", "reduced")
SENSES = ("at_most", "at_least", "exactly")
SHARE = range(3, 500, 50)
"""Seeds of the cases that every test run looks at; `make check-full` looks at all."""


@dataclass(frozen=True)
class Verdict:
    """What a method says: its value and bounds, or that there is no allocation."""

    says: str
    value: float = -np.inf
    bound: float = np.inf
    """The tightest, the solver's tree included."""
    certified: float = np.inf
    violation: float = 0.0

    @property
    def open(self) -> float:
        """What the method itself leaves between value and bound, in money."""
        return self.bound - self.value


def judge(case: Case) -> Verdict:
    try:
        solved = solve(case)
    except InfeasibleError:
        return Verdict("infeasible")
    except NoAllocationError:
        return Verdict("not found")
    certificate = solved.outcome.certificate
    return Verdict("found", solved.value, solved.solution.bound, solved.bound, certificate.largest_violation)


def check_agreement(seed: int, largest: int = 2_000) -> None:
    methods_agree(lambda method: random_case(seed, method, largest))


def methods_agree(made: Callable[[str], Case]) -> None:
    """Solved exactly and reduced, the case that is `made` for each method gets the same verdict."""
    check_verdicts(*(judge(made(method)) for method in ("exact", "reduced")))


def check_verdicts(exact: Verdict, reduced: Verdict) -> None:
    """Two methods say the same of one case."""
    assert exact.says == reduced.says
    if exact.says != "found":
        return
    size = max(abs(exact.value), abs(reduced.value), 1.0)
    for one, other in ((exact, reduced), (reduced, exact)):
        assert one.violation <= 1e-9
        assert one.certified >= other.value - 1e-8 * size
        assert one.bound >= other.value - 1e-8 * size
        assert one.value >= other.value - one.open - 1e-8 * size


@pytest.mark.parametrize("seed", SHARE)
def test_reduced_and_exact_agree(seed: int) -> None:
    check_agreement(seed, largest=300)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(500))
def test_reduced_and_exact_agree_everywhere(seed: int) -> None:
    check_agreement(seed)


GRIDS = (
    OwnSteps("lot"),
    SizedSteps(((300_000.0, 10_000.0), (np.inf, 50_000.0))),
    Choices((100_000.0, 180_000.0, 400_000.0, 1_000_000.0)),
    Choices((0.4, 0.75, 1.0), of_request=True),
)


def case_of_several_steps(seed: int, method: str, largest: int = 2_000) -> Case:
    """A random book whose amounts go by several steps or a menu; nothing is to be met exactly."""
    case = random_case(seed, method, largest)
    lots = np.random.default_rng(seed).choice([10_000.0, 25_000.0, 70_000.0], len(case.portfolio))
    book = replace(case.portfolio, numbers={**case.portfolio.numbers, "lot": lots})
    limits = tuple(
        replace(one, sense="at_least") if one.sense == "exactly" else one for one in case.policy.limits
    )
    ticket = Ticket(100_000.0, 1_000_000.0, None, GRIDS[seed % len(GRIDS)])
    budget = replace(case.policy.budget, spend="at_most")
    return replace(case, portfolio=book).under(ticket=ticket, limits=limits, budget=budget)


@pytest.mark.parametrize("seed", [2, 4, 5, 7])
def test_reduced_and_exact_agree_on_several_steps(seed: int) -> None:
    methods_agree(lambda method: case_of_several_steps(seed, method, largest=120))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_reduced_and_exact_agree_on_several_steps_everywhere(seed: int) -> None:
    methods_agree(lambda method: case_of_several_steps(seed, method, largest=70))


def test_the_random_books_hold_a_limit_of_every_kind() -> None:
    """Each measure in each direction, each reference, weights, filters, lists of limits; both budgets, ..."""
    books = [random_case(seed, largest=55) for seed in range(0, 500, 2)]
    limits = [entry for case in books for entry in case.policy.limits]
    assert {(entry.measure, entry.sense) for entry in limits} == set(product(MEASURES, SENSES))
    assert {entry.of for entry in limits if isinstance(entry.of, str)} == {
        "budget", "own_funds", "total", "drawn", "loans"
    }  # fmt: skip
    assert {len(entry.under) for entry in limits} == {0, 1}
    groups = {entry.of.basis for entry in limits if isinstance(entry.of, Group)}
    assert groups == {"offered", "drawn", "loans"}
    assert {entry.each for entry in limits} == {None, "grade", "sector", "region"}
    assert {entry.weight for entry in limits} == {None, "pd", "k", "score"}
    budgets = {(case.policy.budget.spend, case.policy.budget.basis) for case in books}
    assert budgets == set(product(("at_most", "exactly"), ("offered", "drawn")))
    grids = {(case.policy.rate_step, case.policy.ticket.step) for case in books}
    assert grids == set(product((None, 0.0025, 0.01), (None, 50_000.0)))
    for column in ("fixed_amount", "min_rate", "exposure", "relationship_value", "exclude"):
        held = [bool(np.any(np.nan_to_num(getattr(case.portfolio, column)))) for case in books]
        assert 0.05 < np.mean(held) < 0.6


def check_against_the_whole_program(seed: int) -> None:
    """An oracle that shares nothing with the engine; amounts are of any size there, whole cents here."""
    case = random_case(seed, largest=60)
    if case.policy.ticket.step is not None:
        return
    best, found = whole_program.best_value(case), judge(case)
    if best is None:
        assert found.says == "infeasible"
        return
    assert found.says == "found"
    size = max(abs(best), 1.0)
    assert found.value <= best + 1e-8 * size
    assert found.certified >= best - 1e-6 * size
    if not any(
        one.sense == "exactly" and one.measure not in ("offered", "loans") for one in case.policy.limits
    ):
        # Where one offer alone has to bring an exact interest, whole cents may miss it by any distance.
        assert found.value >= best - found.open - 1e-6 * size


@pytest.mark.parametrize("seed", range(2, 8))
def test_no_allocation_beats_the_whole_program_and_none_is_worth_less(seed: int) -> None:
    check_against_the_whole_program(seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(300))
def test_three_hundred_whole_programs(seed: int) -> None:
    check_against_the_whole_program(seed)


def check_slack_limit(seed: int, method: str, largest: int) -> None:
    """A limit that cannot bind, or one said twice, changes nothing; one limit less never costs anything."""
    case = random_case(seed, method, largest)
    before = judge(case)
    if before.says != "found":
        return
    limits = case.policy.limits
    roomy = Limit("roomy", "drawn", "at_most", 1e6 * len(case.portfolio))
    again = [replace(entry, name=f"{entry.name} again") for entry in limits[:1]]
    size = max(abs(before.value), 1.0)
    for more in ((*limits, roomy), (*again, *limits)):
        after = judge(case.under(limits=more))
        assert after.value == pytest.approx(before.value, abs=before.open + after.open + 1e-8 * size)
    if limits:
        out = seed % len(limits)
        freer = judge(case.under(limits=limits[:out] + limits[out + 1 :]))
        assert freer.value >= before.value - freer.open - 1e-8 * size


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(0, 500, 100))
def test_a_slack_limit_changes_nothing(seed: int, method: str) -> None:
    check_slack_limit(seed, method, largest=200)


@pytest.mark.full
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(500))
def test_a_slack_limit_changes_nothing_anywhere(seed: int, method: str) -> None:
    check_slack_limit(seed, method, largest=600)


def unhurried(seed: int) -> Case:
    """A random case that no clock ends."""
    case = random_case(seed, "reduced")
    return replace(case, settings=replace(case.settings, time_limit=3_600.0))


def test_threads_do_not_change_a_bit() -> None:
    case = unhurried(7)
    one = solve(replace(case, settings=replace(case.settings, threads=1)))
    two = solve(replace(case, settings=replace(case.settings, threads=2)))
    assert np.array_equal(one.decisions.amount, two.decisions.amount)
    assert np.array_equal(one.solution.prices, two.solution.prices)
    assert one.value == two.value


def test_prices_of_a_former_run_start_the_next() -> None:
    case = unhurried(7)
    first = solve(case)
    columns = first.columns
    again = optimise(columns.offers, columns.limits, case.settings, start=first.solution.prices)
    assert again.value == pytest.approx(first.solution.value, rel=1e-6)
    assert again.bound <= first.solution.bound * (1 + 1e-9)


def test_a_book_in_which_nobody_has_a_choice_is_reduced_too() -> None:
    book = portfolio(["A", "A"], fixed_amount=[1e5, 2e5], fixed_rate=[0.04, 0.08])
    table, terms = churn_table([0.04, 0.08], A=[0.0, 0.3]), policy(1e6, rates={"A": (0.04, 0.08)})
    cases = [Case(book, table, terms, settings=replace(SETTINGS, method=method)) for method in METHODS]
    exact, reduced = (solve(case) for case in cases)
    assert exact.decisions.amount.tolist() == reduced.decisions.amount.tolist() == [1e5, 2e5]
    assert exact.value == reduced.value
