"""What the engine hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from allocator.records.portfolio import Codes, Floats

Stop = Literal["gap", "time_limit", "exhausted"]
"""Why the search ended: the gap asked for was met, the time was up, nothing was left to try."""


@dataclass(frozen=True)
class Solution:
    """Decisions for n borrowers in portfolio order, with the prices that prove them good."""

    option: Codes
    """(n,) index into the borrower's menu; -1: refused."""
    amount: Floats
    """(n,) 0 where refused."""
    prices: Floats
    """(m,) one a row of the limits, in their order."""
    value: float
    """Objective as the engine counts it."""
    bound: float
    """The tightest proven upper bound, the solver's tree included."""
    proof: Literal["prices", "tree", "solver"]
    """What `bound` rests on."""
    stop: Stop
    method: Literal["exact", "reduced"]
    tree: Mapping[str, Any] | None = None
    """A proof tree (docs/formulation.md, section 4) where one price vector leaves a gap."""
    log: str = ""
    """The solver's own log."""
    seconds: Mapping[str, float] = field(default_factory=dict)
