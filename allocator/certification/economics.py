"""What each decision earns and costs (docs/formulation.md, section 1), from rates and amounts alone.

The value is stated line by line, and once more sorted by what an offer is asked for: its rate, its amount,
its take-up. A new line of the ledger is a term of `ledger_of`, of `Margin` and of `magnitudes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Generic, TypeVar

import numpy as np

from allocator.records.ledger import Ledger
from allocator.records.portfolio import Booleans, Floats, Portfolio
from allocator.records.scenario import Policy


def ledger_of(portfolio: Portfolio, policy: Policy, amount: Floats, rate: Floats, take_up: Floats) -> Ledger:
    """The ledger of decisions with known take-up; amount 0 is no offer."""
    offered = amount > 0
    accepts = np.where(offered, take_up, 0.0)
    walks = np.where(offered, 1.0 - take_up, 0.0)
    drawn = accepts * amount
    gross = drawn * rate * portfolio.term
    interest = gross * (1.0 - portfolio.pd)
    loss = drawn * portfolio.pd * portfolio.lgd
    funding = drawn * policy.funding_rate * portfolio.term
    churn = walks * amount * policy.churn_cost_rate
    processing = accepts * policy.processing_cost
    relationship = (walks - np.where(offered, policy.decline_churn, 0.0)) * portfolio.relationship_value
    value = interest - loss - funding - churn - processing - relationship
    capital, charged = None, None
    if policy.capital.cost is not None:
        capital = drawn * portfolio.tied_up * portfolio.term
        charged = capital * policy.capital.cost
        value = value - charged
    return Ledger(
        amount=amount,
        rate=np.where(offered, rate, 0.0),
        take_up=accepts,
        drawn=drawn,
        gross_interest=gross,
        interest=interest,
        expected_loss=loss,
        funding_cost=funding,
        churn_cost=churn,
        processing_cost=processing,
        relationship_cost=relationship,
        value=value,
        capital_cost=charged,
        capital_years=capital,
    )


@dataclass(frozen=True)
class Bases:
    """What the five bases add up, arrays of shape (n,)."""

    offered: Floats
    drawn: Floats
    interest: Floats
    """Gross."""
    loans: Booleans
    booked: Floats
    """Take-up of the offers made."""

    @classmethod
    def of(cls, ledger: Ledger) -> Bases:
        return cls(ledger.amount, ledger.drawn, ledger.gross_interest, ledger.amount > 0, ledger.take_up)


Number = TypeVar("Number", Floats, Fraction)
BASES = tuple(field.name for field in fields(Bases))
_FREE: Mapping[str, Any] = dict.fromkeys(BASES, 0)


@dataclass(frozen=True)
class Margin(Generic[Number]):
    """An offer of x at rate r and take-up a is worth a (r gross x + drawn x + booked) + offered x + fixed.

    One number per borrower, shape (n,), or those of one borrower in rational numbers.
    """

    gross: Number
    drawn: Number
    offered: Number
    booked: Number
    fixed: Number

    @classmethod
    def of(cls, portfolio: Portfolio, policy: Policy, charges: Mapping[str, Any] = _FREE) -> Margin[Floats]:
        """In binary64 numbers, less what a unit of each basis is charged."""
        return Margin(*_margin(columns_of(portfolio, policy), policy, float, charges))

    @classmethod
    def exactly(cls, portfolio: Portfolio, policy: Policy, i: int) -> Margin[Fraction]:
        """Of borrower `i` in rational numbers."""
        own = [Fraction(float(column[i])) for column in columns_of(portfolio, policy)]
        return Margin(*_margin(own, policy, Fraction, _FREE))

    def value(self, amount: Number, rate: Number, take_up: Number) -> Number:
        """Of one offer to each."""
        inner = rate * self.gross * amount + self.drawn * amount + self.booked
        return take_up * inner + self.offered * amount + self.fixed


def columns_of(portfolio: Portfolio, policy: Policy) -> Sequence[Floats]:
    """The columns that an offer's value is made of: pd, lgd, term, relationship value, K where it costs."""
    own = portfolio.pd, portfolio.lgd, portfolio.term, portfolio.relationship_value
    return own if policy.capital.cost is None else (*own, portfolio.tied_up)


def _margin(
    own: Sequence[Any], policy: Policy, number: Callable[[float], Any], charges: Mapping[str, Any]
) -> tuple[Any, Any, Any, Any, Any]:
    """The terms of `Margin`, of the borrowers' `own` columns and the policy's figures read as `number`."""
    pd, lgd, term, relationship, *capital = own
    churn, declined = number(policy.churn_cost_rate), number(policy.decline_churn)
    drawn = churn - pd * lgd - number(policy.funding_rate) * term
    for requirement in capital:
        drawn = drawn - number(policy.capital.cost or 0.0) * requirement * term
    return (
        term * (1 - pd - charges["interest"]),
        drawn - charges["drawn"],
        -churn - charges["offered"],
        relationship - number(policy.processing_cost) - charges["booked"],
        (declined - 1) * relationship - charges["loans"],
    )


def magnitudes(own: Sequence[Floats], policy: Policy, top: float) -> tuple[Floats, Floats, Floats]:
    """(n,) what the terms of `Margin` are, without their signs: of gross interest per unit offered at the
    rate `top`, of everything a unit offered at a take-up of 1, and of what no amount changes.

    `own` are the borrowers' columns (n,) as `columns_of` has them: larger ones have larger magnitudes.
    """
    pd, lgd, term, relationship, *capital = own
    gross = top * term
    per_unit = gross * (1.0 + pd) + pd * lgd + abs(policy.funding_rate) * term
    per_unit += 2 * abs(policy.churn_cost_rate)
    for requirement in capital:
        per_unit += (policy.capital.cost or 0.0) * requirement * term
    relationship = (2.0 + abs(policy.decline_churn)) * np.abs(relationship)
    return gross, per_unit, relationship + abs(policy.processing_cost)
