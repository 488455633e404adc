"""The price of everything: what each thing a lender might change would add to the best value.

opt' - opt of a change lies between v' - U and U' - v: v and U what is known of the best value as things are,
v' the value of any allocation that the change allows (the run's own as it then counts, or that of solving
again), U' any bound of the changed case (at the run's own prices, or at those of solving again). So every
range is certified, solved or not. A run that breaks limits shows no v.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from allocator.borrowers import stressed
from allocator.certification import recheck
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.insight.variants import AddedValue, BestKnown, answer, best_of, in_brief, with_policy
from allocator.pipeline import prepare
from allocator.portfolio import held_to
from allocator.records.case import Case, Inputs
from allocator.records.conditions import Condition
from allocator.records.limits import is_percentage
from allocator.records.lots import CENT
from allocator.records.offers import SAME_RATE
from allocator.records.outcome import Outcome
from allocator.records.percentages import as_percentage
from allocator.records.progress import Progress
from allocator.records.scenario import COUNTED, Limit, Policy, Scenario
from allocator.records.stress import Shock, Stress, StressCase, StressSource


@dataclass(frozen=True)
class Lever:
    """One thing changed."""

    name: str
    change: str
    """The change in words: what it is now and what it becomes."""
    case: Callable[[], Case]
    """The case with the change."""
    posed: Callable[[], tuple[Scenario, Inputs]]
    """The scenario and the inputs of that case, with nothing priced: all that a recheck needs."""
    loosens: bool = False
    """Whether no allocation is lost or worth less by it: then the best value cannot fall."""


@dataclass(frozen=True)
class Levers:
    """Every lever's worth, the largest first."""

    run: Outcome
    best: BestKnown
    """What is known of the best value as things are."""
    worths: tuple[AddedValue, ...]


def levers_of(case: Case, size: float) -> Iterator[Lever]:
    """Every lever of the case, each moved the lender's way by `size` of itself, a fraction.

    Left out: what is 0, limits that must be met exactly, shares of 100 %. Bands of rates move by one rate.
    """
    policy = case.scenario.policy
    yield from _limits(case, policy, size)
    yield from _costs(case, policy, size)
    yield from _borrowers(case, size)
    yield from _rates(case, policy)


def _under(case: Case, name: str, change: str, policy: Policy, *, loosens: bool = True) -> Lever:
    scenario = replace(case.scenario, policy=policy)
    return Lever(name, change, partial(with_policy, case, policy), lambda: (scenario, case.inputs), loosens)


def _limits(case: Case, policy: Policy, size: float) -> Iterator[Lever]:
    amount = policy.budget.amount
    if amount > 0:
        more = (1.0 + size) * amount
        words = f"{amount:,.0f} to {more:,.0f}"
        owed = policy.budget.spend != "at_most" or any(
            limit.of == "budget" and limit.sense != "at_most" for limit in policy.enforced
        )
        yield _under(case, "budget", words, policy.with_budget(more), loosens=not owed)
    for limit in policy.enforced:
        bound = _loosened_bound(limit, size)
        if bound is not None:
            words = f"{_bound(limit, limit.bound)} to {_bound(limit, bound)}"
            yield _under(case, f"limit {limit.name}", words, policy.with_bound(limit.name, bound))


def _loosened_bound(limit: Limit, size: float) -> float | None:
    """The bound with `size` of itself more room; None where it has no way to go."""
    if limit.bound == 0 or limit.sense == "exactly":
        return None
    away = 1.0 if limit.sense == "at_most" else -1.0
    more = size * abs(limit.bound)
    if limit.measure in COUNTED and limit.of is None and limit.weight is None:
        more = max(round(more), 1)  # loans are whole
    bound = limit.bound + away * more
    bound = min(bound, limit.most)
    return None if bound == limit.bound else bound


def _band(low: float, high: float) -> str:
    return f"{as_percentage(low)} to {as_percentage(high)}"


def _bound(limit: Limit, bound: float) -> str:
    share = limit.of is not None and is_percentage(limit)
    return as_percentage(bound) if share else f"{bound:,.10g}"


def _costs(case: Case, policy: Policy, size: float) -> Iterator[Lever]:
    keys = {
        "funding_rate": "funding rate",
        "processing_cost": "processing cost of a loan",
        "churn_cost_rate": "cost of churn",
    }
    for key, name in keys.items():
        now = getattr(policy, key)
        if now > 0:
            less = (1.0 - size) * now
            changed: dict[str, Any] = {key: less}
            words = f"{now:,.2f} to {less:,.2f}" if key == "processing_cost" else f"{now:.4%} to {less:.4%}"
            yield _under(case, name, words, replace(policy, **changed))
    capital = policy.capital
    if capital.cost:
        less = (1.0 - size) * capital.cost
        changed = {"capital": replace(capital, cost=less)}
        words = f"{capital.cost:.4%} to {less:.4%}"
        yield _under(case, "cost of capital", words, replace(policy, **changed))
    ticket = policy.ticket
    larger, smaller = (1 + size) * ticket.max, (1 - size) * ticket.min
    for name, now, then, other in (
        ("largest ticket", ticket.max, larger, replace(ticket, max=larger)),
        ("smallest ticket", ticket.min, smaller, replace(ticket, min=smaller)),
    ):
        if then >= (ticket.step or CENT):
            words = f"{now:,.0f} to {then:,.0f}"
            yield _under(case, name, words, replace(policy, ticket=other))


