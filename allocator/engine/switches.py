"""Changes of answer, one for each kind of borrower.

Borrowers who are equal in every column have the same answers to any prices, and the same alternatives:
a book of few kinds has as many switches as kinds, however many borrowers, where one switch a borrower
would be a linear program of mere ties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.engine.cores import smallest_margins
from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import Answers, BestResponses, Columns
from allocator.records.portfolio import Codes, Floats, Integers

_FIRST = 3_000
"""Borrowers that may switch in the first program, or as many as there are rows; of equal ones more."""
_MORE = 5_000
"""Borrowers, or as many as there are rows, who may bring a new answer at once, and their equals."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4)."""
_WHOLE = 1e-6
"""A number of borrowers this near a whole one is one."""
_AROUND = 3
"""Borrowers of a kind that are open on either side of a fraction."""


@dataclass(frozen=True)
class Switches:
    """C changes of answer by whole kinds of borrowers; arrays of shape (C,) unless said otherwise."""

    borrower: Integers
    """The first of the kind, which stands for it."""
    option: Codes
    amount: Floats
    member: Integers
    """Every borrower of each switch's kind in portfolio order, one switch after the other."""
    start: Integers
    """(C + 1,) where the members of each begin."""

    def __len__(self) -> int:
        return len(self.borrower)

    @property
    def size(self) -> Integers:
        """How many borrowers the kind has."""
        return np.diff(self.start)

    def join(self, other: Switches) -> Switches:
        return Switches(
            np.concatenate([self.borrower, other.borrower]),
            np.concatenate([self.option, other.option]),
            np.concatenate([self.amount, other.amount]),
            np.concatenate([self.member, other.member]),
            np.concatenate([self.start, self.start[-1] + other.start[1:]]),
        )

    def made(self, share: Floats) -> tuple[Integers, Integers, Integers]:
        """Who switches when `share` (C,) of each kind does: borrowers, the switch of each, and who is open.

        Of a kind the first in portfolio order switch. Where a fraction is left, the borrowers around it
        are open: a fraction may have to be lent in two parts, since offers below `low` are none.
        """
        count = share * self.size
        used = np.flatnonzero(count > _WHOLE)
        if len(used) == 0:
            return used, used, used
        used = used[np.argsort(self.borrower[used], kind="stable")]
        first = np.flatnonzero(np.append(True, np.diff(self.borrower[used]) != 0))
        kind = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(used))))
        whole = np.floor(count[used] + _WHOLE).astype(np.int64)
        home = self.start[used[first]][kind]  # the kind's members stand at each of its switches: any will do
        end = np.cumsum(whole)
        end += home - (end - whole)[first][kind]
        split = np.bincount(kind, count[used] - whole > _WHOLE)[kind] > 0
        begin = np.maximum(end - _AROUND, home)[split]
        beyond = np.minimum(end + _AROUND, home + self.size[used])[split]
        movers = self.member[_spans(end - whole, whole)]
        return movers, np.repeat(used, whole), np.unique(self.member[_spans(begin, beyond - begin)])

    def parts(self, share: Floats) -> tuple[Integers, Integers, Floats]:
        """The fraction that is left of each kind of which one switch alone is used, beside `made`.

        The borrower whom it falls on (the first who does not switch), the switch, and the fraction.
        """
        count = share * self.size
        used = np.flatnonzero(count > _WHOLE)
        alone = used[np.bincount(self.borrower[used], minlength=1)[self.borrower[used]] == 1]
        whole = np.floor(count[alone] + _WHOLE).astype(np.int64)
        fraction = count[alone] - whole
        left = fraction > _WHOLE
        return self.member[self.start[alone[left]] + whole[left]], alone[left], fraction[left]


def _spans(begin: Integers, size: Integers) -> Integers:
    """begin[0], begin[0] + 1, ... `size[0]` of them, then those of the next."""
    return np.repeat(begin - np.cumsum(size) + size, size) + np.arange(size.sum())


def next_best(columns: Columns, prices: Floats, base: BestResponses) -> Switches:
    """For the kinds with the smallest margins the answer that loses least against the base."""
    near = kinds(columns, _nearest(columns, base.margin, max(_FIRST, len(columns.limits))))
    option, amount = dense.second_best(columns, prices, near.borrower, base)
    return Switches(near.borrower, option, amount, near.member, near.start)


