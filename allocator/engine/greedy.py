"""Each borrower's best offer, and the order of most value per unit of money: a start that needs no solver."""

from __future__ import annotations

import numpy as np

from allocator.engine.filling import Filling, fill
from allocator.engine.kernel.columns import Answers
from allocator.engine.kernel.passes import Pass
from allocator.records.portfolio import Floats, Integers


def best_wishes(book: Pass) -> tuple[Answers, Floats]:
    """Each borrower's best offer were there no limits, and what it adds to idle money (n,).

    Who cannot be offered anything, or nothing that earns its cost, wishes for nothing.
    """
    limits = book.columns.limits
    free = np.zeros(len(limits))
    free[0] = limits.idle_rate if limits.idle_room > 0 else 0.0
    answer = book.respond(free)
    return Answers(answer.option, answer.amount), answer.reduced


def by_worth(book: Pass, wish: Answers, worth: Floats) -> Integers:
    """Positions in descending order of `worth` (n,) a unit of budget, ties by position."""
    amount = wish.amount
    if book.columns.limits.rows[0].measure == "drawn":
        amount = amount * book.columns.take_up(wish.option)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_unit = np.where(amount > 0, worth / amount, np.where(wish.option >= 0, np.inf, -np.inf))
    return np.argsort(-per_unit, kind="stable")


def greedy(book: Pass) -> Filling:
    """Everybody's best offer, the most valuable a unit of money first, while limits leave room."""
    wish, worth = best_wishes(book)
    return fill(book, wish, by_worth(book, wish, worth))
