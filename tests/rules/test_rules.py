"""Every rule on random cases: the conformance check, and each rule's own definition worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given

from allocator.engine.filling import fill
from allocator.engine.greedy import best_wishes, by_worth
from allocator.engine.kernel.passes import prepare
from allocator.errors import InfeasibleError, InputError
from allocator.pipeline import decide, judge
from allocator.records.solution import Solution
from allocator.records.strategy import NamedRule, RuleName, Strategy
from allocator.testing.books import random_case
from allocator.testing.strategies import check_decisions as check
from allocator.testing.strategies import decided
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, prepared
from tests.strategies import cases, cases_in_cents, random_cases

RULES: tuple[RuleName, ...] = tuple(rule for rule in get_args(NamedRule) if rule != "optimal")
TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6], C=[0.1, 0.2, 0.5])
ABC = {"A": (0.04, 0.12), "B": (0.04, 0.12), "C": (0.04, 0.12)}


def optimum_of(case: Case) -> Solution:
    try:
        return decide(prepared(case))
    except InfeasibleError:
        assume(False)
        raise


@random_cases(10, full=25)
@given(cases(borrowers=6, rates=4))
def test_every_rule_keeps_terms_pins_and_caps_on_a_step(case: Case) -> None:
    optimum = optimum_of(case)
    for rule in RULES:
        check(case, Strategy(rule), optimum)


@random_cases(8, full=25)
@given(cases_in_cents())
def test_every_rule_keeps_terms_pins_and_caps_in_cents(case: Case) -> None:
    optimum = optimum_of(case)
    for rule in RULES:
        check(case, Strategy(rule), optimum)


@pytest.mark.parametrize(
    "seed", [3, *(pytest.param(seed, marks=pytest.mark.full) for seed in (11, 23, 27, 37))]
)
def test_every_rule_meets_the_limits_of_a_larger_book(seed: int) -> None:
    case = random_case(seed, largest=300)
    optimum = optimum_of(case)
    for rule in RULES:
        check(case, Strategy(rule), optimum)
        ready, solution = decided(case, Strategy(rule), optimum)
        floors = [u for u in judge(ready, solution).certificate.limits if u.broken and u.sense == "at_least"]
        # Lines by grade and a rate of the highest interest may leave nothing for who a floor wants.
        assert rule in ("ahp_lines", "max_interest") or not floors, (rule, floors)


@pytest.mark.parametrize("seed", [pytest.param(31, marks=pytest.mark.full), 43])
def test_every_rule_keeps_its_terms_where_limits_must_be_met_exactly(seed: int) -> None:
    """Making room for a last piece once raised another's amount beyond his largest loan."""
    case = random_case(seed, largest=300)
    optimum = optimum_of(case)
    for rule in RULES:
        check(case, Strategy(rule), optimum)


def amounts(case: Case, rule: RuleName, **told: object) -> list[float]:
    return decided(case, Strategy(rule, **told))[1].amount.tolist()  # type: ignore[arg-type]


def rates(case: Case, rule: RuleName, **told: object) -> list[float]:
    return decided(case, Strategy(rule, **told))[1].rate.tolist()  # type: ignore[arg-type]


@pytest.mark.parametrize(("share", "third"), [(0.6666666666666666, 0.0), (0.6666666666666667, 60_000.0)])
@pytest.mark.parametrize("rule", ["equal", "by_score", "greedy", "max_interest"])
def test_a_cap_a_hair_below_whole_cents_leaves_room_for_the_cents_below(
    rule: RuleName, share: float, third: float
) -> None:
    """Of 180,000 the share is 120,000 less or more a trillionth of a cent; 60,000 are pinned in it."""
    cap = limit("cap", "offered", "at_most", share, of="budget", where={"borrower_id": ["b000", "b002"]})
    book = portfolio(
        ["A"] * 3,
        min_amount=[0.0, 0.0, 60_000.0],
        fixed_amount=[60_000.0, 60_000.0, np.nan],
        fixed_rate=[0.04, 0.04, np.nan],
    )
    case = Case(book, TABLE, policy(180_000.0, cap, rates=ABC, ticket=(20_000.0, 80_000.0)))
    assert amounts(case, rule) == [60_000.0, 60_000.0, third]


