"""A linear or mixed-integer program as arrays: what is handed to the solver, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from allocator.records.limits import Limits
from allocator.records.portfolio import Booleans, Floats, Integers


@dataclass(frozen=True)
class Program:
    """max cost'x + offset  s.t.  row_lower <= A x <= row_upper, column_lower <= x <= column_upper."""

    cost: Floats
    matrix: sparse.csc_array
    """(rows, columns)"""
    row_lower: Floats
    row_upper: Floats
    column_lower: Floats
    column_upper: Floats
    integer: Booleans
    offset: float = 0.0


Ended = Literal["optimal", "infeasible", "unbounded", "target", "node_limit", "time_limit", "other"]
"""Why the solver stopped."""


_LEAST_NODES, _MOST_NODES = 100, 200_000
"""Nodes that the largest core gets at least, and the smallest at most."""


@dataclass(frozen=True)
class Effort:
    """How hard the solver may try."""

    distance: float = 0.0
    """Between bound and value at which the solver may stop, in the program's units."""
    time_limit: float = float("inf")
    """Seconds."""
    seed: int = 0
    feasibility: float = 1e-9
    """Largest violation of a row that the solver may leave."""
    nodes: int | None = None
    """Nodes of the tree at most; unlike seconds they are the same on every machine."""
    presolve: bool = True
    """Off for few rows and many columns: comparing those columns takes far longer than solving."""
    target: float = float("inf")
    """A value that is enough: the first point worth as much ends the search of whole columns."""


def nodes_of(work: float, offers: int) -> int:
    """Nodes of the tree search of a core: `work` shared among its offers, within what any core may have."""
    return round(min(max(work / max(offers, 1), _LEAST_NODES), _MOST_NODES))


@dataclass(frozen=True)
class ProgramAnswer:
    """Two statuses: why the solver stopped, and what kind of point came back (none: `point` is None)."""

    stop: Ended
    point: Floats | None
    value: float
    bound: float
    """Proven upper bound on the best value; for an LP its value."""
    row_prices: Floats
    """Change of the best value per unit more of a row's right-hand side; empty for a MIP."""
    log: str = ""


@dataclass(frozen=True)
class LimitRows:
    """A program, and where the m limits stand in it."""

    program: Program
    row: Integers
    """(m,) -1: a limit that is no row, since nothing in the program uses it."""
    measure: Floats
    """(m,) what one unit of the limit's row is in the limit's own unit."""

    def among(self, rows: Integers, limits: int) -> LimitRows:
        """The same, as `rows` of so many `limits`, of which the others are no row."""
        row, measure = np.full(limits, -1), np.ones(limits)
        row[rows], measure[rows] = self.row, self.measure
        return LimitRows(self.program, row, measure)


def measure_of(limits: Limits, money: float, *uses: Floats) -> Floats:
    """(m,) what the rows are solved in: their largest use, but no less than a thousandth of their size.

    `money` is the largest amount, in whose unit the uses are. Uses that cancel to dust, as an interest of
    4 % against a share of 4 % does, would be blown up to rows that nothing meets; against that floor they
    stay below every tolerance.
    """
    measure = np.maximum(limits.sizes, limits.shares * money) / 1000.0
    for use in uses:
        measure = np.maximum(measure, np.max(np.abs(use), axis=1, initial=0.0))
    return np.where(measure > 0.0, measure, 1.0)


def relief_of(limits: Limits, measure: Floats, unit: float) -> tuple[np.ndarray, Floats]:
    """Columns (m, s) of the excess of each soft row, and what a unit of it costs (s,), in `unit` of money.

    Rows are counted in `measure` (m,), and so is the excess.
    """
    rows = limits.soft
    columns = np.zeros((len(limits), len(rows)))
    columns[rows, np.arange(len(rows))] = limits.relief[rows]
    return columns, limits.penalties[rows] * measure[rows] / unit


def stack(*blocks: sparse.sparray | np.ndarray) -> sparse.csc_array:
    """The blocks one above the other, column-wise."""
    return sparse.csc_array(sparse.vstack([sparse.csc_array(b) for b in blocks], format="csc"))


def side_by_side(*blocks: sparse.sparray | np.ndarray) -> sparse.csc_array:
    """The blocks one beside the other, column-wise."""
    return sparse.csc_array(sparse.hstack([sparse.csc_array(b) for b in blocks], format="csc"))


def row_bounds(senses: tuple[str, ...], rhs: Floats) -> tuple[Floats, Floats]:
    """Lower and upper bounds of rows with the given senses."""
    lower = np.array([-np.inf if s == "at_most" else b for s, b in zip(senses, rhs, strict=True)])
    upper = np.array([np.inf if s == "at_least" else b for s, b in zip(senses, rhs, strict=True)])
    return lower, upper
