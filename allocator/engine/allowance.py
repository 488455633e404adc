"""What a search may still use of time and memory, and how it says that one of them ended it.

A limit on a whole command holds for every search within it: `within` sets it, and no program that HiGHS is
given runs longer (solving.py), whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from allocator.engine.memory import memory_in_use
from allocator.errors import NoAllocationError
from allocator.records.solution import Stop
from allocator.records.strategy import SolverSettings

_ENDS: ContextVar[float] = ContextVar("ends", default=np.inf)


def now() -> float:
    """Seconds of a clock that only runs forward."""
    return perf_counter()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """No search begun inside lasts longer than `seconds` from now, nor than what it lies within."""
    token = _ENDS.set(min(_ENDS.get(), now() + seconds))
    try:
        yield
    finally:
        _ENDS.reset(token)


def seconds_left() -> float:
    """Of the shortest `within`; inf outside of any."""
    ends = _ENDS.get()
    return ends - now() if ends < np.inf else np.inf


@dataclass(frozen=True)
class Allowance:
    """The time and memory that settings allow a search, from when it began."""

    settings: SolverSettings
    started: float = field(default_factory=now)
    kept: float = 0.0
    """Seconds that are kept for what comes after the search, as the recheck of a long proof."""

    @property
    def left(self) -> float:
        """Seconds; none where memory is used up."""
        if self.settings.memory < np.inf and memory_in_use() > self.settings.memory:
            return 0.0
        return self.seconds_left

    @property
    def seconds_left(self) -> float:
        """For what needs no more memory than the book."""
        return min(self.settings.time_limit - (now() - self.started), seconds_left()) - self.kept

    @property
    def cut_short(self) -> Stop:
        """What a search that has nothing `left` ended by."""
        return "time_limit" if self.seconds_left <= 0 else "memory"

    def left_after(self, first: bool) -> float:
        """Seconds; where memory is used up none, but until there is a `first` allocation."""
        return self.left if first else self.seconds_left

    def rest(self, part: float = 1.0) -> SolverSettings:
        """The settings of a search within this one: it has a `part` of the time left."""
        return self.settings.lasting(part * self.seconds_left, 0.01)

    def ran_out(self, what: str, stop: Stop) -> NoAllocationError:
        """The error of a search that time or memory ended before it found `what`, as no allocation."""
        settings = self.settings
        if stop == "memory":
            most, key = f"{settings.memory / 1e9:g} GB of memory", "solver.memory"
        else:
            most, key = f"{settings.time_limit:.3g} seconds", "solver.time_limit"
        return NoAllocationError(f"{what} was found within {most}; raise {key}", stop=stop)
