"""Decisions that terms do not allow: each kind on both sides of its edge, counted, and told by borrower."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from allocator.certification.decisions import WrongDecisions, all_allowed, judge_decisions
from allocator.certification.terms import take_up_of, tariffs_of, terms_of
from allocator.records.portfolio import Portfolio
from allocator.records.run import Decisions
from tests.builders import Case, churn_table, policy, portfolio

TABLE = churn_table([0.04, 0.08], A=[0.0, 0.5])


def judged(
    book: Portfolio, amounts: list[float], rates: list[float] | float = 0.04, **rest: Any
) -> WrongDecisions:
    """What is wrong, and that both ways to ask say whether anything is."""
    rules = policy(1e9, **{"rates": {"A": (0.04, 0.08)}, "ticket": (0.01, 1_000.0), **rest})
    case = Case(book, TABLE, rules)
    offered = np.array(amounts)
    decisions = Decisions(offered, np.array(np.broadcast_to(rates, len(amounts))))
    wrong = judge_decisions(book, rules, tariffs_of(TABLE, case.scenario.response, rules), decisions)
    terms = terms_of(book, TABLE, case.scenario.response, rules)
    _, allowed = take_up_of(book, terms, np.where(offered > 0, decisions.rate, np.nan))
    good = all_allowed(rules.ticket.step, terms, decisions, allowed)
    assert good is not bool(wrong.counts or wrong.impossible)
    assert sum(wrong.counts.values()) >= len(wrong.broken) - len(wrong.counts)
    return wrong


OUTSIDE = "amount outside the borrower's smallest and largest loan"
NOBODY = "amount to a borrower who may not be offered anything"
RATE = "rate that may not be offered"


@pytest.mark.parametrize(
    ("amount", "more", "expected"),
    [
        (0.01, {}, {}),
        (1_000.0, {}, {}),
        (0.0, {"rates": 0.5}, {}),
        (1_000.01, {}, {OUTSIDE: 1}),
        (0.5, {"ticket": (0.51, 1_000.0)}, {OUTSIDE: 1}),
        (0.51, {"ticket": (0.51, 1_000.0)}, {}),
        (0.5, {"rates": 0.05}, {RATE: 1}),
        (0.505, {}, {"amount that is no multiple of 0.01": 1}),
        (500.0, {"step": 200.0, "ticket": (200.0, 1_000.0)}, {"amount that is no multiple of 200": 1}),
        (600.0, {"step": 200.0, "ticket": (200.0, 1_000.0)}, {}),
    ],
)
def test_amounts_and_rates_on_both_sides_of_every_edge(
    amount: float, more: dict[str, Any], expected: dict[str, int]
) -> None:
    assert judged(portfolio(["A"]), [amount], **more).counts == expected


def test_who_may_not_be_offered_anything() -> None:
    book = portfolio(["A", "B", "A"], exclude=[False, False, True])
    assert judged(book, [5.0, 0.0, 0.0]).counts == {}
    assert judged(book, [5.0, 0.25, 5.0]).counts == {NOBODY: 2}


def test_a_pinned_offer_is_made_as_it_stands() -> None:
    book = portfolio(["A", "A"], fixed_amount=[50.005, np.nan], fixed_rate=[0.07, np.nan])
    assert judged(book, [50.005, 0.0], [0.07, 0.0]).counts == {}
    assert judged(book, [0.0, 0.0], [0.0, 0.0]).counts == {"pinned offer not made": 1}
    assert judged(book, [50.0, 0.0], [0.07, 0.0]).counts == {OUTSIDE: 1}
    assert judged(book, [50.005, 0.0], [0.08, 0.0]).counts == {RATE: 1}


def test_what_no_amount_may_be() -> None:
    wrong = judged(portfolio(["A"] * 3), [np.nan, -1.0, 5.0])
    told = [str(fault) for fault in wrong.impossible]
    assert [text.split(";")[0] for text in told] == ["row 1, b000: amount: nan", "row 2, b001: amount: -1"]


@pytest.mark.parametrize(("many", "told"), [(20, []), (21, ["1 more"]), (25, ["5 more"])])
def test_twenty_of_a_kind_are_told_and_the_others_counted(many: int, told: list[str]) -> None:
    wrong = judged(portfolio(["A"] * 26), [2_000.0] * many + [7.0] * (26 - many))
    assert wrong.counts == {OUTSIDE: many}
    assert [str(fault) for fault in wrong.broken[20:]] == [
        f"{OUTSIDE}: {text}; mend these too" for text in told
    ]
    assert [(fault.row, fault.field) for fault in wrong.broken[:20]] == [
        (row + 1, f"b{row:03d}") for row in range(20)
    ]
    assert str(wrong.broken[0]) == (
        f"row 1, b000: {OUTSIDE}: 2,000; allowed are 0.01 to 1,000.00 at the rates of the grade's band"
    )
