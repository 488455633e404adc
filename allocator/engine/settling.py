"""From the point of a node's LP to an allocation: everybody's largest share, with amounts on the lot."""

from __future__ import annotations

import numpy as np

from allocator.engine.amounts import ChosenOffers, FrozenOffers, best_amounts, chosen_of, in_band
from allocator.engine.pool import NO_OFFER, Pool, PoolAnswer
from allocator.engine.repair import no_offers
from allocator.engine.restricted import ChoiceSets
from allocator.records.portfolio import Codes, Floats, Integers


def settle(pool: Pool, answer: PoolAnswer, sets: ChoiceSets) -> tuple[Codes, Floats] | None:
    """Options and amounts (n,) near the LP's point, exactly its own where that is whole.

    Amounts stay in the ranges of `sets`: its own node's, or wider ones.
    None where the options leave no amounts in whole lots there.
    """
    book = pool.book
    columns = book.columns
    line = _lines(pool, answer)
    taken = np.flatnonzero(line != NO_OFFER)
    lines = line[taken]
    amounts = best_amounts(_chosen_offers(pool, lines, sets, _mean_amounts(pool, answer)))
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


def _mean_amounts(pool: Pool, answer: PoolAnswer) -> Floats | None:
    """(N,) the LP point's mean amount of each option; None where nobody has several bands of amounts."""
    bands, points = pool.book.columns.offers.bands, answer.points
    if bands is None or len(bands) == 1:
        return None
    mean, share = (np.zeros(len(pool.book.options)) for _ in range(2))
    offered = points.line != NO_OFFER
    np.add.at(mean, points.line[offered], (answer.shares * points.amount)[offered])
    np.add.at(share, points.line[offered], answer.shares[offered])
    return np.asarray(np.divide(mean, share, out=mean, where=share > 0))


def _chosen_offers(pool: Pool, lines: Integers, sets: ChoiceSets, mean: Floats | None) -> ChosenOffers:
    """The offers at `lines`, beside nothing: everybody who may be offered something is in the book.

    `mean`: (N,) an amount of each option; its offer stays in the band that holds it.
    """
    book = pool.book
    nobody = FrozenOffers(*no_offers(book.columns), np.zeros(len(book.columns.limits)))
    ends: tuple[Floats, ...] = sets.low[lines], sets.high[lines]
    if mean is not None:
        ends = in_band(book.columns, book.options.position[lines], mean[lines], *ends)
    return chosen_of(book.columns, book.options, book.uses, lines, nobody, ends)
