"""Which limits cannot hold together, when no allocation meets them all.

An elastic program finds the least total loosening; its priced rows hold a conflict. A deletion filter
(Chinneck and Dravnieks, 1991) thins them to limits of which none can be left out of the conflict.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from allocator.engine.kernel.columns import Columns
from allocator.engine.program import Effort, Program, beside
from allocator.engine.solving import solve
from allocator.errors import Fault, InfeasibleError
from allocator.records.portfolio import Floats, Integers

_SECONDS = 10.0
"""For one feasibility check of an integer program."""


def explain_conflict(columns: Columns, program: Program, at: Integers) -> InfeasibleError:
    """The error that names the conflict; limit j is row at[j] of `program` (-1: in none)."""
    rows = columns.limits.rows
    loosening = _least_loosening(program, at)
    conflict = _thin(program, loosening, at)
    alone = [j for j in conflict if _feasible(program, at, dropped=[j])]
    conflict = alone + [j for j in conflict if j not in alone]
    names = [rows[j].name for j in conflict]
    faults = [
        Fault(
            f"must be loosened by at least {loosening[j] * rows[j].scale:,.2f} if nothing else is",
            "loosen or drop it",
            field=f"limit {rows[j].name}",
        )
        if loosening[j] > 1e-9
        else Fault("holds the others up", "loosen or drop it", field=f"limit {rows[j].name}")
        for j in conflict
    ]
    return InfeasibleError(_message(names, [rows[j].name for j in alone]), names, faults)


def broken_limits(columns: Columns, broken: Floats) -> InfeasibleError:
    """The error for a large book: the limits that the relaxation breaks where the sum of breaks is least."""
    rows = columns.limits.rows
    conflict = [int(j) for j in np.argsort(-broken / columns.limits.scale, kind="stable") if broken[j] > 0]
    names = [rows[j].name for j in conflict]
    faults = [_fault(rows[j].name, float(broken[j])) for j in conflict]
    return InfeasibleError(_message(names, names if len(names) == 1 else []), names, faults)


def _fault(name: str, loosening: float) -> Fault:
    problem = f"must be loosened by at least {loosening:,.2f} if nothing else is"
    return Fault(problem, "loosen or drop it", field=f"limit {name}")


def _message(names: list[str], alone: list[str]) -> str:
    if not names:
        return "no allocation exists: the pinned offers alone break a limit"
    together = "cannot be met" if len(names) == 1 else "cannot all be met together"
    message = f"no allocation exists: {_listed(names)} {together}"
    if not alone:
        return f"{message}; more than one limit must be loosened"
    return f"{message}; dropping {_listed(alone, 'or')} alone makes it feasible"


def _listed(names: list[str], last: str = "and") -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def _least_loosening(program: Program, at: Integers) -> Floats:
    """(m,) how far each limit is broken, in its own scale, where the sum of breaks is least."""
    rows, columns = program.matrix.shape
    own = np.flatnonzero(at >= 0)
    up = sparse.csc_array((np.ones(len(own)), (at[own], np.arange(len(own)))), shape=(rows, len(own)))
    free = np.full(2 * len(own), np.inf)
    elastic = Program(
        cost=np.concatenate([np.zeros(columns), -np.ones(len(free))]),
        matrix=beside(program.matrix, up, -up),
        row_lower=program.row_lower,
        row_upper=program.row_upper,
        column_lower=np.concatenate([program.column_lower, np.zeros(len(free))]),
        column_upper=np.concatenate([program.column_upper, free]),
        integer=np.concatenate([program.integer, np.zeros(len(free), dtype=bool)]),
    )
    loosening = np.zeros(len(at))
    point = solve(elastic, Effort(time_limit=_SECONDS)).point
    if point is not None:
        slack = point[columns:]
        loosening[own] = slack[: len(own)] + slack[len(own) :]
    return loosening


def _thin(program: Program, loosening: Floats, at: Integers) -> list[int]:
    """The deletion filter: a limit whose absence leaves the rest infeasible is not needed for the conflict.

    The limits that the elastic program breaks are tried last, so that they tend to stay.
    """
    dropped: list[int] = [int(j) for j in np.flatnonzero(at < 0)]
    for j in np.argsort(loosening, kind="stable"):
        if at[j] >= 0 and not _feasible(program, at, [*dropped, int(j)]):
            dropped.append(int(j))
    return [j for j in range(len(at)) if j not in set(dropped)]


def _feasible(program: Program, at: Integers, dropped: list[int]) -> bool:
    """Whether some point meets everything but the dropped limits."""
    free = at[dropped]
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[free[free >= 0]], upper[free[free >= 0]] = -np.inf, np.inf
    trial = replace(program, cost=np.zeros(len(program.cost)), row_lower=lower, row_upper=upper)
    return solve(trial, Effort(time_limit=_SECONDS)).stop != "infeasible"
