"""Limits that are only reported decide nothing, and are measured as those that must hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.certification import recheck
from allocator.errors import CertificateError, InfeasibleError
from allocator.records.run import Decisions, LimitUse
from allocator.records.scenario import Limit
from allocator.testing.books import random_case
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import solve

TABLE = churn_table([0.04, 0.1], A=[0.0, 0.5], B=[0.0, 0.5])
SEEDS = (4, 23, 38, 51)


def reported(entry: Limit) -> Limit:
    return replace(entry, penalty=0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_program_is_the_one_without_them(seed: int) -> None:
    case = random_case(seed, "reduced" if seed % 2 else "exact", 200)
    limits = case.policy.limits
    told = case.under(limits=(*limits[:2], *map(reported, limits[2:])))
    try:
        alone = solve(case.under(limits=limits[:2]))
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            solve(told)
        return
    beside = solve(told)
    assert beside.value == alone.value
    assert np.array_equal(beside.decisions.amount, alone.decisions.amount)
    own = beside.outcome.certificate
    priced = {name: price for name, price in own.prices.items() if name in alone.outcome.prices}
    assert priced == dict(alone.outcome.prices)
    assert not any(use.price or use.violation or use.binding for use in own.limits if not use.penalty)
    assert own.largest_violation == alone.outcome.certificate.largest_violation


@pytest.mark.parametrize("seed", SEEDS)
def test_missed_is_what_would_be_broken(seed: int) -> None:
    case = random_case(seed, "exact", 200)
    told = case.under(limits=tuple(map(reported, case.policy.limits)))
    decisions = solve(told).decisions
    soft = recheck(told.scenario, told.inputs, decisions, {"budget": 0.0}).certificate
    free = {use.name: 0.0 for use in soft.limits}
    hard = recheck(case.scenario, case.inputs, decisions, free).certificate
    assert soft.limits_missed == hard.limits_broken
    for one, other in zip(soft.limits, hard.limits, strict=True):
        assert (one.used, one.bound, one.excess) == (other.used, other.bound, other.excess)
        assert one.missed == (other.excess if other.broken else 0.0)
    assert soft.limits_broken == []


def use_of(amounts: list[float], entry: Limit) -> LimitUse:
    case = Case(portfolio(["A"] * len(amounts)), TABLE, policy(1e9, entry, ticket=(0.01, 1e14)))
    decisions = Decisions(np.array(amounts), np.full(len(amounts), 0.04))
    return recheck(case.scenario, case.inputs, decisions, {"budget": 0.0}).certificate.limits[-1]


def test_whole_rows_are_judged_to_the_cent() -> None:
    entry = reported(limit("cap", "offered", "at_most", 300.0))
    assert use_of([100.1, 199.9], entry).missed == 0.0
    assert use_of([100.11, 199.9], entry).missed == 0.01
    floor = reported(limit("floor", "loans", "at_least", 3))
    assert use_of([1.0, 2.0], floor).missed == 1.0
    assert use_of([1.0, 2.0], floor).enforcement == {"enforce": "report", "missed": 1.0}


def test_a_price_of_one_is_refused() -> None:
    case = Case(portfolio(["A"]), TABLE, policy(1e6, reported(limit("cap", "offered", "at_most", 1.0))))
    decisions = Decisions(np.zeros(1), np.zeros(1))
    with pytest.raises(CertificateError) as caught:
        recheck(case.scenario, case.inputs, decisions, {"budget": 0.0, "cap": 0.1})
    assert "which one only reported cannot have" in str(caught.value.faults[0])
