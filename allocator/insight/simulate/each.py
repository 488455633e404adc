"""Borrower by borrower: two numbers per borrower and year, whatever the allocation.

Since every borrower of the portfolio is drawn for, two allocations over the same borrowers meet the same
years under one seed, in one call or in two: common random numbers.
"""

from __future__ import annotations

import numpy as np

from allocator.insight.simulate.blocks import BlockTakeUp, Defaults, Draw, severities
from allocator.insight.simulate.book import BookFlows
from allocator.insight.simulate.factors import DefaultModel
from allocator.insight.simulate.record import Risk
from allocator.insight.simulate.streams import DEFAULTS, RECOVERY, TAKE_UP, stream
from allocator.records.portfolio import Floats

_NUMBERS = 1 << 20
"""Numbers of one kind held at once."""


def years_a_block(borrowers: int) -> int:
    """A matter of the number of borrowers alone, so that the years are."""
    return max(1, _NUMBERS // max(borrowers, 1))


def draws(
    model: DefaultModel, books: list[BookFlows], factors: Floats, risk: Risk, seed: int, size: int
) -> Draw:
    """The draws of blocks of `size` years."""
    barrier, sector = model.barrier, model.sector
    slope, noise = np.sqrt(risk.rho), np.sqrt(1.0 - risk.rho)

    def draw(block: int) -> tuple[Defaults, list[BlockTakeUp]]:
        own = factors[block * size : (block + 1) * size]
        shape = (len(own), len(sector))
        level = (barrier - slope * own[:, sector]) / noise
        fallen = stream(seed, DEFAULTS, block).standard_normal(shape) < level
        year, borrower = np.nonzero(fallen)
        severity = severities(model, borrower, risk.lgd_spread, stream(seed, RECOVERY, block))
        luck = stream(seed, TAKE_UP, block).random(shape)
        takings = []
        for book in books:
            taken = luck < book.take_up
            sums = [np.where(taken, flow, 0.0).sum(axis=1) for flow in book.flows]
            takings.append(BlockTakeUp(np.array(sums), taken[year, borrower]))
        return Defaults(len(own), year, borrower, severity), takings

    return draw
