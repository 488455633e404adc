"""Price lists over an offer book: what prices say of each, and the book that one leaves.

At prices lambda the bound of a list is separable,

    U(list) = b'lambda + sum_g S_g(k_g),   S_g(k) = sum over grade g of max(0, V_ik(l_i), V_ik(u_i))

in reduced values (docs/formulation.md, section 4): one pass over the book bounds every list. A *box* leaves
each grade some of its rates; G grades of at most K rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.dense import dual_value
from allocator.records.offers import SAME_RATE, Menu, PostedGrades
from allocator.records.portfolio import Booleans, Floats, Integers, Text
from allocator.records.price_lists import PriceList
from allocator.records.reasons import NO_LOWER, NO_OFFER, NO_RATE

_CHUNK = 16_384
"""Borrowers at a time: 29 rates x 16,384 x 8 bytes stay in the cache of one core."""


@dataclass(frozen=True)
class PricedLists:
    """What one vector of prices (m,) says of every list."""

    prices: Floats
    constant: float
    """b'lambda, what the idle budget is worth, and those whose rate is no list's."""
    sums: Floats
    """(G, K) S_g(k); -inf beyond a grade's last rate."""


@dataclass(frozen=True)
class Lists:
    """Every list of an offer book."""

    grades: PostedGrades

    @cached_property
    def rates(self) -> Floats:
        """(G, K) NaN beyond a grade's last rate."""
        longest = max(len(rates) for rates in self.grades.rates)
        return np.array([np.append(own, np.full(longest - len(own), np.nan)) for own in self.grades.rates])

    @cached_property
    def everything(self) -> Booleans:
        """(G, K) the box of all lists."""
        return ~np.isnan(self.rates)

    def best(self, sums: Floats, box: Booleans) -> tuple[float, Integers]:
        """The most that `sums` (G, K) come to over the lists of a box, and where; -inf: no list."""
        inside = np.where(box, sums, -np.inf)
        if not self.grades.rising:
            place = np.argmax(inside, axis=1)
            return float(np.sum(inside[np.arange(len(place)), place])), place
        return self._best_rising(inside)

    def _best_rising(self, inside: Floats) -> tuple[float, Integers]:
        """By dynamic programming over the grades: the best that ends at each rate of a grade."""
        reached, came_from = inside[0], []
        for g in range(1, len(inside)):
            top = np.maximum.accumulate(reached)
            first = np.where(reached >= top, np.arange(len(top)), 0)
            below = np.searchsorted(self.grades.rates[g - 1], self.rates[g] + SAME_RATE, side="right") - 1
            came_from.append(np.where(below >= 0, np.maximum.accumulate(first)[below], 0))
            reached = inside[g] + np.where(below >= 0, top[below], -np.inf)
        place = [int(np.argmax(reached))]
        for source in reversed(came_from):
            place.append(int(source[place[-1]]))
        return float(np.max(reached)), np.array(place[::-1])

    def named(self, place: Integers) -> dict[str, float]:
        """The list at `place` (G,) as people read it."""
        own = zip(self.grades.names, self.grades.rates, place.tolist(), strict=True)
        return {name: float(rates[k]) for name, rates, k in own}


def priced_lists(columns: Columns, prices: Floats) -> PricedLists:
    """What `prices` (m,) prove of every list of the book, in one pass."""
    offers = columns.offers
    posted = offers.posted
    assert posted is not None, "the book posts rates"
    slope_rate, slope, flat, drawn_fixed, fixed = columns.charged(prices)
    longest = max(len(rates) for rates in posted.rates)
    sums = np.array([np.where(np.arange(longest) < len(own), 0.0, -np.inf) for own in posted.rates])
    single = 0.0
    order = np.argsort(offers.menu, kind="stable")
    cuts = np.searchsorted(offers.menu[order], np.arange(len(offers.menus) + 1))
    for number, menu in enumerate(offers.menus):
        members, grade = order[cuts[number] : cuts[number + 1]], int(posted.grade[number])
        total = np.zeros(len(menu.rates))
        for start in range(0, len(members), _CHUNK):
            i = members[start : start + _CHUNK]
            per_unit = np.multiply.outer(menu.rates, slope_rate[i]) + slope[i]
            per_unit *= menu.take_up[:, None]
            per_unit += flat[i]
            per_loan = np.multiply.outer(menu.take_up, drawn_fixed[i]) + fixed[i]
            value = np.maximum(per_unit * offers.high[i], per_unit * offers.low[i]) + per_loan
            total += np.where(offers.must[i], value, np.maximum(value, 0.0)).sum(axis=1)
        if grade < 0:
            single += float(total[0])
        else:
            first = int(np.searchsorted(posted.rates[grade], menu.rates[0] - SAME_RATE))
            sums[grade, first : first + len(total)] += total
    return PricedLists(prices, dual_value(columns.limits, prices, single), sums)


def under(columns: Columns, posted: PriceList) -> Columns:
    """The book that a price list leaves: each menu its one rate, or none where that is not open."""
    return within(columns, {grade: np.array([rate]) for grade, rate in posted.items()})


def within(columns: Columns, left: Mapping[str, Floats]) -> Columns:
    """The book whose menus have the rates that are `left` to each grade, ascending, each borrower free."""
    offers = columns.offers
    grades = offers.posted
    assert grades is not None, "the book posts rates"
    menus: list[Menu] = []
    renumbered = np.full(len(offers.menus) + 1, -1, dtype=np.int32)
    codes = np.full(len(offers.menus) + 1, -1, dtype=np.int32)
    for number, menu in enumerate(offers.menus):
        grade = int(grades.grade[number])
        own = menu.rates if grade < 0 else left[grades.names[grade]]
        kept = np.any(np.abs(menu.rates[:, None] - own) <= SAME_RATE, axis=1)
        if kept.any():
            renumbered[number] = len(menus)
            menus.append(Menu(menu.rates[kept], menu.take_up[kept]))
        else:
            codes[number] = NO_OFFER.index(NO_RATE if menu.rates[0] > own[-1] else NO_LOWER)
    why = offers.no_offer
    no_offer = Text(np.where(offers.menu >= 0, codes[offers.menu], why.codes).astype(np.int32), why.values)
    held = replace(offers, menus=tuple(menus), menu=renumbered[offers.menu], no_offer=no_offer, posted=None)
    return Columns(held, columns.limits)


def in_words(posted: Mapping[str, float]) -> str:
    """A list as messages have it: `A 4.65 %, B 11.4 %`."""
    return ", ".join(f"{grade} {100 * rate:.10g} %" for grade, rate in posted.items())
