"""An allocation's account: in all, and by the values of a column."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.records.ledger import Account, accounts_by
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Floats


def whole_of(side: Outcome) -> Account:
    """The whole allocation; its value is the objective, what idle money earns included."""
    further = {name: float(np.sum(column)) for name, column in _weighted(side).items()}
    return replace(side.account, value=side.value, further=further)


def by_column(side: Outcome, column: str) -> dict[str, Account]:
    """The account of each value of a column of texts, in ascending order; those without one under ''."""
    text = side.inputs.portfolio.text(column)
    return {account.name: account for account in accounts_by(side.ledger, text, _weighted(side))}


def mean_pd(account: Account) -> float:
    """Mean PD of an account made here, weighted by the amounts offered; 0 where nothing is offered."""
    return account.further["pd"] / account.offered if account.offered else 0.0


def _weighted(side: Outcome) -> dict[str, Floats]:
    return {"pd": side.ledger.amount * side.inputs.portfolio.pd}
