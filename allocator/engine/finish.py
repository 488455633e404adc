"""The exact end of the LP relaxation of a large book: a small LP over switches.

At good prices nearly every borrower's answer is settled. The few with small margins may switch from
their base answer to another one; each switch is a column between 0 and the number of its kind, so that
the LP has a row per limit (and one a kind with several switches) whatever the size of the book. It
restricts the relaxation: LP <= optimum <= U; so U at its prices equal to its value proves both.
Otherwise the kinds whose answer changed bring that answer as a new column, and none is ever discarded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from allocator.engine.cores import PricedPoint
from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import Answers, BestResponses, Change, Columns
from allocator.engine.kernel.curvature import DENSE_UP_TO
from allocator.engine.kernel.passes import Pass, Tally
from allocator.engine.program import Effort, Program, row_bounds
from allocator.engine.relaxation import with_right_signs
from allocator.engine.solving import solve
from allocator.engine.switches import Switches, changed, next_best
from allocator.records.limits import Limits, summed
from allocator.records.portfolio import Booleans, Codes, Floats, Integers

_ROUNDS = 12
_SAME_LOT = 1e-5
"""Lots by which a mixture may miss a whole number of them: the solver's tolerance."""
_PENALTY = 1e3
"""Value lost, in largest loans, where a row is broken by the largest switch: far more than one earns."""


@dataclass(frozen=True)
class _Finish:
    """Where the LP over switches ended."""

    priced: PricedPoint
    gap: float
    """bound - value of the LP, in money: 0 where both are proved; inf where none met every row."""
    broken: Floats
    """(m,) by how much the last LP had to break each row, in the row's unit."""
    last: Floats
    """(m,) the prices of the last LP: where rows had to be broken, what breaking them less would cost."""
    parts: Parts
    """What the LP's point gives those whom it splits."""


@dataclass(frozen=True)
class Parts:
    """Offers (P,) to those whom the relaxation splits between an answer and another."""

    borrower: Integers
    option: Codes
    amount: Floats

    def into(self, option: Codes, amount: Floats) -> tuple[Codes, Floats]:
        """`option` and `amount` (n,) with these offers."""
        option, amount = option.copy(), amount.copy()
        option[self.borrower], amount[self.borrower] = self.option, self.amount
        return option, amount

    @classmethod
    def none(cls) -> Parts:
        nobody = np.zeros(0, dtype=np.int64)
        return cls(nobody, nobody.astype(np.int32), np.zeros(0))


@dataclass(frozen=True)
class _Round:
    """One LP's prices and point."""

    priced: PricedPoint
    gap: float
    switches: Switches
    share: Floats


def finish(book: Pass, prices: Floats, tolerance: float, left: Callable[[], float]) -> _Finish:
    """The relaxation's optimum from prices near it, until U - LP <= tolerance x |U| or rounds run out.

    No round begins when no time is `left` (seconds); then the best of what there is counts.
    """
    columns = book.columns
    base, switches = _base(book, prices)
    at_base = book.tally(base.option, base.amount)
    best: _Round | None = None
    broken, last = np.zeros(len(prices)), prices
    for _ in range(_ROUNDS):
        lp = _restricted_lp(columns, base, at_base, switches)
        answer = solve(lp.program, Effort(presolve=False))
        if answer.point is None or not len(answer.row_prices):
            break
        last = with_right_signs(columns, lp.prices(answer.row_prices))
        priced = at_prices(columns, last, book.respond(last))
        broken = lp.broken(answer.point)
        gap = priced.bound - answer.value * lp.unit if np.max(broken, initial=0.0) <= 0.0 else np.inf
        if best is None or gap <= best.gap:
            best = _Round(priced, gap, switches, lp.share(answer.point))
        if gap <= tolerance * abs(priced.bound) or left() <= 0:
            break
        more = changed(columns, base, switches, priced.response)
        if len(more) == 0:
            break
        switches = switches.join(more)
    if best is None or not np.isfinite(best.gap):
        prices = with_right_signs(columns, prices)  # Newton's steps may end a rounding beyond 0
        priced = at_prices(columns, prices, book.respond(prices))
        return _Finish(priced, np.inf, broken, last, Parts.none())
    priced, parts = _settle(best, base, columns)
    return _Finish(priced, best.gap, broken, last, parts)


