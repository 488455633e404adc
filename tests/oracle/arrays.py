"""The program's columns and rows counted in lots, in rationals; and a solver for their doubles.

Columns are the options of the borrowers who are not pinned: z_o, whether the offer is made, and y_o, its
lots above the smallest loan. What pinned borrowers use is taken off the right-hand sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm

import highspy
import numpy as np

from tests.oracle.feasibility import Offer, tolerance, used
from tests.oracle.program import ZERO, Option, Program, Row


@dataclass(frozen=True)
class Line:
    """Σ lots_o y_o + made_o z_o  <=, >= or =  right, broken by at most `slack`."""

    lots: tuple[Fraction, ...]
    made: tuple[Fraction, ...]
    right: Fraction
    sense: str
    exact: bool
    """All are whole numbers without a common divisor, and `slack` is 0."""
    slack: Fraction = ZERO

    @property
    def ends(self) -> tuple[Fraction | float, Fraction | float]:
        low = -np.inf if self.sense == "at_most" else self.right - self.slack
        return low, np.inf if self.sense == "at_least" else self.right + self.slack


@dataclass(frozen=True)
class Arrays:
    options: tuple[Option, ...]
    low: tuple[int, ...]
    """Lots of the smallest loan, one per option."""
    room: tuple[int, ...]
    """Lots from there to the largest."""
    unit: tuple[Fraction, ...]
    """Worth of a lot, less what it would earn idle."""
    made: tuple[Fraction, ...]
    """Worth of the smallest loan, likewise."""
    lines: tuple[Line, ...]
    constant: Fraction
    """Worth of the pinned offers and of the budget idle without others."""


def arrays_of(program: Program, loose: bool = False) -> Arrays:
    """With `loose`, rows in doubles have more than their tolerance, so that nothing is cut off."""
    own = [(o, t) for t in program.terms if t.pinned is None for o in t.options]
    options, lot = [o for o, _ in own], program.lot
    pinned = [Offer(t.options[0], t.pinned) for t in program.terms if t.pinned is not None]
    row, idle = program.budget_row, program.idle
    use = [row.unit(o, program.term[o.borrower]) for o in options]
    unit = [(o.unit - idle * u) * lot for o, u in zip(options, use, strict=True)]
    taken = used(program, row, pinned)[0]
    fixed = sum((o.option.unit * o.amount + o.option.made for o in pinned), ZERO)
    return Arrays(
        tuple(options),
        tuple(t.low for _, t in own),
        tuple(t.high - t.low for _, t in own),
        tuple(unit),
        tuple(o.made + u * t.low for u, (o, t) in zip(unit, own, strict=True)),
        tuple(_line(program, r, own, pinned, loose) for r in program.rows),
        fixed + idle * (program.budget - taken),
    )


def _line(program: Program, row: Row, own: list, pinned: list[Offer], loose: bool) -> Line:
    unit = [row.unit(o, program.term[o.borrower]) * program.lot for o, _ in own]
    lots = tuple(c if t.high > t.low else ZERO for c, (_, t) in zip(unit, own, strict=True))
    made = tuple(row.made(o) + c * t.low for c, (o, t) in zip(unit, own, strict=True))
    left, right, scale = used(program, row, pinned)
    if row.exact:
        return whole(Line(lots, made, right - left, row.sense, True))
    most = max((abs(g) + abs(c) * t.high for g, c, (_, t) in zip(made, unit, own, strict=True)), default=ZERO)
    if loose:
        total = sum((t.high for t in program.terms), 0) * program.lot
        scale = max(scale, abs(row.share) * total + scale, most)
        slack = tolerance(row, scale) * Fraction(101, 100)
    elif row.sense == "exactly":
        slack = tolerance(row, scale or abs(row.share) * program.budget / 2) / 2
    else:
        slack = ZERO
    return Line(lots, made, right - left, row.sense, False, slack)


def whole(line: Line) -> Line:
    """The same row in the smallest whole numbers; the right side rounded where whole lots cannot tell."""
    used_ones = [*line.lots, *line.made]
    times = lcm(*(c.denominator for c in used_ones), 1)
    divisor = reduce(gcd, (int(c * times) for c in used_ones), 0) or 1
    factor = Fraction(times, divisor)
    right = line.right * factor
    if line.sense == "at_most":
        right = Fraction(right.numerator // right.denominator)
    elif line.sense == "at_least":
        right = Fraction(-(-right.numerator // right.denominator))
    scaled = (tuple(c * factor for c in side) for side in (line.lots, line.made))
    return Line(*scaled, right, line.sense, True)


@dataclass(frozen=True)
class Model:
    """max cost x over low <= x <= high and below <= rows x <= above."""

    cost: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rows: np.ndarray
    below: np.ndarray
    above: np.ndarray
    integer: np.ndarray
    """(columns,) bool."""


def maximise(model: Model, nodes: int, feasibility: float = 1e-9) -> tuple[str, np.ndarray | None, float]:
    """Status (`optimal`, `infeasible`, `stopped`), a point where there is one, and the solver's bound."""
    answer = _run(model, nodes, feasibility, "on")
    if answer[0] == "infeasible":  # presolve's word alone is not taken
        second = _run(model, nodes, feasibility, "off")
        return second if second[0] != "stopped" else answer
    return answer


