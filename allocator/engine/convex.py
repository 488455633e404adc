"""Convex limits, which no row says, at a point: by how much it exceeds them, and the cut that it violates.

A point is (2, n): what each borrower is offered, and what of it is expected to be drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from allocator.engine.chosen import options_of
from allocator.records.cuts import Cut
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Booleans, Codes, Floats, Integers
from allocator.records.risk import PLACES, WEIGHT_PLACES
from allocator.records.solution import Solution

_FAR, _PARALLEL = 0.03, 1e-4
"""Distances of directions: beyond, a cut is far from a point; below, two say the same to half its square."""
_INSIDE = 1.0 - 4e-15
"""Length of a direction, so that its numbers, however they are read, are no longer than 1."""
_KEPT = 1e-12
"""Shares of a direction below this are dropped."""
_ALIKE, _OVER = 0.97, 2e-10
"""A cut is near a point where it counts this part of the mean loss there; relative excess that still keeps a
mean loss."""
_WHOLE, _SHORT = 1e-9, 1e-12
"""What a direction may lack of 1 to be 1, and part of the others that is taken off for their rounding."""


def point_of(offers: OfferBook, solution: Solution) -> Floats:
    """(2, n) what a solution offers, and what of it is expected to be drawn."""
    option, drawn = options_of(offers, solution), np.zeros(len(offers))
    made = np.flatnonzero(option >= 0)
    begins = np.cumsum([0, *(len(menu.rates) for menu in offers.menus)])
    take_up = np.concatenate([np.zeros(0), *(menu.take_up for menu in offers.menus)])
    drawn[made] = take_up[begins[offers.menu[made]] + option[made]] * solution.amount[made]
    return np.vstack([solution.amount, drawn])


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


@dataclass(frozen=True)
class Worst:
    """The mean loss of the worst of J years, of those whom one limit counts."""

    limit: str
    bound: float
    """Money, or a share of what the reference counts."""
    losses: NDArray[np.uint32]
    """(J, n) of a unit drawn, in units of 10^-8; 0 for who does not count."""
    most: NDArray[np.int64]
    """(J,) the largest weight of each year, in units of 10^-7."""
    exposure: Floats
    """(n,) what is lent already."""
    reference: int | None
    """The row of a point that the bound is a share of; None: it is money."""
    referred: Booleans | None
    """(n,) whom the reference counts; None: everybody."""

    def years(self, point: Floats) -> Floats:
        """(J,) the loss of each year, in money."""
        drawn = point[1] + self.exposure
        return np.asarray(np.einsum("ji,i->j", self.losses, drawn) / 10.0**PLACES)

    def worst(self, years: Floats) -> NDArray[np.int64]:
        """(J,) the weights, 10^7 units of 10^-7, under which the mean of `years` is largest."""
        order = np.argsort(-years, kind="stable")
        before = np.cumsum(self.most[order]) - self.most[order]
        weights = np.zeros_like(self.most)
        weights[order] = np.clip(10**WEIGHT_PLACES - before, 0, self.most[order])
        return weights

    def mean(self, point: Floats) -> float:
        """The mean loss of the worst years."""
        years = self.years(point)
        return float(self.worst(years) @ years) / 10.0**WEIGHT_PLACES

    def excess(self, point: Floats) -> float:
        """What the mean loss is more than allowed, relatively; -1 where nothing is lent."""
        allowed, mean = self.bound, self.mean(point)
        if self.reference is not None:
            counted = point[self.reference] + self.exposure
            allowed *= float(np.sum(counted if self.referred is None else counted[self.referred]))
        return mean / allowed - 1.0 if allowed > 0 else (np.inf if mean else -1.0)

    def keeps(self, point: Floats) -> bool:
        """Whether the mean loss is as allowed, up to rounding."""
        return self.excess(point) <= _OVER

    def cut(self, point: Floats, number: int) -> Cut:
        """The cut of the years that are the worst at a point."""
        weights = self.worst(self.years(point)).tolist()
        some = ((j, own) for j, own in enumerate(weights, 1) if own)
        return Cut(self.limit, number, {str(j): own / 10**WEIGHT_PLACES for j, own in some})

    def weights(self, cut: Cut) -> Floats:
        """(n,) what a unit drawn counts in a cut's row."""
        total = np.zeros(self.losses.shape[1])
        for year, weight in cut.direction.items():
            total += round(weight * 10**WEIGHT_PLACES) * self.losses[int(year) - 1].astype(np.float64)
        return total / 10.0 ** (PLACES + WEIGHT_PLACES)

    def thinned(self, cuts: Sequence[Cut], point: Floats) -> list[Cut]:
        """Of its `cuts` those that count nearly as much at a point as the worst years do, each once."""
        years = self.years(point)
        least = _ALIKE * float(self.worst(years) @ years) / 10.0**WEIGHT_PLACES
        kept = {
            tuple(cut.direction.items()): cut
            for cut in cuts
            if sum(own * years[int(year) - 1] for year, own in cut.direction.items()) >= least
        }
        return list(kept.values())


