"""Random cases for hypothesis: small numbers of everything, and every kind of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from allocator.records.conditions import Condition
from allocator.records.former import MONEY_MOVED
from allocator.records.scenario import COUNTED, Group, Limit
from allocator.records.stress import Shock, Stress, StressCase
from allocator.records.ticket import Choices, OwnSteps, SizedSteps, Ticket
from allocator.testing import limit_rows
from allocator.testing import plain as naive
from tests.builders import Case, churn_table, limit, policy, portfolio

RATES = (0.04, 0.06, 0.08, 0.1, 0.15)
GROUPS = (
    Group("offered", (Condition("grade", ("A",)),)),
    Group("drawn", (Condition("pd", above=0.01), Condition("sector", ("food", "NO")))),
)
LOANS = Group("loans", (Condition("sector", ("food", "NO")),))
MEASURES = (
    *("offered", "drawn", "interest", "gross_interest", "expected_loss", "clients_changed", "loans"),
    *("value", "value"),
)
SENSES = ("at_most", "at_least", "exactly")


def random_cases(few: int, full: int, **more: Any) -> Callable[[Any], Any]:
    """The number of examples of a test over random cases, always the same ones: `few` in every run, `full`
    in `make check-full`."""
    number = full if settings.get_current_profile_name() == "full" else few

    def decorated(test: Any) -> Any:
        return pytest.mark.random(settings(max_examples=number, **more)(test))

    return decorated


@st.composite
def cases(
    draw: DrawFn, borrowers: int = 4, rates: int = 3, limits: int = 3, *, several: bool = False
) -> Case:
    """Amounts on a step, or on `several`; the defaults leave few enough allocations to try them all."""
    n = draw(st.integers(1, borrowers))
    grid = sorted(draw(st.sets(st.sampled_from(RATES), min_size=1, max_size=rates)))
    step = draw(st.sampled_from((20_000.0, 30_000.0, 70_000.0)))
    smallest = draw(st.sampled_from((20_000.0, 50_000.0, 100_000.0)))
    steps_up = draw(st.sampled_from((0.0, 0.5, 1.0, 2.0, 3.0 if n < 4 else 2.0)))
    bare = policy(
        1.0,
        rates={grade: _band(draw, grid) for grade in draw(st.sampled_from(("AB", "A", "AB")))},
        ticket=(smallest, smallest + steps_up * step),
        step=step,
        spend=draw(st.sampled_from(("at_most", "at_most", "exactly"))),
        basis=draw(st.sampled_from(("offered", "drawn"))),
        funding_rate=draw(st.sampled_from((0.0, 0.0, 0.03, 0.1))),
        churn_cost_rate=draw(st.sampled_from((0.0, 0.02))),
        decline_churn=draw(st.sampled_from((0.0, 0.3))),
        idle_rate=draw(st.sampled_from((0.0, 0.0, 0.02, 0.06))),
        processing_cost=draw(st.sampled_from((0.0, 0.0, 500.0))),
        own_funds=130_000.0,
        rate_step=None if len(grid) < 2 else draw(st.sampled_from((None, None, (grid[-1] - grid[0]) / 2))),
    )
    book = _borrowers(draw, n, grid, bare.rates)
    if several:
        own = draw(st.lists(st.sampled_from((15_000.0, 20_000.0, 45_000.5)), min_size=n, max_size=n))
        book = replace(book, numbers={**book.numbers, "lot": np.array(own)})
        ticket = Ticket(smallest, smallest + steps_up * step, None, draw(st.sampled_from(GRIDS)))
        bare = replace(bare, ticket=ticket)
    case = Case(book, _table(draw, grid), bare, draw(st.sampled_from(("none", "isotonic"))))
    sample = [draw(st.sampled_from(naive.alternatives(case, i))) for i in range(n)]
    case = case.under(budget=replace(bare.budget, amount=_budget(draw, case, sample)))
    some = [draw(limits_around(case, sample, f"limit {k}")) for k in range(draw(st.integers(0, limits)))]
    return case.under(limits=tuple(some))


GRIDS = (
    OwnSteps("lot"),
    SizedSteps(((60_000.0, 20_000.0), (np.inf, 45_000.0))),
    SizedSteps(((50_000.0, 20_000.0), (95_000.0, 15_000.0), (np.inf, 30_000.5))),
    Choices((50_000.0, 75_000.0, 110_000.25)),
    Choices((0.4, 0.7, 1.0), of_request=True),
)
"""Amounts by more than one step."""


@st.composite
def cases_in_cents(draw: DrawFn, borrowers: int = 8, rates: int = 4, limits: int = 4) -> Case:
    """Amounts in cents, more borrowers than could be tried one by one."""
    case = draw(cases(borrowers, rates, limits))
    return case.under(ticket=replace(case.policy.ticket, step=None))


def _table(draw: DrawFn, rates: list[float]) -> Any:
    shares = st.lists(st.integers(0, 19), min_size=len(rates), max_size=len(rates))
    return churn_table(rates, **{grade: [k / 20 for k in draw(shares)] for grade in "AB"})


def _band(draw: DrawFn, rates: list[float]) -> tuple[float, float]:
    low, high = sorted(draw(st.tuples(st.sampled_from(rates), st.sampled_from(rates))))
    return draw(st.sampled_from(((rates[0], rates[-1]), (low, high))))


def _borrowers(draw: DrawFn, n: int, rates: list[float], bands: Any) -> Any:
    def each(*values: Any) -> list[Any]:
        return draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))

    grade = each("A", "A", "B", "B", "D")
    pinned = [g in bands and draw(st.integers(0, 9)) == 0 for g in grade]
    return portfolio(
        grade,
        pd=each(0.0, 0.01, 0.02, 0.1, 0.5),
        lgd=each(0.0, 0.5, 1.0),
        term=each(1.0, 0.5, 2.0),
        min_amount=each(0.0, 0.0, 60_000.0),
        max_amount=each(np.inf, np.inf, 110_000.0, 75_000.0),
        relationship_value=each(0.0, 0.0, 2_000.0, 20_000.0),
        exposure=each(0.0, 0.0, 50_000.0),
        exclude=[not pin and draw(st.integers(0, 9)) == 0 for pin in pinned],
        min_rate=each(np.nan, np.nan, rates[-1]),
        max_rate=each(np.nan, np.nan, rates[0]),
        rate=each(np.nan, np.nan, np.nan, rates[0], (rates[0] + rates[-1]) / 2, -0.01),
        fixed_amount=[draw(st.sampled_from((60_000.0, 85_000.5))) if pin else np.nan for pin in pinned],
        fixed_rate=[
            draw(st.sampled_from((rates[0], (rates[0] + rates[-1]) / 2))) if p else np.nan for p in pinned
        ],
        texts={"sector": each("food", "retail", "NO")},
        numbers={
            "score": each(-1.0, 0.0, 0.5, 3.0),
            "former_amount": each(0.0, 60_000.0),
        },
    )


def _budget(draw: DrawFn, case: Case, sample: list[Any]) -> float:
    """About what a sample allocation uses, and exactly that half of the time."""
    used = sum(naive.measured(case, case.policy.budget.basis, i, offer) for i, offer in enumerate(sample))
    slack = (1.0,) if case.policy.budget.spend == "exactly" else (1.0, 1.3, 1.3, 0.8)
    return max(used, 10_000.0) * draw(st.sampled_from(slack))


UNDER = (
    (
        "bad",
        Stress(pd=Shock(1.5, (StressCase((Condition("sector", ("food",)),), 4.0),)), lgd=Shock(1.2)),
    ),
)
"""What some limits hold in, too."""


@st.composite
def limits_around(
    draw: DrawFn, case: Case, sample: list[Any], name: str, measures: tuple[str, ...] = MEASURES
) -> Limit:
    """A limit of any family, sense and shape whose bound lies at or about what `sample` uses."""
    measure = draw(st.sampled_from(measures))
    sense = draw(st.sampled_from((*SENSES, "at_most")))
    shares: tuple[Any, ...] = (None, None, "budget", "own_funds", "total", "drawn", *GROUPS)
    if measures == ("loans",):
        shares = (None, "loans", "loans", LOANS)
    of = None if measure in COUNTED and measures == MEASURES else draw(st.sampled_from(shares))
    if measure in (*COUNTED, "offered", MONEY_MOVED) and of in (None, "budget"):
        of = draw(st.sampled_from((of, of, "former")))
    where = draw(
        st.sampled_from(
            (
                {},
                {},
                {"grade": ["A"]},
                {"sector": ["food", "NO"]},
                {"borrower_id": ["b000", "b002"]},
                {"pd": {"above": 0.01}},
                {"score": {"at_least": 0.0, "below": 3.0}},
                {"grade": ["B"], "exposure": {"at_most": 0.0}},
            )
        )
    )
    each = draw(st.sampled_from((None, None, "sector", "grade")))
    weight = None if measure == MONEY_MOVED else draw(st.sampled_from((None, None, "pd", "score")))
    under = draw(st.sampled_from(((), (), (), (), UNDER)))
    entry = limit(name, measure, sense, 1.0, of=of, where=where, each=each, weight=weight, under=under)
    return replace(entry, bound=_bound(draw, case, entry, sample))


def _bound(draw: DrawFn, case: Case, entry: Limit, sample: list[Any]) -> float:
    found = [row for one in entry.in_stresses() for row in limit_rows.rows_of(case, one)]
    if not found:
        return 0.2
    row = draw(st.sampled_from(found))
    used = limit_rows.left_side(case, row, sample)
    per = limit_rows.right_side(case, row, sample)
    loose = {"at_most": 1.2, "at_least": 0.8, "exactly": 1.0}[entry.sense]
    factor = draw(st.sampled_from((1.0, 1.0, loose, loose, 0.95)))
    return factor * used / per if per else draw(st.sampled_from((0.0, 0.2)))
