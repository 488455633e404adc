"""Prices of the book that one price list leaves.

A list may admit no allocation at all. Prices that say so have no end, so every limit may be broken at a
penalty that grows until the bound is down where it is wanted, or nothing is broken any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import sparse

from allocator.engine.finish import finish
from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.passes import Pass, prepare
from allocator.engine.newton import newton_prices
from allocator.engine.options import options_of, uses_of
from allocator.engine.prices import fits_one_table
from allocator.engine.program import Effort, Program, side_by_side
from allocator.engine.relaxation import prices_of, relax
from allocator.engine.solving import SolverError, solve
from allocator.records.portfolio import Floats
from allocator.records.strategy import SolverSettings

_PENALTIES = (1e2, 1e5, 1e8, 1e11)
"""Of breaking a row by its largest use, in what the best offer is worth."""
_FURTHER = 10.0 ** np.arange(8)
"""Multiples of prices that no allocation pays, at which the bound of an empty book is tried."""


def prices_of_list(
    columns: Columns, enough: float, start: Floats, settings: SolverSettings, left: Callable[[], float]
) -> Floats:
    """(m,) prices of the book that a list leaves: near its least bound, or at which it is below `enough`."""
    if in_one_program(columns, settings):
        return _by_program(columns, enough)
    return _by_descent(columns, enough, start, settings.threads, left)


def in_one_program(columns: Columns, settings: SolverSettings) -> bool:
    """Whether a book is priced by one LP, not by descent."""
    return settings.method == "exact" or (settings.method == "auto" and fits_one_table(columns))


def _by_program(columns: Columns, enough: float) -> Floats:
    """The prices of the LP relaxation, with limits that may be broken where they cannot be kept."""
    options = options_of(columns, np.flatnonzero(columns.offers.menu >= 0))
    relaxation = relax(columns, options, uses_of(columns, options))
    answer = solve(relaxation.program, Effort())
    if answer.stop == "optimal":
        return prices_of(columns, relaxation, answer)
    prices = np.zeros(len(columns.limits))
    for penalty in _PENALTIES:
        program = _breakable(relaxation.program, len(prices), penalty)
        try:
            answer = solve(program, Effort())
        except SolverError:  # penalties beyond its numbers: those before it will do
            break
        if answer.stop != "optimal" or answer.point is None:
            break
        prices = prices_of(columns, relaxation, answer)
        kept = not np.any(answer.point[len(relaxation.program.cost) :] > 0.0)
        if kept or dense.bound(columns, prices, dense.respond(columns, prices)) <= enough:
            break
    return prices


def _breakable(program: Program, limits: int, penalty: float) -> Program:
    """`program` whose first rows may be broken in either direction, at `penalty` best offers each."""
    worth = max(float(np.max(np.abs(program.cost), initial=0.0)), 1e-9)
    unit = sparse.csc_array(sparse.eye_array(program.matrix.shape[0], limits))
    over, under = (np.isfinite(side[:limits]) for side in (program.row_upper, program.row_lower))
    breaks = side_by_side(program.matrix, -unit[:, np.flatnonzero(over)], unit[:, np.flatnonzero(under)])
    more = breaks.shape[1] - len(program.cost)
    return replace(
        program,
        cost=np.append(program.cost, np.full(more, -penalty * worth)),
        matrix=breaks,
        column_lower=np.append(program.column_lower, np.zeros(more)),
        column_upper=np.append(program.column_upper, np.full(more, np.inf)),
        integer=np.append(program.integer, np.zeros(more, dtype=bool)),
    )


def _by_descent(
    columns: Columns, enough: float, start: Floats, threads: int, left: Callable[[], float]
) -> Floats:
    """Newton on the dual; where its end is above `enough` and no allocation exists, further along a ray."""
    prices = newton_prices(columns, threads, start, left=left)
    book = prepare(columns, threads)
    bound = _bound(book, prices)
    if bound <= enough or left() <= 0:
        return prices
    finished = finish(book, prices, 1e-9, left)
    if np.isfinite(finished.gap):
        return finished.priced.prices if finished.priced.bound < bound else prices
    for further in _FURTHER:
        other = prices + further * finished.last
        if _bound(book, other) <= enough:
            return np.asarray(other)
    return prices


def _bound(book: Pass, prices: Floats) -> float:
    return dense.bound(book.columns, prices, book.respond(prices))