def changed(columns: Columns, base: Answers, switches: Switches, response: BestResponses) -> Switches:
    """Answers that are neither base nor switch yet; of very many those that would lose most by staying."""
    width = 2 * (1 + max((len(menu.rates) for menu in columns.offers.menus), default=1))

    def key(borrower: Integers, option: Codes, amount: Floats) -> Integers:
        at_high = amount >= columns.offers.high[borrower]
        return np.asarray(borrower * width + (option + 1) * 2 + at_high)

    differs = np.flatnonzero((response.option != base.option) | (response.amount != base.amount))
    size = switches.size
    known = key(switches.member, np.repeat(switches.option, size), np.repeat(switches.amount, size))
    now = key(differs, response.option[differs], response.amount[differs])
    new = differs[~np.isin(now, known)]
    more = max(_MORE, len(columns.limits))
    if len(new) > more:
        margin = response.margin[new]
        new = new[margin >= np.partition(margin, -more)[-more]]  # equal ones come together
    most = max(2 * more, len(switches))
    if len(new) > most and len(kinds(columns, new[:most]).borrower) >= most // 2:
        new = new[:most]  # unless they are very many and not of a few kinds
    alike = kinds(columns, new)
    option, amount = response.option[alike.borrower], response.amount[alike.borrower]
    return Switches(alike.borrower, option, amount, alike.member, alike.start)


def _nearest(columns: Columns, margin: Floats, count: int) -> Integers:
    """The `count` borrowers with the smallest margins, none left out that is equal to one of them.

    Of margins that many different borrowers share (offers that nobody would take all tie with none)
    the first few thousand are enough: who matters besides brings an answer later.
    """
    while True:
        near = smallest_margins(margin, count)
        if len(near) < count:
            return np.sort(near)
        if 1 + np.count_nonzero(np.diff(margin[near])) >= _FIRST // 2:
            return np.flatnonzero(margin <= margin[near[-1]])
        if len(kinds(columns, np.sort(near)).borrower) >= _FIRST // 2:
            return np.sort(near)
        count *= 8


@dataclass(frozen=True)
class BorrowerKinds:
    """Borrowers sorted into kinds."""

    borrower: Integers
    """The first of each."""
    member: Integers
    start: Integers


def kinds(columns: Columns, borrowers: Integers) -> BorrowerKinds:
    """`borrowers`, in ascending order, by kind; the kinds in order of their first borrower."""
    if len(borrowers) == 0:
        return BorrowerKinds(borrowers, borrowers, np.zeros(1, dtype=np.int64))
    traits = _traits(columns, borrowers)
    order = np.argsort(_fingerprint(traits), kind="stable")
    new = np.ones(len(order), dtype=bool)
    new[1:] = False
    for trait in traits:
        sorted_trait = trait[order]
        new[1:] |= sorted_trait[1:] != sorted_trait[:-1]
    kind = np.empty(len(order), dtype=np.int64)
    kind[order] = order[new][np.cumsum(new) - 1]
    order = np.argsort(kind, kind="stable")
    start = np.flatnonzero(np.append(True, np.diff(kind[order]) != 0))
    return BorrowerKinds(borrowers[order[start]], borrowers[order], np.append(start, len(order)))


def _traits(columns: Columns, borrowers: Integers) -> list[np.ndarray]:
    """Everything that tells one borrower from another."""
    offers, limits = columns.offers, columns.limits
    traits: list[np.ndarray] = [offers.low, offers.high, offers.income, offers.cost, offers.term]
    traits += [offers.relationship, offers.menu, limits.cell, offers.must]
    traits += [channel.weight for channel in limits.channels if channel.weight is not None]
    return [trait[borrowers] for trait in traits]


def _fingerprint(traits: list[np.ndarray]) -> np.ndarray:
    """(n,) a number that equal borrowers share; others may by chance, so that traits decide."""
    mixed = np.zeros(len(traits[0]), dtype=np.uint64)
    for trait in traits:
        bits = trait.view(np.uint64) if trait.dtype == np.float64 else trait.astype(np.uint64)
        mixed = (mixed ^ bits) * _MIX
        mixed ^= mixed >> np.uint64(29)
    return mixed
