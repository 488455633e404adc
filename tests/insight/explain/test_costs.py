"""What an entry of the policy costs where the proof is a tree: it is dropped and the rest solved again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allocator.insight.explain.book import explain_book
from allocator.records.conditions import Condition
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import solve


def test_a_limit_that_is_not_in_force_costs_what_it_keeps_from_being_lent() -> None:
    """Nobody of sector b could balance a loan to sector a, so that none is made."""
    entry = replace(
        limit("then", "offered", "at_least", 0.5, of="total"),
        where=(Condition("sector", ("b",)),), if_lent_to=(Condition("sector", ("a",)),),
    )  # fmt: skip
    book = portfolio(["A"] * 3, max_amount=100.0, texts={"sector": ["a", "a", "c"]})
    terms = policy(300.0, entry, ticket=(100.0, 100.0), rates={"A": (0.0, 1.0)})
    case = Case(book, churn_table([0.05, 0.1], A=[0.0, 0.5]), terms)
    solved = solve(case)
    assert solved.decisions.amount.tolist() == [0.0, 0.0, 100.0]
    free = solve(case.under(limits=())).outcome.value
    cost = next(one for one in explain_book(solved.outcome, exact=True).costs if one.name == "then")
    assert cost.solved
    assert cost.low == pytest.approx(free - solved.outcome.value)
    assert cost.high == pytest.approx(cost.low)