def test_by_score_serves_the_grade_of_lower_mean_pd_first_then_the_lower_pd() -> None:
    # As texts AA stands after A; by PD it is the better grade.
    book = portfolio(["A", "AA", "A", "AA"], pd=[0.02, 0.012, 0.011, 0.004], max_amount=400_000.0)
    table = churn_table([0.04, 0.08], A=[0.0, 0.3], AA=[0.0, 0.3])
    case = Case(book, table, policy(1e6, rates={"A": (0.04, 0.08), "AA": (0.04, 0.08)}))
    assert amounts(case, "by_score") == [0.0, 400_000.0, 200_000.0, 400_000.0]


def test_greedy_serves_who_earns_most_a_unit_first() -> None:
    book = portfolio(["A"] * 3, pd=[0.03, 0.01, 0.02], max_amount=400_000.0)
    case = Case(book, TABLE, policy(650_000.0))
    assert amounts(case, "greedy") == [0.0, 400_000.0, 250_000.0]


def test_greedy_counts_the_money_that_the_budget_counts() -> None:
    """Of a budget on what is drawn the second uses a fifth a unit offered, and earns more a unit drawn."""
    book = portfolio(["A", "B"], pd=0.0, max_amount=500_000.0)
    table = churn_table([0.04, 0.12], A=[0.0, 1.0], B=[1.0, 0.8])
    case = Case(book, table, policy(100_000.0, basis="drawn"))
    assert amounts(case, "greedy") == [0.0, 500_000.0]
    assert amounts(case.under(budget=replace(case.policy.budget, basis="offered")), "greedy") == [
        100_000.0,
        0.0,
    ]


def test_max_interest_looks_at_no_loss() -> None:
    """a r: A 0.04, 0.056, 0.024; B 0.036, 0.06, 0.048: B first at 8 %, hopeless as it is."""
    book = portfolio(["A", "B"], pd=[0.0, 0.5], lgd=1.0, max_amount=500_000.0)
    case = Case(book, TABLE, policy(600_000.0))
    assert (amounts(case, "max_interest"), rates(case, "max_interest")) == (
        [100_000.0, 500_000.0],
        [0.08, 0.08],
    )
    ready, solution = decided(case, Strategy("max_interest"))
    expected = 100_000 * 0.056 + 500_000 * 0.75 * (0.08 * 0.5 - 0.5)
    assert judge(ready, solution).certificate.value == pytest.approx(expected)


def test_equal_pours_up_to_the_requests() -> None:
    book = portfolio(["A"] * 4, max_amount=[200_000.0, 500_000.0, 500_000.0, 50_000.0])
    case = Case(book, TABLE, policy(900_000.0))
    assert amounts(case, "equal") == [200_000.0, 350_000.0, 350_000.0, 0.0]


def test_equal_goes_on_for_those_whom_a_full_limit_does_not_stop() -> None:
    book = portfolio(["A", "A", "B", "B"], max_amount=500_000.0)
    case = Case(
        book, TABLE, policy(1_300_000.0, limit("A", "offered", "at_most", 400_000.0, where={"grade": ["A"]}))
    )
    assert amounts(case, "equal") == [200_000.0, 200_000.0, 450_000.0, 450_000.0]


def test_equal_gives_the_smallest_loans_to_the_best_where_they_do_not_go_round() -> None:
    book = portfolio(["A"] * 3, pd=[0.03, 0.01, 0.02], max_amount=400_000.0)
    assert amounts(Case(book, TABLE, policy(220_000.0)), "equal") == [0.0, 110_000.0, 110_000.0]


def test_equal_under_shares_of_what_is_lent() -> None:
    """A at most 40 %: A's two and B's two stand equal until A is full, then A follows B."""
    book = portfolio(["A", "A", "B", "B"], max_amount=[500_000.0, 500_000.0, 300_000.0, 300_000.0])
    share = limit("A", "offered", "at_most", 0.4, of="total", where={"grade": ["A"]})
    assert amounts(Case(book, TABLE, policy(2e6, share)), "equal") == [
        200_000.0,
        200_000.0,
        300_000.0,
        300_000.0,
    ]


