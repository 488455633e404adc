"""The exact end of the LP relaxation of a large book: a small LP over switches.

At good prices nearly every borrower's answer is settled. The few with small margins may switch from
their base answer to another one; each switch is a column in [0, 1], so that the LP has a row a limit
(and one a borrower with several switches) whatever the size of the book. It restricts the relaxation:
LP <= optimum <= U; so U at its prices equal to its value proves both. Otherwise the borrowers whose
answer changed bring that answer as a new column, and none is ever discarded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from allocator.engine.cores import Priced, smallest
from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import Columns, Response
from allocator.engine.kernel.passes import Pass, Tally
from allocator.engine.program import Effort, Program, row_bounds
from allocator.engine.relaxation import signed
from allocator.engine.solving import solve
from allocator.records.portfolio import Codes, Floats, Integers

_SWITCHES = 3_000
"""Borrowers that may switch in the first LP."""
_ROUNDS = 12
_PENALTY = 1e3
"""Value lost, in largest loans, where a row is broken by the largest switch: far more than one earns."""


@dataclass(frozen=True)
class Finish:
    """Where the LP over switches ended."""

    priced: Priced
    gap: float
    """bound - value of the LP, in money: 0 where both are proved; inf where none met every row."""
    broken: Floats
    """(m,) by how much the last LP had to break each row, in the row's unit."""


@dataclass(frozen=True)
class Switches:
    """C possible changes of answer; arrays of shape (C,)."""

    borrower: Integers
    option: Codes
    amount: Floats

    def join(self, other: Switches) -> Switches:
        return Switches(
            np.concatenate([self.borrower, other.borrower]),
            np.concatenate([self.option, other.option]),
            np.concatenate([self.amount, other.amount]),
        )


def finish(book: Pass, prices: Floats, tolerance: float) -> Finish:
    """The relaxation's optimum from prices near it, until U - LP <= tolerance x |U| or rounds run out."""
    columns = book.columns
    base = book.respond(prices)
    best = Finish(at_prices(columns, prices, base), np.inf, np.zeros(len(prices)))
    at_base = book.tally(base.option, base.amount)
    switches = _next_best(columns, prices, base)
    for _ in range(_ROUNDS):
        lp = _restricted(columns, base, at_base, switches)
        answer = solve(lp.program, Effort(presolve=False))
        if answer.point is None or not len(answer.row_prices):
            break
        found = signed(columns, lp.prices(answer.row_prices))
        priced = at_prices(columns, found, book.respond(found))
        broken = lp.broken(answer.point)
        gap = priced.bound - answer.value * lp.unit if np.max(broken, initial=0.0) <= 0.0 else np.inf
        priced = _settle(priced, base, switches, answer.point)
        best = Finish(priced if gap <= best.gap else best.priced, min(gap, best.gap), broken)
        if gap <= tolerance * abs(priced.bound):
            break
        changed = _changed(columns, base, switches, priced.response)
        if len(changed.borrower) == 0:
            break
        switches = switches.join(changed)
    return best


def at_prices(columns: Columns, prices: Floats, response: Response) -> Priced:
    """What `prices` prove, with the answers to them as the point."""
    return Priced(
        prices,
        response,
        dense.bound(columns, prices, response),
        response.option,
        response.amount,
        np.zeros(0, dtype=np.int64),
    )


def _next_best(columns: Columns, prices: Floats, base: Response) -> Switches:
    """For the borrowers with the smallest margins the answer that loses least against the base."""
    picks = np.sort(smallest(base.margin, np.flatnonzero(np.isfinite(base.margin)), _SWITCHES))
    option, amount = dense.second_best(columns, prices, picks, base)
    return Switches(picks, option, amount)