def _borrowers(case: Case, size: float) -> Iterator[Lever]:
    """PD, LGD and churn lower, requests larger: of everybody, and of each grade that is lent to."""
    less, more = Shock(1.0 - size), Shock(1.0 + size)
    yield _stressed(case, "churn of every grade", -size, Stress(churn=less))
    yield _stressed(case, "PD of every grade", -size, Stress(pd=less))
    yield _stressed(case, "LGD of every grade", -size, Stress(lgd=less))
    yield _stressed(case, "requests of every grade", size, Stress(amount=more))
    portfolio = case.inputs.portfolio
    lent_to = [grade for grade in portfolio.grade.values if grade in case.scenario.policy.rates]
    for grade in lent_to if len(lent_to) > 1 else ():
        own = Shock(cases=(StressCase((Condition("grade", (grade,)),), 1.0 - size),))
        yield _stressed(case, f"churn of grade {grade}", -size, Stress(churn=own))
        yield _stressed(case, f"PD of grade {grade}", -size, Stress(pd=own))
        yield _stressed(case, f"LGD of grade {grade}", -size, Stress(lgd=own))


def _stressed(case: Case, name: str, size: float, stress: Stress) -> Lever:
    posed = partial(_under_stress, case, stress)
    return Lever(name, f"{100 * size:+.4g}% of itself", lambda: prepare(*posed()), posed)


def _under_stress(case: Case, stress: Stress) -> tuple[Scenario, Inputs]:
    own, policy = case.inputs, case.scenario.policy
    portfolio, churn = stressed(own.portfolio, own.churn, stress, StressSource())
    return case.scenario, Inputs(held_to(portfolio, policy), churn, own.hashes)


def _rates(case: Case, policy: Policy) -> Iterator[Lever]:
    """Each grade's band wider by one rate: of the table, or a step inside it; contracts have no other."""
    if policy.by_contract:
        return
    table = case.inputs.churn.rates
    for grade, (low, high) in policy.rates.items():
        if policy.rate_step is None:
            above, below = table[table > high + SAME_RATE], table[table < low - SAME_RATE]
        else:
            above = np.array([rate for rate in (high + policy.rate_step,) if rate <= table[-1] + SAME_RATE])
            below = np.array([rate for rate in (low - policy.rate_step,) if rate >= table[0] - SAME_RATE])
        for end, band in (
            *(("highest", (low, float(rate))) for rate in above[:1]),
            *(("lowest", (float(rate), high)) for rate in below[-1:]),
        ):
            words = f"{_band(low, high)} becomes {_band(*band)}"
            wider = replace(policy, rates={**policy.rates, grade: band})
            kept = end == "lowest" or _on_the_grid(high - low, policy.rate_step)
            yield _under(case, f"{end} rate of grade {grade}", words, wider, loosens=kept)


def _on_the_grid(width: float, step: float | None) -> bool:
    """Whether a band's highest rate is one of its steps: else a wider band does not hold it."""
    return step is None or abs(width / step - round(width / step)) <= 1e-9


def price_levers(
    run: Outcome,
    size: float = 0.01,
    *,
    quick: bool = False,
    first: int | None = None,
    among: Collection[str] | None = None,
    case: Case | None = None,
    progress: Progress = lambda _: None,
) -> Levers:
    """What each lever, moved by `size` of itself, would add to the best value, the largest first.

    `quick` solves nothing and stays at the run's prices; of `first` so many are solved again, in brief, that
    none may add more than these do at most. With `among` the levers of these names alone are priced. `case`
    is the run's own where it is prepared already.
    """
    case = case or prepare(run.scenario, run.inputs)
    case = case if first is None else in_brief(case)
    best = best_of(run, case, None if quick else progress)
    levers = {lever.name: lever for lever in levers_of(case, size) if among is None or lever.name in among}
    worths = {}
    by_most = quick or first is not None
    for number, (name, lever) in enumerate(levers.items(), start=1):
        progress(f"pricing lever {number} of {len(levers)}, {name}")
        worths[name] = _added_value(run, best, lever, by_most, progress)
    tried: set[str] = set()
    while (again := _next_to_solve(worths, 0 if quick else first or 0, tried)) is not None:
        progress(f"solving again with lever {again}")
        tried.add(again)
        worths[again] = _added_value(run, best, levers[again], False, progress)
    order = sorted(
        worths.values(), key=lambda own: (-(own.high if by_most else own.low), -own.high, own.name)
    )
    return Levers(run, best, tuple(order))


def _next_to_solve(worths: Mapping[str, AddedValue], first: int, tried: Collection[str]) -> str | None:
    """The first of the `first` that may add most whose worth prices alone say; None where all are known."""
    dearest = sorted(worths.values(), key=lambda worth: (-worth.high, worth.name))[:first]
    return next((worth.name for worth in dearest if worth.name not in tried), None)


def _added_value(run: Outcome, best: BestKnown, lever: Lever, quick: bool, progress: Progress) -> AddedValue:
    prices = run.prices
    frozen = recheck(*lever.posed(), run.decisions, prices)
    value = -np.inf if frozen.broken or frozen.faults else frozen.value
    bound = frozen.certificate.bound
    if not quick:
        try:
            again = answer(lever.case(), prices, progress).certificate
        except (InfeasibleError, NoAllocationError):
            quick = True
        else:
            value, bound = max(value, again.value), min(bound, again.bound)
    known = BestKnown(value, bound)
    return best.less_than(known, lever.name, lever.change, loosens=lever.loosens, solved=not quick)
