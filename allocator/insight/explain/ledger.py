"""The ledger of a run at its prices: of a borrower, of a segment, of the book (formulation.md, section 5).

With chosen_i the reduced value of what borrower i got, best_i that of its best response to the prices,
y_j what the new offers use of limit j, b_j the room, s the idle budget and iota what it earns,

    value     = sum_i chosen_i + sum_j lambda_j y_j + iota s
    U - value = sum_i (best_i - chosen_i) + sum_j lambda_j (b_j - y_j) + [B max(0, iota - lambda_0) - iota s]

The bracket stands with the budget's own term: together they are (lambda_0 - iota) s, or (iota - lambda_0) y_0
where the idle rate is above the price; so every term is >= 0, as far as the limits are met. A soft limit that
is missed by t takes p t off the value, beside its own term: lambda_j (b_j - y_j + t) + (p - lambda_j) t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from allocator.certification.bound import idle_worth
from allocator.insight.explain.position import Position
from allocator.insight.explain.ranges import PriceRange
from allocator.records.ledger import Account, accounts_by
from allocator.records.portfolio import Booleans, Floats, Text
from allocator.records.run import LimitUse


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
        """Every figure by the name that it has in `explain --json`."""
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

    use: LimitUse
    """The limit's use as the certificate states it."""
    used: float
    """What the new offers use, with any reference on the left."""
    room: float
    """The right-hand side: bound less what existing exposure uses."""
    unused: float
    """price x (room - used), for the budget with what idle money earns, for a soft limit with its penalty:
    part of U - value."""
    range: PriceRange | None = None
    """Moves of the right-hand side over which the price stays tight; None: not known."""

    @property
    def charge(self) -> float:
        """price x used: part of the value."""
        return self.use.price * self.used


@dataclass(frozen=True)
class BookLedger:
    """The whole book: two sums, each to 1e-9."""

    account: PricedAccount
    limits: tuple[LimitLine, ...]
    idle_income: float
    penalty: float
    """What soft limits that are missed take off the value."""
    above_worst: float
    """What the mean over several stresses, which the lines are of, lies above the value, the least."""
    value: float
    """The certificate's value."""
    bound: float
    """U at the prices."""
    certified_bound: float
    """The certificate's: below U where a proof tree proves more."""

    @property
    def value_of_lines(self) -> float:
        """What the lines of the value add up to."""
        charged = sum(line.charge for line in self.limits)
        return self.account.chosen + charged + self.idle_income - self.penalty - self.above_worst

    @property
    def gap_of_lines(self) -> float:
        """What the lines of U - value add up to."""
        return self.account.lost + sum(line.unused for line in self.limits) + self.above_worst

    @property
    def tree(self) -> float:
        """What a proof tree takes off U; 0 without one."""
        return self.bound - self.certified_bound


def book_ledger(position: Position) -> BookLedger:
    """The ledger of the book, with every limit's line."""
    certificate, policy = position.run.certificate, position.run.scenario.policy
    room = np.concatenate([block.room for block in position.blocks]).tolist()
    lines = []
    for use, right in zip(certificate.limits, room, strict=True):
        # b - y is as in the certificate; the row has the reference on the left, so y = room - (b - y).
        left = use.bound - use.used
        lines.append(LimitLine(use, right - left, right, use.price * left + use.paid))
    idle = policy.unspent(lines[0].used)
    beyond = idle_worth(policy, position.prices) - policy.idle_rate * idle
    lines[0] = replace(lines[0], unused=lines[0].unused + beyond)
    return BookLedger(
        account=whole_account(position),
        limits=tuple(lines),
        idle_income=policy.idle_rate * idle,
        penalty=certificate.penalty,
        above_worst=certificate.above_worst,
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
    accounts = accounts_by(ledger, segments, reduced, among=among, unnamed="(none)")
    count = len(segments.values) + 1
    codes = np.where(segments.codes < 0, count - 1, segments.codes)
    if among is not None:
        codes = np.where(among, codes, -1)
    charges = _charges_by_segment(position, codes, count)
    present = np.flatnonzero(np.bincount(codes + 1, minlength=count + 1)[1:]).tolist()
    return [
        PricedAccount(
            account,
            {limit: float(charge[code]) for limit, charge in charges.items()},
            account.further["chosen"],
            account.further["best"],
        )
        for code, account in zip(present, accounts, strict=True)
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
        used = np.asarray(block.used_by(position.bases), dtype=np.float64)
        inside = (codes >= 0) & (block.codes >= 0)
        cell = codes[inside].astype(np.int64) * rows + block.codes[inside]
        table = np.bincount(cell, used[inside], minlength=count * rows).reshape(count, rows)
        reference = np.zeros(count)
        if block.reference:
            lent = block.referred(getattr(position.bases, block.reference))
            reference = block.share * _by_segment(codes, lent, count)
        for row in np.flatnonzero(prices).tolist():
            charges[block.names[row]] = prices[row] * (table[:, row] - reference)
    return charges
