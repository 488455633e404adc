"""The ledger of a run at its prices: of a borrower, of a segment, of the book (formulation.md, section 5).

With chosen_i the reduced value of what borrower i got, best_i that of its best response to the prices,
y_j what the new offers use of limit j, b_j the room, s the idle budget and iota what it earns,

    value     = sum_i chosen_i + sum_j lambda_j y_j + iota s
    U - value = sum_i (best_i - chosen_i) + sum_j lambda_j (b_j - y_j) + [B max(0, iota - lambda_0) - iota s]

The bracket stands with the budget's own term: together they are (lambda_0 - iota) s, or (iota - lambda_0) y_0
where the idle rate is above the price; so every term is >= 0, as far as the limits are met.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocator.certification.bound import best_reduced_values, idle_worth
from allocator.certification.economics import Bases
from allocator.certification.limits import Block, Charges, blocks_of, charges_of
from allocator.certification.terms import Terms, terms_of
from allocator.records.ledger import Account, accounts_by
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Booleans, Floats, Text


@dataclass(frozen=True)
class Position:
    """A run's decisions beside everybody's best response to its prices; arrays of shape (n,)."""

    run: Outcome
    terms: Terms
    blocks: tuple[Block, ...]
    prices: Mapping[str, float]
    charges: Charges
    bases: Bases
    chosen: Floats
    """Reduced value of what was decided: 0 where declined."""
    best: Floats
    """Reduced value of the best response to the prices."""

    @property
    def bound(self) -> float:
        """U(prices)."""
        worth = idle_worth(self.run.scenario.policy, self.prices)
        return self.charges.constant + float(np.sum(self.best)) + worth


@dataclass(frozen=True)
class PricedAccount:
    """What the ledger of some borrowers adds up to, beside what the limits charge them; in money."""

    account: Account
    charges: Mapping[str, float]
    """Limit -> what it charges at its price; limits without a price are left out."""
    chosen: float
    """Value less charges: the reduced value of what was decided."""
    best: float
    """Reduced value of the best responses to the prices."""

    @property
    def figures(self) -> dict[str, Any]:
        """By name, as `explain --json` has them."""
        own = {"name": self.account.name, **self.account.figures, "charges": self.charges}
        del own["mean_rate"]
        return {**own, "chosen": self.chosen, "best": self.best}

    @property
    def lost(self) -> float:
        """best - chosen: what the whole loans, or a search that stopped, leave on the table; >= 0."""
        return self.best - self.chosen


@dataclass(frozen=True)
class LimitLine:
    """A limit in the book's ledger, as the row of formulation.md, section 2."""

    name: str
    price: float
    used: float
    """By the new offers, with any reference on the left."""
    room: float
    """The right-hand side: bound less what existing exposure uses."""
    unused: float
    """price x (room - used), for the budget with what idle money earns: part of U - value."""

    @property
    def charge(self) -> float:
        """price x used: part of the value."""
        return self.price * self.used


@dataclass(frozen=True)
class BookLedger:
    """The whole book: two sums, each to 1e-9."""

    account: PricedAccount
    limits: tuple[LimitLine, ...]
    idle_income: float
    value: float
    """As the certificate states it."""
    bound: float
    """U at the prices."""
    certified_bound: float
    """The certificate's: below U where a proof tree proves more."""

    @property
    def value_of_lines(self) -> float:
        """What the lines of the value add up to."""
        return self.account.chosen + sum(line.charge for line in self.limits) + self.idle_income

    @property
    def gap_of_lines(self) -> float:
        """What the lines of U - value add up to."""
        return self.account.lost + sum(line.unused for line in self.limits)

    @property
    def tree(self) -> float:
        """What a proof tree takes off U; 0 without one."""
        return self.bound - self.certified_bound