@dataclass(frozen=True)
class Restricted:
    """The LP over switches; value and use are counted from the base on."""

    program: Program
    norm: Floats
    """(m,) row units a unit of the program's row."""
    unit: float
    """Money a unit of the objective."""
    idle_rate: float
    """What unspent budget earns: the base counts it, so the budget's price starts there."""

    def prices(self, row_prices: Floats) -> Floats:
        """(m,) the rows' prices in money a unit of the row."""
        prices = row_prices[: len(self.norm)] / self.norm * self.unit
        prices[0] += self.idle_rate
        return prices

    def broken(self, point: Floats) -> Floats:
        """(m,) how far each row is broken, beyond the solver's tolerance."""
        rows = len(self.norm)
        slack = point[-2 * rows :]
        over = slack[:rows] + slack[rows:]
        return np.where(over > 1e-7, over * self.norm, 0.0)


def _restricted(columns: Columns, base: Response, at_base: Tally, switches: Switches) -> Restricted:
    limits = columns.limits
    unit = columns.money_unit
    value, use = columns.change(switches.borrower, switches.option, switches.amount, base)
    offset = at_base.value
    if limits.idle_room > 0:
        value = value - limits.idle_rate * use[0]
        offset += limits.idle_rate * (limits.idle_room - at_base.usage[0])
    norm = np.max(np.abs(use), axis=1, initial=0.0)
    norm[norm == 0.0] = 1.0
    lower, upper = row_bounds(limits.senses, (limits.rhs - at_base.usage) / norm)
    convexity = _convexity(switches)
    rows, several = len(norm), convexity.shape[0]
    slack = np.hstack([np.eye(rows), -np.eye(rows)])
    top = sparse.csc_array(np.hstack([use / norm[:, None], slack]))
    bottom = sparse.hstack([convexity, sparse.csr_array((several, 2 * rows))])
    program = Program(
        cost=np.concatenate([value / unit, np.full(2 * rows, -_PENALTY)]),
        matrix=sparse.csc_array(sparse.vstack([top, bottom], format="csc")),
        row_lower=np.concatenate([lower, np.full(several, -np.inf)]),
        row_upper=np.concatenate([upper, np.ones(several)]),
        column_lower=np.zeros(len(value) + 2 * rows),
        column_upper=np.concatenate([np.ones(len(value)), np.full(2 * rows, np.inf)]),
        integer=np.zeros(len(value) + 2 * rows, dtype=bool),
        offset=offset / unit,
    )
    return Restricted(program, norm, unit, limits.idle_rate if limits.idle_room > 0 else 0.0)


def _convexity(switches: Switches) -> sparse.csr_array:
    """One row a borrower with several switches: at most one of them."""
    owners, owner = np.unique(switches.borrower, return_inverse=True)
    several = np.flatnonzero(np.bincount(owner) > 1)
    row_of = np.full(len(owners), -1)
    row_of[several] = np.arange(len(several))
    inside = np.flatnonzero(row_of[owner] >= 0)
    return sparse.csr_array(
        (np.ones(len(inside)), (row_of[owner[inside]], inside)), shape=(len(several), len(owner))
    )


def _settle(priced: Priced, base: Response, switches: Switches, point: Floats) -> Priced:
    """The LP's point: whole switches made, split borrowers open at their base answer."""
    share = point[: len(switches.borrower)]
    made = share > 1.0 - 1e-9
    option, amount = base.option.copy(), base.amount.copy()
    option[switches.borrower[made]] = switches.option[made]
    amount[switches.borrower[made]] = switches.amount[made]
    split = np.unique(switches.borrower[(share > 1e-9) & ~made])
    return replace(priced, option=option, amount=amount, open=split)


def _changed(columns: Columns, base: Response, switches: Switches, response: Response) -> Switches:
    """Answers to the LP's prices that are neither base nor switch yet."""
    differs = (response.option != base.option) | (response.amount != base.amount)
    borrowers = np.flatnonzero(differs)
    width = 2 * (1 + max((len(menu.rates) for menu in columns.offers.menus), default=1))

    def key(borrower: Integers, option: Codes, amount: Floats) -> Integers:
        at_high = amount >= columns.offers.high[borrower]
        return np.asarray(borrower * width + (option + 1) * 2 + at_high)

    known = key(switches.borrower, switches.option, switches.amount)
    new = ~np.isin(key(borrowers, response.option[borrowers], response.amount[borrowers]), known)
    borrowers = borrowers[new]
    return Switches(borrowers, response.option[borrowers], response.amount[borrowers])
