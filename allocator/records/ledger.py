"""The ledger: what every decision earns and costs line by line, and what it adds up to.

`LINES` declares the lines once; whoever writes, reads or shows them follows it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from allocator.records.columns import VALUE
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
    always: bool = True
    """Whether every ledger has it; else those of a policy that says so."""


LINES = (
    Line("interest", "interest", "interest", 1),
    Line("expected_loss", "expected loss", "loss", -1),
    Line("funding_cost", "funding", "funding", -1),
    Line("churn_cost", "churn", "churn", -1),
    Line("processing_cost", "processing", "processing", -1),
    Line("relationship_cost", "relationships lost", "relations", -1),
    Line("capital_cost", "cost of capital", "capital", -1, always=False),
)
"""What a value is the sum of, in the order of allocation.csv."""
COMPUTED = ("take_up", *(line.name for line in LINES if line.always), VALUE)
"""Columns of an allocation that are computed, not decided."""
ON_CAPITAL = ("capital_cost", "capital_years", "raroc")
"""Further ones where capital has a cost."""


def lines_among(figures: Container[str]) -> tuple[Line, ...]:
    """The lines that `figures` have, in their order."""
    return tuple(line for line in LINES if line.name in figures)


def return_on(capital: Floats, earned: Floats) -> Floats:
    """RAROC a year: what is earned before capital costs anything, by the capital tied up over the term; 0
    where none is."""
    return np.asarray(np.divide(earned, capital, out=np.zeros(np.shape(capital)), where=capital > 0))


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
    capital_cost: Floats | None = None
    """None, as what follows: the policy says nothing of what capital costs."""
    capital_years: Floats | None = None
    """Capital tied up over the term, K drawn T: money times years."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """Those that the value is the sum of."""
        return tuple(line for line in LINES if getattr(self, line.name) is not None)

    @property
    def computed(self) -> tuple[str, ...]:
        """Columns of the allocation that are computed, in their order."""
        return COMPUTED if self.capital_cost is None else (*COMPUTED, *ON_CAPITAL)

    @property
    def raroc(self) -> Floats:
        """Of each offer, a fraction a year; 0 where none ties up capital."""
        if self.capital_years is None or self.capital_cost is None:
            return np.zeros(len(self.value))
        return return_on(self.capital_years, self.value + self.capital_cost)

    def take(self, rows: Integers | slice) -> Ledger:
        """That of the borrowers at `rows`."""
        columns = {name: column for name, column in vars(self).items() if isinstance(column, np.ndarray)}
        return Ledger(**{name: column[rows] for name, column in columns.items()})

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
    capital_years: float | None = None

    @property
    def on_capital(self) -> dict[str, float]:
        """What is earned on the capital tied up over the term, where that has a cost."""
        if self.capital_years is None:
            return {}
        earned = np.array(self.value + self.lines["capital_cost"])
        raroc = float(return_on(np.array(self.capital_years), earned))
        return {"capital_years": self.capital_years, "raroc": raroc}

    @property
    def figures(self) -> dict[str, Any]:
        """By name, as summary.json has them."""
        counts = {"borrowers": self.borrowers, "funded": self.funded}
        amounts = {"offered": self.offered, "drawn": self.drawn, "mean_rate": self.mean_rate}
        return {**counts, **amounts, **self.lines, "value": self.value, **self.on_capital}


NOBODY = Account("", 0, 0, 0.0, 0.0, 0.0, {line.name: 0.0 for line in LINES if line.always}, 0.0)


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
        lines={line.name: float(np.sum(getattr(ledger, line.name)[rows])) for line in ledger.lines},
        value=float(np.sum(ledger.value[rows])),
        further={key: float(np.sum(figures[rows])) for key, figures in further.items()},
        capital_years=None if ledger.capital_years is None else float(np.sum(ledger.capital_years[rows])),
    )
