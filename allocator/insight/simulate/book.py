"""What an allocation pays by who takes it up and who defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.certification.economics import Margin
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Booleans, Floats

DRAWN, INTEREST, COST = range(3)
"""Columns of `flows`."""


@dataclass(frozen=True)
class BookFlows:
    """One allocation over n borrowers; flows are 0 where nothing is offered."""

    take_up: Floats
    """(n,)"""
    flows: Floats
    """(3, n) what a borrower who takes the offer adds: money drawn, interest before defaults, and costs
    over those of one who walks away."""
    terms: tuple[Floats, ...]
    """Columns (n,) that are equal where the flows are."""
    constant: float
    """Margin of the book if everybody walked away, idle budget included."""
    idle: float
    """What a unit drawn takes from the idle budget's income."""
    expected: dict[str, float]

    @property
    def offered(self) -> Booleans:
        """(n,) whether the borrower has an offer."""
        offered: Booleans = self.flows[DRAWN] > 0
        return offered

    @classmethod
    def of(cls, outcome: Outcome) -> BookFlows:
        """The book of an outcome's decisions."""
        portfolio, policy, ledger = outcome.inputs.portfolio, outcome.scenario.policy, outcome.ledger
        amount, rate = ledger.amount, ledger.rate
        offered = amount > 0
        worth = Margin.of(replace(portfolio, pd=np.zeros(len(portfolio))), policy)
        booked = np.where(offered, worth.drawn * amount + worth.booked, 0.0)
        walked = np.where(offered, worth.offered * amount + worth.fixed, 0.0)
        on_drawn = policy.idle_yield if policy.budget.basis == "drawn" else 0.0
        account, income = outcome.account, outcome.idle_income - outcome.limit_penalty
        return cls(
            take_up=ledger.take_up,
            flows=np.array([amount, amount * rate * portfolio.term, -booked]),
            terms=(ledger.take_up, amount, rate, portfolio.term, booked),
            constant=float(np.sum(walked)) + income + on_drawn * account.drawn,
            idle=on_drawn,
            expected={
                "interest": account.lines["interest"],
                "loss": account.lines["expected_loss"],
                "drawn": account.drawn,
                "net": outcome.value,
            },
        )
