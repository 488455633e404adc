"""From a scenario's strategy to a solution that is judged as the optimum is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from time import perf_counter

import numpy as np

from allocator.engine.kernel.passes import Pass, Tally
from allocator.engine.verdicts import broken_rows
from allocator.errors import Fault, InputError
from allocator.limits import compile_limits
from allocator.records.case import Case
from allocator.records.filters import meets
from allocator.records.limits import conditional, in_force
from allocator.records.progress import Progress
from allocator.records.reasons import left_out
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
    if case.scenario.policy.posting is not None:
        problem = f"{rule} chooses each borrower's rate by itself, and pricing posts one for many"
        remedy = "compare optima, or write pricing: individual"
        raise InputError.of([Fault(problem, remedy, field="strategy")], case.scenario.name)
    progress(f"deciding by the rule {rule}")
    started = perf_counter()
    hanging = conditional(case.scenario.policy) and rule not in ("file", "min_loss")
    plan = (_best_way if hanging else _plan)(case, optimum, progress)
    book = ready(case, plan.offers)
    tally = book.tally(plan.option, plan.amount)
    return replace(
        optimum,
        amount=plan.amount,
        rate=book.columns.rate(plan.option),
        value=_worth(case, book, tally),
        seconds={**optimum.seconds, "solve": optimum.seconds["solve"] + perf_counter() - started},
        why=plan.why,
        stop="time_limit" if plan.stopped else optimum.stop,
    )


def _worth(case: Case, book: Pass, tally: Tally) -> float:
    """What offers come to, with what idle money earns, less what missing soft limits costs."""
    policy = case.scenario.policy
    idle = policy.idle_rate * policy.unspent(float(tally.usage[0]))
    return tally.value + idle - book.columns.limits.penalty_of(tally.usage)


def _best_way(case: Case, optimum: Solution, progress: Progress) -> Plan:
    """The rule's best plan over the ways to keep limits on a condition.

    In each way some hold, and the groups of the others get nothing. Of two ways the better is the one that
    breaks fewer limits, then the one that is worth more.
    """
    policy, portfolio, offers = case.scenario.policy, case.inputs.portfolio, case.offers
    groups = {limit.name: meets(limit.if_lent_to, portfolio) for limit in conditional(policy)}
    best: tuple[int, float] | None = None
    for sides in product((True, False), repeat=len(groups)):
        aside = [name for name, holds in zip(groups, sides, strict=True) if not holds]
        out = np.any([groups[name] for name in aside], axis=0) & np.ones(len(offers), dtype=bool)
        if np.any(out & offers.must):
            continue
        scenario = replace(case.scenario, policy=in_force(policy, groups.keys() - set(aside)))
        own = replace(offers, menu=np.where(out, -1, offers.menu))
        way = Case(scenario, case.inputs, own, compile_limits(scenario.policy, portfolio))
        tried = _plan(way, optimum, progress)
        book = ready(way, tried.offers)
        tally = book.tally(tried.option, tried.amount)
        broken = broken_rows(book.columns, tried.option, tried.amount, tally.usage)
        merit = -len(broken), _worth(way, book, tally)
        if best is None or merit > best:
            why = tried.why.copy()
            for name in reversed(aside):
                why[groups[name] & (offers.menu >= 0)] = left_out(name)
            best, plan = merit, replace(tried, why=why)
    return plan


def _plan(case: Case, optimum: Solution, progress: Progress) -> Plan:
    """The rule's own decisions; those of another package's are looked at, as nobody knows its code."""
    strategy = case.scenario.strategy
    if strategy.plugin is None:
        return RULES[strategy.rule](case, optimum, progress)
    with strategy.plugin.blamed():
        plan: Plan = strategy.plugin.thing(case, optimum, progress)
        require_plan(plan, case)
    return plan
