"""The one place that talks to HiGHS: arrays in, a typed answer out.

HiGHS runs on one thread here whatever the settings say: its tree search may take another path with
more, and the same inputs must give the same bits. Threads speed up the dual pass instead.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import highspy
import numpy as np
from scipy import sparse

from allocator.engine.allowance import now, seconds_left
from allocator.engine.memory import memory_in_use
from allocator.engine.program import Effort, Program, ProgramAnswer
from allocator.errors import AllocatorError
from allocator.records.portfolio import Floats, Integers

_STOPS = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnboundedOrInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnbounded: "unbounded",
    highspy.HighsModelStatus.kObjectiveTarget: "target",
    highspy.HighsModelStatus.kTimeLimit: "time_limit",
    highspy.HighsModelStatus.kInterrupt: "time_limit",
    highspy.HighsModelStatus.kSolutionLimit: "node_limit",
    highspy.HighsModelStatus.kModelEmpty: "optimal",
}


_SMALLEST = 1e-12
"""Coefficients below it are rounding dust; HiGHS would drop them with a warning, by default below 1e-9."""
_SYMMETRIC = 1_000
"""Columns up to which the solver looks for symmetries: it hears no clock while it does, and 12,000 columns of
borrowers alike took it 90 seconds."""
_LISTEN = 0.05
"""Seconds between looks for a signal."""
_GRACE = 0.2
"""Seconds beyond its time limit that the solver may take to see it."""
_LATE = 0.3
"""Seconds beyond the end of a whole command that a program may take: without prices there is no answer."""

_LIVE = {"presolve": "off", "solver": "simplex", "dual_simplex_cost_perturbation_multiplier": 0.0}
"""For a few dual simplex steps from the last basis, perturbed costs are steps to undo."""
_PRIMAL = {**_LIVE, "simplex_strategy": 4}
"""Where only columns join, the last point stays feasible."""


class OutOfTimeError(Exception):
    """A program was not solved in the time that was left."""


class SolverError(AllocatorError):
    """HiGHS refused an option, a program or a run."""

    code = "solver_failed"


def solve(
    program: Program, effort: Effort, *, start: Floats | None = None, keep_log: bool = False
) -> ProgramAnswer:
    """The best point of `program` that HiGHS finds within `effort`, from `start` where one is given.

    Raises SolverError where HiGHS does not accept an option or the program.
    """
    effort = replace(effort, time_limit=min(effort.time_limit, max(seconds_left(), 0.0) + _LATE))
    if not keep_log:
        return _solve(program, effort, start, None)
    with tempfile.TemporaryDirectory(prefix="allocator-") as folder:
        log = Path(folder) / "highs.log"
        answer = _solve(program, effort, start, log)
        return replace(answer, log=log.read_text(errors="replace") if log.exists() else "")


def _solve(program: Program, effort: Effort, start: Floats | None, log: Path | None) -> ProgramAnswer:
    solver = highspy.Highs()
    _set_options(solver, effort, log, program.matrix.shape[1])
    _expect(solver.passModel(_lp(program)), "the program")
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = [float(v) for v in start]
        solver.setSolution(solution)
    if _run(solver, effort) == highspy.HighsStatus.kError:
        return ProgramAnswer("other", None, -np.inf, np.inf, np.zeros(0))
    return _answer(solver, program)


def _run(solver: Any, effort: Effort) -> Any:
    """The status of a run in a thread of its own: a signal that comes meanwhile is answered at once.

    Presolve and heuristics do not always look at the clock: a little past the time limit they are told to
    stop, as everything is that takes more memory than there may be.
    """
    solver.HandleUserInterrupt = True
    until = now() + effort.time_limit + _GRACE
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(solver.run)
        try:
            while not running.done():
                wait([running], _LISTEN)
                if now() > until or memory_in_use() > effort.memory:
                    solver.cancelSolve()
        except BaseException:
            solver.cancelSolve()
            raise
    return running.result()


def _set_options(solver: Any, effort: Effort, log: Path | None, columns: int) -> None:
    options: dict[str, Any] = {
        "log_to_console": False,
        "threads": 1,
        "parallel": "off",
        "presolve": "choose" if effort.presolve else "off",
        "random_seed": effort.seed,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": effort.distance,
        "mip_feasibility_tolerance": max(effort.feasibility, 1e-10),
        "primal_feasibility_tolerance": max(effort.feasibility, 1e-10),
        "dual_feasibility_tolerance": 1e-9,
        "small_matrix_value": _SMALLEST,
        "mip_detect_symmetry": columns <= _SYMMETRIC,
    }
    if log is None:
        options["output_flag"] = False
    else:
        options["log_file"] = str(log)
    if np.isfinite(effort.target):
        options["objective_target"] = effort.target
    if effort.nodes is not None:
        options["mip_max_nodes"] = effort.nodes
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
    matrix = program.matrix.copy()
    matrix.data[np.abs(matrix.data) <= _SMALLEST] = 0.0
    matrix.eliminate_zeros()
    lp.num_col_, lp.num_row_ = columns, rows
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.offset_ = program.offset
    lp.col_cost_ = program.cost
    lp.col_lower_, lp.col_upper_ = program.column_lower, program.column_upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = matrix.data
    if program.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(flag)] for flag in program.integer]
    return lp


def _answer(solver: Any, program: Program) -> ProgramAnswer:
    stop: Any = _STOPS.get(solver.getModelStatus(), "other")
    info = solver.getInfo()
    solution = solver.getSolution()
    mip = bool(program.integer.any())
    has_point = bool(solution.value_valid) and info.primal_solution_status == 2
    value = float(info.objective_function_value) if has_point else -np.inf
    proven = float(info.mip_dual_bound) if mip else (value if stop == "optimal" else np.inf)
    prices = np.array(solution.row_dual) if not mip and solution.dual_valid else np.zeros(0)
    return ProgramAnswer(
        stop=stop,
        point=np.array(solution.col_value) if has_point else None,
        value=value,
        bound=proven,
        row_prices=prices,
    )


class LiveProgram:
    """An LP that stays loaded: bounds change, rows and columns join, and the last basis is the next start.

    Every column is boxed, so that a changed bound leaves a basis that the dual simplex can start from; with
    `primal` only columns may join.
    """

    def __init__(self, program: Program, *, primal: bool = False) -> None:
        self._solver = highspy.Highs()
        _set_options(self._solver, Effort(), None, program.matrix.shape[1])
        for name, value in (_PRIMAL if primal else _LIVE).items():
            _expect(self._solver.setOptionValue(name, value), f"option {name} = {value}")
        _expect(self._solver.passModel(_lp(program)), "the program")
        self.rows, self.columns = program.matrix.shape

    def add(self, rows: int, cost: Floats, matrix: sparse.csc_array) -> None:
        """`rows` new rows that read <= 1, then columns (their `matrix` over all rows) between 0 and 1."""
        if rows:
            empty = np.zeros(0)
            starts = np.zeros(rows, dtype=np.int32)
            _expect(
                self._solver.addRows(
                    rows,
                    np.full(rows, -np.inf),
                    np.ones(rows),
                    0,
                    starts,
                    empty.astype(np.int32),
                    empty,
                ),
                "rows",
            )
        _expect(
            self._solver.addCols(
                len(cost),
                cost,
                np.zeros(len(cost)),
                np.ones(len(cost)),
                matrix.nnz,
                matrix.indptr[:-1].astype(np.int32),
                matrix.indices.astype(np.int32),
                matrix.data,
            ),
            "columns",
            warning=True,  # dust among the coefficients is dropped
        )
        self.rows, self.columns = self.rows + rows, self.columns + len(cost)

    def set_upper(self, columns: Integers, upper: Floats) -> None:
        """Columns `columns` lie between 0 and `upper`."""
        places = columns.astype(np.int32)
        status = self._solver.changeColsBounds(len(places), places, np.zeros(len(places)), upper)
        _expect(status, "column bounds")

    def set_lower(self, row: int, lower: float) -> None:
        """Row `row` lies between `lower` and 1."""
        _expect(self._solver.changeRowBounds(row, lower, 1.0), "row bounds")

    def set_cost(self, columns: Integers, cost: Floats) -> None:
        places = columns.astype(np.int32)
        _expect(self._solver.changeColsCost(len(places), places, cost), "costs")

    @property
    def basis(self) -> Any:
        """Where the last solve ended; only for `restart`."""
        return self._solver.getBasis()

    def restart(self, basis: Any) -> None:
        """The next solve starts from `basis`, taken when the program had as many rows and columns as now."""
        _expect(self._solver.setBasis(basis), "the basis")

    def solve(self, seconds: float) -> ProgramAnswer:
        """The optimum, from where the last solve ended: often milliseconds.

        Raises OutOfTimeError where it takes longer than `seconds`, or is not solved at all.
        """
        if seconds_left() <= 0:
            raise OutOfTimeError
        until = self._solver.getRunTime() + max(min(seconds, seconds_left()), 0.0)
        _expect(self._solver.setOptionValue("time_limit", until), "a time limit")
        if self._solver.run() == highspy.HighsStatus.kError:
            self._solver.clearSolver()  # a basis that rounding spoilt: once more from nothing
            if self._solver.run() == highspy.HighsStatus.kError:
                raise OutOfTimeError
        stop: Any = _STOPS.get(self._solver.getModelStatus(), "other")
        if stop == "time_limit":
            raise OutOfTimeError
        solution = self._solver.getSolution()
        value = float(self._solver.getInfo().objective_function_value)
        return ProgramAnswer(stop, np.array(solution.col_value), value, value, np.array(solution.row_dual))
