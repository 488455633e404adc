"""A recheck in parts comes to what one part does; by a part's size set to three."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from allocator.certification import parts
from allocator.certification.limits import blocks_of
from allocator.certification.parts import RecomputedFigures, recompute
from allocator.certification.rounding import UNIT
from allocator.certification.terms import tariffs_of
from allocator.records.run import Decisions
from tests.builders import Case, churn_table, limit, policy, portfolio

TABLE = churn_table([0.04, 0.08], A=[0.0, 0.5], B=[0.25, 0.5])
BOOK = portfolio(
    list("ABABABAB"),
    pd=[k / 64 for k in range(8)],
    max_amount=[100_000.0 * (k + 1) for k in range(8)],
    relationship_value=100.0,
    texts={"sector": list("sstttsst")},
)
RULES = policy(2e6, limit("s", "drawn", "at_most", 0.5, of="drawn", each="sector"), idle_rate=0.001)
PRICES = {"budget": 0.004, "s[s]": 0.002, "s[t]": 0.001}
AMOUNTS = np.array([1e5, 0.0, 2e5, 3e5, 0.0, 1e5, 0.0, 8e5])
RATES = np.array([0.04, 0.0, 0.08, 0.04, 0.0, 0.08, 0.0, 0.04])
TARIFFS = tariffs_of(TABLE, Case(BOOK, TABLE, RULES).scenario.response, RULES)
BLOCKS = blocks_of(RULES, BOOK)


def found(rates: Any = RATES) -> RecomputedFigures:
    return recompute(BOOK, RULES, TARIFFS, BLOCKS, Decisions(AMOUNTS, np.asarray(rates)), PRICES)


def test_parts_come_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, wrong = found(), found([*RATES[:7], 0.05])
    ledger = whole.ledger
    assert (whole.allowed, wrong.allowed) == (True, False)
    monkeypatch.setattr(parts, "PART", 3)
    parted = found()
    assert parted.value.value == pytest.approx(whole.value.value, rel=1e-14)
    assert parted.bound.value == pytest.approx(whole.bound.value, rel=1e-14)
    assert parted.totals.bases == pytest.approx(whole.totals.bases, rel=1e-14)
    assert (parted.allowed, found([*RATES[:7], 0.05]).allowed) == (True, False)
    assert not found([0.05, *RATES[1:]]).allowed
    for name in ("drawn", *ledger.computed):
        assert getattr(parted.ledger, name).tolist() == getattr(ledger, name).tolist(), name
    assert ledger.amount.tolist() == AMOUNTS.tolist()
    assert ledger.rate.tolist() == RATES.tolist()


@pytest.mark.parametrize("rate", [0.125, 0.5])
def test_the_value_of_one_offer_is_wrong_by_its_operations(rate: float) -> None:
    """26 of them, on a unit's and an offer's magnitudes at its own rate, and one more for a sum of one."""
    book = portfolio(["A"], pd=0.25, lgd=0.5, relationship_value=64.0)
    rules = policy(1e6, funding_rate=0.5, churn_cost_rate=0.125, decline_churn=0.5, processing_cost=32.0)
    case = Case(book, churn_table([0.125, 0.25], A=[0.0, 0.5], B=[0.0, 0.5]), rules)
    known = tariffs_of(case.table, case.scenario.response, case.policy)
    blocks = blocks_of(rules, book)
    decisions = Decisions(np.array([131_072.0]), np.array([rate]))
    made = recompute(book, rules, known, blocks, decisions, {"budget": 0.0}).value
    if rate == 0.125:  # all of it is drawn
        assert made.value == 131_072 * (rate * 0.75 - 0.125 - 0.5) + 64.0 / 2 - 32.0
    per_unit = rate * 1.25 + 0.125 + 0.5 + 0.25
    own = 26 * 1.001 * UNIT * (131_072 * per_unit + 2.5 * 64 + 32)
    assert made.error == pytest.approx(own + 2 * UNIT * abs(made.value), rel=1e-12, abs=0)
