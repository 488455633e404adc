"""What offers can use of the limits at the least and at the most, cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from allocator.records.limits import BASES, Limits
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Booleans, Floats, Integers

Span = tuple[Floats, Floats]
"""Least and most."""


@dataclass(frozen=True)
class PossibleOffers:
    """The offers that can be made under `limits`; those who can get none are left out of everything."""

    offers: OfferBook
    limits: Limits

    @cached_property
    def who(self) -> Integers:
        """Positions of the borrowers who can be lent to."""
        return np.flatnonzero(self.offers.menu >= 0)

    @cached_property
    def cell(self) -> Integers:
        return self.limits.cell[self.who].astype(np.int64)

    @cached_property
    def cells(self) -> Booleans:
        """(cells,) which hold somebody who can be lent to."""
        inside = np.zeros(self.limits.cells, dtype=bool)
        inside[self.cell] = True
        return inside

    @cached_property
    def take_up(self) -> Span:
        """Least and most take-up of each of `who`, over the rates of the menu."""
        return self._over_menus([menu.take_up for menu in self.offers.menus])

    @cached_property
    def rate(self) -> Span:
        """Lowest and highest rate of each of `who`, over the menu."""
        return self._over_menus([menu.rates for menu in self.offers.menus])

    def use(self, channel: int) -> Span:
        """What one offer to each of `who` uses of a channel, smallest and largest loan, any rate."""
        offers, basis = self.offers, BASES[self.limits.channels[channel].basis]
        low, high = offers.low[self.who], offers.high[self.who]
        if basis == "loans":
            low = high = np.ones(len(self.who))
        elif basis == "booked":
            low, high = self.take_up
        elif basis != "offered":
            low, high = low * self.take_up[0], high * self.take_up[1]
        if basis == "interest":
            term = offers.term[self.who]
            ends = [end * rate * term for end in (low, high) for rate in self.rate]
            low, high = np.minimum.reduce(ends), np.maximum.reduce(ends)
        return self.weighted(channel, (low, high))

    def weighted(self, channel: int, span: Span) -> Span:
        """`span` of each of `who` times the channel's weights."""
        weight = self.limits.channels[channel].weight
        if weight is None:
            return span
        own = weight[self.who]
        ends = span[0] * own, span[1] * own
        return np.minimum(*ends), np.maximum(*ends)

    def least(self, rows: Sequence[int]) -> dict[int, float]:
        """The least that one offer uses of each of `rows`; inf where nobody whom it counts can be lent to."""

        def of_cells(channel: int) -> Floats:
            return self.of_cells(np.minimum, self.use(channel)[0])

        return self._reduced(rows, of_cells, np.min, np.inf)

    def surely_more(self, row: int) -> float:
        """More than the least that one offer uses of `row`, or as much: known at a glance."""
        place = self._channel(row)
        if place is None:
            return 0.0
        channel = self.limits.channels[place]
        weight = 1.0 if channel.weight is None else float(np.max(channel.weight, initial=0.0))
        if BASES[channel.basis] == "loans":
            return weight
        most = float(np.max(self.offers.low, initial=0.0)) * weight
        if BASES[channel.basis] == "interest":
            rates = [float(menu.rates[-1]) for menu in self.offers.menus]
            most *= max(rates, default=0.0) * float(np.max(self.offers.term, initial=0.0))
        return most

    def most(self, rows: Sequence[int]) -> dict[int, float]:
        """The most that offers to all can use of each of `rows`, the budget and other limits aside."""

        def sums(channel: int) -> Floats:
            use = np.maximum(self.use(channel)[1], 0.0)
            return np.bincount(self.cell, use, minlength=self.limits.cells).astype(np.float64, copy=False)

        return self._reduced(rows, sums, np.sum, 0.0)

    def smallest(self, row: int) -> Floats:
        """The smallest loans of those whom `row` counts."""
        limits = self.limits
        own = self._entries(row)
        inside = np.full(limits.cells, not len(own))
        inside[own // len(limits.channels)] = True
        return np.asarray(self.offers.low[self.who][inside[self.cell]])

    def of_cells(self, reduce: np.ufunc, values: Floats) -> Floats:
        """(cells,) the least or the most of `values` (of `who`); inf or -inf where there is nobody."""
        out = np.full(self.limits.cells, np.inf if reduce is np.minimum else -np.inf)
        reduce.at(out, self.cell, values)
        return out

    def _over_menus(self, columns: Sequence[Floats]) -> Span:
        ends = [(float(np.min(column)), float(np.max(column))) for column in columns]
        low, high = np.array(ends or [(0.0, 0.0)]).T
        menu = self.offers.menu[self.who]
        return low[menu], high[menu]

    def _channel(self, row: int) -> int | None:
        """The channel that `row` counts, a reference aside; None where it counts nobody."""
        own = self._entries(row)
        entries = own if len(own) else row_of(self.limits.everywhere, row)[0]
        return int(entries[0]) % len(self.limits.channels) if len(entries) else None

    def _entries(self, row: int) -> Integers:
        return row_of(self.limits.matrix, row)[0]

    def _reduced(
        self,
        rows: Sequence[int],
        of_channel: Callable[[int], Floats],
        reduce: Callable[[Floats], Any],
        nobody: float,
    ) -> dict[int, float]:
        """`of_channel` (cells,) reduced over the cells of each row, a reference aside."""
        known: dict[int, Floats] = {}
        reduced: dict[int, float] = {}
        for row in rows:
            channel, own = self._channel(row), self._entries(row)
            if channel is None:
                reduced[row] = nobody
                continue
            if channel not in known:
                known[channel] = of_channel(channel)
            values = known[channel][own // len(self.limits.channels)] if len(own) else known[channel]
            reduced[row] = float(reduce(values))
        return reduced


def row_of(matrix: sparse.csr_array, row: int) -> tuple[Integers, Floats]:
    """Columns and values of the entries of one row that are not 0."""
    span = slice(matrix.indptr[row], matrix.indptr[row + 1])
    columns, values = matrix.indices[span].astype(np.int64), matrix.data[span]
    return columns[values != 0], values[values != 0]
