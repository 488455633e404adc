"""Limits that must hold only if something is lent to a group: optimal against brute force."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from allocator.certification import recheck
from allocator.engine.optimise import optimise
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.conditions import Condition
from allocator.records.limits import Limits
from allocator.records.offers import OfferBook
from allocator.records.run import Decisions
from allocator.records.scenario import Limit
from allocator.records.solution import Solution
from allocator.records.strategy import SolverSettings
from allocator.testing.books import random_case
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.engine.test_methods import SHARE, methods_agree
from tests.engine.test_optimise import hard_case
from tests.stages import solve

TABLE = churn_table([0.05, 0.1], A=[0.0, 0.5])


def conditional(entry: Limit, sector: str) -> Limit:
    return replace(entry, if_lent_to=(Condition("sector", (sector,)),))


def tiny(seed: int) -> tuple[Case, list[Limit]]:
    """Six borrowers in three sectors, loans of one size, one to three conditional limits."""
    rng = np.random.default_rng(seed)
    sectors = [str(name) for name in rng.choice(["a", "b", "c"], 6)]
    pd = rng.uniform(0.0, 0.05, 6).round(3).tolist()
    entries = []
    for k in range(1 + seed % 3):
        where = (Condition("sector", (str(rng.choice(["a", "b", "c"])),)),)
        share, sense = float(rng.choice([0.3, 0.5, 0.7])), str(rng.choice(["at_most", "at_least"]))
        entry = replace(limit(f"then {k}", "offered", sense, share, of="total"), where=where)
        entries.append(conditional(entry, str(rng.choice(["a", "b", "c"]))))
    book = portfolio(["A"] * 6, pd=pd, max_amount=100.0, texts={"sector": sectors})
    return Case(book, TABLE, policy(400.0, *entries, ticket=(100.0, 100.0), rates={"A": (0.0, 1.0)})), entries


def best_of(case: Case, entries: list[Limit]) -> float:
    """Every subset is tried."""
    sectors = np.array(case.portfolio.text("sector").values)[case.portfolio.text("sector").codes]
    rates = ((0.05, 1.0), (0.1, 0.5))
    worth = [
        100.0 * max(take * (r * (1 - p) - p * 0.5) for r, take in rates) for p in case.portfolio.pd.tolist()
    ]
    best = 0.0
    for taken in product((False, True), repeat=6):
        made = np.array(taken)
        if made.sum() > 4:
            continue
        kept = True
        for entry in entries:
            if np.any(made & (sectors == entry.if_lent_to[0].values[0])):
                share = np.sum(made & (sectors == entry.where[0].values[0])) / made.sum()
                kept &= bool(share <= entry.bound if entry.sense == "at_most" else share >= entry.bound)
        if kept:
            best = max(best, sum(w for w, t in zip(worth, taken, strict=True) if t))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_whole_loans_against_brute_force(seed: int) -> None:
    case, entries = tiny(seed)
    solved = solve(case)
    assert solved.value == pytest.approx(best_of(case, entries), rel=1e-9, abs=1e-9)
    assert solved.outcome.certificate.gap <= 1e-9


def test_what_only_whole_loans_rule_out_is_proved_by_a_tree() -> None:
    """Two and a half loans would let the group in, and be worth more than two of the others."""
    entry = conditional(limit("then", "offered", "at_least", 250.0), "a")
    book = portfolio(["A"] * 4, pd=[0.0, 0.0, 0.04, 0.04], max_amount=100.0, texts={"sector": list("aabb")})
    terms = policy(250.0, entry, ticket=(100.0, 100.0), step=100.0, rates={"A": (0.0, 1.0)})
    solved = solve(Case(book, TABLE, terms))
    assert solved.decisions.amount.tolist() == [0.0, 0.0, 100.0, 100.0]
    assert solved.outcome.certificate.gap <= 1e-9
    assert solved.solution.proof == "tree"


def agree(seed: int, largest: int) -> None:
    """The methods agree on value and bounds, where some limits hang on a condition."""

    def capped(method: str) -> Case:
        case = random_case(seed, method, largest)
        grades = case.portfolio.grade.values
        asked = (Condition("grade", (grades[seed % len(grades)],)),)
        limits = [
            replace(entry, if_lent_to=asked) if k < 3 and 0.0 < entry.penalty == np.inf else entry
            for k, entry in enumerate(case.policy.limits)
        ]
        return case.under(limits=tuple(limits))

    methods_agree(capped)


@pytest.mark.parametrize("seed", [*SHARE][:3])
def test_exact_is_reduced(seed: int) -> None:
    agree(seed, 100)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_exact_is_reduced_of_all(seed: int) -> None:
    agree(seed, 500)


def test_a_pinned_offer_to_the_group_puts_the_limit_in_force() -> None:
    """Three of one size; the group's must be made, and then at least half is the other sector's."""
    entry = replace(
        limit("then", "offered", "at_least", 0.5, of="total"), where=(Condition("sector", ("b",)),)
    )
    book = portfolio(
        ["A"] * 3, pd=[0.01, 0.0, 0.04], max_amount=100.0, texts={"sector": ["a", "a", "b"]},
        fixed_amount=[100.0, np.nan, np.nan], fixed_rate=[0.05, np.nan, np.nan],
    )  # fmt: skip
    terms = policy(300.0, conditional(entry, "a"), ticket=(100.0, 100.0), rates={"A": (0.0, 1.0)})
    solved = solve(Case(book, TABLE, terms))
    assert solved.decisions.amount.tolist() == [100.0, 0.0, 100.0]
    use = solved.outcome.certificate.limits[1]
    assert (use.penalty, use.broken) == (np.inf, False)


def test_where_neither_side_holds_nothing_fits() -> None:
    """All money must be spent, only the group asks for enough, and its limit asks for too much."""
    entry = replace(
        limit("then", "offered", "at_least", 0.9, of="total"), where=(Condition("sector", ("b",)),)
    )
    book = portfolio(["A"] * 3, pd=0.01, max_amount=100.0, texts={"sector": ["a", "a", "b"]})
    terms = policy(
        200.0, conditional(entry, "a"), ticket=(100.0, 100.0), rates={"A": (0.0, 1.0)}, spend="exactly"
    )
    with pytest.raises(InfeasibleError):
        solve(Case(book, TABLE, terms))


def test_a_case_that_is_not_answered_in_time_makes_nothing_infeasible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the limit holds nothing fits; what fits without its group nobody knows."""

    def in_turn(offers: OfferBook, limits: Limits, *rest: Any, **more: Any) -> Solution:
        if np.any(offers.menu < 0):
            raise NoAllocationError("too late")
        if any(row.name == "then" for row in limits.rows):
            raise InfeasibleError("nothing fits", ["then"])
        return optimise(offers, limits, *rest, **more)

    monkeypatch.setattr("allocator.engine.conditions.optimise", in_turn)
    entry = conditional(limit("then", "offered", "at_least", 200.0, where={"sector": ["b"]}), "a")
    book = portfolio(["A"] * 3, pd=0.01, max_amount=100.0, texts={"sector": ["a", "a", "b"]})
    with pytest.raises(NoAllocationError):
        solve(Case(book, TABLE, policy(300.0, entry, ticket=(100.0, 100.0), rates={"A": (0.0, 1.0)})))


def test_a_case_cut_short_by_memory_says_so() -> None:
    case = replace(hard_case(), settings=SolverSettings(gap=1e-12, memory=1e6))
    entry = limit("then", "offered", "at_most", 1e3, where={"grade": ["A"]})
    entry = replace(entry, if_lent_to=(Condition("grade", ("B",)),))
    terms = case.policy
    spent = solve(replace(case, policy=replace(terms, limits=(*terms.limits, entry))))
    assert spent.solution.stop == "memory"
    assert (spent.outcome.faults, spent.outcome.stopped) == ((), True)


def test_decisions_are_judged_at_prices_of_others_who_lend_to_the_group() -> None:
    """As a frozen allocation is under a stress; for an empty one nothing is in force."""
    case = tiny(0)[0]
    none = Decisions(np.zeros(6), np.zeros(6))
    price = 0.5 if case.policy.limits[0].sense == "at_most" else -0.5
    outcome = recheck(case.scenario, case.inputs, none, {"budget": 0.01, "then 0": price})
    assert (outcome.prices["then 0"], outcome.certificate.bound, outcome.broken) == (0.0, np.inf, ())
