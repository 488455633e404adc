"""One run of the stages on a book in memory, each phase timed apart.

The stages are called as allocator.pipeline calls them; inside the engine the words on its progress
tell where one phase ends and the next begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from allocator.pipeline import decide, judge, prepare
from allocator.records.case import Inputs
from allocator.records.run import Certificate
from allocator.records.solution import Solution
from allocator.records.strategy import SolverSettings
from benchmarks.books import Book

_BEGINS = {
    "pricing the limits": "newton",
    "finishing the prices": "finish",
    "solving a core": "core",
    "growing a proof tree": "tree",
}
"""First words of the engine's progress -> the phase that begins there."""


@dataclass
class Clock:
    """Seconds a phase; a phase may come more than once."""

    seconds: dict[str, float] = field(default_factory=dict)
    phase: str = ""
    since: float = field(default_factory=perf_counter)

    def enter(self, phase: str) -> None:
        """Books the time since the last call to the phase that ends here."""
        now = perf_counter()
        if self.phase:
            self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + now - self.since
        self.phase, self.since = phase, now

    def hear(self, message: str) -> None:
        """Enters the phase that the engine's `message` announces, if it announces one."""
        for words, phase in _BEGINS.items():
            if message.startswith(words):
                self.enter(phase)


@dataclass(frozen=True)
class Finished:
    """What one run gave and how long each phase took."""

    solution: Solution
    certificate: Certificate
    seconds: dict[str, float]
    """price (offers and limits), prepare, newton, finish, core, tree where there is one, certify, and
    their total: from loaded columns to a certified allocation."""

    @property
    def gap(self) -> float:
        """Between the tightest bound and the value, relative."""
        bound = max(min(self.solution.bound, self.certificate.bound), self.certificate.value)
        return (bound - self.certificate.value) / max(abs(bound), 1.0)


def run_phases(book: Book, settings: SolverSettings, priced: Callable[[], None] = lambda: None) -> Finished:
    """From loaded columns to a certified allocation; raises as allocator.pipeline.allocate does.

    `priced` is called when the columns have been priced, and are not needed before the recheck.
    """
    clock = Clock()
    clock.enter("price")
    case = prepare(book.scenario(settings), Inputs(book.portfolio, book.table, {}))
    priced()
    clock.enter("prepare")
    solution = decide(case, clock.hear)
    clock.enter("certify")
    certificate = judge(case, solution).certificate
    clock.enter("")
    return Finished(solution, certificate, {**clock.seconds, "total": sum(clock.seconds.values())})


def figures(book: Book, finished: Finished) -> dict[str, object]:
    """What the record of a run says beside its seconds."""
    certificate, solution = finished.certificate, finished.solution
    return {
        "borrowers": len(book.portfolio),
        "rates": len(book.table.rates),
        "limits": len(certificate.limits),
        "binding": sum(abs(price) > 1e-12 for price in certificate.prices.values()),
        "funded": int(np.count_nonzero(solution.amount)),
        "value": certificate.value,
        "bound": min(solution.bound, certificate.bound),
        "gap": max(finished.gap, 0.0),
        "certified_bound": certificate.bound,
        "certified_gap": certificate.gap,
        "largest_violation": certificate.largest_violation,
        "proof": solution.proof,
        "stop": solution.stop,
        "method": solution.method,
    }
