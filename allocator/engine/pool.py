"""A node's LP over the few offers that matter near some prices, kept loaded from node to node.

Each borrower starts at a base, the best response to those prices; a column switches the borrower to
another extreme point (an option at one end of its range, or no offer), and a borrower's switches add
up to at most 1, or to 1 where the node forbids the base. Who has no rival to the base has no column
at all. What the pool lacks costs no validity: a bound is always evaluated over every option that the
node allows, and options that beat the pool there join it.

Every limit may be broken at a penalty, so that the LP of a node without any point has an optimum
too; its large prices then prove that the node is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from allocator.engine.program import Program, measure_of, row_bounds, side_by_side, stack
from allocator.engine.relaxation import with_right_signs
from allocator.engine.restricted import Book, ChoiceSets, NodeResponse
from allocator.engine.solving import LiveProgram
from allocator.records.portfolio import Booleans, Floats, Integers

NO_OFFER = -1
"""Stands for no offer where a line of the options is asked for."""
_DUST = 1e-9
"""Shares of a point below this are the solver's."""


@dataclass(frozen=True)
class ExtremePoints:
    """Extreme points of borrowers' choices; arrays of shape (P,)."""

    owner: Integers
    line: Integers
    """Line of the book's options, or REFUSAL."""
    amount: Floats

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, which: Integers | Booleans) -> ExtremePoints:
        """The points of an index or a mask."""
        return ExtremePoints(self.owner[which], self.line[which], self.amount[which])

    def then(self, other: ExtremePoints) -> ExtremePoints:
        return ExtremePoints(
            np.concatenate([self.owner, other.owner]),
            np.concatenate([self.line, other.line]),
            np.concatenate([self.amount, other.amount]),
        )

    def allowed(self, sets: ChoiceSets) -> Booleans:
        """Which points the node of `sets` allows."""
        line = self.line
        offer = sets.options[line] & (sets.low[line] <= self.amount) & (self.amount <= sets.high[line])
        return np.where(line == NO_OFFER, sets.no_offer[self.owner], offer)

    @property
    def keys(self) -> list[tuple[int, int, float]]:
        return list(zip(self.owner.tolist(), self.line.tolist(), self.amount.tolist(), strict=True))


@dataclass(frozen=True)
class PoolAnswer:
    """An optimum of the pool's LP."""

    value: float
    """The LP's value in money, penalties included."""
    prices: Floats
    """(m,)"""
    breaks_limits: bool
    """Penalties are paid: the pool has no point in this node, or they are too small."""
    points: ExtremePoints
    """The points in use by borrowers that are not simply at base."""
    shares: Floats