@dataclass(frozen=True)
class Largest:
    """What one limit on the n groups that use most counts."""

    limit: str
    bound: float
    """Money, or a share of what the reference counts."""
    count: int
    """n"""
    labels: tuple[str, ...]
    codes: Codes
    """(n,) group of each borrower; -1: it does not count."""
    weight: Floats
    """(n,) what a unit counts."""
    row: int
    """The row of a point that is counted."""
    exposure: Floats
    """(n,) what is lent already."""
    reference: int | None
    """The row of a point that the bound is a share of; None: it is money."""
    referred: Booleans | None
    """(n,) whom the reference counts; None: everybody."""

    def sums(self, point: Floats) -> Floats:
        """(G,) X, what each group uses."""
        own = self.weight * (point[self.row] + self.exposure)
        return np.asarray(np.bincount(self.codes + 1, own, minlength=len(self.labels) + 1)[1:], np.float64)

    def first(self, sums: Floats) -> Integers:
        """The n groups that use most, equal ones in their order."""
        many = min(self.count, len(sums))
        least = np.partition(sums, len(sums) - many)[len(sums) - many] if many else np.inf
        some = np.flatnonzero(sums >= least)
        return some[np.argsort(-sums[some], kind="stable")[:many]]

    def allowed(self, point: Floats) -> float:
        """b"""
        if self.reference is None:
            return self.bound
        counted = point[self.reference] + self.exposure
        return self.bound * float(np.sum(counted if self.referred is None else counted[self.referred]))

    def excess(self, point: Floats) -> float:
        """What the largest come to more than allowed, relatively; -1 where nothing is lent."""
        sums, allowed = self.sums(point), self.allowed(point)
        used = float(np.sum(sums[self.first(sums)]))
        return used / allowed - 1.0 if allowed > 0 else (np.inf if used else -1.0)

    def keeps(self, point: Floats) -> bool:
        """Whether the largest come to what is allowed, up to rounding."""
        return self.excess(point) <= _OVER

    def cut(self, point: Floats, number: int) -> Cut:
        """The cut of the groups that use most at a point."""
        return Cut(self.limit, number, {self.labels[group]: 1.0 for group in self.first(self.sums(point))})

    def cut_along(self, direction: Floats, number: int) -> Cut:
        """The cut of a direction (G,) of a sum of n about: no more, however its numbers are read."""
        s = np.clip(direction, 0.0, 1.0)
        s[s >= 1.0 - _WHOLE] = 1.0
        whole = s == 1.0
        rest = self.count - int(np.count_nonzero(whole))
        part = float(np.sum(s[~whole]))
        s[~whole] *= min(1.0, rest / part if part else 1.0) * (1.0 - _SHORT)
        kept = np.flatnonzero(s > _KEPT)
        return Cut(self.limit, number, {self.labels[group]: float(s[group]) for group in kept})

    def thinned(self, cuts: Sequence[Cut], point: Floats) -> list[Cut]:
        """All of its `cuts`."""
        return list(cuts)


Convex = Groups | Worst | Largest
"""A convex limit."""


@dataclass
class CutsSoFar:
    """The cuts of some limits, more and more of them."""

    groups: Sequence[Convex]
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
