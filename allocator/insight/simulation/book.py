"""What an allocation pays by who takes it up and who defaults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.records.outcome import Outcome
from allocator.records.portfolio import Booleans, Floats

DRAWN, INTEREST, COST = range(3)
"""Columns of `flows`."""


@dataclass(frozen=True)
class Book:
    """One allocation over n borrowers; flows are 0 where nothing is offered."""

    take_up: Floats
    """(n,)"""
    flows: Floats
    """(3, n) what a borrower who takes the offer adds: money drawn, interest before defaults, and costs
    over those of one who walks away."""
    terms: tuple[Floats, ...]
    """Columns (n,) that are equal where the flows are."""
    constant: float
    """Worth of the book if everybody walked away, idle budget included."""
    idle: float
    """What a unit drawn takes from the idle budget's income."""
    expected: dict[str, float]

    @property
    def offered(self) -> Booleans:
        """(n,) whether the borrower has an offer."""
        offered: Booleans = self.flows[DRAWN] > 0
        return offered

    @classmethod
    def of(cls, outcome: Outcome) -> Book:
        """The book of an outcome's decisions."""
        portfolio, policy, ledger = outcome.inputs.portfolio, outcome.scenario.policy, outcome.ledger
        amount, rate = ledger.amount, ledger.rate
        offered = amount > 0
        value = np.where(offered, portfolio.relationship_value, 0.0)
        walks = policy.churn_cost_rate * amount + value
        taken = policy.funding_rate * portfolio.term * amount + policy.processing_cost * offered
        idle = policy.idle_yield
        on_drawn = idle if policy.budget.basis == "drawn" else 0.0
        drawn = float(np.sum(ledger.drawn))
        return cls(
            take_up=ledger.take_up,
            flows=np.array([amount, amount * rate * portfolio.term, taken - walks]),
            terms=(ledger.take_up, amount, rate, portfolio.term, value),
            constant=float(-np.sum(walks) + policy.decline_churn * np.sum(value))
            + idle * outcome.unspent
            + on_drawn * drawn,
            idle=on_drawn,
            expected={
                "interest": float(np.sum(ledger.interest)),
                "loss": float(np.sum(ledger.expected_loss)),
                "drawn": drawn,
                "net": outcome.value,
            },
        )
