"""HiGHS on arrays, one binary a borrower and rate: no formulation language in the way."""

from __future__ import annotations

from time import perf_counter

from benchmarks.peers.arrays import a_binary_an_offer, solve_arrays
from benchmarks.peers.problem import Answer, Effort, Problem


def solve(problem: Problem, effort: Effort) -> Answer:
    started = perf_counter()
    arrays = a_binary_an_offer(problem)
    return solve_arrays(arrays, effort, perf_counter() - started)
