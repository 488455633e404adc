"""HiGHS on arrays, one binary a borrower: a 29th of the columns, where no limit depends on the rate."""

from __future__ import annotations

from time import perf_counter

from benchmarks.peers.arrays import a_binary_a_borrower, solve_arrays
from benchmarks.peers.problem import Answer, Effort, Problem


def solve(problem: Problem, effort: Effort) -> Answer:
    started = perf_counter()
    arrays = a_binary_a_borrower(problem)
    return solve_arrays(arrays, effort, perf_counter() - started)
