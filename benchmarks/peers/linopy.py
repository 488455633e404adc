"""linopy: labelled arrays of variables, borrowers by rates, HiGHS behind."""

from __future__ import annotations

from time import perf_counter

import linopy
import numpy as np
import xarray as xr

from benchmarks.peers.arrays import taken_of
from benchmarks.peers.problem import Answer, Effort, Problem


def solve(problem: Problem, effort: Effort) -> Answer:
    started = perf_counter()
    program = formulate(problem)
    at_built = perf_counter()
    options = {"mip_rel_gap": effort.gap, "time_limit": effort.seconds, "threads": effort.threads}
    status, condition = program.solve(
        solver_name="highs", io_api="direct", progress=False, output_flag=False, **options
    )
    seconds = {"build": at_built - started, "solve": perf_counter() - at_built}
    highs = getattr(program, "solver_model", None)
    bound = np.inf if highs is None else abs(float(highs.getInfo().mip_dual_bound))
    lines = np.arange(len(problem.options))
    take = program.variables["take"].solution
    if status not in ("ok", "warning") or take is None or not np.any(np.isfinite(take.values)):
        return Answer(lines[:0], np.zeros(0), bound, f"{condition}, no allocation", seconds)
    amount = program.variables["amount"].solution.values.ravel()
    taken, amounts = taken_of(lines, take.values.ravel(), amount)
    return Answer(taken, amounts, bound, str(condition), seconds)


def formulate(problem: Problem) -> linopy.Model:
    """Every menu has the same number of rates, so that options are a table (borrower, rate)."""
    rates = len(problem.options) // problem.borrowers
    shape = (problem.borrowers, rates)
    axes = {"borrower": np.arange(shape[0]), "rate": np.arange(rates)}

    def table(values: np.ndarray) -> xr.DataArray:
        return xr.DataArray(values.reshape(shape), coords=axes, dims=("borrower", "rate"))

    program = linopy.Model()
    take = program.add_variables(binary=True, coords=axes, dims=("borrower", "rate"), name="take")
    amount = program.add_variables(lower=0, coords=axes, dims=("borrower", "rate"), name="amount")
    program.add_constraints(take.sum("rate") <= 1, name="one offer")
    program.add_constraints(amount - table(problem.low) * take >= 0, name="smallest")
    program.add_constraints(amount - table(problem.high) * take <= 0, name="largest")
    for j in range(len(problem.upper)):
        use = problem.use_unit[[j]].toarray().ravel().reshape(shape)
        members = np.flatnonzero(use.any(axis=1))
        used = (table(use)[members] * amount.isel(borrower=members)).sum()
        if problem.use_loan[[j]].nnz:
            used = used + (table(problem.use_loan[[j]].toarray().ravel()) * take).sum()
        if np.isfinite(problem.upper[j]):
            program.add_constraints(used <= problem.upper[j], name=f"limit {j} above")
        if np.isfinite(problem.lower[j]):
            program.add_constraints(used >= problem.lower[j], name=f"limit {j} below")
    value = (table(problem.margin) * amount).sum() + (table(problem.fixed) * take).sum()
    program.add_objective(value, sense="max")
    return program
