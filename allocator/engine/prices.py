"""Prices for the limits, with the bound that they prove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from allocator.engine.conflict import explain_conflict
from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import Columns, Response
from allocator.engine.options import options_of, undominated, uses_of
from allocator.engine.program import Effort
from allocator.engine.relaxation import prices_of, relax
from allocator.engine.solving import SolverError, solve
from allocator.records.portfolio import Floats


@dataclass(frozen=True)
class Prices:
    """A price a row, every borrower's best answer to them, and the bound that they certify."""

    prices: Floats
    """(m,)"""
    response: Response
    bound: float
    """U(prices), in money."""


def evaluate(columns: Columns, prices: Floats) -> Prices:
    """What `prices` prove, whatever they come from."""
    response = dense.respond(columns, prices)
    return Prices(prices, response, dense.bound(columns, prices, response))


def find_prices(columns: Columns, progress: Callable[[str], None]) -> Prices:
    """The prices of the LP relaxation over every option.

    Raises InfeasibleError, naming the conflict, where not even the relaxation has a point.
    """
    options = options_of(columns, np.flatnonzero(columns.offers.menu >= 0))
    options = options.keep(undominated(columns, options))
    progress(f"pricing the limits over {len(options):,} offers")
    relaxation = relax(columns, options, uses_of(columns, options))
    answer = solve(relaxation.program, Effort())
    if answer.stop == "infeasible":
        raise explain_conflict(columns, relaxation.program, np.arange(len(columns.limits)))
    if answer.stop != "optimal":
        raise SolverError(f"the LP relaxation ended with status {answer.stop}")
    return evaluate(columns, prices_of(columns, relaxation, answer))