def position_of(run: Outcome) -> Position:
    """The decisions of `run` and the best responses to its prices, from the inputs alone: no solver."""
    policy, portfolio = run.scenario.policy, run.inputs.portfolio
    terms = terms_of(portfolio, run.inputs.churn, run.scenario.response, policy)
    blocks = blocks_of(policy, portfolio)
    prices = run.prices
    charges = charges_of(blocks, prices)
    bases = Bases.of(run.ledger)
    charged = sum(charges.per_basis[basis] * getattr(bases, basis) for basis in charges.per_basis)
    return Position(
        run=run,
        terms=terms,
        blocks=blocks,
        prices=prices,
        charges=charges,
        bases=bases,
        chosen=np.asarray(run.ledger.value - charged),
        best=best_reduced_values(portfolio, policy, terms, charges),
    )


def book_ledger(position: Position) -> BookLedger:
    """The ledger of the book, with every limit's line."""
    certificate, policy = position.run.certificate, position.run.scenario.policy
    room = np.concatenate([block.room for block in position.blocks]).tolist()
    lines = []
    for use, at in zip(certificate.limits, room, strict=True):
        # b - y is as in the certificate; the row has the reference on the left, so y = room - (b - y).
        left = use.bound - use.used
        lines.append(LimitLine(use.name, use.price, at - left, at, use.price * left + 0.0))
    idle = policy.unspent(lines[0].used)
    beyond = idle_worth(policy, position.prices) - policy.idle_rate * idle
    lines[0] = LimitLine(**{**vars(lines[0]), "unused": lines[0].unused + beyond})
    return BookLedger(
        account=whole_account(position),
        limits=tuple(lines),
        idle_income=policy.idle_rate * idle,
        value=certificate.value,
        bound=position.bound,
        certified_bound=certificate.bound,
    )


def whole_account(position: Position, among: Booleans | None = None, name: str = "book") -> PricedAccount:
    """The one account of the borrowers `among` (n,), of all if not given."""
    [account] = priced_accounts(position, Text(np.zeros(len(position.best), dtype=np.int32), (name,)), among)
    return account


def priced_accounts(position: Position, segments: Text, among: Booleans | None = None) -> list[PricedAccount]:
    """One account a value of the column `segments`, of the borrowers `among` (n,) if given.

    Values that nobody has are left out; borrowers without a value are in no account but one named
    "(none)", the last.
    """
    reduced = {"chosen": position.chosen, "best": position.best}
    ledger = position.run.ledger
    found = accounts_by(ledger, segments, reduced, among=among, unnamed="(none)")
    count = len(segments.values) + 1
    codes = np.where(segments.codes < 0, count - 1, segments.codes)
    if among is not None:
        codes = np.where(among, codes, -1)
    charges = _charges_by_segment(position, codes, count)
    present = np.flatnonzero(np.bincount(codes + 1, minlength=count + 1)[1:]).tolist()
    return [
        PricedAccount(
            account,
            {limit: float(charge[at]) for limit, charge in charges.items()},
            account.further["chosen"],
            account.further["best"],
        )
        for at, account in zip(present, found, strict=True)
    ]


def _by_segment(codes: np.ndarray, figures: Floats, count: int) -> Floats:
    """(count,) sums; code -1 counts nowhere."""
    return np.bincount(codes + 1, figures, minlength=count + 1)[1:].astype(np.float64, copy=False)


def _charges_by_segment(position: Position, codes: np.ndarray, count: int) -> dict[str, Floats]:
    """What each limit that has a price charges each segment, shape (count,)."""
    charges = {}
    for block in position.blocks:
        prices = block.allowed(position.prices)
        if not np.any(prices):
            continue
        rows = len(block.names)
        used = np.asarray(getattr(position.bases, block.basis), dtype=np.float64)
        used = used if block.weight is None else used * block.weight
        inside = (codes >= 0) & (block.codes >= 0)
        cell = codes[inside].astype(np.int64) * rows + block.codes[inside]
        table = np.bincount(cell, used[inside], minlength=count * rows).reshape(count, rows)
        reference = np.zeros(count)
        if block.reference:
            reference = block.share * _by_segment(codes, getattr(position.bases, block.reference), count)
        for at in np.flatnonzero(prices).tolist():
            charges[block.names[at]] = prices[at] * (table[:, at] - reference)
    return charges
