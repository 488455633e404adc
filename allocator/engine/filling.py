"""Offers made one after the other in a given order, each as large as the limits then leave room for.

The start of the engine's search, and what the rule-based strategies share: only the order differs.
Shares of what is lent leave nobody room while nothing is lent, so the first round lends them what the
others' wishes would add to the reference; then the last in the order give back what is overdrawn, and
further rounds fill what that left. At-least limits are served first, by those who help them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil, floor
from typing import Any

import numpy as np
from scipy import sparse

from allocator.engine.kernel.columns import Answers, Columns
from allocator.engine.kernel.passes import Pass
from allocator.engine.kernel.walk import walk
from allocator.records.lots import CENT, lots_to_money, money_to_lots
from allocator.records.portfolio import Booleans, Codes, Floats, Integers

ROUNDS = 20
"""Walks of one kind after which what is still open stays open."""
_TOLERANCE = 1e-10
"""A row may be overdrawn by this much of its scale: a tenth of what a certificate allows."""
_PART = 0.4
"""Share of a cent, or of a loan, that is more than rounding."""
_SWAPS = 50
"""Declined borrowers tried for the last piece of a row that must be met exactly."""


@dataclass(frozen=True)
class Wishes:
    """What the walk reads of what each borrower is to get, in its order; arrays of shape (n,)."""

    low: Floats
    step: Floats
    """What amounts are multiples of; 0: of a cent."""
    must: Booleans
    take: Floats
    """Take-up: drawn a unit offered."""
    gross: Floats
    """Gross interest per unit offered."""
    margin: Floats
    """Worth a unit offered."""
    fixed: Floats
    """Worth an offer, whatever its amount."""


class Filling:
    """Amounts that grow and shrink in an order, with what they leave of every row."""

    def __init__(self, book: Pass, wish: Answers) -> None:
        columns = book.columns
        limits = columns.limits
        sign = np.array([-1.0 if row.sense == "at_least" else 1.0 for row in limits.rows])
        self.book, self.wish = book, wish
        self.signed = sparse.csc_array(limits.in_each_cell().multiply(sign[:, None]))
        self.capped = np.array([row.sense != "at_least" for row in limits.rows])
        self.capped |= np.diff(sparse.csr_array(self.signed > 0).indptr) > 0
        self.tolerance = _tolerance(columns)
        self.sign = sign
        self.amount = np.zeros(len(columns))
        self.blocker = np.full(len(columns), -1, dtype=np.int64)
        """(n,) the row that left too little room; -1: none did."""
        self.right = _rhs(columns)
        self.left = sign * self.right
        self.offers = _wished(book, wish)
        self._static = self._read_by_walk()

    @property
    def option(self) -> Codes:
        """(n,) options of the offers made; -1: none."""
        return np.where(self.amount > 0, self.wish.option, -1).astype(np.int32)

    def grow(self, order: Integers, target: Floats, *, paying: bool = True, goal: int = -1) -> int:
        """Raises amounts towards `target` in `order` (kernel.walk); returns how many it changed."""
        return self._walk(order, target, cut=False, goal=goal, paying=paying)

    def cut(self, order: Integers) -> None:
        """Takes what capped rows are overdrawn by from the last in `order` first."""
        for _ in range(ROUNDS):
            if not np.any(self.overdrawn()):
                return
            if self._walk(order[::-1], self.wish.amount, cut=True, goal=-1, paying=False) == 0:
                return

    def overdrawn(self) -> Booleans:
        """(m,) capped rows of which more is used than there is."""
        return np.asarray(self.capped & (self.left < -self.tolerance))

    def recount(self) -> None:
        """`left` from the amounts, without what many small steps have rounded."""
        used = self.book.tally(self.option, self.amount).usage
        self.left = self.sign * (self.right - used)

    def credit(self) -> Floats:
        """(m,) what the wishes that help each capped row would give it, the budget being what it is."""
        columns = self.book.columns
        limits = columns.limits
        by_channel = columns.by_channel(self.wish.option, self.wish.amount)
        sums = [np.bincount(limits.cell, used, minlength=limits.cells) for used in by_channel]
        flat = np.array(sums).T.ravel()
        asked = float(limits.use_of(np.array(sums, dtype=np.float64).T)[0])
        share = min(1.0, limits.rows[0].rhs / asked) if asked > 0 else 1.0
        helping = self.signed.multiply(self.signed < 0)
        return np.where(self.capped, -share * (helping @ flat), 0.0)

    def unit_use(self, row: int) -> Floats:
        """(n,) what one more unit offered to each borrower, at the rate wished, uses of `row`."""
        signed = np.where(np.arange(len(self.sign)) == row, self.sign, 0.0)
        per_basis = self.book.columns.price_by_basis(signed)
        return np.asarray(per_basis[0] + self.offers.take * per_basis[1] + self.offers.gross * per_basis[2])

    def goals(self) -> list[int]:
        """At-least rows that are not met yet."""
        rows = self.book.columns.limits.rows
        return [
            j for j, row in enumerate(rows) if row.sense == "at_least" and self.left[j] < -self.tolerance[j]
        ]

    def reach(self, goal: int, order: Integers, target: Floats) -> None:
        """Raises those who help an at-least row until it is met: who pays first, then whoever helps.

        A number of loans is reached by smallest ones, so that it uses up little.
        """
        row = self.book.columns.limits.rows[goal]
        smallest = np.minimum(self.book.columns.offers.low, self.wish.amount)
        target = smallest if row.measure == "loans" else target
        for paying in (True, False):
            self.grow(order, target, paying=paying, goal=goal)

    def _walk(self, order: Integers, target: Floats, *, cut: bool, goal: int, paying: bool) -> int:
        rows = len(self.left)
        room = (np.zeros(rows), np.zeros(rows), np.full(rows, -1), np.zeros(rows, dtype=np.int64))
        state = (self.left, self.tolerance, self.amount, self.blocker)
        if self.book.compiled:
            from allocator.engine.kernel import compiled

            changed = int(compiled.walk(order, cut, goal, paying, target, *self._static, state, room))
        else:
            lists, places = _as_lists(state), _as_lists(room)
            who, most = order.tolist(), target.tolist()
            changed = walk(who, cut, goal, paying, most, *self._static, lists, places)
            self.left, _, self.amount, self.blocker = map(np.array, lists)
        self._settle()
        return changed

    def _settle(self) -> None:
        """A walk counts in multiples of the step's double: 0.07 times 4286 is not the double of 300.02."""
        offers = self.book.columns.offers
        if offers.bands is not None:
            settled = np.where(offers.must | (self.amount <= 0), self.amount, offers.bands.down(self.amount))
            if np.any(settled != self.amount):
                self.amount[:] = settled
                self.recount()
        elif offers.step is not None and not float(offers.step).is_integer():
            settled = lots_to_money(money_to_lots(self.amount, offers.step), offers.step)
            self.amount[:] = np.where(offers.must, self.amount, settled)

    def _read_by_walk(self) -> tuple[Any, Any, Any]:
        """What no walk changes: arrays for the compiled one, lists for the plain one."""
        weights, basis, weight_of = self.book.shared[-3:]
        matrix = self.signed
        offers, book, rows = (
            tuple(getattr(self.offers, entry.name) for entry in fields(Wishes)),
            (self.book.columns.limits.cell, weights, basis, weight_of),
            (matrix.indptr, matrix.indices, matrix.data, self.capped),
        )
        if self.book.compiled:
            return offers, book, rows
        return _as_lists(offers), _as_lists(book), _as_lists(rows)


