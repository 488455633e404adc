"""Reasons and flip points against the truth: every claim is put to the engine again.

A reason's claims: who is refused for what the terms say may get no offer; who never pays is refused without
any limit; who is crowded out gets an offer without limits, and forcing one on him costs the optimum at
least what he lacks at the prices, less the gap; whom whole loans decided lacks less than the gap. A flip
point's claim: once more than the gap hangs on it, every optimum has turned.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.certification import recheck
from allocator.certification.terms import terms_of
from allocator.engine.kernel.columns import Columns
from allocator.engine.reasons import reasons
from allocator.errors import InfeasibleError
from allocator.insight.explain.explanation import explain_decision
from allocator.insight.explain.flips import Flip
from allocator.insight.explain.offers import offers_to
from allocator.insight.explain.position import position_of
from allocator.records.outcome import Outcome
from tests.builders import Case, limit
from tests.insight.explain.test_explanation import crowded, indifferent, moved
from tests.stages import Solved, prepared, solve

SHARE = 4
ALL = 100
REACH = {
    "pd": (0.0, 1.0),
    "lgd": (0.0, 1.0),
    "relationship_value": (0.0, np.inf),
    "max_amount": (1e5, 1e6),
    "funding_rate": (0.0, 1.0),
    "processing_cost": (0.0, np.inf),
}


@pytest.fixture(scope="module")
def book() -> tuple[Case, Solved]:
    case = crowded(260)
    return case, solve(case)


def price_of(solved: Solved) -> dict[str, float]:
    return dict(solved.outcome.prices)


def drawn(n: int, count: int) -> np.ndarray:
    return np.random.default_rng(5).permutation(n)[:count]


def without_limits(case: Case) -> Case:
    """The case with room for everybody."""
    enough = replace(case.policy.budget, amount=1e12)
    return case.under(limits=(), budget=enough)


def forced(case: Case, at: int) -> Case:
    """The case in which the borrower at `at` must get some offer."""
    name = str(case.portfolio.borrower_id[at])
    row = limit("forced", "loans", "at_least", 1.0, where={"borrower_id": [name]})
    return case.under(limits=(*case.policy.limits, row))


@pytest.mark.parametrize("count", [SHARE, pytest.param(ALL, marks=pytest.mark.full)])
def test_reasons_are_true_when_solved_again(book: tuple[Case, Solved], count: int) -> None:
    case, solved = book
    refused = solved.decisions.amount == 0
    ready = prepared(case)
    why = reasons(Columns(ready.offers, ready.limits), refused, solved.solution.prices, 1)
    lendable = terms_of(case.portfolio, case.table, case.scenario.response, case.policy).lendable
    free = solve(without_limits(case)).decisions.amount
    ceiling = at_prices(case, solved, price_of(solved)).certificate.bound
    dust = 1e-9 * abs(ceiling)
    best = best_offers(case, solved, price_of(solved))
    own = np.flatnonzero(refused)
    for at in own[drawn(len(own), count)]:
        words = str(why[at])
        if words.startswith("never profitable"):
            assert lendable[at]
            assert free[at] == 0
        elif words.startswith("crowded out"):
            assert free[at] > 0
            lacks = -best[at]
            assert lacks >= 0
            try:
                value = solve(forced(case, int(at))).value
            except InfeasibleError:
                continue  # no allocation can have him: nothing to compare
            assert value <= ceiling - lacks + dust
        elif words.startswith("decided by the integer step"):
            assert 0 <= best[at] <= ceiling - solved.value + dust
        else:
            assert not lendable[at]
            assert free[at] == 0
    assert len(set(why[own])) >= 3


def at_prices(case: Case, solved: Solved, prices: dict[str, float]) -> Outcome:
    """The decisions under one vector of prices, no tree."""
    return recheck(case.scenario, case.inputs, solved.decisions, prices)


def best_offers(case: Case, solved: Solved, prices: dict[str, float]) -> np.ndarray:
    """(n,) the best offer's reduced value, below 0 where refusal is better; -inf without an offer."""
    position = position_of(at_prices(case, solved, prices))
    offers = (offers_to(position, at) for at in range(len(case.portfolio)))
    return np.array([float(np.max(own.reduced, initial=-np.inf)) for own in offers])


@pytest.mark.parametrize("count", [SHARE, pytest.param(ALL, marks=pytest.mark.full)])
def test_flips_are_true_when_solved_again(book: tuple[Case, Solved], count: int) -> None:
    """Each flip is passed until four times the gap hangs on it, and the case solved anew."""
    case, solved = book
    prices = price_of(solved)
    run = at_prices(case, solved, prices)
    position, gap = position_of(run), run.certificate.bound - solved.value
    told: list[tuple[int, Flip]] = []
    for at in range(len(case.portfolio)):
        flips = explain_decision(position, str(case.portfolio.borrower_id[at])).flips
        kept = (flip for flip in flips if flip.slope and not indifferent(flip))
        told += [(at, flip) for flip in kept if moved(case, at, flip, flip.at) is not None]
    sure = 0
    for at, flip in [told[k] for k in drawn(len(told), count)]:
        away = np.copysign(abs(4 * gap / flip.slope), flip.at - flip.now)
        changed = moved(case, at, flip, float(np.clip(flip.at + away, *REACH[flip.figure])))
        assert changed is not None
        again = solve(changed)
        ceiling = at_prices(changed, again, prices).certificate.bound
        hangs = abs(best_offers(changed, again, prices)[at])
        if hangs > ceiling - again.value + 1e-9 * abs(ceiling):
            sure += 1
            assert (again.decisions.amount[at] > 0) == (flip.turns == "offered"), flip
    assert sure >= count // 3
