"""What somebody whom prices crowd out earns, what is needed, and whom other limits keep out too."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.insight.explain.crowded import beyond_one_limit, shortfall_of
from allocator.insight.explain.position import Position
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.insight.explain.test_explanation import ready_for

TABLE = churn_table([0.04, 0.06, 0.08, 0.1, 0.12], A=[0, 0.2, 0.4, 0.6, 0.8], B=[0, 0.1, 0.3, 0.5, 0.7])
SIZE = 80


@pytest.fixture(scope="module")
def position() -> Position:
    """A book in which the budget and a sector have prices."""
    random = np.random.default_rng(7)
    book = portfolio(
        random.choice(["A", "B"], SIZE).tolist(),
        pd=random.uniform(0.002, 0.06, SIZE),
        max_amount=np.round(random.uniform(5e4, 9e5, SIZE), -3),
        texts={"sector": random.choice(["food", "steel", "trade"], SIZE, p=[0.5, 0.4, 0.1]).tolist()},
    )
    limits = (
        limit("sectors", "offered", "at_most", 0.55, of="budget", each="sector"),
        limit("loss rate", "expected_loss", "at_most", 0.0075, of="drawn"),
    )
    return ready_for(Case(book, TABLE, policy(1.0e7, *limits, funding_rate=0.01)))


def test_nobody_who_is_crowded_out_earns_what_is_needed(position: Position) -> None:
    assert sum(price > 0 for price in position.prices.values()) > 1
    found = 0
    for i, why in enumerate(position.reasons):
        short = shortfall_of(position, i)
        assert (short is not None) == why.startswith("crowded out")
        if short is None:
            continue
        found += 1
        assert short.earns < short.needed
        assert sum(short.charges.values()) == pytest.approx(short.needed, rel=1e-12)
        first = next(iter(short.charges))
        assert why == f"crowded out by {'the budget' if first == 'budget' else f'limit {first}'}"
        assert short.charges[first] == max(short.charges.values())
    assert found > 5


def test_who_earns_what_the_named_limit_charges_is_kept_out_by_another_too(position: Position) -> None:
    beside = beyond_one_limit(position)
    told = [shortfall_of(position, i) for i in range(SIZE)]
    assert beside.tolist() == [
        short is not None and short.earns > next(iter(short.charges.values())) for short in told
    ]
    assert 0 < beside.sum() < sum(short is not None for short in told)
