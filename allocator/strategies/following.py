"""From a scenario's strategy to a solution that is judged as the optimum is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter

from allocator.errors import Fault, InputError
from allocator.records.case import Case
from allocator.records.progress import Progress
from allocator.records.solution import Solution
from allocator.records.strategy import RuleName
from allocator.strategies.ahp_lines import ahp_lines
from allocator.strategies.by_score import by_score
from allocator.strategies.equal import equal
from allocator.strategies.from_file import from_file
from allocator.strategies.greedy import by_greed
from allocator.strategies.max_interest import max_interest
from allocator.strategies.min_loss import min_loss
from allocator.strategies.plan import Plan, StrategyRule, ready, require_plan

RULES: Mapping[RuleName, StrategyRule] = {
    "ahp_lines": ahp_lines,
    "equal": equal,
    "by_score": by_score,
    "greedy": by_greed,
    "max_interest": max_interest,
    "min_loss": min_loss,
    "file": from_file,
}
"""Every rule of our own but the optimal."""


def follow(case: Case, optimum: Solution, progress: Progress = lambda _: None) -> Solution:
    """The decisions of the case's strategy with the prices and the bound of its `optimum`.

    Raises InputError where the strategy does not fit the borrowers, InfeasibleError where the income that
    min_loss is to earn cannot be earned.
    """
    rule = case.scenario.strategy.rule
    if rule == "optimal":
        return optimum
    if case.scenario.policy.pricing != "individual":
        problem = f"{rule} chooses each borrower's rate by itself, and pricing posts one a grade"
        remedy = "compare optima, or write pricing: individual"
        raise InputError.of([Fault(problem, remedy, field="strategy")], case.scenario.name)
    progress(f"deciding by the rule {rule}")
    started = perf_counter()
    plan = _plan(case, optimum, progress)
    book = ready(case, plan.offers)
    tally = book.tally(plan.option, plan.amount)
    policy = case.scenario.policy
    idle = policy.idle_rate * policy.unspent(float(tally.usage[0]))
    return replace(
        optimum,
        amount=plan.amount,
        rate=book.columns.rate(plan.option),
        value=tally.value + idle - book.columns.limits.penalty_of(tally.usage),
        seconds={**optimum.seconds, "solve": optimum.seconds["solve"] + perf_counter() - started},
        why=plan.why,
        stop="time_limit" if plan.stopped else optimum.stop,
    )


def _plan(case: Case, optimum: Solution, progress: Progress) -> Plan:
    """The rule's own decisions; those of another package's are looked at, as nobody knows its code."""
    strategy = case.scenario.strategy
    if strategy.plugin is None:
        return RULES[strategy.rule](case, optimum, progress)
    with strategy.plugin.blamed():
        plan: Plan = strategy.plugin.thing(case, optimum, progress)
        require_plan(plan, case)
    return plan
