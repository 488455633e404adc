"""Primal repair: from responses that break some limits to an allocation that meets them all.

At prices most responses are right together; a few limits are a little over. The change of one borrower that
takes away most of what is broken for each unit of reduced value lost is made, then the next, until nothing
is broken; after that the changes that earn most without breaking anything. That proves nothing, but it is
an allocation in hand before any solver has run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from allocator.engine.amounts import FrozenOffers, best_amounts, chosen_of, in_band, meets_rows
from allocator.engine.cores import PricedPoint, smallest_margins
from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.passes import Pass
from allocator.engine.narrowing import rows_moved
from allocator.engine.options import Options, Uses, options_of, undominated, uses_of
from allocator.engine.program import measure_of
from allocator.records.portfolio import Codes, Floats, Integers

_BORROWERS = 500
"""Borrowers who may change: those with the smallest margins."""
_NUMBERS = 200_000
"""Entries of the table of all changes, one for each row of the limits."""
_MOVES = 400
_WORK = 100_000_000
"""Changes looked at, one per row of the limits, in all moves together."""
_MET = 1e-10
"""A row broken by no more than this, relative to its scale, is met."""
_FREE = 1e-6
"""A change that loses less than this, in money per unit of the largest loan, counts as losing it."""
_DOWN = (1, 2, 4, 8)
"""Steps below its largest that an amount may be, beside both ends, where amounts go by steps."""


@dataclass(frozen=True)
class _Changes:
    """P changes of nb borrowers, to an amount of an option or to no offer; arrays of shape (P,) but noted."""

    owner: Integers
    line: Integers
    """Line of the options; -1: no offer."""
    amount: Floats
    value: Floats
    loss: Floats
    """Regret against the borrower's best response, in reduced value."""
    most: Floats
    """(m, P) of each row used; where a row must be met exactly and amounts can still give way, at most."""
    least: Floats


def repaired(book: Pass, priced: PricedPoint, time_is_up: Callable[[], bool]) -> tuple[Codes, Floats] | None:
    """Options and amounts (n,) near the responses to `priced`, which may break a limit still.

    Returns None where nobody's response can change, or the options leave no amounts in whole lots.
    """
    columns, response = book.columns, priced.response
    margin = np.where(columns.offers.menu >= 0, response.margin, np.inf)
    borrowers = np.sort(smallest_margins(margin, _BORROWERS))
    if len(borrowers) == 0:
        return None
    option, amount = response.option.copy(), response.amount.copy()
    rows = rows_moved(columns, borrowers, option, amount)
    book, priced = book.over(rows), priced.over(rows)
    columns = book.columns
    options = options_of(columns, borrowers)
    options = options.keep(undominated(columns, options))
    uses = uses_of(columns, options)
    changes = _changes(columns, priced, options, uses)
    option[borrowers], amount[borrowers] = -1, 0.0
    frozen = FrozenOffers(option, amount, book.tally(option, amount).usage)
    ends = _descend(columns, changes, frozen.usage, time_is_up)
    taken = ends[changes.line[ends] >= 0]
    lines, amounts = changes.line[taken], changes.amount[taken]
    own = options.position[lines]
    inside = in_band(columns, own, amounts, columns.offers.low[own], columns.offers.high[own])
    chosen = chosen_of(columns, options, uses, lines, frozen, inside)
    if columns.offers.step is None or not meets_rows(chosen, amounts):
        settled = best_amounts(chosen)
        if settled is None:
            return None
        amounts = settled
    position = options.position[lines]
    option[position] = options.option[lines]
    amount[position] = np.where(columns.offers.must[position], columns.offers.low[position], amounts)
    return option, amount


def no_offers(columns: Columns) -> tuple[Codes, Floats]:
    """The options and amounts (n,) of the allocation that offers nobody anything."""
    return np.full(len(columns), -1, dtype=np.int32), np.zeros(len(columns))


