"""What a dual pass reads and returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.records.limits import Limits
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Codes, Floats


@dataclass(frozen=True)
class Columns:
    """Offers and limits side by side, as the pass reads them."""

    offers: OfferBook
    limits: Limits

    def __len__(self) -> int:
        return len(self.offers)

    @property
    def money_unit(self) -> float:
        """The largest loan: amounts in this unit are at most 1."""
        return float(np.max(self.offers.high, initial=0.0)) or 1.0

    def prices_by_cell(self, prices: Floats) -> Floats:
        """(cells, channels) what one unit of each channel costs in each cell at `prices`."""
        flat = self.limits.matrix.T @ prices
        return np.asarray(flat).reshape(self.limits.cells, len(self.limits.channels))

    def price_by_basis(self, prices: Floats) -> Floats:
        """(4, n) P_b,i = sum_j lambda_j c_ji over the rows on basis b (formulation.md, section 2)."""
        table = self.prices_by_cell(prices)
        out = np.zeros((4, len(self)))
        for h, channel in enumerate(self.limits.channels):
            share = table[:, h][self.limits.cell]
            out[channel.basis] += share if channel.weight is None else share * channel.weight
        return out

    def usage(self, option: Codes, amount: Floats) -> Floats:
        """(m,) left-hand side of every row when borrower i takes `option` at `amount` (-1: refused)."""
        taken, drawn, interest = self._bases(option, amount)
        loans = taken.astype(np.float64)
        bases = (amount, drawn, interest, loans)
        width = len(self.limits.channels)
        sums = np.zeros((self.limits.cells, width))
        for h, channel in enumerate(self.limits.channels):
            used = bases[channel.basis]
            used = used if channel.weight is None else used * channel.weight
            sums[:, h] = np.bincount(self.limits.cell, used, minlength=self.limits.cells)
        return np.asarray(self.limits.matrix @ sums.ravel())

    def values(self, option: Codes, amount: Floats) -> Floats:
        """(n,) worth of each decision, 0 where refused (formulation.md, section 1)."""
        offers = self.offers
        taken, drawn, interest = self._bases(option, amount)
        take_up = self.take_up(option)
        interest = interest / offers.term * offers.income
        money = interest - offers.cost * drawn - offers.churn_cost * (amount - drawn)
        fixed = (
            offers.decline_churn - 1.0 + take_up
        ) * offers.relationship - take_up * offers.processing_cost
        return np.where(taken, money + fixed, 0.0)

    def take_up(self, option: Codes) -> Floats:
        """(n,) share of customers who accept each decision, 0 where refused."""
        return self._lookup(option, "take_up")

    def rate(self, option: Codes) -> Floats:
        """(n,) the annual rate of each decision, 0 where refused."""
        return self._lookup(option, "rates")

    def _lookup(self, option: Codes, column: str) -> Floats:
        menus = self.offers.menus
        width = max((len(menu.rates) for menu in menus), default=1)
        table = np.zeros((len(menus) + 1, width))
        for at, menu in enumerate(menus):
            table[at, : len(menu.rates)] = getattr(menu, column)
        found = table[self.offers.menu, np.maximum(option, 0)]
        return np.where(option >= 0, found, 0.0)

    def _bases(self, option: Codes, amount: Floats) -> tuple[np.ndarray, Floats, Floats]:
        drawn = self.take_up(option) * amount
        return option >= 0, drawn, drawn * self.rate(option) * self.offers.term


@dataclass(frozen=True)
class Response:
    """Every borrower's best answer to prices, arrays of shape (n,)."""

    option: Codes
    """Index into the menu; -1: no offer."""
    amount: Floats
    """`low` or `high`; 0 without an offer."""
    reduced: Floats
    """Reduced value of the best answer; at least 0 unless the offer must be made."""
    margin: Floats
    """What the next best answer (another option, refusal, the other end) would lose; inf without one."""
