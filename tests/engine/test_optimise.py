"""Books at the edge: nobody to lend to, one borrower, losses that must be made, no time at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.scenario import Limit
from allocator.records.strategy import SolverSettings
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.insight.explain.test_explanation import crowded
from tests.stages import solve

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])


@pytest.mark.parametrize("step", [None, 50_000.0])
@pytest.mark.parametrize("book", [portfolio(["D", "D"]), portfolio(["A"], exclude=True), portfolio([])])
def test_nobody_to_lend_to(book: object, step: float | None) -> None:
    """The whole budget stays idle; where it has to be spent there is no allocation."""
    case = Case(book, TABLE, policy(1e6, step=step, idle_rate=0.01))
    solved = solve(case)
    assert not solved.decisions.amount.any()
    assert solved.solution.bound == 10_000.0
    assert solved.value == pytest.approx(10_000.0, rel=1e-12)
    with pytest.raises(InfeasibleError, match="'budget' cannot be met"):
        solve(case.under(budget=replace(case.policy.budget, spend="exactly")))


def test_one_borrower_gets_the_best_rate_for_the_amount_that_fits() -> None:
    book = portfolio(["A"], pd=0.01, max_amount=777_777.77)
    solved = solve(Case(book, TABLE, policy(500_000.0)))
    assert solved.decisions.amount.tolist() == [500_000.0]
    assert solved.decisions.rate.tolist() == [0.08]
    assert solved.value == pytest.approx(0.7 * (0.08 * 0.99 - 0.01 * 0.5) * 500_000.0)


def test_a_book_that_only_loses_stays_empty_unless_the_budget_must_be_spent() -> None:
    book = portfolio(["A"] * 3, pd=[0.2, 0.25, 0.3])
    case = Case(book, TABLE, policy(200_000.0))
    assert solve(case).value == 0.0
    spent = solve(case.under(budget=replace(case.policy.budget, spend="exactly")))
    assert spent.value < 0
    assert spent.decisions.amount.tolist() == [200_000.0, 0.0, 0.0]


def test_a_pinned_loss_is_made_and_the_rest_is_best() -> None:
    book = portfolio(
        ["A", "A"], pd=[0.5, 0.01], fixed_amount=[300_000.0, np.nan], fixed_rate=[0.04, np.nan], lgd=1.0
    )
    solved = solve(Case(book, TABLE, policy(500_000.0)))
    assert solved.decisions.amount.tolist() == [300_000.0, 200_000.0]
    assert solved.decisions.rate[0] == 0.04


def test_money_that_earns_more_idle_is_not_lent() -> None:
    book = portfolio(["A", "B"], pd=0.01)
    for idle_rate, lent in ((0.0, True), (0.05, True), (0.2, False)):
        solved = solve(Case(book, TABLE, policy(1.5e6, idle_rate=idle_rate)))
        assert bool(solved.decisions.amount.any()) is lent
        assert solved.solution.bound - solved.value <= 1e-9 * solved.value


def test_the_smallest_loan_may_be_best_where_the_offer_itself_pays() -> None:
    """The relationship is worth an offer at a rate that loses money on every unit."""
    book = portfolio(["A"], pd=0.2, relationship_value=50_000.0)
    solved = solve(Case(book, TABLE, policy(1e6, decline_churn=1.0)))
    assert solved.decisions.amount.tolist() == [100_000.0]
    assert solved.value > 0


def hard_case(*limits: Limit) -> Case:
    """400 borrowers on whole steps, with terms that no line of prices settles; a millionth of a second."""
    random = np.random.default_rng(3)
    n = 400
    book = portfolio(
        random.choice(["A", "B"], n).tolist(),
        pd=random.uniform(0.001, 0.05, n),
        max_amount=np.round(random.uniform(1e5, 1e6, n)),
        relationship_value=random.uniform(0, 5_000, n),
    )
    loss = limit("loss", "expected_loss", "at_most", 90_000.0)
    terms = policy(2e7, loss, *limits, processing_cost=400.0, step=20_000.0)
    return Case(book, TABLE, terms, settings=SolverSettings(gap=1e-12, time_limit=1e-6))


UNMET = (
    limit("count", "loans", "exactly", 61.0),
    limit("B", "drawn", "exactly", 0.5, of="drawn", where={"grade": ["B"]}),
    limit("earned", "interest", "exactly", 161_234.56),
)
"""What no first allocation meets."""


def test_no_time_leaves_a_first_allocation_and_says_so() -> None:
    hurried = solve(hard_case())
    assert hurried.solution.stop == "time_limit"
    assert 0 < hurried.value < hurried.solution.bound
    assert hurried.outcome.faults == ()


def test_no_memory_leaves_a_first_allocation_and_says_so() -> None:
    case = replace(hard_case(), settings=SolverSettings(gap=1e-12, memory=1e6))
    spent = solve(case)
    assert spent.solution.stop == "memory"
    assert 0 < spent.value < spent.solution.bound
    assert (spent.outcome.faults, spent.outcome.stopped) == ((), True)


def test_prices_need_no_memory_beyond_the_book() -> None:
    """Where prices settle a book, as those of large ones do, no search follows that would need memory."""
    random = np.random.default_rng(3)
    n = 20_000
    book = portfolio(
        random.choice(["A", "B"], n).tolist(),
        pd=random.uniform(0.001, 0.05, n),
        max_amount=np.round(random.uniform(1e5, 1e6, n)),
    )
    share = limit("share", "drawn", "at_most", 0.3, of="drawn", where={"grade": ["B"]})
    case = Case(book, TABLE, policy(5e4 * n, limit("loss", "expected_loss", "at_most", 225.0 * n), share))
    free, spare = (
        solve(replace(case, settings=SolverSettings(gap=1e-9, memory=memory))) for memory in (np.inf, 1e6)
    )
    assert spare.solution.stop == "gap"
    assert (spare.solution.bound, spare.value) == (free.solution.bound, free.value)


def test_no_time_and_no_first_allocation_is_said() -> None:
    with pytest.raises(NoAllocationError, match=r"^no allocation was found within 1e-06 seconds; raise"):
        solve(hard_case(*UNMET))


def test_no_memory_and_no_first_allocation_is_said() -> None:
    spent = replace(hard_case(*UNMET), settings=SolverSettings(gap=1e-12, memory=1e6))
    with pytest.raises(NoAllocationError, match=r"within 0\.001 GB of memory; raise solver\.memory$"):
        solve(spent)


def test_the_seed_and_the_threads_change_no_bit() -> None:
    book = portfolio(["A", "B"] * 20, pd=np.linspace(0.001, 0.04, 40), relationship_value=[0.0, 4_000.0] * 20)
    case = Case(book, TABLE, policy(9.1e6, limit("few", "loans", "at_most", 13.0), processing_cost=300.0))
    first = solve(case)
    again = solve(replace(case, settings=replace(case.settings, threads=1)))
    np.testing.assert_array_equal(first.decisions.amount, again.decisions.amount)
    np.testing.assert_array_equal(first.solution.prices, again.solution.prices)
    assert first.bound == again.bound


def test_a_share_that_every_offer_meets_exactly_is_met_by_all() -> None:
    """0.7 x 0.08 x 0.75 against 0.042 of the total cancels to rounding dust, which binds nobody."""
    book = portfolio(["A"] * 3, pd=[0.01, 0.02, 0.03], term=0.75)
    rates = {"A": (0.08, 0.08)}
    for sense in ("exactly", "at_most", "at_least"):
        share = limit("yield", "gross_interest", sense, 0.7 * 0.08 * 0.75, of="total")
        solved = solve(Case(book, TABLE, policy(2.5e6, share, rates=rates)))
        assert solved.decisions.amount.tolist() == [1e6, 1e6, 5e5]


def test_huge_and_tiny_money_is_counted_alike() -> None:
    """A budget of a trillion with a count of loans, and one of a few units."""
    for scale in (1e-3, 1.0, 1e5):
        book = portfolio(["A", "B"] * 6, pd=np.linspace(0.001, 0.04, 12))
        terms = policy(
            6e6 * scale,
            limit("few", "loans", "at_most", 5.0),
            ticket=(1e5 * scale, 1e6 * scale),
        )
        solved = solve(Case(book, TABLE, terms))
        assert int((solved.decisions.amount > 0).sum()) == 5
        assert solved.value / scale == pytest.approx(220_000.0, rel=0.5)


@pytest.mark.parametrize("amount", [0.01, 1.0, 1e3, 9e4, 1e5])
def test_a_budget_that_hardly_an_offer_fits_into_is_certified(amount: float) -> None:
    """The prices are so high that large sums cancel to a bound of next to nothing."""
    case = crowded(budget=amount)
    outcome = solve(case).outcome
    assert outcome.certificate.value <= outcome.certificate.bound + 1e-9
    assert outcome.certificate.bound <= outcome.certificate.value * (1 + 1e-9) + 0.01


def test_coefficients_that_cancel_but_for_rounding_are_none() -> None:
    """0.3 - 0.1 x 3 is not 0 in doubles; a row of such dust has no price, however the solver scales it."""
    book = portfolio(["A", "B"], pd=[0.1, 0.0], lgd=1.0, max_amount=110_000.0)
    table = churn_table([0.1], A=[0.0], B=[0.75])
    exact = limit("rate", "gross_interest", "exactly", 0.1 + 1.4e-17, of="drawn")
    loss = limit("loss", "expected_loss", "at_most", 0.1 * 0.1 * (1 - 1e-16), of="total", weight="pd")
    case = Case(book, table, policy(91_000.0, exact, loss, step=20_000.0, basis="drawn", idle_rate=0.06))
    solved = solve(case)
    assert solved.bound == pytest.approx(solved.value)
    assert np.abs(solved.solution.prices).max() < 1.0
    assert solved.value == pytest.approx(solve(case.under(limits=())).value)
