"""Amounts as whole numbers of lots: cents, or the policy's steps.

A lot is a decimal; k lots are the double nearest to k times it, so that amounts are compared without a
tolerance at any size (docs/formulation.md, section 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from allocator.records.portfolio import Floats, Integers

CENT = 0.01
"""The lot of amounts that go by no step."""
LARGEST = 1e13
"""The largest amount, budget or bound in money: its cents are whole numbers in doubles."""


def lots_to_money(count: Floats, lot: Floats | float) -> Floats:
    """`count` lots, each the double nearest to the decimal that it is; several lots are whole cents."""
    if (size := _one_of(lot)) is None:
        return np.asarray(count * np.rint(np.asarray(lot) * 100.0) / 100.0)
    exact = Fraction(repr(size))
    if exact.denominator == 1:
        return np.asarray(count * lot)
    return np.asarray(count * float(exact.numerator) / float(exact.denominator))


def money_to_lots(amounts: Floats, lot: Floats | float) -> Floats:
    """The whole number of lots that each amount is, or is nearest to."""
    return np.asarray(np.rint(_counted(amounts, lot)))


def down_to_lots(amounts: Floats | float, lot: float, near: float = 1e-6) -> Floats:
    """The whole lots in each amount, in money; one of which only the part `near` is missing counts."""
    return lots_to_money(np.floor(_counted(amounts, lot) + near), lot)


def _one_of(lot: Floats | float) -> float | None:
    """The one lot that all of `lot` are; None where they differ."""
    every = np.asarray(lot, dtype=np.float64).ravel()
    return None if len(every) == 0 or np.any(every != every[0]) else float(every[0])


def _counted(amounts: Floats | float, lot: Floats | float) -> Floats:
    if (size := _one_of(lot)) is None:
        return np.asarray(amounts * 100.0 / np.rint(np.asarray(lot) * 100.0))
    exact = Fraction(repr(size))
    return np.asarray(amounts * float(exact.denominator) / float(exact.numerator))


def lots_within(amounts: Floats, lot: float) -> Floats:
    """The most whole lots that are no more than each amount."""
    with np.errstate(invalid="ignore"):
        count = money_to_lots(amounts, lot)
        count = np.where(lots_to_money(count + 1.0, lot) <= amounts, count + 1.0, count)
        count = np.where(lots_to_money(count, lot) > amounts, count - 1.0, count)
    return np.asarray(count)


def lots_for(amounts: Floats, lot: float) -> Floats:
    """The fewest whole lots that are no less than each amount."""
    count = lots_within(amounts, lot)
    with np.errstate(invalid="ignore"):
        return np.where(lots_to_money(count, lot) < amounts, count + 1.0, count)


@dataclass(frozen=True)
class Bands:
    """Amounts in B bands, which ascend and stand apart: in each the multiples of its step; in whole cents.

    Shapes (B, n), or (B, 1) where all n borrowers have the same.
    """

    first: Floats
    """Where each band begins."""
    last: Floats
    """Where it ends, itself included; below `first` where it holds nothing."""
    step: Floats

    def __len__(self) -> int:
        return len(self.first)

    def take(self, who: Integers | slice) -> Bands:
        """The bands of the borrowers at `who`."""
        return Bands(*(part if part.shape[1] == 1 else part[:, who] for part in self._parts))

    @property
    def grain(self) -> float:
        """What every amount is a multiple of, in money."""
        steps = np.unique(self.step[self.first <= self.last]).astype(np.int64)
        return float(max(np.gcd.reduce(steps), 1)) / 100.0

    def down(self, amounts: Floats, near: float = 1e-6) -> Floats:
        """(n,) the largest amounts of the bands up to `amounts` (n,), -inf where there are none.

        One of which only the part `near` of a cent is missing counts.
        """
        cents = np.maximum(np.floor(np.asarray(amounts) * 100.0 + near), lots_within(amounts, CENT))
        down = np.full(cents.shape, -np.inf)
        for first, last, step in zip(*self._parts, strict=True):
            own = np.floor(np.minimum(cents, last) / step) * step
            down = np.where((own >= first) & (first <= last), own, down)
        return np.asarray(down / 100.0)

    def up(self, amounts: Floats, near: float = 1e-6) -> Floats:
        """(n,) the smallest amounts of the bands from `amounts` (n,) on, inf where there are none."""
        cents = np.minimum(np.ceil(np.asarray(amounts) * 100.0 - near), lots_for(amounts, CENT))
        up = np.full(cents.shape, np.inf)
        for first, last, step in zip(*(part[::-1] for part in self._parts), strict=True):
            own = np.ceil(np.maximum(cents, first) / step) * step
            up = np.where(own <= last, own, up)
        return np.asarray(up / 100.0)

    def around(self, amounts: Floats) -> tuple[Floats, Floats, Floats]:
        """(n,) ends and step, in money, of the band that holds each of `amounts`, or is the last below."""
        cents = np.rint(np.asarray(amounts) * 100.0)
        below = (self.first <= cents) & (self.first <= self.last)
        band = len(self) - 1 - np.argmax(below[::-1], axis=0)
        who = np.arange(len(cents))
        first, last, step = (np.broadcast_to(part, below.shape)[band, who] for part in self._parts)
        return np.ceil(first / step) * step / 100.0, np.floor(last / step) * step / 100.0, step / 100.0

    @property
    def _parts(self) -> tuple[Floats, Floats, Floats]:
        return self.first, self.last, self.step
