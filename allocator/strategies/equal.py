"""The same amount for everybody."""

from __future__ import annotations

import numpy as np

from allocator.engine.filling import Filling, first_round, settle
from allocator.engine.greedy import best_wishes, by_worth
from allocator.records.case import Case
from allocator.records.lots import CENT, down_to_lots
from allocator.records.portfolio import Booleans, Floats, Integers
from allocator.records.progress import Progress
from allocator.records.solution import Solution
from allocator.strategies.plan import Plan, filled, ready

_HALVINGS = 60
_RISES = 50
"""Times that a limit may stop some while the others go on."""
_LITTLE = 1e-6
"""Part of what is offered that another round is not worth."""
_ROUNDS = 10
"""Times that all may rise again: what the others got may have made room in a share of what is lent."""


def equal(case: Case, optimum: Solution, progress: Progress) -> Plan:
    """Everybody's best rate at one level of amounts, up to each request: water-filling.

    All begin with their smallest loan, those of most value per unit first where not even that goes round.
    Then all amounts rise together; a limit that is full stops those who use it, and the others go on. Where
    the smallest loans overdraw a share of what is lent, those who do so wait for the others to lend it
    room, or the last of them leave at once: of the two what keeps more limits, then what is worth more.
    """
    book = ready(case)
    wish, worth = best_wishes(book)
    order = by_worth(book, wish, worth)
    order = order[wish.option[order] >= 0]
    smallest = np.minimum(case.offers.low, wish.amount)
    patient, hasty = (first_round(book, wish, order, smallest) for _ in range(2))
    tried = [_raised_together(patient, order)]
    if np.any(hasty.overdrawn()):
        hasty.cut(order)
        settle(hasty, order, smallest, paying=True)
        tried.append(_raised_together(hasty, order))
    return filled(max(tried, key=_merit), case.offers)


def _raised_together(filling: Filling, order: Integers) -> Filling:
    """The smallest loans raised together as far as the limits go."""
    wish = filling.wish.amount
    for goal in filling.goals():
        _rise(filling, filling.unit_use(goal) < 0, goal)
    _pour(filling)
    if np.any(filling.overdrawn()):
        filling.cut(order)
        _pour(filling)
    lot = filling.book.columns.offers.step or CENT
    settle(filling, order, np.minimum(_whole_steps(filling, filling.amount + lot), wish), paying=True)
    return filling


def _merit(filling: Filling) -> tuple[int, float]:
    """How many rows hold, and what the offers are worth."""
    rows = filling.book.columns.limits.rows
    exact = np.array([row.sense == "exactly" for row in rows])
    broken = (filling.left < -filling.tolerance) | (exact & (filling.left > filling.tolerance))
    return -int(np.count_nonzero(broken)), filling.book.tally(filling.option, filling.amount).value


def _pour(filling: Filling) -> None:
    """Raises everybody until nothing more goes in."""
    everybody = np.ones(len(filling.amount), dtype=bool)
    for _ in range(_ROUNDS):
        before = filling.amount
        _rise(filling, everybody)
        if np.sum(filling.amount - before) <= _LITTLE * np.sum(before):
            return


def _rise(filling: Filling, among: Booleans, goal: int = -1) -> None:
    """Raises the amounts of `among` together, until each is at its wish or stopped, or `goal` is met."""
    wish = filling.wish.amount
    active = among & (filling.amount > 0) & (filling.amount < wish) & ~filling.book.columns.offers.must
    for _ in range(_RISES):
        if not active.any():
            return
        low, high = float(filling.amount[active].min()), float(wish[active].max())
        if not _keeps_limits(filling, _at_level(filling, active, high), goal):
            low, high = _levels_between(filling, active, low, high, goal)
            stops = _overdrawn_rows(filling, _at_level(filling, active, high), goal)
        else:
            low, stops = high, np.zeros(len(filling.left), dtype=bool)
        reached = goal >= 0 and bool(stops[goal])
        filling.amount = _at_level(filling, active, high if reached and stops.sum() == 1 else low)
        filling.recount()
        if reached or not stops.any():
            return
        for row in np.flatnonzero(stops):
            active &= filling.unit_use(int(row)) <= 0
        active &= filling.amount < wish


def _levels_between(
    filling: Filling, active: Booleans, low: float, high: float, goal: int
) -> tuple[float, float]:
    """Two levels a lot apart, of which the lower holds and the higher does not."""
    lot = filling.book.columns.offers.step or CENT
    middle = low + lot  # often nothing more goes in at all
    for _ in range(_HALVINGS):
        if high - low <= lot:
            break
        if _keeps_limits(filling, _at_level(filling, active, middle), goal):
            low = middle
        else:
            high = middle
        middle = (low + high) / 2
    return low, high


def _at_level(filling: Filling, active: Booleans, level: float) -> Floats:
    """(n,) amounts with those of `active` at `level`, or at their wish where that is less."""
    raised = np.maximum(filling.amount, np.minimum(_whole_steps(filling, level), filling.wish.amount))
    return np.where(active, raised, filling.amount)


def _whole_steps(filling: Filling, amount: Floats | float) -> Floats:
    """Whole steps, or cents, not above `amount`."""
    offers = filling.book.columns.offers
    step = offers.step
    if offers.bands is not None:
        return offers.bands.down(np.broadcast_to(amount, len(offers)))
    return down_to_lots(amount, step, 1e-9) if step else down_to_lots(amount, CENT)


def _left_at(filling: Filling, amount: Floats) -> Floats:
    used = filling.book.tally(filling.option, amount).usage
    return np.asarray(filling.sign * (filling.book.columns.limits.rhs - used))


def _keeps_limits(filling: Filling, amount: Floats, goal: int) -> bool:
    return not _overdrawn_rows(filling, amount, goal).any()


def _overdrawn_rows(filling: Filling, amount: Floats, goal: int) -> Booleans:
    """(m,) capped rows that `amount` overdraws more than they are already; `goal` where it is met."""
    left = _left_at(filling, amount)
    over = filling.capped & (left < np.minimum(filling.left, 0.0) - filling.tolerance)
    if goal >= 0:
        over[goal] = left[goal] >= -filling.tolerance[goal]
    return over
