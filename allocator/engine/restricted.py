"""What borrowers may still get at a node of a proof tree, and the bound that prices prove for it.

At a node some options, declining, or parts of the amounts are excluded: S_i is what is left to borrower
i. For any prices of the right signs

    U = b'lambda + sum_i max over S_i of the reduced value + the idle budget's    (formulation.md, section 4)

bounds every allocation inside the node, whatever the prices come from and however large they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

import numpy as np

from allocator.engine.kernel.columns import BestResponses, Columns
from allocator.engine.options import Options, Uses, options_of, uses_of
from allocator.engine.whole import decimal
from allocator.records.lots import lots_to_money, money_to_lots
from allocator.records.portfolio import Booleans, Floats, Integers

_ROUNDING = 40 * float(np.finfo(np.float64).eps)
"""Share of the terms at prices by which a stated bound is rounded up (docs/certificate.md, section 7)."""
_CLEAR = 1e-11
"""Losses stay this far, in the largest loan, from the distance that decides what is dropped: or as far as
rounding at large prices may move them in another reading, more than twice over."""
_UNIT = 2.0**-53


@dataclass(frozen=True)
class ChoiceSets:
    """S_i for every borrower of a book."""

    options: Booleans
    """(N,)"""
    no_offer: Booleans
    """(nb,)"""
    low: Floats
    """(N,) smallest amount of each option."""
    high: Floats
    """(N,)"""


@dataclass(frozen=True)
class NodeResponse:
    """Every borrower's best response to prices inside a node."""

    bound: float
    """U, in money; -inf where some borrower has nothing left."""
    value: Floats
    """(N,) reduced value of each option at its better end; -inf where it is excluded."""
    amount: Floats
    """(N,) that end."""
    best: Floats
    """(nb,) reduced value of the best response, no offer included."""


@dataclass(frozen=True)
class Book:
    """Options of those who may be offered something, as one dense table, with everything allowed."""

    columns: Columns
    options: Options
    uses: Uses
    first: Integers
    """(nb + 1,) where each borrower's options begin."""
    sets: ChoiceSets
    rhs: Floats
    """(m,) right-hand sides, rounded to whole lots where that excludes nothing."""
    idle_room: float
    idle_constant: float
    """What the budget below a whole lot earns idle."""
    near: float = np.inf
    """What the options here lose at some prices at most: a cut there, at no more, has to come first."""

    def __len__(self) -> int:
        return len(self.options.borrowers)

    def lines(self, borrower: int) -> slice:
        """The options of `borrower` (an index into `options.borrowers`)."""
        return slice(int(self.first[borrower]), int(self.first[borrower + 1]))

    def evaluate(self, prices: Floats, sets: ChoiceSets) -> NodeResponse:
        """What `prices` (m,), of the right signs, prove for the node of `sets`."""
        per_unit = self.options.margin - prices @ self.uses.unit
        per_loan = self.options.fixed - prices @ self.uses.loan
        amount = np.where(per_unit >= 0, sets.high, sets.low)
        value = np.where(sets.options, per_unit * amount + per_loan, -np.inf)
        best = np.where(sets.no_offer, 0.0, -np.inf)
        if len(value):
            best = np.maximum(best, np.maximum.reduceat(value, self.first[:-1]))
        idle = max(0.0, self.columns.limits.idle_rate - float(prices[0])) * self.idle_room
        bound = float(self.rhs @ prices) + float(np.sum(best)) + idle + self.idle_constant
        return NodeResponse(bound, value, amount, best)

    def proved(self, prices: Floats, sets: ChoiceSets) -> float:
        """U at `prices`, rounded up as where it is stated."""
        return self.evaluate(prices, sets).bound + self.rounding(prices, sets)

    def rounding(self, prices: Floats, sets: ChoiceSets) -> float:
        """What U is rounded up by where it is stated, nearly: much if `prices` are large."""
        terms, priced = np.abs(self.rhs), np.flatnonzero(prices)
        charged = np.abs(self.uses.unit[priced]) * sets.high + np.abs(self.uses.loan[priced])
        if charged.size:
            terms[priced] += np.maximum.reduceat(charged, self.first[:-1], axis=1).sum(axis=1)
        return _ROUNDING * float(terms @ np.abs(prices))

    def within(self, prices: Floats, sets: ChoiceSets, distance: float) -> tuple[ChoiceSets, float]:
        """`sets` without what loses more than `distance` at `prices`, and the distance used.

        An allocation that takes a choice so dropped is worth less than U - distance. The distance is
        raised a little where a loss lies so near that another order of summation could decide.
        """
        evaluated = self.evaluate(prices, sets)
        loss = evaluated.best[self.options.owner] - evaluated.value
        losses = np.concatenate([loss[sets.options], evaluated.best[sets.no_offer]])
        unsure = self._unsure(prices, sets)
        clear = np.concatenate([unsure[self.options.owner][sets.options], unsure[sets.no_offer]])
        while np.any(near := np.abs(losses - distance) <= clear):
            distance = float(np.max((losses + 1.1 * clear)[near]))
        options = sets.options & (loss <= distance)
        no_offer = sets.no_offer & (evaluated.best <= distance)
        return replace(sets, options=options, no_offer=no_offer), distance

    def _unsure(self, prices: Floats, sets: ChoiceSets) -> Floats:
        """(nb,) how near to each other two readings of a borrower's losses may fall apart."""
        size = np.abs(self.options.margin) + np.abs(prices) @ np.abs(self.uses.unit)
        size = size * sets.high + np.abs(self.options.fixed) + np.abs(prices) @ np.abs(self.uses.loan)
        largest = np.zeros(len(self))
        np.maximum.at(largest, self.options.owner, size)
        return np.maximum(_CLEAR * self.columns.money_unit, 6 * (40 + len(prices)) * _UNIT * largest)

    def contracted(self, sets: ChoiceSets) -> Book:
        """The book with what `sets` leaves only; who can only be declined is gone."""
        kept = sets.options
        has = np.zeros(len(self), dtype=bool)
        has[self.options.owner[kept]] = True
        options = self.options.keep(kept)
        owner = (np.cumsum(has) - 1)[options.owner]
        return replace(
            self,
            options=replace(options, borrowers=options.borrowers[has], owner=owner),
            uses=self.uses.keep(kept),
            first=np.searchsorted(owner, np.arange(int(has.sum()) + 1)),
            sets=ChoiceSets(
                np.ones(len(owner), dtype=bool), sets.no_offer[has], sets.low[kept], sets.high[kept]
            ),
        )


