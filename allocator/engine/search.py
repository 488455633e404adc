"""What a search knows so far: the best allocation, the tightest bound, the time left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from allocator.engine.allowance import Allowance
from allocator.engine.cores import CoreAnswer
from allocator.engine.kernel.columns import Answers
from allocator.engine.kernel.passes import Pass
from allocator.engine.program import Effort
from allocator.engine.verdicts import broken_rows
from allocator.records.portfolio import Codes, Floats
from allocator.records.solution import Stop
from allocator.records.strategy import SolverSettings


@dataclass(frozen=True)
class Candidate(Answers):
    """A feasible allocation."""

    value: float
    """Money."""


def candidate(book: Pass, option: Codes, amount: Floats) -> Candidate | None:
    """The allocation with its value; None where it breaks a row or misses a pinned offer."""
    limits = book.columns.limits
    tally = book.tally(option, amount)
    if np.any(book.columns.offers.must & (option < 0)):
        return None
    if broken_rows(book.columns, option, amount, tally.usage):
        return None
    idle = limits.idle_rate * (limits.rhs[0] - tally.usage[0]) if limits.idle_room > 0 else 0.0
    return Candidate(option, amount, tally.value + idle - limits.penalty_of(tally.usage))


@dataclass
class Search:
    """Grows as the engine learns; nothing in it is ever lost to a worse finding."""

    book: Pass
    settings: SolverSettings
    reduced: bool = False
    """Whether the prices come from passes over the book rather than from one table of all offers."""
    from_neighbour: bool = False
    """Whether it begins from the prices of a neighbouring run: what meets the gap asked for will do then."""
    best: Candidate | None = None
    bound: float = np.inf
    proof: Literal["prices", "tree", "solver"] = "prices"
    log: list[str] = field(default_factory=list)
    certified: float = np.inf
    """The tightest bound that can be rechecked without the solver: by prices or by a proof tree."""
    tree: Mapping[str, Any] | None = None
    """The proof tree behind `certified`, where there is one (docs/decisions, proof tree)."""
    given: Floats | None = None
    """(m,) right-hand sides as the policy has them, where those of `book` are rounded to whole lots."""
    enough: float = -np.inf
    """A bound that low ends the search: better allocations are known of another book."""

    def __post_init__(self) -> None:
        self.allowance = Allowance(self.settings)

    @property
    def left(self) -> float:
        """Seconds; none where memory is used up."""
        return self.allowance.left

    @property
    def seconds_left(self) -> float:
        """For what needs no more memory than the book."""
        return self.allowance.seconds_left

    @property
    def cut_short(self) -> Stop:
        """What a search that has nothing `left` ended by."""
        return self.allowance.cut_short

    def effort(self, distance: float, nodes: int | None, target: float = np.inf) -> Effort:
        """Of a program with what is left."""
        settings = self.settings
        return Effort(distance, self.left, settings.seed, nodes=nodes, target=target, memory=settings.memory)

    @property
    def gap(self) -> float:
        """Relative distance between bound and value; inf without an allocation."""
        if self.best is None:
            return np.inf
        return (self.bound - self.best.value) / max(abs(self.bound), 1.0)

    @property
    def done(self) -> bool:
        return self.gap <= self.settings.gap or self.bound <= self.enough

    def offer(self, allocation: Candidate | None) -> None:
        """Keeps `allocation` if it is the best so far."""
        if allocation is not None and (self.best is None or allocation.value > self.best.value):
            self.best = allocation

    def keep(self, answer: CoreAnswer) -> None:
        """Keeps a core's log, and its allocation where that is the best so far."""
        self.log.append(answer.log)
        if answer.option is not None and answer.amount is not None:
            self.offer(candidate(self.book, answer.option, answer.amount))

    def tighten(self, bound: float, proof: Literal["prices", "tree", "solver"]) -> None:
        """Keeps `bound` if it is the tightest so far; no valid bound lies below a value reached."""
        bound = max(bound, self.best.value if self.best is not None else -np.inf)
        if proof != "solver":
            self.certified = min(self.certified, bound)
        if bound < self.bound:
            self.bound, self.proof = bound, proof