def _changes(columns: Columns, priced: PricedPoint, options: Options, uses: Uses) -> _Changes:
    """The best responses, and the changes of least regret."""
    offers, borrowers = columns.offers, options.borrowers
    low, high = offers.low[options.position], offers.high[options.position]
    amounts = [high, low]
    if offers.step is not None:
        amounts += [np.clip(offers.below(options.position, high, k), low, high) for k in _DOWN]
    may_decline = np.flatnonzero(~offers.must[borrowers])
    line = np.concatenate([*(np.arange(len(options)) for _ in amounts), np.full(len(may_decline), -1)])
    owner = np.concatenate([*(options.owner for _ in amounts), may_decline])
    amount = np.concatenate([*amounts, np.zeros(len(may_decline))])
    per_unit = options.margin - priced.prices @ uses.unit
    per_loan = options.fixed - priced.prices @ uses.loan
    reduced = np.where(line >= 0, per_unit[line] * amount + per_loan[line], 0.0)
    best = np.full(len(borrowers), -np.inf)
    np.maximum.at(best, owner, reduced)
    loss = best[owner] - reduced
    near = smallest_margins(loss, max(_NUMBERS // len(uses.unit), len(borrowers)))
    kept = np.union1d(near, np.flatnonzero(loss <= 0.0))
    line, amount, loss = line[kept], amount[kept], loss[kept]
    offered = line >= 0
    value = np.where(offered, options.margin[line] * amount + options.fixed[line], 0.0)
    use = np.where(offered, uses.unit[:, line] * amount + uses.loan[:, line], 0.0)
    most, least = use.copy(), use.copy()
    if offers.step is None:
        exact = np.array([sense == "exactly" for sense in columns.limits.senses])
        ends = [uses.unit[:, line] * end[line] + uses.loan[:, line] for end in (low, high)]
        most[exact] = np.where(offered, np.maximum(*ends), 0.0)[exact]
        least[exact] = np.where(offered, np.minimum(*ends), 0.0)[exact]
    return _Changes(owner[kept], line, amount, value, loss, most, least)


def _descend(columns: Columns, changes: _Changes, frozen: Floats, time_is_up: Callable[[], bool]) -> Integers:
    """(nb,) the change that each borrower ends at."""
    limits = columns.limits
    norm = measure_of(limits, columns.money_unit, changes.most)
    most, least = changes.most / norm[:, None], changes.least / norm[:, None]
    start = (frozen - limits.rhs) / norm
    hard = ~np.isfinite(limits.penalties)
    upper = hard & np.array([sense != "at_least" for sense in limits.senses])
    lower = hard & np.array([sense != "at_most" for sense in limits.senses])
    met = _MET * columns.scale / norm
    order = np.argsort(changes.loss, kind="stable")
    current = order[np.unique(changes.owner[order], return_index=True)[1]]

    def broken(most: Floats, least: Floats) -> Floats:
        beyond = np.maximum(np.where(upper[:, None], least, 0.0), np.where(lower[:, None], -most, 0.0))
        return np.asarray(np.sum(np.where(beyond > met[:, None], beyond, 0.0), axis=0))

    for _ in range(min(_MOVES, _WORK // max(most.size, 1))):
        if time_is_up():
            break
        highest, lowest = ((start + use[:, current].sum(axis=1))[:, None] for use in (most, least))
        now = float(broken(highest, lowest)[0])
        held = current[changes.owner]
        after = broken(highest + most - most[:, held], lowest + least - least[:, held])
        if now > 0.0:
            loss = np.maximum(changes.loss - changes.loss[held], _FREE * columns.money_unit)
            score = np.where(after < (1.0 - 1e-6) * now, (now - after) / loss, 0.0)
        else:
            score = np.where(after <= 0.0, changes.value - changes.value[held], 0.0)
        best = int(np.argmax(score))
        if score[best] <= _FREE:
            break
        current = current.copy()
        current[changes.owner[best]] = best
    return current
