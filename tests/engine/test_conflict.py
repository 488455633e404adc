"""A conflict that is named is real: together its limits cannot hold, and what is said to end it does."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given

from allocator.engine.kernel.columns import Columns
from allocator.engine.optimise import optimise
from allocator.errors import InfeasibleError
from allocator.records.limits import Row
from allocator.records.scenario import Budget
from tests.builders import SETTINGS, Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, solve
from tests.strategies import cases, random_cases

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])


def conflict_of(case: Case) -> InfeasibleError:
    with pytest.raises(InfeasibleError) as caught:
        solve(case)
    return caught.value


def without(columns: Columns, names: set[str]) -> Columns:
    """The limits named no longer hold anybody back."""

    def free(row: Row) -> Row:
        if row.name not in names:
            return row
        free = replace(row, size=1e12, whole=None)
        return (
            replace(free, rhs=-1e12) if row.sense == "at_least" else replace(free, sense="at_most", rhs=1e12)
        )

    limits = columns.limits
    return Columns(columns.offers, replace(limits, rows=tuple(free(row) for row in limits.rows)))


def feasible(columns: Columns) -> bool:
    try:
        optimise(columns.offers, columns.limits, SETTINGS)
    except InfeasibleError:
        return False
    return True


@random_cases(20, full=400)
@given(cases())
def test_what_is_named_is_a_conflict_and_what_is_said_to_end_it_does(case: Case) -> None:
    columns = columns_of(case)
    try:
        optimise(columns.offers, columns.limits, SETTINGS)
        assume(False)
    except InfeasibleError as error:
        named, message = set(error.conflict), error.message
    everything = {row.name for row in columns.limits.rows}
    assert named
    assert named <= everything
    assert not feasible(without(columns, everything - named))
    alone = re.search(r"dropping (.*) alone makes it feasible", message)
    for name in re.findall(r"'([^']*)'", alone.group(1)) if alone else []:
        assert feasible(without(columns, {name}))
    if alone is None:
        assert not any(feasible(without(columns, {name})) for name in named)


def test_two_limits_that_exclude_each_other_are_named_with_what_they_lack() -> None:
    book = portfolio(["A"] * 4 + ["B"] * 2)
    terms = policy(
        5e6,
        limit("A at least", "offered", "at_least", 3e6, where={"grade": ["A"]}),
        limit("A at most", "offered", "at_most", 2.4e6, where={"grade": ["A"]}),
        limit("B", "offered", "at_most", 0.9, of="total", where={"grade": ["B"]}),
    )
    error = conflict_of(Case(book, TABLE, terms))
    assert error.conflict == ("A at least", "A at most")
    assert error.message == (
        "no allocation exists: 'A at least' and 'A at most' cannot all be met together; "
        "dropping 'A at least' or 'A at most' alone makes it feasible"
    )
    lacks = [fault.problem for fault in error.faults if fault.problem.startswith("lacks")]
    assert lacks == ["lacks 600,000.00 where the limits are broken least"]


def test_a_limit_that_nobody_can_meet_stands_alone() -> None:
    error = conflict_of(
        Case(
            portfolio(["A"]), TABLE, policy(5e6, limit("B", "loans", "at_least", 1.0, where={"grade": ["B"]}))
        )
    )
    assert error.conflict == ("B",)
    assert error.message == ("no allocation exists: 'B' cannot be met; dropping 'B' alone makes it feasible")
    assert [str(fault) for fault in error.faults] == [
        "limit B: lacks 1.00 where the limits are broken least; loosen or drop it"
    ]


def test_of_two_conflicts_one_is_named_and_the_message_says_that_it_is_not_all() -> None:
    terms = policy(
        5e6,
        limit("B", "loans", "at_least", 1.0, where={"grade": ["B"]}),
        limit("C", "loans", "at_least", 1.0, where={"grade": ["C"]}),
    )
    error = conflict_of(Case(portfolio(["A"]), TABLE, terms))
    assert len(error.conflict) == 1
    assert error.message.endswith("cannot be met; more than one limit must be loosened")


def test_a_pinned_offer_that_breaks_the_budget() -> None:
    book = portfolio(["A", "A"], fixed_amount=[600_000.0, 500_000.0], fixed_rate=[0.04, 0.08])
    error = conflict_of(Case(book, TABLE, policy(1e6)))
    assert error.conflict == ("budget",)
    assert "lacks 100,000.00" in str(error)


def test_a_conflict_that_only_whole_offers_have() -> None:
    """Half a loan would meet both limits; whole loans meet one of them."""
    terms = policy(
        5e6,
        limit("least", "offered", "at_least", 150_000.0),
        limit("most", "offered", "at_most", 190_000.0),
        ticket=(100_000.0, 1e6),
        step=100_000.0,
    )
    error = conflict_of(Case(portfolio(["A"] * 3), TABLE, terms))
    assert set(error.conflict) == {"least", "most"}


def test_a_limit_that_existing_loans_break_is_not_mended_by_dropping_another() -> None:
    case = Case(
        portfolio(["B"] * 2, exclude=[False, True], exposure=[0.0, 50_000.0]),
        TABLE,
        policy(10_000.0, limit("held", "offered", "at_most", 47_500.0), spend="exactly", step=20_000.0),
    )
    error = conflict_of(case)
    assert error.conflict == ("budget",)
    assert error.message.endswith("meet 'budget' exactly; allow a range")


def test_pinned_offers_off_the_step_are_counted_as_they_are() -> None:
    book = portfolio(["A"] * 2, fixed_amount=[60_000.0, 85_000.5], fixed_rate=[0.04, 0.04])
    terms = policy(116_000.4, limit("all", "offered", "at_most", 145_000.5), step=30_000.0)
    assert conflict_of(Case(book, TABLE, terms)).message.endswith("dropping 'budget' alone makes it feasible")


@pytest.mark.parametrize("method", ["exact", "reduced"])
def test_a_limit_between_two_numbers_of_whole_lots_is_named_at_once(method: str) -> None:
    case = Case(
        portfolio(["A"] * 200),
        TABLE,
        policy(5.01e6, spend="exactly", step=50_000.0),
        settings=replace(SETTINGS, method=method),
    )
    assert conflict_of(case).message == (
        "no offers, with amounts in whole steps of 50,000.00, meet 'budget' exactly; "
        "dropping 'budget' alone makes it feasible"
    )
    count = limit("count", "loans", "exactly", 2.5)
    both = conflict_of(case.under(limits=(count,)))
    assert both.message.endswith("meet 'budget' and 'count' exactly; allow a range")
    assert both.conflict == ("budget", "count")
    cents = case.under(
        ticket=replace(case.policy.ticket, step=None), budget=Budget(100_000.005, "exactly", "offered")
    )
    assert conflict_of(cents).message.startswith(
        "no offers, with amounts in whole cents, meet 'budget' exactly"
    )