class Pool:
    """Points near some prices, as an LP whose bounds follow the node."""

    def __init__(self, book: Book, prices: Floats, reach: float, left: Callable[[], float]) -> None:
        """`reach`: what a point may lose at `prices`; `left`: seconds for the programs to come."""
        self.book, self._left = book, left
        self._unit = book.columns.money_unit
        self._measure = measure_of(
            book.columns.limits, self._unit, book.uses.unit * book.sets.high + book.uses.loan
        )
        best = book.evaluate(prices, book.sets)
        self.base = _base(book, best)
        self._base_value, self._base_use = self._worth(self.base)
        self._constant = float(np.sum(self._base_value)) + book.idle_constant
        self.points = self.base.take(np.zeros(0, dtype=np.int64))
        self._value, self._use = self._worth(self.points)
        self._row = np.full(len(book), -1, dtype=np.int64)
        self._known = set(self.base.keys)
        self._live = LiveProgram(self._frame())
        self._first = self._live.columns
        self._upper = np.zeros(0)
        self._base_free = np.ones(len(book), dtype=bool)
        self.add(self._near(prices, best, reach))

    def __len__(self) -> int:
        return len(self.points)

    def _worth(self, points: ExtremePoints) -> tuple[Floats, Floats]:
        """Values (P,) and uses (m, P)."""
        options, uses = self.book.options, self.book.uses
        line, amount = points.line, points.amount
        offer = line != NO_OFFER
        value = np.where(offer, options.margin[line] * amount + options.fixed[line], 0.0)
        return value, np.where(offer, uses.unit[:, line] * amount + uses.loan[:, line], 0.0)

    def _frame(self) -> Program:
        """The LP without switches: the limits, the idle budget, and a penalised break of each limit."""
        limits = self.book.columns.limits
        rhs = (self.book.rhs - self._base_use.sum(axis=1)) / self._measure
        lower, upper = row_bounds(limits.senses, rhs)
        over, under = np.isfinite(upper), np.isfinite(lower)
        unit = np.eye(len(rhs))
        idle = np.zeros((len(rhs), 1))
        idle[0, 0] = self._unit / self._measure[0]
        penalty, most = self._penalties(rhs)
        self._penalty = np.concatenate([penalty[over], penalty[under]])
        soft = np.isfinite(limits.penalties)
        self._soft = np.concatenate([soft[over], soft[under]])
        self._breaks = 1 + np.arange(len(self._penalty))
        return Program(
            cost=np.concatenate([[limits.idle_rate], -self._penalty]),
            matrix=side_by_side(idle, -unit[:, over], unit[:, under]),
            row_lower=lower,
            row_upper=upper,
            column_lower=np.zeros(1 + len(self._penalty)),
            column_upper=np.concatenate([[self.book.idle_room / self._unit], most[over], most[under]]),
            integer=np.zeros(1 + len(self._penalty), dtype=bool),
        )

    def _penalties(self, rhs: Floats) -> tuple[Floats, Floats]:
        """(m,) ten times what the best option earns a unit of each row, and the most a row can be broken.

        Of a soft row its own penalty.
        """
        options, uses, high = self.book.options, self.book.uses, self.book.sets.high
        use = (np.abs(uses.unit) * high + np.abs(uses.loan)) / self._measure[:, None]
        typical = np.array([np.median(row[row > 0]) if (row > 0).any() else 1.0 for row in use])
        worth = float(np.max(np.abs(options.margin * high + options.fixed), initial=0.0)) / self._unit
        own = self.book.columns.limits.penalties * self._measure / self._unit
        penalty = np.where(np.isfinite(own), own, 10.0 * max(worth, 1e-9) / typical)
        return penalty, np.abs(rhs) + use.sum(axis=1) + 1.0

    def _near(self, prices: Floats, best: NodeResponse, reach: float) -> ExtremePoints:
        """Every extreme point that loses at most `reach` at `prices`."""
        book = self.book
        per_unit = book.options.margin - prices @ book.uses.unit
        per_loan = book.options.fixed - prices @ book.uses.loan
        owner = book.options.owner
        declined = np.flatnonzero(book.sets.no_offer & (best.best <= reach))
        points = _no_offers(declined)
        for end in (book.sets.high, book.sets.low):
            near = np.flatnonzero(best.best[owner] - (per_unit * end + per_loan) <= reach)
            points = points.then(ExtremePoints(owner[near], near, end[near]))
        return points

    def add(self, points: ExtremePoints) -> int:
        """Adds what is neither base nor in the pool yet; returns how many points that is."""
        fresh = [key for key in dict.fromkeys(points.keys) if key not in self._known]
        if not fresh:
            return 0
        self._known.update(fresh)
        points = ExtremePoints(*(np.array(column) for column in zip(*fresh, strict=True)))
        new = np.unique(points.owner[self._row[points.owner] < 0])
        self._row[new] = self._live.rows + np.arange(len(new))
        value, use = self._worth(points)
        count, rows = len(points), self._live.rows + len(new)
        switch = (use - self._base_use[:, points.owner]) / self._measure[:, None]
        place = self._row[points.owner] - len(switch)
        member = sparse.coo_array((np.ones(count), (place, np.arange(count))), (rows - len(switch), count))
        worth = (value - self._base_value[points.owner]) / self._unit
        self._live.add(len(new), worth, stack(switch, member))
        self.points = self.points.then(points)
        self._value = np.append(self._value, value)
        self._use = np.hstack([self._use, use])
        self._upper = np.append(self._upper, np.ones(count))
        return count

    def solve(self, sets: ChoiceSets) -> PoolAnswer:
        """The optimum of the pool's LP in the node of `sets`, in which every borrower has a choice left.

        Raises OutOfTimeError where that takes longer than what is left.
        """
        self._restrict(sets)
        answer = self._live.solve(self._left())
        assert answer.point is not None
        shares = answer.point[self._first :]
        return PoolAnswer(
            value=self._constant + answer.value * self._unit,
            prices=with_right_signs(
                self.book.columns, answer.row_prices[: len(self._measure)] * self._unit / self._measure
            ),
            breaks_limits=bool(np.any(answer.point[self._breaks][~self._soft] > 1e-9)),
            **self._in_use(shares),
        )

    def _restrict(self, sets: ChoiceSets) -> None:
        """Sets the bounds that differ from those of the last solve."""
        allowed, base = self.points.allowed(sets), self.base.allowed(sets)
        left = base.copy()
        left[self.points.owner[allowed]] = True
        if not left.all():
            self.add(self._all_points(sets, np.flatnonzero(~left)))
            allowed = self.points.allowed(sets)
        upper = allowed.astype(np.float64)
        moved = np.flatnonzero(upper != self._upper)
        if len(moved):
            self._live.set_upper(self._first + moved, upper[moved])
            self._upper = upper
        turned = np.flatnonzero((base != self._base_free) & (self._row >= 0))
        for i in turned:
            self._live.set_lower(int(self._row[i]), -np.inf if base[i] else 1.0)
        self._base_free[turned] = base[turned]

    def _all_points(self, sets: ChoiceSets, borrowers: Integers) -> ExtremePoints:
        """Every extreme point that the node leaves `borrowers`."""
        wanted = np.isin(self.book.options.owner, borrowers) & sets.options & (sets.low <= sets.high)
        lines = np.flatnonzero(wanted)
        owner = self.book.options.owner[lines]
        points = _no_offers(borrowers[sets.no_offer[borrowers]])
        for end in (sets.high, sets.low):
            points = points.then(ExtremePoints(owner, lines, end[lines]))
        return points

    def cover(self, sets: ChoiceSets, borrower: int) -> None:
        """Adds the ends of the ranges that `sets` leaves `borrower`."""
        self.add(self._all_points(sets, np.array([borrower])))

    def improve(self, best: NodeResponse, prices: Floats, sets: ChoiceSets, tolerance: float) -> int:
        """Adds the best responses that beat the pool by more than `tolerance`; returns how many."""
        rivals = np.where(self.base.allowed(sets), self._base_value - prices @ self._base_use, -np.inf)
        allowed = self.points.allowed(sets)
        np.maximum.at(rivals, self.points.owner[allowed], (self._value - prices @ self._use)[allowed])
        beaten = best.best - rivals > tolerance
        owner = self.book.options.owner
        top = np.flatnonzero(beaten[owner] & (best.value >= best.best[owner]))
        declined = np.flatnonzero(beaten & sets.no_offer & (best.best <= 0.0))
        return self.add(ExtremePoints(owner[top], top, best.amount[top]).then(_no_offers(declined)))

    def harden(self) -> bool:
        """Makes breaking a limit a hundred times dearer; False where that went far enough already."""
        if np.max(self._penalty[~self._soft]) > 1e12:
            return False
        self._penalty = np.where(self._soft, self._penalty, self._penalty * 100.0)
        self._live.set_cost(self._breaks, -self._penalty)
        return True

    @property
    def basis(self) -> Any:
        """Where the last solve ended, for `restart`."""
        return len(self), self._live.basis

    def restart(self, basis: Any) -> None:
        """The next solve starts from `basis`, unless the pool has grown since."""
        size, held = basis
        if size == len(self):
            self._live.restart(held)

    def _in_use(self, shares: Floats) -> dict[str, Any]:
        used = np.flatnonzero(shares > _DUST)
        points, held = self.points.take(used), shares[used]
        rest = 1.0 - np.bincount(points.owner, held, minlength=len(self.book))
        mixed = np.unique(points.owner)
        mixed = mixed[rest[mixed] > _DUST]
        return {
            "points": points.then(self.base.take(mixed)),
            "shares": np.append(held, rest[mixed]),
        }


def _no_offers(borrowers: Integers) -> ExtremePoints:
    return ExtremePoints(borrowers, np.full(len(borrowers), NO_OFFER), np.zeros(len(borrowers)))


def _base(book: Book, best: NodeResponse) -> ExtremePoints:
    """Each borrower's best response."""
    line = np.empty(len(book), dtype=np.int64)
    for i in range(len(book)):
        span = book.lines(i)
        line[i] = span.start + int(np.argmax(best.value[span]))
    declined = book.sets.no_offer & (best.value[line] <= 0.0)
    amount = np.where(declined, 0.0, best.amount[line])
    return ExtremePoints(np.arange(len(book)), np.where(declined, NO_OFFER, line), amount)
