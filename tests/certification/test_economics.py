"""One line of the ledger by hand, in numbers that binary64 holds exactly, and a refusal's."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction

import numpy as np

from allocator.certification.economics import Bases, Margin, ledger_of
from allocator.records.ledger import LINES, Ledger
from tests.builders import policy, portfolio

BOOK = portfolio(["A"] * 3, pd=0.25, lgd=0.5, term=2.0, relationship_value=1_024.0)
POLICY = policy(
    1e6, funding_rate=0.03125, churn_cost_rate=0.125, decline_churn=0.5, processing_cost=64.0
)  # fmt: skip


def ledger() -> Ledger:
    amounts, rates = np.array([4_096.0, 0.0, 0.5]), np.array([0.125, 0.75, 0.125])
    return ledger_of(BOOK, POLICY, amounts, rates, np.array([0.75, 0.5, 1.0]))


OFFERED = {
    "amount": 4_096.0,
    "rate": 0.125,
    "take_up": 0.75,
    "drawn": 3_072.0,
    "gross_interest": 768.0,
    "interest": 576.0,
    "expected_loss": 384.0,
    "funding_cost": 192.0,
    "churn_cost": 128.0,
    "processing_cost": 48.0,
    "relationship_cost": -256.0,
    "value": 576.0 - 384.0 - 192.0 - 128.0 - 48.0 + 256.0,
}
"""Walks with 1/4, where a refusal would have lost 1/2: a quarter of the relationship is kept."""


def line(lines: Ledger, at: int) -> dict[str, float]:
    return {field.name: float(getattr(lines, field.name)[at]) for field in fields(Ledger)}


def test_an_offer_line_by_line() -> None:
    assert line(ledger(), 0) == OFFERED


def test_a_refusal_is_nothing_but_zeros() -> None:
    assert set(line(ledger(), 1).values()) == {0.0}


def test_half_a_unit_is_an_offer() -> None:
    assert line(ledger(), 2)["drawn"] == 0.5
    assert line(ledger(), 2)["processing_cost"] == 64.0
    assert line(ledger(), 2)["relationship_cost"] == -512.0


def test_the_value_is_the_sum_of_the_lines() -> None:
    found = ledger()
    summed = sum(line.sign * getattr(found, line.name) for line in LINES)
    assert np.array_equal(found.value, summed)


def test_sorted_by_what_it_is_asked_for_an_offer_is_worth_the_same() -> None:
    amount, rate, take_up = np.array([4_096.0, 512.0, 0.5]), np.array([0.125] * 3), np.array([0.75, 0.5, 1])
    value = ledger_of(BOOK, POLICY, amount, rate, take_up).value
    assert np.array_equal(Margin.of(BOOK, POLICY).value(amount, rate, take_up), value)
    exact = Margin.exactly(BOOK, POLICY, 0)
    offer = (Fraction(float(column[0])) for column in (amount, rate, take_up))
    assert exact.value(*offer) == Fraction(float(value[0]))


def test_limits_charge_what_they_count() -> None:
    """Prices of their own: 1 offered, 2 drawn, 4 of gross interest, 8 a loan, 16 one that is taken up."""
    prices = {"offered": 1.0, "drawn": 2.0, "interest": 4.0, "loans": 8.0, "booked": 16.0}
    free, charged = Margin.of(BOOK, POLICY), Margin.of(BOOK, POLICY, prices)
    amount, rate, take_up = np.array([4_096.0] * 3), np.array([0.125] * 3), np.array([0.75] * 3)
    bases = Bases.of(ledger_of(BOOK, POLICY, amount, rate, take_up))
    less = sum(price * getattr(bases, basis) for basis, price in prices.items())
    assert np.array_equal(charged.value(amount, rate, take_up), free.value(amount, rate, take_up) - less)


def test_what_limits_add_up() -> None:
    bases = Bases.of(ledger())
    assert bases.offered.tolist() == [4_096.0, 0.0, 0.5]
    assert bases.drawn.tolist() == [3_072.0, 0.0, 0.5]
    assert bases.interest.tolist() == [768.0, 0.0, 0.125]
    assert bases.loans.tolist() == [True, False, True]
    assert bases.booked.tolist() == ledger().take_up.tolist()
