"""The same problem solved by others: one file a peer, one protocol, one judge.

A peer gets `Problem` (borrowers priced and limits compiled, arrays ready: what the engine needs 0.3 s a
million borrowers for is a gift to it) and answers with options and amounts. The certification room
recomputes the value; the peer's own bound is recorded as it claims it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from time import perf_counter
from typing import Any

from benchmarks.peers.problem import Answer, Effort, NotApplicable, judged, problem_of
from benchmarks.registry import CASES

PEERS: dict[str, str] = {
    "pyomo-rules": "Pyomo, a rule a constraint, with HiGHS",
    "linopy": "linopy with HiGHS",
    "cvxpy": "CVXPY with HiGHS",
    "highs-offers": "HiGHS on arrays, one binary a borrower and rate",
    "highs-borrowers": "HiGHS on arrays, one binary a borrower",
    "scipy-milp": "scipy.optimize.milp",
    "ridge-dual": "first-order dual of the DuaLip kind",
}
"""Name -> what it is; the module's name is the peer's with an underscore."""

_FEW = 60


def solver_of(peer: str) -> Callable[..., Answer]:
    """The function `solve` of the peer's module; ImportError where its library is not installed."""
    found: Callable[..., Answer] = import_module(f"benchmarks.peers.{peer.replace('-', '_')}").solve
    return found


def measure_peer(
    peer: str, case: str, size: int, gap: float, seconds: float, threads: int = 2
) -> dict[str, Any]:
    """From loaded columns to a rechecked allocation, by `peer`, within about `seconds`.

    `threads`: HiGHS has those that its first run of the process had, and answers nothing with others.
    """
    book = CASES[case].book(size)
    record: dict[str, Any] = {"peer": peer, "what": PEERS[peer], "case": case, "size": size, "gap_asked": gap}
    solve = solver_of(peer)
    _warm(solve, case, threads)
    started = perf_counter()
    problem = problem_of(book)
    at_ready = perf_counter()
    try:
        answer = solve(problem, Effort(gap, seconds, threads))
    except NotApplicable as reason:
        return {**record, "left_out": str(reason)}
    at_answer = perf_counter()
    judgement = judged(book, problem, answer)
    done = perf_counter()
    phases = {"arrays": at_ready - started, **answer.seconds, "recheck": done - at_answer}
    return {**record, **judgement, "seconds": {**phases, "total": done - started}}


def _warm(solve: Callable[..., Answer], case: str, threads: int) -> None:
    """A run on few borrowers, so that no import is timed."""
    book = CASES[case].book(_FEW)
    problem = problem_of(book)
    with suppress(NotApplicable):
        judged(book, problem, solve(problem, Effort(1e-2, 10.0, threads)))
