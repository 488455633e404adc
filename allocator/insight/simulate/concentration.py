"""How much of a book lies with few names: HHI, effective number of names, shares of the largest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.records.portfolio import Floats

_TOP = (1, 10, 100)


@dataclass(frozen=True)
class Concentration:
    """How amounts are spread over names; a book of n equal names has HHI 1 / n."""

    names: int
    """Number of names with an amount above 0."""
    hhi: float
    """Sum of squared shares; 0 for an empty book."""
    top: tuple[tuple[int, float], ...]
    """Number of largest names, their share together."""

    @property
    def effective(self) -> float:
        """1 / HHI: as many equal names would be as concentrated."""
        return 1.0 / self.hhi if self.hhi else 0.0


def concentration(amounts: Floats, top: Sequence[int] = _TOP) -> Concentration:
    """How `amounts`, one per name and none below 0, are spread."""
    total = float(np.sum(amounts))
    shares = -np.sort(-amounts) / total if total else np.zeros(0)
    largest = tuple((count, float(np.sum(shares[:count]))) for count in top if count <= len(shares))
    return Concentration(int(np.count_nonzero(amounts)), float(np.sum(shares**2)), largest)
