"""Amounts by several steps and menus: their neighbours, what they have in common, and faults."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from allocator.certification.bands import grid_of
from allocator.errors import InputError
from allocator.pricing.amounts import bands_of
from allocator.records.former import Changes
from allocator.records.portfolio import Portfolio, Text
from allocator.records.ticket import Choices, OwnSteps, SizedSteps, Ticket
from tests.builders import Case, churn_table, policy, portfolio
from tests.stages import solve

SIZED = SizedSteps(((50.0, 20.0), (np.inf, 45.5)))


def case_of(grid: Any, lots: list[float], **columns: Any) -> Case:
    book = portfolio(["A"] * len(lots), numbers={"lot": lots}, **columns)
    bare = policy(1_000.0, rates={"A": (0.04, 0.15)}, ticket=(0.01, 200.0))
    case = Case(book, churn_table([0.04, 0.15], A=[0.0, 0.5]), bare)
    return case.under(ticket=Ticket(0.01, 200.0, None, grid))


@pytest.mark.parametrize(
    ("grid", "amounts", "common"),
    [
        (OwnSteps("lot"), [60.3, 120.6, 180.9], 60.3),
        (SIZED, [20.0, 40.0, 91.0, 136.5, 182.0], 0.5),
        (Choices((30.0, 45.5, 190.0, 210.0)), [30.0, 45.5, 190.0], 0.5),
        (Choices((0.3, 0.333, 1.0), of_request=True), [30.0, 33.3, 100.02], 0.06),
        (Choices((0.3333333333333333, 0.75), of_request=True), [33.33, 75.01], 0.01),
    ],
)
def test_two_readings_have_the_same_amounts(grid: Any, amounts: list[float], common: float) -> None:
    case = case_of(grid, [60.3], max_amount=100.02)
    bands, again = bands_of(case.portfolio, case.policy), grid_of(case.portfolio, case.policy)
    assert bands is not None
    assert again is not None
    assert bands.grain == float(again.common.size) == common
    tried = np.arange(1.0, 20_001.0) / 100.0
    own = bands.take(np.zeros(len(tried), dtype=np.int64))
    other = again.take(np.zeros(len(tried), dtype=np.int64))
    for mine, theirs in ((own.down(tried), other.down(tried)), (own.up(tried), other.up(tried))):
        np.testing.assert_array_equal(mine, theirs)
    assert tried[other.whole(tried)].tolist() == amounts


def test_a_borrower_without_a_request_has_no_share_of_it() -> None:
    solved = solve(case_of(Choices((0.5,), of_request=True), [1.0, 1.0], max_amount=[np.inf, 100.0]))
    assert solved.solution.amount.tolist() == [0.0, 50.0]


def test_a_share_is_a_decimal_of_whole_cents() -> None:
    """Doubles would round 0.3333333333333333 x 30,000,000 cents up to 10,000,000."""
    case = case_of(Choices((0.3333333333333333,), of_request=True), [1.0], max_amount=300_000.0)
    case = case.under(ticket=replace(case.policy.ticket, max=1e6))
    bands, again = bands_of(case.portfolio, case.policy), grid_of(case.portfolio, case.policy)
    assert bands is not None
    assert again is not None
    assert bands.first.tolist() == [[9_999_999.0]]
    assert again.up(np.array([1.0])).tolist() == [99_999.99]


def test_shares_are_of_the_request_whatever_changes_leave_of_it() -> None:
    """Half of the 100 asked for was lent, and no more may be: half of the request, not of that half."""
    case = case_of(Choices((0.5,), of_request=True), [1.0], max_amount=100.0)
    former = with_former_run(case.portfolio, 50.0)
    own = replace(case, portfolio=former).under(changes=Changes(amounts="no_rise"))
    assert solve(own).solution.amount.tolist() == [50.0]


def with_former_run(book: Portfolio, lent: float) -> Portfolio:
    numbers = {"former_amount": np.array([lent]), "former_rate": np.array([0.04])}
    served = Text(np.zeros(1, dtype=np.int32), ("served", "declined", "new"))
    return replace(book, numbers={**book.numbers, **numbers}, texts={**book.texts, "former": served})


def test_a_step_is_an_amount_in_whole_cents() -> None:
    with pytest.raises(InputError) as caught:
        solve(case_of(OwnSteps("lot"), [10.0, np.nan, 0.0, 0.125], exclude=[False, False, False, False]))
    assert [(fault.field, fault.row, fault.problem) for fault in caught.value.faults] == [
        ("lot", 2, "no step"),
        ("lot", 3, "a step that is no whole number of cents above 0, in 2 rows: 3, 4"),
    ]
    assert solve(case_of(OwnSteps("lot"), [10.0, np.nan], exclude=[False, True])).value > 0