def _base(book: Pass, prices: Floats) -> tuple[Answers, Switches]:
    """Everybody's best response, and the first switches; of a large book nothing else is kept."""
    response = book.respond(prices)
    return Answers(response.option, response.amount), next_best(book.columns, prices, response)


def at_prices(columns: Columns, prices: Floats, response: BestResponses) -> PricedPoint:
    """What `prices` prove, with the answers to them as the point."""
    return PricedPoint(
        prices,
        response,
        dense.bound(columns, prices, response),
        response.option,
        response.amount,
        np.zeros(0, dtype=np.int64),
    )


@dataclass(frozen=True)
class _Restricted:
    """The LP over switches; value and use are counted from the base on."""

    program: Program
    norm: Floats
    """(m,) row units a unit of the program's row."""
    unit: float
    """Money a unit of the objective."""
    idle_rate: float
    """What unspent budget earns: the base counts it, so the budget's price starts there."""
    most: Floats
    """(C,) upper bounds of the switches: as much of each column as its whole kind."""
    soft: Booleans
    """(m,) rows that may be missed at their own penalty."""

    def prices(self, row_prices: Floats) -> Floats:
        """(m,) the rows' prices in money per unit of the row."""
        prices = row_prices[: len(self.norm)] / self.norm * self.unit
        prices[0] += self.idle_rate
        return prices

    def broken(self, point: Floats) -> Floats:
        """(m,) how far each row that must hold is broken, beyond the solver's tolerance."""
        rows = len(self.norm)
        slack = point[-2 * rows :]
        over = slack[:rows] + slack[rows:]
        return np.where((over > 1e-7) & ~self.soft, over * self.norm, 0.0)

    def share(self, point: Floats) -> Floats:
        """(C,) which part of each kind switches."""
        return np.clip(point[: len(self.most)] / self.most, 0.0, 1.0)


def _restricted_lp(columns: Columns, base: Answers, at_base: Tally, switches: Switches) -> _Restricted:
    limits = columns.limits
    unit = columns.money_unit
    change = columns.change(switches.borrower, switches.option, switches.amount, base)
    value, offset = change.value, at_base.value
    if limits.idle_room > 0:
        value = value - limits.idle_rate * (change.moved.T @ limits.everywhere[[0]].toarray()[0])
        offset += limits.idle_rate * (limits.idle_room - at_base.usage[0])
    group = _group(switches)
    most = switches.size / group
    top, tied = _use(limits, change, group)
    rows = len(limits)
    norm = abs(top).max(axis=1).toarray().ravel() if top.shape[1] else np.zeros(rows)
    norm[norm == 0.0] = 1.0
    lower, upper = row_bounds(limits.senses, (limits.rhs - at_base.usage) / norm)
    several, room = _convexity(switches, most)
    slack = sparse.eye_array(rows, format="csc")
    by = sparse.diags_array(1.0 / norm, format="csc")
    totals = top.shape[1] - len(value)
    matrix = sparse.block_array(
        [[by @ top, slack, -slack], [tied, None, None], [_wider(several, totals), None, None]],
        format="csc",
    )
    own = limits.penalties * norm / unit
    soft = np.isfinite(own)
    penalty = np.tile(np.where(soft, own, _PENALTY * np.max(group, initial=1.0)), 2)
    columns_more = np.full(2 * rows, np.inf)
    program = Program(
        cost=np.concatenate([value * group / unit, np.zeros(totals), -penalty]),
        matrix=sparse.csc_array(matrix),
        row_lower=np.concatenate([lower, np.zeros(totals), np.full(len(room), -np.inf)]),
        row_upper=np.concatenate([upper, np.zeros(totals), room]),
        column_lower=np.concatenate([np.zeros(len(value)), np.full(totals, -np.inf), np.zeros(2 * rows)]),
        column_upper=np.concatenate([most, np.full(totals, np.inf), columns_more]),
        integer=np.zeros(matrix.shape[1], dtype=bool),
        offset=offset / unit,
    )
    idle_rate = limits.idle_rate if limits.idle_room > 0 else 0.0
    return _Restricted(program, norm, unit, idle_rate, most, soft)


