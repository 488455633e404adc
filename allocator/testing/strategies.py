"""What must hold of every strategy's decisions, whatever the case: one check for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from allocator.certification import recheck
from allocator.certification.reasons import contradicted_reasons
from allocator.engine.kernel.columns import Columns
from allocator.errors import InfeasibleError, InputError
from allocator.pipeline import decide, judge
from allocator.records.case import Case as Prepared
from allocator.records.outcome import Outcome
from allocator.records.plugins import Plugin
from allocator.records.run import Decisions
from allocator.records.solution import Solution
from allocator.records.strategy import Strategy
from allocator.strategies.plan import StrategyRule
from allocator.testing import limit_rows, plain
from allocator.testing.books import random_case
from allocator.testing.cases import Case, text
from allocator.testing.requiring import require
from allocator.testing.stages import prepared, price_map


def check_strategy(rule: StrategyRule, seeds: Iterable[int] = range(8), largest: int = 200) -> None:
    """`rule` on the random book of each seed, of 50 to `largest` borrowers under limits of every kind.

    Terms, pins and exclusions are kept; no cap is broken that pins and exposure do not break by themselves;
    who gets nothing is told why in words that a recheck accepts; the same case gets the same decisions.
    Raises AssertionError, or InputError where the rule's code fails.
    """
    plugin = Plugin("strategy", "under_test", "the package under test", "0", rule)
    strategy = Strategy("under_test", plugin=plugin)
    for seed in seeds:
        case = random_case(seed, largest=largest)
        try:
            optimum = decide(prepared(case))
        except InfeasibleError:
            continue
        check_decisions(case, strategy, optimum)
        first, second = (decided(case, strategy, optimum)[1] for _ in range(2))
        same = np.array_equal(first.amount, second.amount) and np.array_equal(first.rate, second.rate)
        require(same, f"the book of seed {seed} gets other decisions the second time")


def decided(case: Case, strategy: Strategy, optimum: Solution | None = None) -> tuple[Prepared, Solution]:
    """The case with its strategy, and that strategy's decisions."""
    ready = prepared(case)
    ready = replace(ready, scenario=replace(ready.scenario, strategy=strategy))
    return ready, decide(ready, optimum=optimum)


def check_decisions(case: Case, strategy: Strategy, optimum: Solution) -> None:
    """Terms, pins and exclusions kept; no cap broken that pins and exposure do not break by themselves;
    the value as the plain rules count it, below the bound unless something is broken; reasons for refusals.
    """
    try:
        ready, solution = decided(case, strategy, optimum)
    except InputError as error:
        if strategy.rule == "ahp_lines" and "gives lines to A, B, C" in str(error):
            return  # nobody in the book has a line
        raise
    outcome = judge(ready, solution)
    require(outcome.terms_broken == {}, f"it breaks terms: {dict(outcome.terms_broken)}")
    offers = _offers(ready, solution)
    for i, offer in enumerate(offers):
        require(
            offer is None or plain.terms(case, i) is not None, f"borrower {i} may not be offered anything"
        )
    broken = {use.name for use in outcome.certificate.limits if use.broken}
    for row in limit_rows.rows(case):
        left, right = limit_rows.left_side(case, row, offers), limit_rows.right_side(case, row, offers)
        holds = limit_rows.holds(case, row, left, right)
        require(holds == (row.name not in broken), f"limit {row.name}: {left} against {right} is misjudged")
    _only_unavoidable(case, ready, broken)
    _check_value(case, offers, outcome, broken)
    _check_reasons(ready, solution, outcome)


def _check_value(case: Case, offers: list[plain.Offer | None], outcome: Outcome, broken: set[str]) -> None:
    """The value is what the plain rules count, and below the bound unless something is broken."""
    idle = case.policy.idle_rate if case.policy.budget.spend == "at_most" else 0.0
    unspent = case.policy.budget.amount - limit_rows.left_side(case, limit_rows.rows(case)[0], offers)
    worth = sum(plain.worth(case, i, offer) for i, offer in enumerate(offers)) + idle * unspent
    value, bound = outcome.certificate.value, outcome.certificate.bound
    near = abs(value - worth) <= 1e-9 * max(abs(worth), 1.0)
    require(near, f"its value is {value}, by the plain rules {worth}")
    below = worth <= bound + 1e-9 * max(abs(bound), 1.0)
    require(broken or below, f"its value {worth} lies above the bound {bound}")
    consistent = (outcome.status_at(1.0) == "breaks_limits") == bool(broken)
    require(consistent, f"limits {sorted(broken)} are broken under the status {outcome.status_at(1.0)}")


def _check_reasons(ready: Prepared, solution: Solution, outcome: Outcome) -> None:
    """Who gets nothing, and nobody else, is told why, in words that a recheck accepts."""
    why, declined = solution.why, solution.amount == 0
    if why is None:
        raise AssertionError("it tells nobody why he gets nothing")
    told = [
        (word != "") == bool(is_declined) for word, is_declined in zip(why.tolist(), declined, strict=True)
    ]
    require(all(told), "somebody gets nothing and no reason, or an offer and a reason against it")
    wrong = contradicted_reasons(ready.scenario, ready.inputs, declined, outcome.prices, text(why.tolist()))
    i = int(np.argmax(wrong != ""))
    require(wrong[i] == "", f"borrower {i} is told {why[i]!r}, where the inputs give {wrong[i]!r}")


def _only_unavoidable(case: Case, ready: Prepared, broken: set[str]) -> None:
    """A cap is broken only where pinned offers and what is already lent break it with nothing else lent."""
    pinned = np.where(np.isnan(case.portfolio.fixed_amount), 0.0, case.portfolio.fixed_amount)
    rate = np.where(pinned > 0, np.nan_to_num(case.portfolio.fixed_rate), 0.0)
    columns = Columns(ready.offers, ready.limits)
    none = price_map(columns, np.zeros(len(ready.limits)))
    alone = recheck(ready.scenario, case.inputs, Decisions(pinned, rate), none)
    before = {use.name for use in alone.certificate.limits if use.broken}
    caps = {row.name for row in ready.limits.rows if row.sense == "at_most"}
    avoidable = sorted(broken & caps - before)
    require(not avoidable, f"it breaks {', '.join(avoidable)}, which nothing but its own offers breaks")


def _offers(ready: Prepared, solution: Solution) -> list[plain.Offer | None]:
    columns = Columns(ready.offers, ready.limits)
    offers: list[plain.Offer | None] = []
    for i, (x, rate) in enumerate(zip(solution.amount.tolist(), solution.rate.tolist(), strict=True)):
        if x == 0:
            offers.append(None)
            continue
        menu = columns.offers.menus[columns.offers.menu[i]]
        offers.append(plain.Offer(x, rate, float(menu.take_up[menu.rates.tolist().index(rate)])))
    return offers