def book_of(columns: Columns, response: BestResponses | None = None, distance: float = np.inf) -> Book:
    """The table of everyone who may be offered something.

    With `response` to some prices, of those whose next best loses more than `distance` the best response
    alone: what a cut at that distance leaves, with more of those whom it leaves a choice.
    """
    offers, limits = columns.offers, columns.limits
    borrowers = np.flatnonzero(offers.menu >= 0)
    options = options_of(columns, borrowers)
    if response is not None:
        near = (response.margin <= distance)[options.position]
        options = options.keep(near | (options.option == response.option[options.position]))
        has = np.zeros(len(borrowers), dtype=bool)
        has[options.owner] = True
        owner = (np.cumsum(has) - 1)[options.owner]
        options, borrowers = replace(options, borrowers=borrowers[has], owner=owner), borrowers[has]
    owner = options.owner
    sets = ChoiceSets(
        options=np.ones(len(options), dtype=bool),
        no_offer=~offers.must[borrowers],
        low=offers.low[borrowers][owner],
        high=offers.high[borrowers][owner],
    )
    rhs = _whole_lots(columns)
    earns = limits.idle_room > 0
    return Book(
        columns=columns,
        options=options,
        uses=uses_of(columns, options),
        first=np.searchsorted(owner, np.arange(len(borrowers) + 1)),
        sets=sets,
        rhs=rhs,
        idle_room=float(rhs[0]) if earns else 0.0,
        idle_constant=limits.idle_rate * (limits.rows[0].rhs - float(rhs[0])) if earns else 0.0,
        near=distance,
    )


def in_whole_lots(columns: Columns) -> Columns:
    """The book with right-hand sides rounded to whole lots, that of a budget that earns while idle apart.

    No allocation is lost by it, and what prices prove is less: by the price of what is rounded off.
    """
    limits = columns.limits
    rhs = _whole_lots(columns)
    if limits.idle_room > 0.0 and limits.idle_rate != 0.0:
        rhs[0] = limits.rhs[0]
    if np.array_equal(rhs, limits.rhs):
        return columns
    rows = tuple(replace(row, rhs=own) for row, own in zip(limits.rows, rhs.tolist(), strict=True))
    return Columns(columns.offers, replace(limits, rows=rows))


def _whole_lots(columns: Columns) -> Floats:
    """(m,) right-hand sides, rounded where the left-hand side is a whole number of lots in any allocation.

    That is so for whole rows that count loans, and with a step for those that add up amounts offered, where
    pinned offers keep the step too. What rounding excludes is nothing: it is done in fractions.
    """
    rhs, whole = columns.limits.rhs.copy(), columns.whole
    for r, j in enumerate(whole.row):
        lot = _lot(columns, j)
        if lot is None or whole.senses[r] == "exactly":
            continue
        count = whole.rhs[r] / whole.scale[r] / lot
        rounded = float((floor(count) if whole.senses[r] == "at_most" else ceil(count)) * lot)
        rhs[j] = min(rhs[j], rounded) if whole.senses[r] == "at_most" else max(rhs[j], rounded)
    return rhs


def _lot(columns: Columns, row: int) -> Fraction | None:
    """What every allocation uses a whole number of in row `row`; None: nothing that a tree may rely on."""
    limit, offers = columns.limits.rows[row], columns.offers
    if limit.whole is None or limit.whole.weight != 1 or limit.reference:
        return None
    if limit.measure == "loans":
        return Fraction(1)
    if offers.step is None:
        return None
    pinned = offers.high[offers.must]
    on_step = bool(np.all(lots_to_money(money_to_lots(pinned, offers.step), offers.step) == pinned))
    return decimal(offers.step) if on_step else None
