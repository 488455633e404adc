"""Bounds that rounding does not hide: of books that lend nothing, or next to nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.engine.firm import stated_bound
from allocator.engine.prices import prices_if_worth, relaxation_prices
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import columns_of, solve

TABLE = churn_table([0.05, 0.08], A=[0.1, 0.4], B=[0.1, 0.4])


def spread(sense: str, part: float, money: float = 1.0, n: int = 24) -> Case:
    """n borrowers of four sectors who ask for up to a million each; every sector's share of the total."""
    book = portfolio(
        ["A", "B"] * (n // 2),
        pd=np.linspace(0.005, 0.04, n),
        max_amount=1e6 * money,
        texts={"sector": [f"s{i % 4}" for i in range(n)]},
    )
    rows = limit("div", "offered", sense, part, of="total", each="sector")
    return Case(book, TABLE, policy(5e6 * money, rows, ticket=(1e5 * money, 1e6 * money)))


@pytest.mark.parametrize(("sense", "part"), [("at_most", 0.2), ("at_least", 0.3)])
@pytest.mark.parametrize("money", [1e-2, 1.0, 1e6])
@pytest.mark.parametrize("method", ["exact", "reduced"])
def test_a_book_that_can_lend_nothing_is_proved_to(
    sense: str, part: float, money: float, method: str
) -> None:
    case = spread(sense, part, money)
    case = replace(case, settings=replace(case.settings, method=method))
    found = solve(case).outcome.certificate
    assert found.value == 0.0 <= found.bound <= 1e-9


def test_who_is_worth_more_changes_the_prices_and_not_what_they_prove() -> None:
    columns = columns_of(spread("at_most", 0.2))
    plain = relaxation_prices(columns, lambda _: None)
    assert plain.bound == pytest.approx(0.0, abs=1e-6)
    assert stated_bound(columns, plain) > 1e-9
    prices = prices_if_worth(columns, np.full(len(columns), 1e-3))
    assert prices is not None
    assert np.any(np.abs(prices) > np.abs(plain.prices))
