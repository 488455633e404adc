"""The program as arrays in two forms, for peers that take arrays, and what HiGHS makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import highspy
import numpy as np
from scipy import sparse

from allocator.records.portfolio import Booleans, Floats, Integers
from benchmarks.peers.problem import Answer, Effort, NotApplicable, Problem


@dataclass(frozen=True)
class Arrays:
    """max cost'(z, x) over K binaries z and their K amounts x; `line` (K,) is each pair's option."""

    cost: Floats
    matrix: sparse.csc_array
    lower: Floats
    upper: Floats
    most: Floats
    """Upper bounds of the columns; lower ones are 0."""
    integer: Booleans
    line: Integers


def a_binary_an_offer(problem: Problem) -> Arrays:
    """The convex hull of every borrower's choices, all rates in."""
    return _arrays(problem, np.arange(len(problem.options)))


def a_binary_a_borrower(problem: Problem) -> Arrays:
    """One rate a borrower, the one of the best margin: valid while rates change nothing but the margin."""
    if problem.columns.limits.uses_rate:
        raise NotApplicable("a limit depends on the rate, so one binary a borrower would be another problem")
    if np.any(problem.fixed) or problem.use_loan.nnz:
        raise NotApplicable("offers have fixed terms, so the best rate depends on the amount")
    order = np.lexsort((-problem.margin, problem.owner))
    first = np.unique(problem.owner[order], return_index=True)[1]
    return _arrays(problem, np.sort(order[first]))


def _arrays(problem: Problem, line: Integers) -> Arrays:
    count = len(line)
    one = sparse.identity(count, format="csr")
    low, high = (sparse.diags_array(end[line]) for end in (problem.low, problem.high))
    member = sparse.csr_array(
        (np.ones(count), (problem.owner[line], np.arange(count))), shape=(problem.borrowers, count)
    )
    blocks = [
        [member, None],
        [low, -one],
        [-high, one],
        [problem.use_loan[:, line], problem.use_unit[:, line]],
    ]
    none, full = np.full(count, -np.inf), np.zeros(count)
    return Arrays(
        cost=np.concatenate([problem.fixed[line], problem.margin[line]]),
        matrix=sparse.csc_array(sparse.block_array(blocks, format="csc")),
        lower=np.concatenate([np.full(problem.borrowers, -np.inf), none, none, problem.lower]),
        upper=np.concatenate([np.ones(problem.borrowers), full, full, problem.upper]),
        most=np.concatenate([np.ones(count), problem.high[line]]),
        integer=np.repeat([True, False], count),
        line=line,
    )


def solve_arrays(arrays: Arrays, effort: Effort, building: float) -> Answer:
    """HiGHS, its own defaults but for gap, time and threads."""
    started = perf_counter()
    solver = highspy.Highs()
    options = {
        "output_flag": False,
        "mip_rel_gap": effort.gap,
        "time_limit": effort.seconds,
        "threads": effort.threads,
    }
    for name, value in options.items():
        assert solver.setOptionValue(name, value) == highspy.HighsStatus.kOk
    solver.passModel(_lp(arrays))
    at_loaded = perf_counter()
    solver.run()
    seconds = {"build": building, "load": at_loaded - started, "solve": perf_counter() - at_loaded}
    info, point = solver.getInfo(), np.array(solver.getSolution().col_value)
    status = solver.modelStatusToString(solver.getModelStatus())
    if info.primal_solution_status != 2:
        return Answer(arrays.line[:0], np.zeros(0), info.mip_dual_bound, f"{status}, no allocation", seconds)
    taken, amount = taken_of(arrays.line, point[: len(arrays.line)], point[len(arrays.line) :])
    return Answer(taken, amount, info.mip_dual_bound, status, seconds)


def taken_of(line: Integers, take: Floats, amount: Floats) -> tuple[Integers, Floats]:
    """The lines with a binary at 1, and their amounts."""
    chosen = take > 0.5
    return line[chosen], amount[chosen]


def _lp(arrays: Arrays) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = arrays.matrix.shape
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = arrays.cost, np.zeros(len(arrays.cost)), arrays.most
    lp.row_lower_, lp.row_upper_ = arrays.lower, arrays.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = arrays.matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = arrays.matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = arrays.matrix.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(flag)] for flag in arrays.integer]
    return lp
