"""One line of the ledger by hand, in numbers that binary64 holds exactly, and a refusal's."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from allocator.certification.economics import Bases, Margin, ledger_of
from allocator.records.ledger import Ledger
from allocator.records.portfolio import Portfolio
from allocator.records.risk import CapitalRule
from allocator.records.scenario import Policy
from tests.builders import policy, portfolio

BOOK = portfolio(["A"] * 3, pd=0.25, lgd=0.5, term=2.0, relationship_value=1_024.0)
POLICY = policy(
    1e6, funding_rate=0.03125, churn_cost_rate=0.125, decline_churn=0.5, processing_cost=64.0
)  # fmt: skip
WITH_CAPITAL = replace(BOOK, requirement=np.full(3, 0.125)), replace(POLICY, capital=CapitalRule(cost=0.25))


def ledger(book: Portfolio = BOOK, rules: Policy = POLICY) -> Ledger:
    amounts, rates = np.array([4_096.0, 0.0, 0.5]), np.array([0.125, 0.75, 0.125])
    return ledger_of(book, rules, amounts, rates, np.array([0.75, 0.5, 1.0]))


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
CHARGED = OFFERED | {"capital_years": 768.0, "capital_cost": 192.0, "value": OFFERED["value"] - 192.0}


def line(lines: Ledger, at: int) -> dict[str, float]:
    return {name: float(figures[at]) for name, figures in vars(lines).items() if figures is not None}


def test_an_offer_line_by_line() -> None:
    assert line(ledger(), 0) == OFFERED
    assert line(ledger(*WITH_CAPITAL), 0) == CHARGED
    assert ledger(*WITH_CAPITAL).raroc[0] == OFFERED["value"] / 768.0


def test_a_refusal_is_nothing_but_zeros() -> None:
    assert set(line(ledger(), 1).values()) == set(line(ledger(*WITH_CAPITAL), 1).values()) == {0.0}


def test_half_a_unit_is_an_offer() -> None:
    assert line(ledger(), 2)["drawn"] == 0.5
    assert line(ledger(), 2)["processing_cost"] == 64.0
    assert line(ledger(), 2)["relationship_cost"] == -512.0


@pytest.mark.parametrize("case", [(BOOK, POLICY), WITH_CAPITAL], ids=["free", "charged"])
def test_the_value_is_the_sum_of_the_lines(case: tuple[Portfolio, Policy]) -> None:
    found = ledger(*case)
    summed = sum(line.sign * getattr(found, line.name) for line in found.lines)
    assert np.array_equal(found.value, summed)


@pytest.mark.parametrize(("book", "rules"), [(BOOK, POLICY), WITH_CAPITAL], ids=["free", "charged"])
def test_sorted_by_what_it_is_asked_for_an_offer_is_worth_the_same(book: Portfolio, rules: Policy) -> None:
    amount, rate, take_up = np.array([4_096.0, 512.0, 0.5]), np.array([0.125] * 3), np.array([0.75, 0.5, 1])
    value = ledger_of(book, rules, amount, rate, take_up).value
    assert np.array_equal(Margin.of(book, rules).value(amount, rate, take_up), value)
    exact = Margin.exactly(book, rules, 0)
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