def _as_lists(arrays: tuple[Any, ...]) -> tuple[list[Any], ...]:
    return tuple(array.tolist() for array in arrays)


def _tolerance(columns: Columns) -> Floats:
    """(m,) by how much rows may be overdrawn: whole ones by no cent and no loan, only by rounding."""
    tolerance = _TOLERANCE * columns.scale
    for j, row in enumerate(columns.limits.rows):
        if row.whole is not None:
            least = 1.0 if row.measure == "loans" else CENT
            tolerance[j] = min(tolerance[j], _PART * least * abs(float(row.whole.weight)))
    return tolerance


def _rhs(columns: Columns) -> Floats:
    """(m,) right-hand sides; of whole rows with a figure the last whole cents or loans that keep them."""
    right = columns.limits.rhs.copy()
    for j, row in enumerate(columns.limits.rows):
        if row.whole is not None and not row.whole.share and row.sense != "exactly":
            unit = abs(row.whole.weight) / (1 if row.measure == "loans" else 100)
            count = row.whole.rhs / unit
            right[j] = float((floor(count) if row.sense == "at_most" else ceil(count)) * unit)
    return right


def fill(book: Pass, wish: Answers, order: Integers, *, paying: bool = True) -> Filling:
    """Offers to all who have a wish, in `order` (positions), inside all capped rows where that can be.

    Pinned offers are made first. `paying`: an offer must earn something. Rows that the order cannot meet
    stay unmet: check them.
    """
    order = order[wish.option[order] >= 0]
    filling = first_round(book, wish, order, wish.amount, paying=paying)
    filling.cut(order)
    settle(filling, order, wish.amount, paying=paying)
    return filling


