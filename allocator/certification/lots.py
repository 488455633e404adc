"""Whole lots and whole cents, decided without any tolerance (docs/formulation.md, section 2).

A binary64 number stands for the shortest decimal that reads back as it: 0.63 is 63/100. An amount is n lots
where it is the binary64 number nearest to n times the lot, whatever its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, inf

import numpy as np

from allocator.records.portfolio import Booleans, Codes, Floats, Integers

CENTS = 100
"""In a unit of money."""
_EXACT = 2.0**53
"""Whole numbers up to this size are exact in binary64."""
_LOW = 2.0**26
"""What the low part of a split sum counts to."""


def decimal(number: float) -> Fraction:
    """The shortest decimal that reads back as `number`, which is finite."""
    return Fraction(repr(float(number)))


@dataclass(frozen=True)
class Lot:
    """What amounts are multiples of: `numerator` / `denominator` units of money."""

    numerator: int
    denominator: int

    @classmethod
    def of(cls, step: float | None) -> Lot:
        """The step of a ticket, or the cent."""
        size = Fraction(1, CENTS) if step is None else decimal(step)
        return cls(size.numerator, size.denominator)

    def amounts(self, counts: Floats) -> Floats:
        """(n,) the binary64 numbers nearest to whole numbers of lots."""
        with np.errstate(invalid="ignore", over="ignore"):
            top = counts * float(self.numerator)
            amounts: Floats = top / float(self.denominator)
        for i in self._large(top, counts):
            amounts[i] = _nearest(Fraction(int(counts[i]) * self.numerator, self.denominator))
        return amounts

    def counts(self, amounts: Floats) -> Floats:
        """(n,) the nearest whole numbers of lots."""
        with np.errstate(invalid="ignore", over="ignore"):
            top = amounts * float(self.denominator)
            counts: Floats = np.rint(top / float(self.numerator))
        for i in self._large(top, amounts):
            counts[i] = _nearest(Fraction(round(Fraction(float(amounts[i])) / self.size)))
        return counts

    @property
    def size(self) -> Fraction:
        """In units of money."""
        return Fraction(self.numerator, self.denominator)

    def _large(self, top: Floats, numbers: Floats) -> list[int]:
        """Which of `numbers` doubles do not tell: those of a `top`, its numerator, beyond whole doubles."""
        large = np.abs(top) >= _EXACT
        if max(self.numerator, self.denominator) > _EXACT:
            large = np.ones(len(top), dtype=bool)
        return np.flatnonzero(large & np.isfinite(numbers)).tolist() if large.any() else []

    def whole(self, amounts: Floats) -> Booleans:
        """(n,) whether each amount is a whole number of lots; no infinite one is."""
        return np.asarray(np.isfinite(amounts) & (self.amounts(self.counts(amounts)) == amounts))

    def up(self, amounts: Floats) -> Floats:
        """(n,) the smallest amount of whole lots that comes to each amount or more."""
        counts = self.counts(amounts)
        nearest = self.amounts(counts)
        return self._moved(nearest, counts, np.flatnonzero(nearest < amounts), 1.0)

    def down(self, amounts: Floats) -> Floats:
        """(n,) the largest amount of whole lots that comes to each amount or less."""
        counts = self.counts(amounts)
        nearest = self.amounts(counts)
        return self._moved(nearest, counts, np.flatnonzero(nearest > amounts), -1.0)

    def _moved(self, nearest: Floats, counts: Floats, rows: Integers, lots: float) -> Floats:
        nearest[rows] = self.amounts(counts[rows] + lots)
        return nearest

    def inside(self, room: Fraction, *, at_most: bool) -> float:
        """`room` without what is left over beyond its last whole lot, or filled up to the next one."""
        return _nearest((floor(room / self.size) if at_most else ceil(room / self.size)) * self.size)


def _nearest(number: Fraction) -> float:
    """The binary64 number nearest to `number`; infinite where that is beyond all of them."""
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


CENT = Lot.of(None)


@dataclass(frozen=True)
class WholeSums:
    """Whole numbers added up by row without rounding: high x 2^26 + low, arrays of shape (rows,)."""

    high: Integers
    low: Integers

    @classmethod
    def none(cls, rows: int) -> WholeSums:
        return cls(np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64))

    @classmethod
    def of(cls, codes: Codes, counts: Floats, rows: int) -> WholeSums:
        """The sums of `counts` (n,), whole numbers below 2^53, by code; code -1 counts nowhere."""
        largest = float(np.max(np.abs(counts), initial=0.0))

        def added(part: Floats) -> Integers:
            return np.bincount(codes + 1, part, minlength=rows + 1)[1:].astype(np.int64)

        if largest * len(counts) <= _EXACT:
            return cls(np.zeros(rows, dtype=np.int64), added(counts))
        high = np.floor(counts / _LOW)
        return cls(added(high), added(counts - high * _LOW))

    def __add__(self, other: WholeSums) -> WholeSums:
        return WholeSums(self.high + other.high, self.low + other.low)

    def exact(self, row: int) -> int:
        """The sum of one row."""
        return int(self.high[row]) * int(_LOW) + int(self.low[row])


def whole_cents(amounts: Floats) -> tuple[Floats, Booleans]:
    """(n,) amounts in cents, and where they are no whole number of them below 2^53: 0 there."""
    whole = CENT.whole(amounts)
    counts = np.where(whole, CENT.counts(amounts), 0.0)
    off = ~whole | (np.abs(counts) >= _EXACT)
    return np.where(off, 0.0, counts), off
