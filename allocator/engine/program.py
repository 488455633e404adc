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


@dataclass(frozen=True)
class Core:
    """A program's data: N options of nb borrowers, m limits; money in `unit`, row j in its own scale."""

    owner: Integers
    """(N,) borrower of each option, 0 .. nb - 1."""
    margin: Floats
    """(N,) value per unit of amount, or lot."""
    fixed: Floats
    """(N,) value an offer."""
    low: Floats
    """(N,) in units, or whole lots of the option's own."""
    high: Floats
    """(N,) likewise."""
    must: Booleans
    """(nb,) an offer is made whatever it is worth."""
    whole: bool
    """Amounts are whole lots: of the unit, the policy's step, or of an option's own."""
    use_unit: sparse.csr_array
    """(m, N)"""
    use_loan: sparse.csr_array
    """(m, N)"""
    senses: tuple[str, ...]
    rhs: Floats
    """(m,)"""
    idle_value: float
    """Value of a unit of budget left unspent."""
    idle_use: float
    """What that unit uses of the budget's row."""
    idle_room: float
    """Most that may stay unspent, in units."""
    unit: float
    measure: Floats
    """(m,) what one unit of each row is in the limit's own unit."""
    soft: Integers
    """(s,) the rows that may be missed."""
    relief: Floats
    """(s,) what a unit of excess adds to their left-hand sides: -1 to a cap, 1 to a floor."""
    penalty: Floats
    """(s,) what it costs."""

    def empty_rows_hold(self, tolerance: float) -> bool:
        """Whether the limits that no option uses are met as they stand."""
        used = np.diff(self.use_unit.indptr) + np.diff(self.use_loan.indptr)
        used[self.soft] = 1
        rhs = self.rhs[used == 0]
        senses = [sense for sense, count in zip(self.senses, used, strict=True) if count == 0]
        low = np.array([sense != "at_least" for sense in senses], dtype=bool)
        high = np.array([sense != "at_most" for sense in senses], dtype=bool)
        return bool(np.all(rhs[low] >= -tolerance) and np.all(rhs[high] <= tolerance))


@dataclass(frozen=True)
class TranslatedProgram:
    """The program as arrays, and in which of their columns each decision stands (-1: in none)."""

    program: Program
    take: Integers
    """(N,)"""
    amount: Integers
    """(N,)"""
    limit: Integers
    """(m,) the row of each limit; -1: no option uses it."""
    excess: Integers
    """(s,) the column of each soft limit's excess."""


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
    memory: float = float("inf")
    """Bytes of the whole process beyond which the solver stops."""


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
