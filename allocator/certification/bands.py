"""Amounts that go by more than one step, again from the inputs: a column, the size of the loan, a menu.

All is counted in whole cents, so that nothing is rounded (docs/certificate.md, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd

import numpy as np

from allocator.certification.lots import CENT, Lot
from allocator.records.portfolio import Booleans, Floats, Integers, Portfolio
from allocator.records.scenario import Policy
from allocator.records.ticket import OwnSteps, SizedSteps

_Piece = tuple[Floats, Floats, Floats]
"""Cents (n,): the first amount of a piece at least, the last at most, and the step."""


@dataclass(frozen=True)
class Grid:
    """The amounts that n borrowers may have: of every piece the multiples of its step."""

    pieces: tuple[_Piece, ...]
    """From the smallest amounts to the largest."""

    def take(self, who: Integers) -> Grid:
        """The amounts of the borrowers at `who`."""
        return Grid(tuple((a[who], b[who], c[who]) for a, b, c in self.pieces))

    def down(self, amounts: Floats) -> Floats:
        """(n,) the largest amounts that are no more than `amounts`; -inf where there are none."""
        whole, nearest = CENT.counts(CENT.down(amounts)), np.full(len(amounts), -np.inf)
        for least, most, step in self.pieces:
            own = np.minimum(whole, most) // step * step
            nearest = np.where(own >= least, own, nearest)
        return CENT.amounts(nearest)

    def up(self, amounts: Floats) -> Floats:
        """(n,) the smallest amounts that are no less than `amounts`; inf where there are none."""
        whole, nearest = CENT.counts(CENT.up(amounts)), np.full(len(amounts), np.inf)
        for least, most, step in reversed(self.pieces):
            own = -(-np.maximum(whole, least) // step) * step
            nearest = np.where(own <= most, own, nearest)
        return CENT.amounts(nearest)

    def whole(self, amounts: Floats) -> Booleans:
        """(n,) whether each amount is one of the borrower's."""
        return np.asarray(np.isfinite(amounts) & (self.down(amounts) == amounts))

    @property
    def common(self) -> Lot:
        """What every amount of everybody is a multiple of."""
        steps = [np.unique(step[least <= most]) for least, most, step in self.pieces]
        return Lot(gcd(*(int(step) for own in steps for step in own.tolist())) or 1, 100)


def grid_of(portfolio: Portfolio, policy: Policy) -> Grid | None:
    """The amounts of the borrowers of `portfolio`; None where one step, or the cent, says them all."""
    named, n = policy.ticket.grid, len(portfolio)
    if named is None:
        return None
    most = np.full(n, CENT.counts(CENT.down(np.array([policy.ticket.max])))[0])
    if isinstance(named, OwnSteps):
        steps = portfolio.number(named.column)
        cents = np.where(np.isfinite(steps), CENT.counts(steps), 0.0)
        return Grid(((np.ones(n), np.where(cents > 0, most, 0.0), np.maximum(cents, 1.0)),))
    if isinstance(named, SizedSteps):
        pieces, begin = [], 1.0
        for end, step in named.steps:
            beyond = CENT.counts(np.array([end]))[0] if end < np.inf else np.inf
            size = np.full(n, CENT.counts(np.array([step]))[0])
            pieces.append((np.full(n, begin), np.minimum(most, beyond - 1.0), size))
            begin = beyond
        return Grid(tuple(pieces))
    asked = np.where(np.isfinite(portfolio.asked), portfolio.asked, 0.0)
    cents = CENT.counts(CENT.down(asked)).astype(np.int64).astype(object)
    pieces = []
    for amount in named.amounts:
        share = Fraction(repr(amount))
        lots = np.full(n, CENT.counts(np.array([amount]))[0])
        if named.of_request:
            lots = (cents * share.numerator // share.denominator).astype(np.float64)
        pieces.append(
            (np.maximum(lots, 1.0), np.where(lots > 0, np.minimum(lots, most), 0.0), np.maximum(lots, 1.0))
        )
    return Grid(tuple(pieces))
