"""What must hold of every strategy's decisions, whatever the case: one check for all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.certification import recheck
from allocator.engine.kernel.columns import Columns
from allocator.errors import InputError
from allocator.pipeline import decide, judge
from allocator.records.case import Case as Prepared
from allocator.records.run import Decisions
from allocator.records.scenario import Strategy
from allocator.records.solution import Solution
from tests import naive
from tests.builders import Case
from tests.stages import prepared, price_map


def decided(case: Case, strategy: Strategy, optimum: Solution | None = None) -> tuple[Prepared, Solution]:
    """The case with its strategy, and that strategy's decisions."""
    ready = prepared(case)
    ready = replace(ready, scenario=replace(ready.scenario, strategy=strategy))
    return ready, decide(ready, optimum=optimum)


def check(case: Case, strategy: Strategy, optimum: Solution) -> None:
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
    assert outcome.terms_broken == {}
    offers = _offers(ready, solution)
    for i, offer in enumerate(offers):
        assert offer is None or naive.terms(case, i) is not None
    broken = {use.name for use in outcome.certificate.limits if use.broken}
    for row in naive.rows(case):
        left, right = naive.left_side(case, row, offers), naive.right_side(case, row, offers)
        holds = naive.holds(case, row, left, right)
        assert holds == (row.name not in broken), row.name
    _only_unavoidable(case, ready, broken)
    idle = case.policy.idle_rate if case.policy.budget.spend == "at_most" else 0.0
    unspent = case.policy.budget.amount - naive.left_side(case, naive.rows(case)[0], offers)
    worth = sum(naive.worth(case, i, offer) for i, offer in enumerate(offers)) + idle * unspent
    assert abs(outcome.certificate.value - worth) <= 1e-9 * max(abs(worth), 1.0)
    if not broken:
        assert worth <= outcome.certificate.bound + 1e-9 * max(abs(outcome.certificate.bound), 1.0)
    assert (outcome.status_at(1.0) == "breaks_limits") == bool(broken)
    assert solution.why is not None
    assert [text == "" for text in solution.why] == [offer is not None for offer in offers]


def _only_unavoidable(case: Case, ready: Prepared, broken: set[str]) -> None:
    """A cap is broken only where pinned offers and what is already lent break it with nothing else lent."""
    pinned = np.where(np.isnan(case.portfolio.fixed_amount), 0.0, case.portfolio.fixed_amount)
    rate = np.where(pinned > 0, np.nan_to_num(case.portfolio.fixed_rate), 0.0)
    columns = Columns(ready.offers, ready.limits)
    none = price_map(columns, np.zeros(len(ready.limits)))
    alone = recheck(ready.scenario, case.inputs, Decisions(pinned, rate), none)
    before = {use.name for use in alone.certificate.limits if use.broken}
    caps = {row.name for row in ready.limits.rows if row.sense == "at_most"}
    assert broken & caps <= before


def _offers(ready: Prepared, solution: Solution) -> list[naive.Offer | None]:
    columns = Columns(ready.offers, ready.limits)
    offers: list[naive.Offer | None] = []
    for i, (x, rate) in enumerate(zip(solution.amount.tolist(), solution.rate.tolist(), strict=True)):
        if x == 0:
            offers.append(None)
            continue
        menu = columns.offers.menus[columns.offers.menu[i]]
        offers.append(naive.Offer(x, rate, float(menu.take_up[menu.rates.tolist().index(rate)])))
    return offers
