"""The least expected loss for a wanted income."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.records.case import Case
from allocator.records.offers import OfferBook
from allocator.records.progress import Progress
from allocator.records.reasons import NOT_NEEDED
from allocator.records.scenario import Limit
from allocator.records.solution import Solution
from allocator.strategies.optimal import best_under
from allocator.strategies.plan import Plan, options_of, ready

_WANTED = "income wanted by min_loss"


def min_loss(case: Case, optimum: Solution, progress: Progress) -> Plan:
    """The engine run with nothing but loss to lose, and one limit more: expected interest at least as wanted.

    How near it comes to the least loss is not certified; its value under the true economics is. Raises
    InfeasibleError where the limits do not leave so much income.
    """
    strategy, policy = case.scenario.strategy, case.scenario.policy
    wanted = strategy.income
    if wanted is None:
        wanted = strategy.share * _interest(case, optimum)
    limit = Limit(_WANTED, "interest", "at_least", wanted)
    policy = replace(policy, limits=(*policy.limits, limit), idle_rate=0.0)
    least = best_under(policy, case.inputs.portfolio, _losses(case), case.scenario.solver, progress)
    declined = least.amount == 0
    why = np.where(declined, NOT_NEEDED, "").astype(object)
    impossible = declined & (case.offers.menu < 0)
    texts = np.array([*case.offers.no_offer.values, ""], dtype=object)
    why[impossible] = texts[case.offers.no_offer.codes[impossible]]
    return Plan(
        case.offers, options_of(case.offers, least.amount, least.rate), least.amount, why, least.stopped
    )


def _interest(case: Case, optimum: Solution) -> float:
    """The optimum's expected interest."""
    columns = ready(case).columns
    take = columns.take_up(options_of(case.offers, optimum.amount, optimum.rate))
    return float(np.sum(take * optimum.amount * optimum.rate * case.offers.income))


def _losses(case: Case) -> OfferBook:
    """The offers worth what they lose: -a p L x."""
    zeros, portfolio = np.zeros(len(case.offers)), case.inputs.portfolio
    return replace(
        case.offers,
        income=zeros,
        cost=portfolio.pd * portfolio.lgd,
        relationship=zeros,
        churn_cost=0.0,
        decline_churn=0.0,
        processing_cost=0.0,
    )