def test_a_floor_is_served_first() -> None:
    """B earns less, but 300,000 of it are wanted; A gets what is left."""
    book = portfolio(["A", "A", "B", "B"], pd=[0.01, 0.01, 0.1, 0.09], max_amount=400_000.0)
    floor = limit("B", "offered", "at_least", 300_000.0, where={"grade": ["B"]})
    case = Case(book, TABLE, policy(800_000.0, floor))
    assert amounts(case, "greedy") == [400_000.0, 100_000.0, 0.0, 300_000.0]
    loans = limit("loans", "loans", "at_least", 4.0)
    assert amounts(Case(book, TABLE, policy(800_000.0, loans)), "greedy") == [400_000.0, 200_000.0, 1e5, 1e5]


def test_a_floor_that_nobody_can_serve_is_reported_broken() -> None:
    """Only the rule's own rate would do: at the best rate for value A draws too little."""
    table = churn_table([0.04, 0.08], A=[0.0, 0.4])
    book = portfolio(["A"], pd=0.0, max_amount=500_000.0)
    floor = limit("drawn", "drawn", "at_least", 400_000.0)
    case = Case(book, table, policy(500_000.0, floor, rates={"A": (0.04, 0.08)}))
    ready, solution = decided(case, Strategy("greedy"))
    outcome = judge(ready, solution)
    assert [use.name for use in outcome.certificate.limits if use.broken] == ["drawn"]
    assert "limit drawn" in str(outcome.broken[0])
    assert outcome.certificate.value == pytest.approx(500_000 * 0.6 * 0.08)
    assert outcome.certificate.value > outcome.certificate.bound + 1.0


def test_the_last_piece_of_an_exact_budget_makes_room_for_a_smallest_loan() -> None:
    book = portfolio(["A"] * 3, pd=[0.01, 0.02, 0.03], max_amount=400_000.0)
    assert amounts(Case(book, TABLE, policy(850_000.0, spend="exactly")), "greedy") == [4e5, 3.5e5, 1e5]


def test_lines_hold_each_grade_and_bands_its_rates() -> None:
    book = portfolio(["A", "A", "B", "C", "D"], pd=[0.02, 0.01, 0.01, 0.01, 0.01], max_amount=500_000.0)
    table = churn_table(
        [0.04, 0.08, 0.115, 0.13, 0.14],
        **{grade: [0.0, 0.3, 0.35, 0.5, 0.6] for grade in "ABCD"},
    )
    bands = dict.fromkeys("ABCD", (0.04, 0.15))
    case = Case(book, table, policy(1e6, rates=bands))
    _, solution = decided(case, Strategy("ahp_lines"))
    assert solution.amount.tolist() == [130_000.0, 500_000.0, 230_000.0, 140_000.0, 0.0]
    assert solution.rate.tolist() == [0.08, 0.08, 0.115, 0.14, 0.0]
    assert solution.why is not None
    assert solution.why[4] == "no line for this grade"
    narrow = Case(book, table, policy(1e6, rates={**bands, "C": (0.04, 0.08)}))
    assert decided(narrow, Strategy("ahp_lines"))[1].why[3] == "no rate of the strategy's band may be offered"  # type: ignore[index]
    own = Strategy("ahp_lines", lines={"D": 0.4}, bands={"D": (0.04, 0.05)})
    _, solution = decided(case, own)
    assert (solution.amount.tolist(), solution.rate.tolist()[4]) == ([0.0, 0.0, 0.0, 0.0, 400_000.0], 0.04)


def test_lines_for_no_grade_of_the_book_are_refused() -> None:
    case = Case(portfolio(["A"]), TABLE, policy(1e6))
    with pytest.raises(InputError, match=r"gives lines to X; the borrowers' grades are A"):
        decided(case, Strategy("ahp_lines", lines={"X": 0.5}))


