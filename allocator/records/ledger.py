"""The ledger: what every decision earns and costs line by line, and what it adds up to.

`LINES` declares the lines once; whoever writes, reads or shows them follows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from allocator.records.portfolio import Booleans, Floats, Integers, Text


@dataclass(frozen=True)
class Line:
    """A part of the value, in currency units; a cost is stated as a positive amount."""

    name: str
    """Column of the allocation, key of the summary, field of `Ledger`."""
    label: str
    """The line's name in a sentence."""
    heading: str
    """The line's name above a column of figures."""
    sign: Literal[1, -1]
    """Sign with which the line enters the value."""


LINES = (
    Line("interest", "interest", "interest", 1),
    Line("expected_loss", "expected loss", "loss", -1),
    Line("funding_cost", "funding", "funding", -1),
    Line("churn_cost", "churn", "churn", -1),
    Line("processing_cost", "processing", "processing", -1),
    Line("relationship_cost", "relationships lost", "relations", -1),
)
"""What a value is the sum of, in the order of allocation.csv."""
COSTS = tuple(line for line in LINES if line.sign < 0)
VALUE = "value"
"""The last column, and the measure of limits that adds it up."""
COMPUTED = ("take_up", *(line.name for line in LINES), VALUE)
"""Columns of an allocation that are computed, not decided."""


@dataclass(frozen=True)
class Ledger:
    """One row per borrower, arrays of shape (n,), all 0 where declined; costs are positive."""

    amount: Floats
    rate: Floats
    take_up: Floats
    drawn: Floats
    gross_interest: Floats
    interest: Floats
    expected_loss: Floats
    funding_cost: Floats
    churn_cost: Floats
    processing_cost: Floats
    relationship_cost: Floats
    """Relationship lost when the customer walks, less what no offer would have lost."""
    value: Floats

    @cached_property
    def account(self) -> Account:
        """What it adds up to, summed once."""
        return account_of(self)


@dataclass(frozen=True)
class Account:
    """What the ledger of some borrowers adds up to; amounts in currency units, costs positive."""

    name: str
    """The value of the column that they share."""
    borrowers: int
    funded: int
    offered: float
    drawn: float
    mean_rate: float
    """Weighted by the amounts offered; 0 where nothing is."""
    lines: Mapping[str, float]
    """Name of a line -> its sum."""
    value: float
    further: Mapping[str, float] = field(default_factory=dict)
    """Sums of the columns that were asked for beside the ledger's own."""

    @property
    def figures(self) -> dict[str, Any]:
        """By name, as summary.json has them."""
        counts = {"borrowers": self.borrowers, "funded": self.funded}
        amounts = {"offered": self.offered, "drawn": self.drawn, "mean_rate": self.mean_rate}
        return {**counts, **amounts, **self.lines, "value": self.value}


NOBODY = Account("", 0, 0, 0.0, 0.0, 0.0, {line.name: 0.0 for line in LINES}, 0.0)


def account_of(ledger: Ledger, further: Mapping[str, Floats] | None = None) -> Account:
    """The whole ledger, with the sums of `further` columns (n,)."""
    return _account("", ledger, further or {}, slice(None), len(ledger.amount))


def accounts_by(
    ledger: Ledger,
    column: Text,
    further: Mapping[str, Floats] | None = None,
    *,
    among: Booleans | None = None,
    unnamed: str = "",
) -> list[Account]:
    """One a value of `column` (n,) in their order, of the borrowers `among` (n,) if given.

    Values that nobody has are left out; those without a value come last, as `unnamed`.
    """
    names = [*column.values, unnamed]
    codes = np.where(column.codes < 0, len(column.values), column.codes)
    members = _rows_by_code(codes, len(names), among)
    return [
        _account(name, ledger, further or {}, rows, len(rows))
        for name, rows in zip(names, members, strict=True)
        if len(rows)
    ]


def _rows_by_code(codes: Integers, count: int, among: Booleans | None) -> list[Integers]:
    """The rows of each of `count` codes, ascending."""
    own = (codes if among is None else codes[among]).astype(np.min_scalar_type(count))
    order = np.argsort(own, kind="stable")
    rows = order if among is None else np.flatnonzero(among)[order]
    return np.split(rows, np.cumsum(np.bincount(own, minlength=count))[:-1])


def _account(
    name: str, ledger: Ledger, further: Mapping[str, Floats], rows: Integers | slice, borrowers: int
) -> Account:
    amount = ledger.amount[rows]
    offered = float(np.sum(amount))
    weighted = float(np.sum(amount * ledger.rate[rows]))
    return Account(
        name=name,
        borrowers=borrowers,
        funded=int(np.count_nonzero(amount)),
        offered=offered,
        drawn=float(np.sum(ledger.drawn[rows])),
        mean_rate=weighted / offered if offered else 0.0,
        lines={line.name: float(np.sum(getattr(ledger, line.name)[rows])) for line in LINES},
        value=float(np.sum(ledger.value[rows])),
        further={key: float(np.sum(figures[rows])) for key, figures in further.items()},
    )
