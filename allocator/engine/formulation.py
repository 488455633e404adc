"""The program of docs/formulation.md, section 3, in Pyomo: one function a block, in the paper's order.

    max   sum_k m_k x_k + F_k z_k + idle s - sum_j p_j t_j           (value)
    s.t.  sum_k z_ik <= 1                    every borrower i        (one offer each)
          l_k z_k <= x_k <= u_k z_k          every option k          (tickets)
          sum_k e_jk x_k + f_jk z_k {<=,>=,=} b_j   every limit j    (limits; the budget is limit 0,
                                             with + s; a soft one with - t_j (at least: + t_j), t_j >= 0)

This is the convex hull of every borrower's choices, so its LP relaxation is as tight as any price
bound. Coefficients come in ready; no economics here. Money is counted in `Core.unit`, which is the
step where amounts go by steps: x_k is a whole number then, of the step or of the option's own lot.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from scipy import sparse

from allocator.engine.program import Core, Program, TranslatedProgram
from allocator.lean import UNNEEDED_BY_PYOMO, without

with without(UNNEEDED_BY_PYOMO):
    import pyomo.core as pyo  # pyomo.environ would load every solver and transformation, twice as long
    from pyomo.common.dependencies import scipy_available
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    SCIPY_FOUND = bool(scipy_available)
    """Asking makes Pyomo look for SciPy now, while its stand-ins are there."""

logging.getLogger("pyomo").setLevel(logging.CRITICAL)  # what it logs, on standard output, it raises too


def in_arrays(core: Core) -> TranslatedProgram:
    """The program, formulated and translated."""
    return translate(formulate(core))


def formulate(core: Core) -> pyo.ConcreteModel:
    """The program as a Pyomo instance."""
    program = pyo.ConcreteModel(name="allocation")
    _declare_sets(program, core)
    _declare_decisions(program, core)
    program.value = pyo.Objective(expr=_value(program, core), sense=pyo.maximize)
    _one_offer_each(program, core)
    _tickets(program, core)
    _limits(program, core)
    return program


def _declare_sets(program: Any, core: Core) -> None:
    program.BORROWERS = pyo.RangeSet(0, len(core.must) - 1)
    program.OPTIONS = pyo.RangeSet(0, len(core.owner) - 1)
    program.LIMITS = pyo.RangeSet(0, len(core.rhs) - 1)
    program.SOFT = pyo.RangeSet(0, len(core.soft) - 1)


def _declare_decisions(program: Any, core: Core) -> None:
    """take z_k, amount x_k, the budget left idle, and by how much soft limits are missed."""
    program.take = pyo.Var(program.OPTIONS, domain=pyo.Binary)
    amounts = pyo.NonNegativeIntegers if core.whole else pyo.NonNegativeReals
    program.amount = pyo.Var(program.OPTIONS, domain=amounts)
    program.idle = pyo.Var(domain=pyo.NonNegativeReals, bounds=(0, core.idle_room))
    program.excess = pyo.Var(program.SOFT, domain=pyo.NonNegativeReals)


def _value(program: Any, core: Core) -> Any:
    offers = pyo.quicksum(
        float(core.margin[k]) * program.amount[k] + float(core.fixed[k]) * program.take[k]
        for k in program.OPTIONS
    )
    missed = pyo.quicksum(float(core.penalty[s]) * program.excess[s] for s in program.SOFT)
    return offers + core.idle_value * program.idle - missed


def _one_offer_each(program: Any, core: Core) -> None:
    by_owner = _by_owner(core)

    def one_offer(p: Any, i: int) -> Any:
        taken = pyo.quicksum(p.take[k] for k in by_owner[i])
        return taken == 1 if core.must[i] else taken <= 1

    program.one_offer = pyo.Constraint(program.BORROWERS, rule=one_offer)


def _by_owner(core: Core) -> list[range]:
    ends = np.searchsorted(core.owner, np.arange(len(core.must) + 1)).tolist()
    return [range(ends[i], ends[i + 1]) for i in range(len(core.must))]


def _tickets(program: Any, core: Core) -> None:
    low, high = core.low.tolist(), core.high.tolist()
    program.smallest = pyo.Constraint(
        program.OPTIONS, rule=lambda p, k: low[k] * p.take[k] - p.amount[k] <= 0
    )
    program.largest = pyo.Constraint(
        program.OPTIONS, rule=lambda p, k: p.amount[k] - high[k] * p.take[k] <= 0
    )


def _limits(program: Any, core: Core) -> None:
    """A limit that no option uses is no row: `Core.empty_rows_hold` has answered for it."""
    compare = {
        "at_most": lambda left, right: left <= right,
        "at_least": lambda left, right: left >= right,
        "exactly": lambda left, right: left == right,
    }

    place = {int(j): s for s, j in enumerate(core.soft)}

    def limit(p: Any, j: int) -> Any:
        per_unit, per_loan = _entries(core.use_unit, j), _entries(core.use_loan, j)
        idle = core.idle_use if j == 0 and core.idle_room > 0 else 0.0
        if not per_unit and not per_loan and idle == 0.0 and j not in place:
            return pyo.Constraint.Skip
        used = pyo.quicksum(c * p.amount[k] for k, c in per_unit)
        used += pyo.quicksum(c * p.take[k] for k, c in per_loan)
        if j in place:
            used += float(core.relief[place[j]]) * p.excess[place[j]]
        return compare[core.senses[j]](used + idle * p.idle, float(core.rhs[j]))

    program.limit = pyo.Constraint(program.LIMITS, rule=limit)


def _entries(matrix: sparse.csr_array, j: int) -> list[tuple[int, float]]:
    span = slice(matrix.indptr[j], matrix.indptr[j + 1])
    return [
        (int(k), float(c)) for k, c in zip(matrix.indices[span], matrix.data[span], strict=True) if c != 0
    ]


def translate(instance: pyo.ConcreteModel) -> TranslatedProgram:
    """The arrays of `instance`, for maximisation.

    Pyomo's compiler would turn the objective round silently unless told the sense it has.
    """
    form = LinearStandardFormCompiler().write(instance, mixed_form=True, set_sense=pyo.maximize)
    right = np.asarray(form.rhs, dtype=float)
    kind = np.array([row.bound_type for row in form.rows])
    program = Program(
        cost=np.asarray(form.c.todense(), dtype=float).ravel(),
        matrix=sparse.csc_array(form.A),
        row_lower=np.where(kind <= 0, right, -np.inf),
        row_upper=np.where(kind >= 0, right, np.inf),
        column_lower=np.array([0.0 if v.lb is None else v.lb for v in form.columns]),
        column_upper=np.array([np.inf if v.ub is None else v.ub for v in form.columns]),
        integer=np.array([not v.is_continuous() for v in form.columns], dtype=bool),
        offset=float(np.asarray(form.c_offset).ravel()[0]),
    )
    position = {id(variable): place for place, variable in enumerate(form.columns)}
    options = range(len(instance.OPTIONS))
    row = {id(entry.constraint): place for place, entry in enumerate(form.rows)}
    limits = [id(instance.limit[j]) if j in instance.limit else None for j in instance.LIMITS]
    return TranslatedProgram(
        program,
        np.array([position.get(id(instance.take[k]), -1) for k in options], dtype=np.int64),
        np.array([position.get(id(instance.amount[k]), -1) for k in options], dtype=np.int64),
        np.array([-1 if limit is None else row.get(limit, -1) for limit in limits], dtype=np.int64),
        np.array([position[id(instance.excess[s])] for s in instance.SOFT], dtype=np.int64),
    )
