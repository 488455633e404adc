"""From the point of a node's LP to an allocation: everybody's largest share, with amounts on the lot."""

from __future__ import annotations

import numpy as np

from allocator.engine.amounts import Chosen, best_amounts
from allocator.engine.pool import REFUSAL, Pool, PoolAnswer
from allocator.records.portfolio import Codes, Floats, Integers


def settle(pool: Pool, answer: PoolAnswer) -> tuple[Codes, Floats] | None:
    """Options and amounts (n,) near the LP's point, exactly its own where that is whole.

    None where the options leave no amounts in whole cents; with a step the amounts are the point's,
    rounded, and may break a limit.
    """
    book = pool.book
    columns = book.columns
    line = _lines(pool, answer)
    taken = np.flatnonzero(line != REFUSAL)
    lines = line[taken]
    amounts = _on_step(pool, answer, lines, taken) if columns.offers.step else _in_cents(pool, lines)
    if amounts is None:
        return None
    option = np.full(len(columns), -1, dtype=np.int32)
    amount = np.zeros(len(columns))
    position = book.options.position[lines]
    option[position] = book.options.option[lines]
    amount[position] = np.where(columns.offers.must[position], columns.offers.low[position], amounts)
    return option, amount


def _lines(pool: Pool, answer: PoolAnswer) -> Integers:
    """(nb,) the line of each borrower's largest share."""
    line = pool.base.line.copy()
    share: dict[tuple[int, int], float] = {}
    for owner, own, part in zip(answer.points.owner, answer.points.line, answer.shares, strict=True):
        share[int(owner), int(own)] = share.get((int(owner), int(own)), 0.0) + float(part)
    for owner, own in sorted(share, key=lambda key: share[key]):
        line[owner] = own
    return line


def _on_step(pool: Pool, answer: PoolAnswer, lines: Integers, taken: Integers) -> Floats:
    """The point's amounts, rounded down to whole steps."""
    step = pool.book.columns.offers.step
    assert step is not None
    amount = pool.base.amount.copy()
    mixed = np.unique(answer.points.owner)
    offers = answer.points.line != REFUSAL
    share = np.bincount(answer.points.owner, answer.shares * offers, minlength=len(amount))
    sums = np.bincount(answer.points.owner, answer.shares * answer.points.amount, minlength=len(amount))
    amount[mixed] = sums[mixed] / np.maximum(share[mixed], 1e-9)
    whole = np.floor(amount[taken] / step + 1e-6) * step
    return np.clip(whole, pool.book.sets.low[lines], pool.book.sets.high[lines])


def _in_cents(pool: Pool, lines: Integers) -> Floats | None:
    book = pool.book
    limits = book.columns.limits
    chosen = Chosen(
        value=book.options.margin[lines],
        use=book.uses.unit[:, lines],
        low=book.sets.low[lines],
        high=book.sets.high[lines],
        senses=limits.senses,
        rhs=limits.rhs - book.uses.loan[:, lines].sum(axis=1),
        scale=limits.scale,
        idle_rate=limits.idle_rate,
        idle_room=limits.idle_room,
    )
    return best_amounts(chosen, book.columns.money_unit)
