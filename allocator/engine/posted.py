"""Price lists over an offer book: what prices say of each, and the book that one leaves.

At prices lambda the bound of a list is separable,

    U(list) = b'lambda + sum_g S_g(k_g),   S_g(k) = sum over segment g of max(0, V_ik(l_i), V_ik(u_i))

in reduced values (docs/formulation.md, section 4): one pass over the book bounds every list. A *box* leaves
each segment some of its rates; G segments of at most K rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.dense import dual_value
from allocator.records.offers import SAME_RATE, Menu, PostedSegments
from allocator.records.portfolio import Booleans, Floats, Integers, Text
from allocator.records.price_lists import PriceList
from allocator.records.reasons import NO_OFFER, NOT_POSTED

_CHUNK = 16_384
"""Borrowers at a time: 29 rates x 16,384 x 8 bytes stay in the cache of one core."""


@dataclass(frozen=True)
class PricedLists:
    """What one vector of prices (m,) says of every list."""

    prices: Floats
    constant: float
    """b'lambda, what the idle budget is worth, and those whose rate is no list's."""
    sums: Floats
    """(G, K) S_g(k); -inf beyond a segment's last rate."""


@dataclass(frozen=True)
class Lists:
    """Every list of an offer book."""

    segments: PostedSegments

    @cached_property
    def rates(self) -> Floats:
        """(G, K) NaN beyond a segment's last rate."""
        longest = max(len(rates) for rates in self.segments.rates)
        return np.array([np.append(own, np.full(longest - len(own), np.nan)) for own in self.segments.rates])

    @cached_property
    def everything(self) -> Booleans:
        """(G, K) the box of all lists."""
        return ~np.isnan(self.rates)

    @cached_property
    def _chains(self) -> tuple[Integers, tuple[tuple[int, ...], ...]]:
        """Segments that stand alone, and the chains of several."""
        alone = [chain[0] for chain in self.segments.chains if len(chain) == 1]
        return np.array(alone, dtype=int), tuple(own for own in self.segments.chains if len(own) > 1)

    def best(self, sums: Floats, box: Booleans) -> tuple[float, Integers]:
        """The most that `sums` (G, K) come to over the lists of a box, and where; -inf: no list."""
        inside, place = np.where(box, sums, -np.inf), np.zeros(len(sums), dtype=int)
        alone, chains = self._chains
        place[alone] = np.argmax(inside[alone], axis=1)
        most = float(np.sum(inside[alone, place[alone]]))
        for chain in chains:
            reached, came_from = self._upwards(inside, chain)
            places = [int(np.argmax(reached[-1]))]
            most += float(reached[-1][places[0]])
            for source in reversed(came_from):
                places.append(int(source[places[-1]]))
            place[list(chain)] = places[::-1]
        return most, place

    def through(self, sums: Floats, box: Booleans) -> Floats:
        """(G, K) the most that `sums` come to over the lists of a box in which a segment has a rate."""
        inside = np.where(box, sums, -np.inf)
        tops, without = np.max(inside, axis=1), inside.copy()
        alone, chains = self._chains
        most = float(np.sum(tops[alone]))
        without[alone] -= tops[alone, None]
        for chain in map(list, chains):
            with np.errstate(invalid="ignore"):
                both = self._upwards(inside, chain)[0] + self._downwards(inside, chain) - inside[chain]
            own = np.where(box[chain], both, -np.inf)
            if (top := float(np.max(own[-1]))) == -np.inf:
                return np.full(sums.shape, -np.inf)
            most += top
            without[chain] = own - top
        return np.where(box, most + without, -np.inf)

    def _upwards(self, inside: Floats, chain: Sequence[int]) -> tuple[Floats, list[Integers]]:
        """By dynamic programming along a chain: the best that ends at each rate, and what it came from."""
        reached, came_from = [inside[chain[0]]], []
        for before, g in pairwise(chain):
            top = np.maximum.accumulate(reached[-1])
            first = np.where(reached[-1] >= top, np.arange(len(top)), 0)
            below = np.searchsorted(self.segments.rates[before], self.rates[g] + SAME_RATE, side="right") - 1
            came_from.append(np.where(below >= 0, np.maximum.accumulate(first)[below], 0))
            reached.append(inside[g] + np.where(below >= 0, top[below], -np.inf))
        return np.array(reached), came_from

    def _downwards(self, inside: Floats, chain: Sequence[int]) -> Floats:
        """The best that begins at each rate of each segment of a chain."""
        left = [inside[chain[-1]]]
        for after, g in pairwise(chain[::-1]):
            top = np.append(np.maximum.accumulate(left[-1][::-1])[::-1], -np.inf)
            above = np.searchsorted(self.segments.rates[after] + SAME_RATE, self.rates[g], side="left")
            left.append(inside[g] + top[above])
        return np.array(left[::-1])

    def named(self, place: Integers) -> dict[str, float]:
        """The list at `place` (G,) as people read it."""
        own = zip(self.segments.names, self.segments.rates, place.tolist(), strict=True)
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
        members, segment = order[cuts[number] : cuts[number + 1]], int(posted.segment[number])
        total = np.zeros(len(menu.rates))
        for start in range(0, len(members), _CHUNK):
            i = members[start : start + _CHUNK]
            per_unit = np.multiply.outer(menu.rates, slope_rate[i]) + slope[i]
            per_unit *= menu.take_up[:, None]
            per_unit += flat[i]
            per_loan = np.multiply.outer(menu.take_up, drawn_fixed[i]) + fixed[i]
            value = np.maximum(per_unit * offers.high[i], per_unit * offers.low[i]) + per_loan
            total += np.where(offers.must[i], value, np.maximum(value, 0.0)).sum(axis=1)
        if segment < 0:
            single += float(total[0])
        else:
            sums[segment, np.searchsorted(posted.rates[segment], menu.rates - SAME_RATE)] += total
    return PricedLists(prices, dual_value(columns.limits, prices, single), sums)


def under(columns: Columns, posted: PriceList) -> Columns:
    """The book that a price list leaves: each menu its one rate, or none where that is not open."""
    return within(columns, {segment: np.array([rate]) for segment, rate in posted.items()})


def within(columns: Columns, left: Mapping[str, Floats]) -> Columns:
    """The book whose menus have the rates that are `left` to each segment, ascending, each borrower free.

    Why somebody is left without any rate, pricing says under the list that is posted in the end.
    """
    offers = columns.offers
    segments = offers.posted
    assert segments is not None, "the book posts rates"
    menus: list[Menu] = []
    renumbered = np.full(len(offers.menus) + 1, -1, dtype=np.int32)
    for number, menu in enumerate(offers.menus):
        segment = int(segments.segment[number])
        own = menu.rates if segment < 0 else left[segments.names[segment]]
        kept = np.any(np.abs(menu.rates[:, None] - own) <= SAME_RATE, axis=1)
        if kept.any():
            renumbered[number] = len(menus)
            menus.append(Menu(menu.rates[kept], menu.take_up[kept]))
    gone = (offers.menu >= 0) & (renumbered[offers.menu] < 0)
    codes = np.where(gone, NO_OFFER.index(NOT_POSTED), offers.no_offer.codes).astype(np.int32)
    no_offer = Text(codes, offers.no_offer.values)
    held = replace(offers, menus=tuple(menus), menu=renumbered[offers.menu], no_offer=no_offer, posted=None)
    return Columns(held, columns.limits)


def in_words(posted: Mapping[str, float]) -> str:
    """A list as messages have it: `A 4.65 %, B 11.4 %`."""
    return ", ".join(f"{segment} {100 * rate:.10g} %" for segment, rate in posted.items())