def test_a_line_stands_beside_a_limit_of_its_name() -> None:
    book = portfolio(["A", "B"], max_amount=900_000.0)
    named = limit("A line", "offered", "at_most", 200_000.0, where={"grade": ["A"]})
    case = Case(book, TABLE, policy(1e6, named))
    bands = {"A": (0.04, 0.12), "B": (0.04, 0.12)}
    assert amounts(case, "ahp_lines", bands=bands) == [200_000.0, 230_000.0]


def test_min_loss_takes_the_least_loss_that_earns_the_income() -> None:
    """At 8 % each 100,000 of A earns 5,600 (1 - p); the safer firm is filled, the other takes the rest."""
    table = churn_table([0.08], A=[0.3])
    book = portfolio(["A", "A"], pd=[0.01, 0.04], lgd=0.5, max_amount=500_000.0)
    case = Case(book, table, policy(1e6, rates={"A": (0.04, 0.12)}, step=10_000.0))
    wanted = 500_000 * 0.056 * 0.99 + 200_000 * 0.056 * 0.96
    assert amounts(case, "min_loss", income=wanted) == [500_000.0, 200_000.0]
    optimum = 500_000 * 0.056 * (0.99 + 0.96)
    kept = 500_000 * 0.056 * 0.99
    assert amounts(case, "min_loss", share=kept / optimum) == [500_000.0, 0.0]


def test_an_income_that_cannot_be_earned_is_named() -> None:
    case = Case(portfolio(["A"], max_amount=500_000.0), TABLE, policy(1e6))
    with pytest.raises(InfeasibleError, match="income wanted by min_loss"):
        decided(case, Strategy("min_loss", income=1e6))


@pytest.mark.parametrize("seed", [2, *(pytest.param(seed, marks=pytest.mark.full) for seed in (5, 8))])
def test_the_compiled_walk_fills_to_the_same_bits(seed: int) -> None:
    columns = columns_of(random_case(seed, largest=400))
    wish, worth = best_wishes(prepare(columns, 1, compiled=False))
    books = [prepare(columns, 1, compiled=compiled) for compiled in (False, True)]
    plain, compiled = (fill(book, wish, by_worth(book, wish, worth)) for book in books)
    assert np.array_equal(plain.amount, compiled.amount)
    assert np.array_equal(plain.blocker, compiled.blocker)


def test_a_book_of_offers_is_worth_what_it_is_worth_and_breaks_what_it_breaks() -> None:
    from allocator.pipeline import prepare as prepared_case
    from allocator.records.case import Inputs
    from allocator.records.run import Decisions

    firms = portfolio(["A", "A", "B", "A"], pd=0.0, max_amount=400_000.0, exclude=[False, False, False, True])
    cap = limit("B", "offered", "at_most", 100_000.0, where={"grade": ["B"]})
    case = Case(firms, TABLE, policy(2e6, cap, rates={"A": (0.04, 0.08), "B": (0.04, 0.12)}))
    book = Decisions(
        np.array([300_000.0, 500_000.0, 150_000.0, 100_000.0]), np.array([0.06, 0.08, 0.12, 0.1])
    )
    scenario = replace(case.scenario, strategy=Strategy("file", book=Path("theirs.csv")))
    ready = prepared_case(scenario, Inputs(firms, TABLE, {}, book))
    outcome = judge(ready, decide(ready))
    # Between 4 % and 8 % take-up runs from 1 to 0.7; above, to 0.2 at 12 %.
    worth = 300_000 * 0.85 * 0.06 + 500_000 * 0.7 * 0.08 + 150_000 * 0.4 * 0.12 + 100_000 * 0.45 * 0.1
    assert outcome.certificate.value == pytest.approx(worth)
    assert outcome.terms_broken == {
        "amount to a borrower who may not be offered anything": 1,
        "amount outside the borrower's smallest and largest loan": 1,
        "rate that may not be offered": 1,
    }
    assert [use.name for use in outcome.certificate.limits if use.broken] == ["B"]
