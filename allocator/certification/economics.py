"""What each decision earns and costs (docs/formulation.md, section 1), from rates and amounts alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.records.ledger import Ledger
from allocator.records.portfolio import Booleans, Floats, Portfolio
from allocator.records.scenario import Policy


def ledger_of(portfolio: Portfolio, policy: Policy, amount: Floats, rate: Floats, take_up: Floats) -> Ledger:
    """The ledger of decisions with known take-up; amount 0 is a refusal."""
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
        value=interest - loss - funding - churn - processing - relationship,
    )


@dataclass(frozen=True)
class Bases:
    """What the four measures add up, arrays of shape (n,)."""

    offered: Floats
    drawn: Floats
    interest: Floats
    """Gross."""
    loans: Booleans

    @classmethod
    def of(cls, ledger: Ledger) -> Bases:
        return cls(ledger.amount, ledger.drawn, ledger.gross_interest, ledger.amount > 0)
