"""The whole rows of a book in integers: amounts as grains, offers as loans, borrowers by group.

A whole row (records.limits.Whole) reads  sum_g unit_g grains_g + loan_g loans_g  {<=, >=, =}  rhs  with
integers throughout. Borrowers of one group have the same coefficients in all of these rows; a grain is
the largest money of which both the lot and the cent of pinned offers are whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, gcd, lcm

import numpy as np
from scipy import sparse

from allocator.records.limits import Limits
from allocator.records.lots import CENT, money_to_lots
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Codes, Floats, Integers

_GROUPED_UP_TO = 20_000_000
"""Cells times whole rows up to which cells that the rows count alike are put together."""
_HALF = 2.0**24

Count = tuple[list[int], list[int]]
"""Grains and loans by group."""


@dataclass(frozen=True)
class WholeRows:
    """R whole rows over G groups."""

    row: list[int]
    """(R,) their places among the limits."""
    senses: list[str]
    on_loans: list[bool]
    weight: list[int]
    """(R,) what a grain, or a loan, of a borrower whom the row counts uses of it."""
    share: list[int]
    """(R,) what a grain of anybody takes off that."""
    member: sparse.csr_array
    """(R, G) the groups that each row counts; nothing for a row that counts everybody."""
    everybody: list[bool]
    scale: list[Fraction]
    """(R,) such units in a unit of the limit."""
    rhs: list[Fraction]
    """(R,) in the same unit; no whole number where no whole lots meet it exactly."""
    group: Codes
    """(n,)"""
    offers: OfferBook
    grain: Fraction

    def __len__(self) -> int:
        return len(self.row)

    @property
    def groups(self) -> int:
        return int(self.member.shape[1])

    @cached_property
    def lot(self) -> int:
        """Grains of a lot."""
        return int(decimal(self.offers.step or CENT) / self.grain)

    def uses(self, r: int, groups: Sequence[int] | None = None) -> list[int]:
        """What a grain (a loan, in a row of loans) of each of `groups` (None: of all) uses of row r."""
        weight, share = self.weight[r], self.share[r]
        wanted = range(self.groups) if groups is None else groups
        if self.everybody[r]:
            return [weight - share] * len(wanted)
        inside = set(self._counted(r))
        return [weight - share if g in inside else -share for g in wanted]

    def _counted(self, r: int) -> list[int]:
        span = slice(self.member.indptr[r], self.member.indptr[r + 1])
        counted: list[int] = self.member.indices[span].tolist()
        return counted

    def grains(self, borrowers: Integers | slice, amount: Floats) -> Floats:
        """Each amount in grains; those of lots exactly, pinned ones as far as they are whole cents."""
        lots = money_to_lots(amount, self.offers.step or CENT) * self.lot
        if not np.any(self.offers.must[borrowers]):
            return lots
        cents = money_to_lots(amount, CENT) * float(Fraction(1, 100) / self.grain)
        return np.where(self.offers.must[borrowers], cents, lots)

    def count(self, option: Codes, amount: Floats) -> Count:
        """What an allocation (n,) adds up to."""
        taken = np.flatnonzero(option >= 0)
        return self.count_of(taken, amount[taken])

    def count_of(self, borrowers: Integers, amount: Floats) -> Count:
        """What offers of `amount` (k,) to `borrowers` (k,) add up to."""
        return self.summed(self.group[borrowers], self.grains(borrowers, amount))

    def summed(self, group: Codes, grains: Floats) -> Count:
        """What offers (k,) of `grains` to borrowers of `group` (k,) add up to."""
        size = self.groups
        high = np.floor(grains / _HALF)
        parts = [np.bincount(group, part, minlength=size) for part in (high, grains - high * _HALF)]
        sums = [(int(a) << 24) + int(b) for a, b in zip(*(part.tolist() for part in parts), strict=True)]
        return sums, np.bincount(group, minlength=size).tolist()

    def used(self, count: Count) -> list[int]:
        """(R,) left-hand sides."""
        sums = [sum(by_group) for by_group in count]
        return [self._used(r, count[loans], sums[loans]) for r, loans in enumerate(self.on_loans)]

    def _used(self, r: int, by_group: Sequence[int], everything: int) -> int:
        inside = everything if self.everybody[r] else sum(by_group[g] for g in self._counted(r))
        return self.weight[r] * inside - self.share[r] * everything

    def room(self, count: Count) -> list[Fraction]:
        """(R,) what an allocation leaves of the right-hand sides."""
        return [right - used for right, used in zip(self.rhs, self.used(count), strict=True)]

    def broken(self, count: Count) -> list[int]:
        """The limits that an allocation breaks."""
        used = self.used(count)
        return [
            j
            for j, use, least, most in zip(self.row, used, self._least, self._most, strict=True)
            if (most is not None and use > most) or (least is not None and use < least)
        ]

    @cached_property
    def _least(self) -> list[int | None]:
        """(R,) the least whole number that each row allows."""
        pairs = zip(self.rhs, self.senses, strict=True)
        return [None if sense == "at_most" else ceil(right) for right, sense in pairs]

    @cached_property
    def _most(self) -> list[int | None]:
        pairs = zip(self.rhs, self.senses, strict=True)
        return [None if sense == "at_least" else floor(right) for right, sense in pairs]

    @cached_property
    def place(self) -> dict[int, int]:
        """Limit -> its place among the whole rows."""
        return {j: r for r, j in enumerate(self.row)}


def whole_rows_of(offers: OfferBook, limits: Limits) -> WholeRows:
    """The whole rows of `limits` over the borrowers of `offers`."""
    rows = [(j, row, row.whole) for j, row in enumerate(limits.rows) if row.whole is not None]
    group, member = _borrower_groups(limits, [j for j, _, _ in rows])
    grain = _grain(offers)
    weight, share, scales, rhs = [], [], [], []
    for _, row, whole in rows:
        per = Fraction(1) if row.measure == "loans" else grain
        parts = [whole.weight * per, whole.share * per]
        scale = Fraction(lcm(*(part.denominator for part in parts)))
        scale /= gcd(*(int(part * scale) for part in parts)) or 1
        weight.append(int(parts[0] * scale))
        share.append(int(parts[1] * scale))
        scales.append(scale)
        rhs.append(whole.rhs * scale)
    return WholeRows(
        row=[j for j, _, _ in rows],
        senses=[row.sense for _, row, _ in rows],
        on_loans=[row.measure == "loans" for _, row, _ in rows],
        weight=weight,
        share=share,
        member=member,
        everybody=[row.everybody for _, row, _ in rows],
        scale=scales,
        rhs=rhs,
        group=group,
        offers=offers,
        grain=grain,
    )


def _borrower_groups(limits: Limits, rows: list[int]) -> tuple[Codes, sparse.csr_array]:
    """The group of each borrower (n,), and which rows count which groups (R, G)."""
    counted = limits.matrix[rows]
    places = np.repeat(np.arange(len(rows)), np.diff(counted.indptr))
    filled = counted.data != 0
    entries = (places[filled], counted.indices[filled] // len(limits.channels))
    ones = np.ones(len(entries[0]), dtype=np.int8)
    member = sparse.coo_array((ones, entries), shape=(len(rows), limits.cells)).tocsr()
    if not 0 < len(rows) * limits.cells <= _GROUPED_UP_TO:
        return limits.cell, member
    packed = np.packbits(member.toarray() != 0, axis=0).T
    _, first, group = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    order = np.sort(first)
    place = np.searchsorted(order, first)[group.reshape(-1)]
    return place.astype(np.int32)[limits.cell], sparse.csr_array(member[:, order])


def _grain(offers: OfferBook) -> Fraction:
    lot, cent = decimal(offers.step or CENT), Fraction(1, 100)
    if not np.any(offers.must):
        return lot
    scale = lcm(lot.denominator, cent.denominator)
    return Fraction(gcd(int(lot * scale), int(cent * scale)), scale)


def decimal(number: float) -> Fraction:
    """The shortest decimal that reads back as `number`."""
    return Fraction(repr(float(number)))
