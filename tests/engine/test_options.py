"""Dropping options never changes an optimum, and drops what it may."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given

from allocator.engine import cores, prices
from allocator.engine.kernel.columns import Columns
from allocator.engine.options import Options, options_of, undominated, uses_of
from allocator.errors import InfeasibleError
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, solve
from tests.strategies import cases, random_cases


def rate_free(case: Case) -> Case:
    """The case with only limits that no rate changes the use of."""
    kept = [
        entry
        for entry in case.policy.limits
        if entry.measure in ("offered", "loans") and entry.of in (None, "budget", "total")
    ]
    return case.under(limits=tuple(kept), budget=replace(case.policy.budget, basis="offered"))


def value_of(case: Case) -> float | None:
    try:
        return solve(case).solution.value
    except InfeasibleError:
        return None


def check_dropping(case: Case) -> None:
    dropped = value_of(case)
    with pytest.MonkeyPatch.context() as patch:
        for module in (cores, prices):
            patch.setattr(module, "undominated", lambda columns, options: np.ones(len(options), dtype=bool))
        kept = value_of(case)
    assert (dropped is None) == (kept is None)
    if kept is not None:
        assert dropped == pytest.approx(kept, rel=1e-9, abs=1e-9)


@random_cases(20, full=400)
@given(cases(borrowers=8, rates=5))
def test_the_rule_with_rates_keeps_the_optimum(case: Case) -> None:
    check_dropping(case)


@random_cases(20, full=400)
@given(cases(borrowers=8, rates=5))
def test_the_rule_without_rates_keeps_the_optimum(case: Case) -> None:
    free = rate_free(case)
    assert not columns_of(free).limits.uses_rate
    check_dropping(free)


def all_options(case: Case) -> tuple[Columns, Options]:
    columns = columns_of(case)
    return columns, options_of(columns, np.flatnonzero(columns.offers.menu >= 0))


@random_cases(20, full=400)
@given(cases(borrowers=4, rates=5))
def test_without_rates_the_kept_ones_reach_the_best_value_of_every_amount(case: Case) -> None:
    columns, options = all_options(rate_free(case))
    assume(len(options))
    keep = undominated(columns, options)
    low, high = columns.offers.low[options.position], columns.offers.high[options.position]
    for share in (0.0, 0.25, 0.5, 0.83, 1.0):
        value = options.margin * (low + share * (high - low)) + options.fixed
        for owner in np.unique(options.owner):
            own = options.owner == owner
            assert value[own & keep].max() == pytest.approx(value[own].max(), rel=1e-12, abs=1e-9)


@random_cases(20, full=400)
@given(cases(borrowers=4, rates=5))
def test_with_rates_every_dropped_option_has_a_kept_one_to_take_its_place(case: Case) -> None:
    columns, options = all_options(case)
    assume(len(options) and columns.limits.uses_rate)
    keep, uses = undominated(columns, options), uses_of(columns, options)
    low, high = columns.offers.low[options.position], columns.offers.high[options.position]
    ends = np.array([options.margin * low + options.fixed, options.margin * high + options.fixed])
    sign = {"at_most": 1.0, "at_least": -1.0, "exactly": 0.0}
    senses = np.array([sign[sense] for sense in columns.limits.senses])
    for k in np.flatnonzero(~keep):
        rivals = np.flatnonzero(keep & (options.owner == options.owner[k]))
        more = uses.unit[:, rivals] - uses.unit[:, [k]]
        no_more = np.where(senses[:, None] == 0.0, np.abs(more), senses[:, None] * more) <= 1e-12
        as_good = (ends[:, rivals] >= ends[:, [k]]).all(axis=0)
        assert (no_more.all(axis=0) & as_good).any()


def test_where_fixed_terms_differ_more_than_the_best_margin_is_kept() -> None:
    """A higher rate earns more on a large loan, a lower one keeps the relationship on a small one."""
    table = churn_table([0.04, 0.08, 0.12], A=[0.1, 0.5, 0.95])
    book = portfolio(["A"], relationship_value=4_000.0)
    case = Case(book, table, policy(1e6, rates={"A": (0.04, 0.12)}, ticket=(50_000.0, 900_000.0)))
    columns, options = all_options(case)
    assert options.rate[undominated(columns, options)].tolist() == [0.04, 0.08]
    fixed = case.under(ticket=replace(case.policy.ticket, min=900_000.0))
    columns, options = all_options(fixed)
    assert options.rate[undominated(columns, options)].tolist() == [0.08]


def test_of_equal_options_the_first_stays() -> None:
    table = churn_table([0.04, 0.08], A=[1.0, 1.0])
    for limits in ((), (limit("drawn", "drawn", "at_most", 5.0),)):
        columns, options = all_options(
            Case(portfolio(["A"]), table, policy(1e6, *limits, rates={"A": (0, 1)}))
        )
        assert undominated(columns, options).tolist() == [True, False]


def test_those_who_cannot_be_offered_anything_have_no_options() -> None:
    table = churn_table([0.04, 0.08], A=[0.1, 0.2])
    case = Case(portfolio(["D", "A", "D"]), table, policy(1e6, rates={"A": (0, 1)}))
    columns = columns_of(case)
    options = options_of(columns, np.arange(3))
    assert options.position.tolist() == [1, 1]
    assert options.option.tolist() == [0, 1]
    assert len(undominated(columns, options_of(columns, np.array([0])))) == 0
