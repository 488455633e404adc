"""The relaxation is the Lagrangian bound: its value is U at its own prices, and no allocation beats it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from allocator.certification import recheck
from allocator.engine.options import options_of, undominated, uses_of
from allocator.engine.program import Effort
from allocator.engine.relaxation import prices_of, relax, with_right_signs
from allocator.engine.solving import solve
from allocator.records.run import Decisions
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.engine.whole_program import best_value
from tests.stages import columns_of, price_map
from tests.strategies import cases_in_cents, random_cases


@random_cases(40, full=800)
@given(cases_in_cents())
def test_its_value_is_the_certified_bound_at_its_prices(case: Case) -> None:
    columns = columns_of(case)
    options = options_of(columns, np.flatnonzero(columns.offers.menu >= 0))
    options = options.keep(undominated(columns, options))
    relaxation = relax(columns, options, uses_of(columns, options))
    answer = solve(relaxation.program, Effort())
    best = best_value(case)
    if answer.stop == "infeasible":
        assert best is None
        return
    value = answer.value * relaxation.unit
    prices = price_map(columns, prices_of(columns, relaxation, answer))
    nothing = Decisions(np.zeros(len(columns)), np.zeros(len(columns)))
    bound = recheck(case.scenario, case.inputs, nothing, prices).certificate.bound
    assert bound == pytest.approx(value, rel=1e-9, abs=1e-6)
    assert best is None or best <= value + 1e-7 * max(abs(value), 1.0)


def test_dust_of_the_wrong_sign_is_no_price() -> None:
    table = churn_table([0.08], A=[0.3])
    terms = policy(
        1e6,
        limit("least", "offered", "at_least", 1e5),
        limit("count", "loans", "exactly", 2.0),
        rates={"A": (0.08, 0.08)},
    )
    columns = columns_of(Case(portfolio(["A"] * 3), table, terms))
    assert with_right_signs(columns, np.array([-1e-18, 1e-18, -3.0])).tolist() == [0.0, 0.0, -3.0]
    assert with_right_signs(columns, np.array([0.5, -0.5, 3.0])).tolist() == [0.5, -0.5, 3.0]


@pytest.mark.parametrize(
    ("limits", "lows"),
    [
        ((), 0),
        ((limit("few", "loans", "at_most", 2.0),), 0),
        ((limit("many", "loans", "at_least", 2.0),), 3),
        ((limit("count", "loans", "exactly", 2.0),), 3),
        ((limit("score", "loans", "at_most", -1.0, weight="score"),), 1),
    ],
)
def test_the_low_end_is_in_play_only_where_making_an_offer_may_pay(limits: tuple, lows: int) -> None:
    table = churn_table([0.08], A=[0.3])
    book = portfolio(["A"] * 3, numbers={"score": [-1.0, 0.0, 2.0]})
    columns = columns_of(Case(book, table, policy(1e6, *limits, rates={"A": (0.08, 0.08)})))
    options = options_of(columns, np.arange(3))
    relaxation = relax(columns, options, uses_of(columns, options))
    assert int((relaxation.amount == 100_000.0).sum()) == lows
    assert int((relaxation.amount == 1_000_000.0).sum()) == 3
