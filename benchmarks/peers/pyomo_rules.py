"""Pyomo as its books teach it: a rule a constraint, HiGHS behind."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.solver.common.factory import SolverFactory

from benchmarks.peers.arrays import taken_of
from benchmarks.peers.problem import Answer, Effort, Problem


def solve(problem: Problem, effort: Effort) -> Answer:
    started = perf_counter()
    program = formulate(problem)
    at_built = perf_counter()
    solver = SolverFactory("highs")
    solver.config.rel_gap = effort.gap
    solver.config.time_limit = effort.seconds
    solver.config.threads = effort.threads
    solver.config.load_solutions = False
    solver.config.raise_exception_on_nonoptimal_result = False
    found = solver.solve(program)
    bound = np.inf if found.objective_bound is None else float(found.objective_bound)
    status = found.termination_condition.name
    lines = np.arange(len(problem.options))
    taken, amount = lines[:0], np.zeros(0)
    if found.incumbent_objective is not None:
        found.solution_loader.load_vars()
        take = np.array([program.take[k].value or 0.0 for k in program.OPTIONS])
        taken, amount = taken_of(lines, take, np.array([program.amount[k].value for k in program.OPTIONS]))
    else:
        status += ", no allocation"
    seconds = {"build": at_built - started, "solve": perf_counter() - at_built}
    return Answer(taken, amount, bound, status, seconds)


def formulate(problem: Problem) -> Any:
    """One set, one variable, one rule after the other."""
    program = pyo.ConcreteModel()
    margin, fixed = problem.margin.tolist(), problem.fixed.tolist()
    low, high = problem.low.tolist(), problem.high.tolist()
    ends = np.searchsorted(problem.owner, np.arange(problem.borrowers + 1)).tolist()
    program.OPTIONS = pyo.RangeSet(0, len(margin) - 1)
    program.BORROWERS = pyo.RangeSet(0, problem.borrowers - 1)
    program.LIMITS = pyo.RangeSet(0, len(problem.upper) - 1)
    program.take = pyo.Var(program.OPTIONS, domain=pyo.Binary)
    program.amount = pyo.Var(program.OPTIONS, domain=pyo.NonNegativeReals)
    program.value = pyo.Objective(
        expr=sum(margin[k] * program.amount[k] + fixed[k] * program.take[k] for k in program.OPTIONS),
        sense=pyo.maximize,
    )
    program.one_offer = pyo.Constraint(
        program.BORROWERS, rule=lambda p, i: sum(p.take[k] for k in range(ends[i], ends[i + 1])) <= 1
    )
    program.smallest = pyo.Constraint(program.OPTIONS, rule=lambda p, k: p.amount[k] >= low[k] * p.take[k])
    program.largest = pyo.Constraint(program.OPTIONS, rule=lambda p, k: p.amount[k] <= high[k] * p.take[k])
    program.limit = pyo.Constraint(program.LIMITS, rule=lambda p, j: _limit(problem, p, j))
    return program


def _limit(problem: Problem, program: Any, j: int) -> Any:
    unit, loan = problem.use_unit[[j]].tocoo(), problem.use_loan[[j]].tocoo()
    used = sum(
        c * program.amount[k] for k, c in zip(unit.coords[1].tolist(), unit.data.tolist(), strict=True)
    )
    used += sum(c * program.take[k] for k, c in zip(loan.coords[1].tolist(), loan.data.tolist(), strict=True))
    least, most = float(problem.lower[j]), float(problem.upper[j])
    if least == most:
        return used == most
    return used <= most if np.isfinite(most) else used >= least