def first_round(
    book: Pass, wish: Answers, order: Integers, target: Floats, *, paying: bool = True
) -> Filling:
    """The first round: up to `target` (n,) each, shares of what is lent perhaps overdrawn."""
    filling = Filling(book, wish)
    must = book.columns.offers.must
    filling.grow(order[must[order]], wish.amount, paying=False)
    credit = filling.credit()
    filling.left += credit
    for goal in filling.goals():
        filling.reach(goal, order, target)
    filling.grow(order, target, paying=paying)
    filling.left -= credit
    return filling


def settle(filling: Filling, order: Integers, target: Floats, *, paying: bool) -> None:
    """Fills what is left, and serves what is still unmet."""
    _until_still(filling, order, target, paying=paying)
    for goal in filling.goals():
        filling.reach(goal, order, target)
    rows = filling.book.columns.limits.rows
    unmet = [
        j for j, row in enumerate(rows) if row.sense == "exactly" and filling.left[j] > filling.tolerance[j]
    ]
    if unmet:
        _until_still(filling, order, target, paying=False)
    for j in unmet:
        _make_room(filling, j, order)
    filling.recount()


def _until_still(filling: Filling, order: Integers, target: Floats, *, paying: bool) -> None:
    for _ in range(ROUNDS):
        if filling.grow(order, target, paying=paying) == 0:
            return


def _make_room(filling: Filling, row: int, order: Integers) -> None:
    """Where less is left of an exact row than anybody's smallest loan: somebody gives the difference."""
    columns, target = filling.book.columns, filling.wish.amount
    low, must = columns.offers.low, columns.offers.must
    for k in order[filling.amount[order] == 0][:_SWAPS]:
        left = filling.left[row]
        if left <= filling.tolerance[row]:
            return
        per_unit = filling.unit_use(row)
        if per_unit[k] <= 0 or low[k] * per_unit[k] <= left:
            continue  # no use of the row, or room in it: other rows keep him out
        lacking = (low[k] * per_unit[k] - left) / np.where(per_unit > 0, per_unit, np.inf)
        lot = columns.offers.step or CENT
        less = np.ceil(lacking / lot - 1e-9) * lot
        givers = order[(filling.amount - low >= less)[order] & (per_unit > 0)[order] & ~must[order]]
        if not len(givers):
            continue
        before = filling.amount.copy(), filling.left.copy()
        giver = givers[-1]
        kept = filling.amount[[giver]] - less[giver]
        filling.amount[giver] = columns.offers.down(np.array([giver]), kept)[0]
        filling.recount()
        filling.grow(np.array([k, giver]), target, paying=False)
        filling.recount()
        worse = filling.left < np.minimum(before[1], 0.0) - filling.tolerance
        if np.any(worse) or filling.left[row] >= left:
            filling.amount, filling.left = before


def _wished(book: Pass, wish: Answers) -> Wishes:
    columns = book.columns
    offers, option = columns.offers, wish.option
    take, rate = columns.take_up(option), columns.rate(option)
    margin, fixed = offers.worth(rate, take)
    step = np.zeros(len(columns)) if offers.step is None else offers.lots(np.arange(len(columns)))
    return Wishes(offers.low, step, offers.must, take, take * rate * offers.term, margin, fixed)
