"""The one place that talks to HiGHS: arrays in, a typed answer out.

HiGHS runs on one thread here whatever the settings say: its tree search may take another path with
more, and the same inputs must give the same bits. Threads speed up the dual pass instead.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import highspy
import numpy as np

from allocator.engine.program import Answer, Effort, Program
from allocator.errors import AllocatorError
from allocator.records.portfolio import Floats

_STOPS = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnboundedOrInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnbounded: "unbounded",
    highspy.HighsModelStatus.kTimeLimit: "time_limit",
    highspy.HighsModelStatus.kModelEmpty: "optimal",
}


class SolverError(AllocatorError):
    """HiGHS refused an option, a program or a run."""

    code = "solver_failed"


def solve(program: Program, effort: Effort, *, start: Floats | None = None, keep_log: bool = False) -> Answer:
    """The best point of `program` that HiGHS finds within `effort`, from `start` where one is given.

    Raises SolverError where HiGHS does not accept an option or the program.
    """
    with tempfile.TemporaryDirectory(prefix="allocator-") as folder:
        log = Path(folder) / "highs.log"
        solver = highspy.Highs()
        _set_options(solver, effort, log if keep_log else None)
        _expect(solver.passModel(_lp(program)), "the program")
        if start is not None:
            solution = highspy.HighsSolution()
            solution.col_value = [float(v) for v in start]
            solver.setSolution(solution)
        _expect(solver.run(), "the run", warning=True)
        text = log.read_text(errors="replace") if keep_log and log.exists() else ""
        return _answer(solver, program, text)


def _set_options(solver: Any, effort: Effort, log: Path | None) -> None:
    options: dict[str, Any] = {
        "log_to_console": False,
        "threads": 1,
        "parallel": "off",
        "random_seed": effort.seed,
        "mip_rel_gap": effort.gap,
        "mip_abs_gap": 0.0,
        "mip_feasibility_tolerance": max(effort.feasibility, 1e-10),
        "primal_feasibility_tolerance": max(effort.feasibility, 1e-10),
        "dual_feasibility_tolerance": 1e-9,
    }
    if log is None:
        options["output_flag"] = False
    else:
        options["log_file"] = str(log)
    if np.isfinite(effort.time_limit):
        options["time_limit"] = max(effort.time_limit, 0.01)
    for name, value in options.items():
        _expect(solver.setOptionValue(name, value), f"option {name} = {value}")


def _expect(status: Any, what: str, *, warning: bool = False) -> None:
    accepted = {highspy.HighsStatus.kOk, *([highspy.HighsStatus.kWarning] if warning else [])}
    if status not in accepted:
        raise SolverError(f"HiGHS did not accept {what}")


def _lp(program: Program) -> Any:
    lp = highspy.HighsLp()
    rows, columns = program.matrix.shape
    lp.num_col_, lp.num_row_ = columns, rows
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.offset_ = program.offset
    lp.col_cost_ = program.cost
    lp.col_lower_, lp.col_upper_ = program.column_lower, program.column_upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = program.matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = program.matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = program.matrix.data
    if program.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(flag)] for flag in program.integer]
    return lp


def _answer(solver: Any, program: Program, log: str) -> Answer:
    stop: Any = _STOPS.get(solver.getModelStatus(), "other")
    info = solver.getInfo()
    solution = solver.getSolution()
    mip = bool(program.integer.any())
    has_point = bool(solution.value_valid) and info.primal_solution_status == 2
    value = float(info.objective_function_value) if has_point else -np.inf
    proven = float(info.mip_dual_bound) if mip else (value if stop == "optimal" else np.inf)
    prices = np.array(solution.row_dual) if not mip and solution.dual_valid else np.zeros(0)
    return Answer(
        stop=stop,
        point=np.array(solution.col_value) if has_point else None,
        value=value,
        bound=proven,
        row_prices=prices,
        log=log,
    )
