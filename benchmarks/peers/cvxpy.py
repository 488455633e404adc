"""CVXPY: vectors and matrices, its own reductions, HiGHS behind."""

from __future__ import annotations

from time import perf_counter

import cvxpy as cp
import numpy as np
from scipy import sparse

from benchmarks.peers.arrays import taken_of
from benchmarks.peers.problem import Answer, Effort, Problem


def solve(problem: Problem, effort: Effort) -> Answer:
    started = perf_counter()
    count = len(problem.options)
    take, amount = cp.Variable(count, boolean=True), cp.Variable(count, nonneg=True)
    member = sparse.csr_array(
        (np.ones(count), (problem.owner, np.arange(count))), shape=(problem.borrowers, count)
    )
    used = problem.use_unit @ amount
    if problem.use_loan.nnz:
        used = used + problem.use_loan @ take
    capped, floored = np.isfinite(problem.upper), np.isfinite(problem.lower)
    constraints = [
        member @ take <= 1,
        cp.multiply(problem.low, take) <= amount,
        amount <= cp.multiply(problem.high, take),
        used[capped] <= problem.upper[capped],
    ]
    if floored.any():
        constraints.append(used[floored] >= problem.lower[floored])
    program = cp.Problem(cp.Maximize(problem.margin @ amount + problem.fixed @ take), constraints)
    at_built = perf_counter()
    highs = {"mip_rel_gap": effort.gap, "time_limit": effort.seconds, "threads": effort.threads}
    program.solve(solver=cp.HIGHS, highs_options=highs)
    seconds = {"build": at_built - started, "solve": perf_counter() - at_built}
    stats = program.solver_stats
    bound = getattr(getattr(stats, "extra_stats", None), "mip_dual_bound", None)
    claimed = np.inf if bound is None else abs(float(bound))  # CVXPY minimises the negative
    lines = np.arange(count)
    if take.value is None:
        return Answer(lines[:0], np.zeros(0), claimed, f"{program.status}, no allocation", seconds)
    taken, amounts = taken_of(lines, take.value, amount.value)
    return Answer(taken, amounts, claimed, str(program.status), seconds)
