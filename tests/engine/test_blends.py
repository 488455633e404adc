"""Rows on what is drawn that cents of two take-ups meet, or never meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allocator.engine.blends import unmet
from allocator.errors import InfeasibleError
from allocator.records.ticket import Ticket
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, solve

TABLE = churn_table([0.08], A=[0.147], B=[0.011], C=[0.5])


def drawn(budget: float, share: float | None = None, grades: str = "AB", money: float = 1.0) -> Case:
    """Six borrowers who ask for 20 to 400; what is drawn is to be `budget`, perhaps with a share of A."""
    rows = (
        [] if share is None else [limit("A", "offered", "exactly", share, of="total", where={"grade": ["A"]})]
    )
    bands = dict.fromkeys(grades, (0.04, 0.15))
    terms = policy(
        budget * money,
        *rows,
        spend="exactly",
        basis="drawn",
        ticket=(20.0 * money, 400.0 * money),
        rates=bands,
    )
    return Case(portfolio(list(grades) * 3), TABLE, terms)


def test_a_row_that_no_cents_come_near_is_found() -> None:
    """With a third of 3,333/10,000 the total is a multiple of 100, of which A's part is given."""
    assert unmet(columns_of(drawn(500.01, 0.3333))) == [0, 1]
    with pytest.raises(InfeasibleError, match=r"^no amounts in whole cents meet 'budget' and 'A' exactly"):
        solve(drawn(500.01, 0.3333))


def test_a_row_that_some_cents_meet_is_left_to_the_search() -> None:
    total = 300.0
    used = 0.3333 * total * 0.853 + (total - 0.3333 * total) * 0.989
    case = drawn(used, 0.3333)
    assert unmet(columns_of(case)) == []
    assert sum(solve(case).decisions.amount) == pytest.approx(total, abs=1e-9)
    assert unmet(columns_of(drawn(500.01))) == []


def test_sums_of_steps_lie_on_a_grid_of_decimals() -> None:
    """Steps of 1,000 at take-ups of three places draw whole units of money, never 84 hundredths."""
    case = drawn(20_533.84, grades="ABC", money=1.0)
    steps = case.under(ticket=Ticket(2_000.0, 15_000.0, 1_000.0))
    assert unmet(columns_of(steps)) == [0]
    assert unmet(columns_of(steps.under(budget=replace(steps.policy.budget, amount=20_533.0)))) == []


def test_one_take_up_has_but_one_number_of_cents() -> None:
    assert unmet(columns_of(drawn(500.0, grades="C"))) == []
    assert unmet(columns_of(drawn(500.001, grades="C"))) == [0]


def test_what_cannot_all_be_tried_is_left_to_the_search() -> None:
    """Three take-ups; more cents than are tried; a tolerance of more than a cent."""
    assert unmet(columns_of(drawn(500.01, 0.3333, grades="ABC"))) == []
    assert unmet(columns_of(drawn(500.01, 0.3333, money=1e5))) == []
    assert unmet(columns_of(drawn(500.001, grades="C", money=1e9))) == []
