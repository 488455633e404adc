"""A row on what is drawn is filled closer than one amount in cents can fill it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import solve

TABLE = churn_table([0.08], A=[0.147], B=[0.011])


@pytest.mark.parametrize("step", [None, 0.05])
@pytest.mark.parametrize("capped", [False, True])
def test_two_amounts_of_different_take_ups_fill_what_is_drawn(step: Any, capped: bool) -> None:
    """All earn 8 % of what is drawn: so the best is to draw the budget, or the limit, to the last cent."""
    book = portfolio(["A", "B"] * 20, pd=0.0, lgd=0.0)
    limits = [limit("drawn", "drawn", "at_most", 1_017.21)] if capped else []
    terms = policy(5_000.0 if capped else 1_017.21, *limits, basis="drawn", ticket=(6.5, 77.0), step=step)
    found = solve(Case(book, TABLE, terms)).outcome.certificate
    assert found.value <= 0.08 * 1_017.21 <= found.bound
    assert found.bound - found.value <= 1e-9 * found.bound