def _use(limits: Limits, change: Change, group: Floats) -> tuple[sparse.csc_array, sparse.csc_array]:
    """(m, C + totals) what the switches add to the rows, (totals, C + totals) what each total is the sum of.

    Few rows: every coefficient, no total; many: sums over everybody, such as a share's reference, are taken
    once, as columns of their own.
    """
    single, moved = change.single @ sparse.diags_array(group), change.moved * group
    if len(limits) <= DENSE_UP_TO:
        top = summed(limits.everywhere @ moved, single.toarray())
        return sparse.csc_array(top), sparse.csc_array((0, len(group)))
    size = np.maximum(np.max(np.abs(moved), axis=1, initial=0.0), 1e-300)
    totals = limits.everywhere @ sparse.diags_array(size)
    top = sparse.hstack([single, totals], format="csc")
    tied = np.hstack([moved / size[:, None], -np.eye(len(size))])
    return top, sparse.csc_array(tied)


def _wider(several: sparse.csr_array, totals: int) -> sparse.csr_array:
    """The convexity rows with the totals' columns, which are no part of them."""
    return sparse.csr_array(sparse.hstack([several, sparse.csr_array((several.shape[0], totals))]))


def _group(switches: Switches) -> Floats:
    """(C,) borrowers that a unit of each column moves: a power of 2 near the root of the kind's number.

    So neither a kind's column nor its coefficients grow as large as the kind.
    """
    return np.asarray(np.exp2(np.round(np.log2(switches.size) / 2.0)))


def _convexity(switches: Switches, most: Floats) -> tuple[sparse.csr_array, Floats]:
    """One row a kind with several switches, no more of them together than the kind has: matrix and right."""
    owners, first, owner = np.unique(switches.borrower, return_index=True, return_inverse=True)
    several = np.flatnonzero(np.bincount(owner, minlength=len(owners)) > 1)
    row_of = np.full(len(owners), -1)
    row_of[several] = np.arange(len(several))
    inside = np.flatnonzero(row_of[owner] >= 0)
    entries = (np.ones(len(inside)), (row_of[owner[inside]], inside))
    return sparse.csr_array(entries, shape=(len(several), len(owner))), most[first[several]]


def _settle(best: _Round, base: Answers, columns: Columns) -> tuple[PricedPoint, Parts]:
    """The LP's point: whole switches made (in `base` itself), the borrowers around a fraction open."""
    switches = best.switches
    parts = _parts(best, base, columns)
    borrower, switch, around = switches.made(best.share)
    base.option[borrower], base.amount[borrower] = switches.option[switch], switches.amount[switch]
    return replace(best.priced, option=base.option, amount=base.amount, open=around), parts


def _parts(best: _Round, base: Answers, columns: Columns) -> Parts:
    """A mixture of an offer and no offer, or of two amounts at one rate, is an offer of the mean amount.

    Rounded down to whole lots, so that no cap is used more; declined where that is below the smallest loan.
    """
    switches, offers = best.switches, columns.offers
    borrower, switch, fraction = switches.parts(best.share)
    was, now = base.option[borrower], switches.option[switch]
    alike = ((was == now) | (was < 0) | (now < 0)) & ~offers.must[borrower]
    borrower, switch, fraction = borrower[alike], switch[alike], fraction[alike]
    option = np.maximum(base.option[borrower], switches.option[switch])
    amount = (1.0 - fraction) * base.amount[borrower] + fraction * switches.amount[switch]
    amount = offers.down(borrower, amount, _SAME_LOT)
    offered = amount >= offers.low[borrower]
    return Parts(borrower, np.where(offered, option, -1).astype(np.int32), np.where(offered, amount, 0.0))
