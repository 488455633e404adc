"""Sums that loans of a smallest size can add up to, and those between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.engine.reach import ANY, common_spans, loans_of, steps_into
from allocator.errors import InfeasibleError
from allocator.records.ticket import Ticket
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, solve

TABLE = churn_table([0.05, 0.08], A=[0.1, 0.4], B=[0.1, 0.4], C=[0.1, 0.4])
SPANS = st.lists(st.tuples(st.integers(-30, 30), st.integers(0, 9)), max_size=4)


def thirds(budget: float, money: float = 1.0) -> Case:
    """Two borrowers per grade, who ask for 200 to 700; a tenth of all, and no less, is of grade A."""
    shares = {"A": 0.1, "B": 0.4, "C": 0.5}
    floors = [
        limit(grade, "offered", "at_least", part, of="total", where={"grade": [grade]})
        for grade, part in shares.items()
    ]
    bands = dict.fromkeys(shares, (0.04, 0.15))
    ticket = (200.0 * money, 700.0 * money)
    terms = policy(budget * money, *floors, rates=bands, spend="exactly", ticket=ticket)
    return Case(portfolio(["A", "B", "C"] * 2), TABLE, terms)


def test_loans_add_up_to_nothing_or_to_no_less_than_the_smallest() -> None:
    whole = columns_of(thirds(2_000.0)).whole
    group = int(whole.group[0])
    assert loans_of(whole, group, 140_000) == [(0, 0), (20_000, 140_000)]
    far = columns_of(thirds(2_000.0).under(ticket=Ticket(500.0, 700.0))).whole
    assert loans_of(far, group, 140_000) == [(0, 0), (50_000, 70_000), (100_000, 140_000)]


@given(SPANS, st.integers(-9, 9), st.integers(-4, 4))
def test_steps_into_spans_are_those_that_a_count_finds(
    raw: list[tuple[int, int]], start: int, step: int
) -> None:
    spans = [(low, low + width) for low, width in raw]
    found = steps_into(spans, start, step)
    for k in range(-20, 21):
        inside = any(low <= start + k * step <= high for low, high in spans)
        assert any(low <= k <= high for low, high in found) == inside


@given(SPANS, SPANS)
def test_what_is_common_is_in_both(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    spans = [[(low, low + width) for low, width in raw] for raw in (one, other)]
    both = common_spans(*spans)
    for k in range(-40, 50):
        inside = all(any(low <= k <= high for low, high in own) for own in spans)
        assert any(low <= k <= high for low, high in both) == inside
    assert common_spans([ANY], spans[0]) == spans[0]


@pytest.mark.parametrize("money", [1.0, 1e4, 1e9])
def test_shares_of_a_total_below_the_smallest_loan_are_told(money: float) -> None:
    """A tenth of 1,600 is no loan of 200 or more, which a relaxation does not see."""
    told = (
        "no offers meet 'budget', 'A', 'B' and 'C' exactly: with amounts in whole cents, from each "
        "borrower's smallest loan to the largest, none add up to what the limits leave; allow a range"
    )
    with pytest.raises(InfeasibleError) as caught:
        solve(thirds(1_600.0, money))
    assert str(caught.value) == told
    assert np.sum(solve(thirds(2_000.0, money)).decisions.amount) == 2_000.0 * money
