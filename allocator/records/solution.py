"""What the engine hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from allocator.records.cuts import Cut
from allocator.records.limits import Limits
from allocator.records.portfolio import Floats

Stop = Literal["gap", "time_limit", "memory", "exhausted"]
"""Why the search ended: the gap asked for was met, time or memory was used up, nothing was left to try."""
CUT_SHORT: frozenset[Stop] = frozenset({"time_limit", "memory"})
"""Ends of a search that would have gone on with more time or memory."""
Proof = Literal["prices", "tree", "solver"]
"""What a bound rests on: prices, a proof tree over them, or the solver's word."""


@dataclass(frozen=True)
class Solution:
    """Decisions for n borrowers in portfolio order, with the prices that prove them good."""

    amount: Floats
    """(n,) 0 where declined."""
    rate: Floats
    """(n,) 0 where declined."""
    prices: Floats
    """(m,) one per row of the limits, in their order."""
    value: float
    """Objective as the engine counts it; with `weights`, that of the mean."""
    bound: float
    """The tightest proven upper bound, the solver's tree included."""
    proof: Proof
    """What `bound` rests on."""
    stop: Stop
    method: Literal["exact", "reduced"]
    tree: Mapping[str, Any] | None = None
    """A proof tree (docs/formulation.md, section 4) where one price vector leaves a gap."""
    lists: Mapping[str, Any] | None = None
    """The posted price list and the proof over all others (docs/certificate.md), in the place of a tree."""
    log: str = ""
    """The solver's own log."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    why: NDArray[np.object_] | None = None
    """(n,) a strategy's own reasons, "" where an offer is made; None: those that the prices give."""

    cuts: tuple[Cut, ...] = ()
    """Of convex limits, the rows that `prices` name."""
    limits: Limits | None = None
    """With the rows of the cuts, where they are compiled already."""
    weights: tuple[float, ...] = ()
    """Of the stresses whose least value counts, those of the mean that `bound` is of; none: no such."""

    @property
    def stopped(self) -> bool:
        """Whether the search was cut short: more time, or memory, may close the gap."""
        return self.stop in CUT_SHORT
