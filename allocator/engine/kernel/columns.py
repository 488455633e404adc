"""What a dual pass reads and returns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from allocator.engine.equalities import Equalities, equalities_of
from allocator.engine.whole import WholeRows, whole_rows_of
from allocator.records.limits import BASES, Channel, Limits
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Codes, Floats, Integers


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

    def subset(self, picks: Integers, share: float = 1.0) -> Columns:
        """The book of `picks` alone, with `share` of every limit's right-hand side."""
        offers, limits = self.offers, self.limits
        fields = ("menu", "low", "high", "income", "cost", "relationship", "term", "must")
        book = replace(offers, **{name: getattr(offers, name)[picks] for name in fields})
        book = replace(book, bands=None if offers.bands is None else offers.bands.take(picks))
        channels = tuple(
            channel if channel.weight is None else Channel(channel.basis, channel.weight[picks])
            for channel in limits.channels
        )
        rows = limits.rows
        if share != 1.0:
            rows = tuple(replace(row, rhs=row.rhs * share, size=row.size * share, whole=None) for row in rows)
        return Columns(book, replace(limits, rows=rows, cell=limits.cell[picks], channels=channels))

    def over(self, rows: Integers) -> Columns:
        """The same borrowers under the limits of `rows` alone."""
        limits = self.limits.over(rows)
        return self if limits is self.limits else replace(self, limits=limits)

    @cached_property
    def whole(self) -> WholeRows:
        """The rows that are decided in integers."""
        return whole_rows_of(self.offers, self.limits)

    @cached_property
    def equalities(self) -> Equalities:
        """Which of the whole rows leave no slack, and whether they can hold."""
        return equalities_of(self.whole)

    @property
    def equal(self) -> frozenset[int]:
        """Places among the whole rows of those that every allocation meets exactly."""
        return self.equalities.equal

    @cached_property
    def tight_rhs(self) -> Floats:
        """(m,) right-hand sides, of whole rows as far as amounts in whole lots can use them up."""
        rhs, whole = self.limits.rhs.copy(), self.whole
        for r, right in self.equalities.rounded.items():
            rhs[whole.row[r]] = float(right / whole.scale[r])
        return rhs

    @cached_property
    def typical_loan(self) -> float:
        """The mean of the largest loans."""
        return (float(np.mean(self.offers.high)) if len(self) else 0.0) or 1.0

    @cached_property
    def typical_use(self) -> Floats:
        """(m,) about what a loan of mean size to one of a row's larger users uses of it; at least 1e-300."""
        limits = self.limits
        loan = self.typical_loan
        use = np.array(
            [
                (1.0 if channel.basis >= 3 else loan)
                * (1.0 if channel.weight is None or not len(self) else float(np.mean(np.abs(channel.weight))))
                for channel in limits.channels
            ]
        )
        single = abs(limits.matrix).multiply(np.tile(use, limits.cells)[None, :])
        common = abs(limits.everywhere).multiply(use[None, :])
        largest = np.maximum(*(part.max(axis=1).toarray().ravel() for part in (single, common)))
        return np.asarray(np.maximum(largest, 1e-300))

    @cached_property
    def scale(self) -> Floats:
        """(m,) what a break of each row is measured against before there is an allocation: at most its scale.

        |b|, or what one loan uses where there is none: the row's own scale (formulation.md, section 2) also
        knows what is lent.
        """
        return np.where(self.limits.sizes > 0.0, self.limits.sizes, self.typical_use)

    def price_by_basis(self, prices: Floats) -> Floats:
        """(5, n) P_b,i = sum_j lambda_j c_ji over the rows on basis b (formulation.md, section 2)."""
        table = self.limits.charges(prices)
        out = np.zeros((len(BASES), len(self)))
        for h, channel in enumerate(self.limits.channels):
            share = table[:, h][self.limits.cell]
            out[channel.basis] += share if channel.weight is None else share * channel.weight
        return out

    def usage(self, option: Codes, amount: Floats) -> Floats:
        """(m,) left-hand side of every row when borrower i takes `option` at `amount` (-1: declined)."""
        sums = [
            np.bincount(self.limits.cell, used, minlength=self.limits.cells)
            for used in self.by_channel(option, amount)
        ]
        return self.limits.use_of(np.array(sums, dtype=np.float64).T)

    def pinned_use(self) -> Floats:
        """(m,) what pinned offers use of every row."""
        pinned = self.offers.must & (self.offers.menu >= 0)
        option = np.where(pinned, 0, -1).astype(np.int32)
        return self.usage(option, np.where(pinned, self.offers.low, 0.0))

    def by_channel(self, option: Codes, amount: Floats) -> list[Floats]:
        """What each decision uses of each channel, a list of arrays of shape (n,)."""
        taken, drawn, interest = self._bases(option, amount)
        bases = (amount, drawn, interest, taken.astype(np.float64), self.take_up(option))
        return [
            bases[channel.basis] if channel.weight is None else bases[channel.basis] * channel.weight
            for channel in self.limits.channels
        ]

    def charged(self, prices: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """(n,) gross, drawn, offered, booked and fixed, of which, at `prices`, an offer of x at rate r and
        take-up a keeps a (r gross x + drawn x + booked) + offered x + fixed (formulation.md, section 1).
        """
        offers, per_basis = self.offers, self.price_by_basis(prices)
        return (
            offers.income - offers.term * per_basis[2],
            offers.churn_cost - offers.cost - per_basis[1],
            -offers.churn_cost - per_basis[0],
            offers.relationship - offers.processing_cost - per_basis[4],
            (offers.decline_churn - 1.0) * offers.relationship - per_basis[3],
        )

    def values(self, option: Codes, amount: Floats) -> Floats:
        """(n,) worth of each decision, 0 where declined (formulation.md, section 1)."""
        offers = self.offers
        taken, drawn, interest = self._bases(option, amount)
        take_up = self.take_up(option)
        interest = interest / offers.term * offers.income
        money = interest - offers.cost * drawn - offers.churn_cost * (amount - drawn)
        fixed = (
            offers.decline_churn - 1.0 + take_up
        ) * offers.relationship - take_up * offers.processing_cost
        return np.where(taken, money + fixed, 0.0)

    def change(self, borrowers: Integers, option: Codes, amount: Floats, base: Answers) -> Change:
        """What C borrowers add to value and use when they leave `base` for `option` and `amount`."""
        few, limits = self.subset(borrowers), self.limits
        was = base.option[borrowers], base.amount[borrowers]
        moved = np.array(few.by_channel(option, amount)) - np.array(few.by_channel(*was))
        places = limits.cell[borrowers] * len(limits.channels) + np.arange(len(limits.channels))[:, None]
        own = limits.matrix.tocsc()
        single = sum(
            (own[:, places[h]] @ sparse.diags_array(moved[h]) for h in range(len(moved))),
            sparse.csc_array((len(limits), len(borrowers))),
        )
        return Change(few.values(option, amount) - few.values(*was), sparse.csc_array(single), moved)

    def take_up(self, option: Codes) -> Floats:
        """(n,) share of customers who accept each decision, 0 where declined."""
        return self._lookup(option, "take_up")

    def rate(self, option: Codes) -> Floats:
        """(n,) the annual rate of each decision, 0 where declined."""
        return self._lookup(option, "rates")

    def _lookup(self, option: Codes, column: str) -> Floats:
        menus = self.offers.menus
        sizes = np.array([len(menu.rates) for menu in menus], dtype=np.int64)
        table = np.zeros((len(menus) + 1, int(sizes.max(initial=1))))
        place = np.arange(table.shape[1]) < sizes[:, None]
        table[:-1][place] = np.concatenate([getattr(menu, column) for menu in menus] or [np.zeros(0)])
        chosen: Floats = table[self.offers.menu, np.maximum(option, 0)]
        chosen[option < 0] = 0.0
        return chosen

    def _bases(self, option: Codes, amount: Floats) -> tuple[np.ndarray, Floats, Floats]:
        drawn = self.take_up(option) * amount
        return option >= 0, drawn, drawn * self.rate(option) * self.offers.term


@dataclass(frozen=True)
class Change:
    """What C changes of answer add; row j's use grows by single_j + everywhere_j moved."""

    value: Floats
    """(C,)"""
    single: sparse.csc_array
    """(m, C)"""
    moved: Floats
    """(channels, C)"""


@dataclass(frozen=True)
class Answers:
    """What every borrower is offered, arrays of shape (n,)."""

    option: Codes
    """Index into the menu; -1: no offer."""
    amount: Floats
    """0 without an offer."""


@dataclass(frozen=True)
class BestResponses(Answers):
    """Every borrower's best response to prices, at `low` or `high`; arrays of shape (n,)."""

    reduced: Floats
    """Reduced value of the best response; at least 0 unless the offer must be made."""
    margin: Floats
    """What the next best response (another option, no offer, the other end) would lose; inf without one."""