def _run(model: Model, nodes: int, feasibility: float, presolve: str) -> tuple[str, np.ndarray | None, float]:
    highs = highspy.Highs()
    for name, setting in {
        "output_flag": False,
        "threads": 1,
        "mip_max_nodes": nodes,
        "presolve": presolve,
        "mip_rel_gap": 1e-11,
        "mip_abs_gap": 0.0,
        "mip_feasibility_tolerance": feasibility,
        "simplex_iteration_limit": 100_000,
        "primal_feasibility_tolerance": feasibility,
        "dual_feasibility_tolerance": 1e-9,
    }.items():
        highs.setOptionValue(name, setting)
    highs.passModel(_lp(model))
    highs.run()
    status, info = highs.getModelStatus(), highs.getInfo()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return "infeasible", None, -np.inf
    solution = highs.getSolution()
    point = np.array(solution.col_value) if info.primal_solution_status == 2 else None
    optimal = status == highspy.HighsModelStatus.kOptimal
    bound = info.mip_dual_bound if model.integer.any() else info.objective_function_value
    return ("optimal" if optimal else "stopped"), point, float(bound) if np.isfinite(bound) else np.inf


def _lp(model: Model) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.cost), len(model.rows)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = model.cost, model.low, model.high
    lp.row_lower_, lp.row_upper_ = model.below, model.above
    lp.sense_ = highspy.ObjSense.kMaximize
    columns, at = np.nonzero(model.rows.T)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.searchsorted(columns, np.arange(len(model.cost) + 1)).astype(np.int32)
    lp.a_matrix_.index_ = at.astype(np.int32)
    lp.a_matrix_.value_ = model.rows.T[columns, at]
    kinds = highspy.HighsVarType
    lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in model.integer]
    return lp


def scaled(lines: Sequence[Line], columns: Sequence[Sequence[Fraction]], spans: np.ndarray, lots: bool):
    """Rows as doubles with their ends: whole small numbers as they are, others by their largest use / 10."""
    rows, below, above = [], [], []
    for line, exact in zip(lines, columns, strict=True):
        bare = np.array([float(c) for c in exact])
        largest = float(np.max(np.abs(bare) * spans, initial=0.0))
        by = 1.0 if lots and line.exact and np.max(np.abs(bare), initial=0.0) < 1e6 else largest / 10 or 1.0
        low, high = line.ends
        rows.append(bare / by)
        below.append(float(low) / by)
        above.append(float(high) / by)
    return np.array(rows).reshape(len(rows), -1), np.array(below), np.array(above)
