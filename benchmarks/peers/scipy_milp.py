"""scipy.optimize.milp: HiGHS again, as most people who have SciPy meet it."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from benchmarks.peers.arrays import a_binary_an_offer, taken_of
from benchmarks.peers.problem import Answer, Effort, Problem


def solve(problem: Problem, effort: Effort) -> Answer:
    started = perf_counter()
    arrays = a_binary_an_offer(problem)
    at_built = perf_counter()
    found = milp(
        -arrays.cost,
        constraints=LinearConstraint(arrays.matrix, arrays.lower, arrays.upper),
        integrality=arrays.integer.astype(int),
        bounds=Bounds(0.0, arrays.most),
        options={"mip_rel_gap": effort.gap, "time_limit": effort.seconds},
    )
    seconds = {"build": at_built - started, "solve": perf_counter() - at_built}
    bound = np.inf if found.mip_dual_bound is None else -float(found.mip_dual_bound)
    if found.x is None:
        return Answer(arrays.line[:0], np.zeros(0), bound, f"{found.message}, no allocation", seconds)
    taken, amount = taken_of(arrays.line, *np.split(found.x, 2))
    return Answer(taken, amount, bound, "Optimal" if found.status == 0 else "Time limit reached", seconds)
