"""Sums in doubles with what rounding may have done to them (docs/formulation.md, section 4, Rounding).

Beside a sum goes the sum of its terms' magnitudes, before anything cancels. No operation of the longest
path adds more than 2^-53 of that, so the real value lies within `error` of the computed one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNIT = 2.0**-53
"""What one operation may be wrong by, relative to its result."""
HUGE = 1e250
"""Errors this large are those of numbers that may have overflowed: nothing is known then."""
DEEPEST = 64
"""Additions on the longest path of NumPy's sum of an array, in pairs above 128 terms, and some to spare."""
unwarned = np.errstate(over="ignore", invalid="ignore")
"""Decorates sums that prices of any size go into: those that overflow prove no bound, and say so by it."""
_AGREES = 1e-9
"""Relative difference up to which a stated figure is the recomputed one, rounding aside."""


def depth(terms: int) -> int:
    """Additions on the longest path of an array's sum."""
    return min(terms, DEEPEST)


@dataclass(frozen=True)
class Rounded:
    """A real number that lies within `error` of `value`; nothing is known of it where that is not finite."""

    value: float
    error: float

    @classmethod
    def sum_of(cls, parts: Sequence[Rounded]) -> Rounded:
        """The parts added in their order."""
        values = [part.value for part in parts]
        sizes = sum(abs(value) for value in values)
        return cls(sum(values), sum(part.error for part in parts) + len(parts) * UNIT * sizes)

    @property
    def known(self) -> bool:
        """Whether any bound follows."""
        return math.isfinite(self.value) and self.error <= HUGE

    @property
    def most(self) -> float:
        """No less than the number itself; inf where nothing is known."""
        if self.exact:
            return self.value
        return math.nextafter(self.value + self.error, math.inf) if self.known else math.inf

    @property
    def exact(self) -> bool:
        """Whether nothing but zeros was added up: of a run that lends nothing at no price."""
        return self.value == 0 and self.error == 0

    @property
    def least(self) -> float:
        """No more than the number itself; -inf where nothing is known."""
        if self.exact:
            return self.value
        return math.nextafter(self.value - self.error, -math.inf) if self.known else -math.inf

    @property
    def above(self) -> float:
        """What is stated as an upper bound: twice the error leaves room for sums in another order."""
        return self.value + 2 * self.error if self.known else math.inf

    @property
    def below(self) -> float:
        """What is stated as a value that is reached at least."""
        return self.value - 2 * self.error if self.known else -math.inf

    @property
    def highest(self) -> float:
        """What may be stated as an upper bound at most, but for 1e-9 of it; inf where nothing is known."""
        return self.value + 4 * self.error if self.known else math.inf

    def reproduces(self, stated: float) -> bool:
        """Whether `stated` is this figure, up to 1e-9 of it and the rounding of both."""
        near = 4 * self.error + _AGREES * max(abs(self.value), 1.0)
        return self.known and abs(stated - self.value) <= near


UNKNOWN = Rounded(math.inf, 0.0)
"""A number of which nothing is known."""


def loose(stated: float, highest: float) -> bool:
    """Whether a proof states a bound far above the `highest` that its leaves allow; of no leaf, above 0."""
    allowed = 0.0 if highest == -math.inf else highest
    return stated > allowed + _AGREES * max(abs(allowed), 1.0)
