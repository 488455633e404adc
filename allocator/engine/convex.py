"""Convex limits, which no row says, at a point: by how much it exceeds them, and the cut that it violates.

A point is (2, n): what each borrower is offered, and what of it is expected to be drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

import numpy as np

from allocator.records.cuts import Cut
from allocator.records.offers import SAME_RATE, OfferBook
from allocator.records.portfolio import Codes, Floats
from allocator.records.solution import Solution

_FAR, _PARALLEL = 0.03, 1e-4
"""Distances of directions: beyond, a cut is far from a point; below, two say the same to half its square."""
_INSIDE = 1.0 - 4e-15
"""Length of a direction, so that its numbers, however they are read, are no longer than 1."""
_KEPT = 1e-12
"""Shares of a direction below this are dropped."""


def point_of(offers: OfferBook, found: Solution) -> Floats:
    """(2, n) what a solution offers, and what of it is expected to be drawn."""
    drawn = np.zeros(len(offers))
    made = np.flatnonzero(found.amount > 0)
    made = made[np.argsort(offers.menu[made], kind="stable")]
    numbers, starts = np.unique(offers.menu[made], return_index=True)
    for number, some in zip(numbers.tolist(), np.split(made, starts)[1:], strict=True):
        menu = offers.menus[number]
        option = np.searchsorted(menu.rates, found.rate[some] - SAME_RATE)
        drawn[some] = menu.take_up[option] * found.amount[some]
    return np.vstack([found.amount, drawn])


@dataclass(frozen=True)
class Groups:
    """Whom one limit on the index counts together."""

    limit: str
    bound: float
    """h"""
    labels: tuple[str, ...]
    codes: Codes
    """(n,) group of each borrower."""
    lent: Floats
    """(G,) what each has already."""
    whole: float | None
    """What shares are of; None: everything offered, what is lent already included."""

    def sums(self, point: Floats) -> Floats:
        """(G,) X"""
        return np.asarray(self.lent + np.bincount(self.codes, point[0], minlength=len(self.labels)))

    def excess(self, point: Floats) -> float:
        """||X|| / (sqrt(h) total) - 1; -1 where nothing is lent."""
        sums = self.sums(point)
        allowed = sqrt(self.bound) * (float(np.sum(sums)) if self.whole is None else self.whole)
        length = float(np.linalg.norm(sums))
        return length / allowed - 1.0 if allowed > 0 else (np.inf if length else -1.0)

    def keeps(self, point: Floats) -> bool:
        """Whether the index is at most h, in whole cents."""
        cents = np.rint(self.sums(point) * 100.0)
        if np.all(np.abs(cents / 100.0 - self.sums(point)) <= 1e-15 * np.abs(cents)):
            parts = [Fraction(int(count), 100) for count in cents]
        else:
            parts = [Fraction(repr(float(own))) for own in self.sums(point)]
        whole = sum(parts, Fraction(0)) if self.whole is None else Fraction(repr(self.whole))
        return sum((own * own for own in parts), Fraction(0)) <= Fraction(repr(self.bound)) * whole * whole

    def cut(self, point: Floats, number: int) -> Cut:
        """The cut at X."""
        sums = self.sums(point)
        return self.cut_along(sums / float(np.linalg.norm(sums)), number)

    def cut_along(self, direction: Floats, number: int) -> Cut:
        """The cut of a direction (G,) of length 1."""
        pairs = zip(self.labels, (direction * _INSIDE).tolist(), strict=True)
        return Cut(self.limit, number, {label: share for label, share in pairs if share > _KEPT})

    def thinned(self, cuts: Sequence[Cut], point: Floats) -> list[Cut]:
        """Of its `cuts` those near a point, of nearly parallel ones the last."""
        sums = self.sums(point)
        unit = sums / (float(np.linalg.norm(sums)) or 1.0)
        kept: list[Cut] = []
        near: list[Floats] = []
        for cut in reversed(cuts):
            direction = np.array([cut.direction.get(label, 0.0) for label in self.labels])
            if np.linalg.norm(direction - unit) < _FAR and all(
                np.linalg.norm(direction - other) > _PARALLEL for other in near
            ):
                near.append(direction)
                kept.append(cut)
        return kept[::-1]


@dataclass
class CutsSoFar:
    """The cuts of some limits, more and more of them."""

    groups: Sequence[Groups]
    cuts: list[Cut]

    def add(self, point: Floats, above: float) -> float:
        """Cuts off a point wherever its excess is more than `above`; returns its largest excess."""
        excesses = [own.excess(point) for own in self.groups]
        for own, excess in zip(self.groups, excesses, strict=True):
            if excess > above:
                number = 1 + max((cut.number for cut in self.cuts if cut.limit == own.limit), default=0)
                self.cuts.append(own.cut(point, number))
        return max(excesses)

    def thin(self, point: Floats) -> None:
        """Keeps of the cuts those near a point: solvers stumble on more."""
        self.cuts = [
            cut
            for own in self.groups
            for cut in own.thinned([cut for cut in self.cuts if cut.limit == own.limit], point)
        ]
