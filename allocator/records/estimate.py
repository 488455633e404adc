"""A figure that is estimated, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

UNKNOWN = "these rows do not tell"
NO_INTERVAL = "how surely, these rows do not tell"


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95% interval; an end that the data do not tell is NaN, and so is such a figure."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.low) and math.isnan(self.high):
            return UNKNOWN if math.isnan(self.value) else f"{self.value:z.3f} ({NO_INTERVAL})"
        return f"{self.value:z.3f} ({self.low:z.3f} to {self.high:z.3f})"


def figure_text(value: Estimate | float) -> str:
    """A figure for people, with its interval where it has one."""
    if isinstance(value, Estimate):
        return str(value)
    return UNKNOWN if math.isnan(value) else f"{value:z.4f}"
