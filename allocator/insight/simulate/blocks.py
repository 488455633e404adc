"""A block of years: who defaults, how much of it is lost, and what each book makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from allocator.insight.simulate.book import COST, DRAWN, INTEREST, BookFlows
from allocator.insight.simulate.factors import DefaultModel
from allocator.records.portfolio import Booleans, Codes, Floats, Integers


@dataclass(frozen=True)
class Defaults:
    """Who defaults in a block of years, in the order of years and borrowers; arrays of shape (events,)."""

    years: int
    year: Integers
    borrower: Integers
    severity: Floats
    """Loss given default."""


@dataclass(frozen=True)
class BlockTakeUp:
    """What one book's customers take up in a block."""

    sums: Floats
    """(3, years) the flows of all who take their offer, defaulters included."""
    of_defaulters: Booleans
    """(events,) whether the defaulter had taken an offer."""


Block = dict[str, Floats]
"""One book's part of the years, by the names of their figures: (years,), by_segment (years, segments)."""
Draw = Callable[[int], tuple[Defaults, list[BlockTakeUp]]]
"""The draws of one block by its number, one Takings a book."""


def severities(model: DefaultModel, borrower: Integers, spread: float, random: np.random.Generator) -> Floats:
    """Losses given default of `borrower`: the mean L, or Beta of variance `spread` L (1 - L) around it."""
    mean = model.lgd[borrower]
    if spread == 0.0:
        return mean
    inside = (mean > 0.0) & (mean < 1.0)
    size = 1.0 / spread - 1.0
    drawn = mean.copy()
    drawn[inside] = random.beta(mean[inside] * size, (1.0 - mean[inside]) * size)
    return drawn


def block_of(
    book: BookFlows, defaults: Defaults, takings: BlockTakeUp, segment: Codes, segments: int
) -> Block:
    """What the book pays in each year of a block."""
    year, borrower = defaults.year, defaults.borrower
    hit = takings.of_defaulters
    lost = np.where(hit, defaults.severity * book.flows[DRAWN, borrower], 0.0)
    unpaid = np.where(hit, book.flows[INTEREST, borrower], 0.0)
    loss: Floats = np.bincount(year, lost, minlength=defaults.years).astype(np.float64)
    interest = takings.sums[INTEREST] - np.bincount(year, unpaid, minlength=defaults.years)
    drawn = takings.sums[DRAWN]
    cells = year * segments + segment[borrower]
    by_segment: Floats = np.bincount(cells, lost, minlength=defaults.years * segments).astype(np.float64)
    net = interest - loss - takings.sums[COST] - book.idle * drawn + book.constant
    by_segment = by_segment.reshape(defaults.years, segments)
    return {"interest": interest, "loss": loss, "drawn": drawn, "net": net, "by_segment": by_segment}
