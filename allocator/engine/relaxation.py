"""The LP relaxation: prices for every row, and a point that is whole for nearly every borrower.

A borrower's choices, no offer included, are relaxed to mixtures of its extreme offers (option k at
`low` or at `high`). That is the convex hull of what the borrower may get, so the LP's value equals
the Lagrangian bound of docs/formulation.md, section 4, and its row prices certify it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from allocator.engine.kernel.columns import Columns
from allocator.engine.options import Options, Uses
from allocator.engine.program import (
    LimitRows,
    Program,
    ProgramAnswer,
    measure_of,
    relief_of,
    row_bounds,
    side_by_side,
    stack,
)
from allocator.records.limits import Limits
from allocator.records.portfolio import Booleans, Floats, Integers


@dataclass(frozen=True)
class Relaxation:
    """The LP over P extreme offers: options at one of their two ends."""

    program: Program
    line: Integers
    """(P,) index into the options."""
    amount: Floats
    """(P,)"""
    unit: float
    """Money is counted in this unit inside the program."""
    measure: Floats
    """(m,) what one unit of each limit's row is in the limit's own unit."""

    @property
    def rows(self) -> LimitRows:
        """The limits stand first."""
        return LimitRows(self.program, np.arange(len(self.measure)), self.measure)


def relax(columns: Columns, options: Options, uses: Uses, *, both_ends: bool = False) -> Relaxation:
    """The LP over all extreme offers of `options`, with one convexity row per borrower.

    Their low ends stand only where an optimum may need them, or with `both_ends`.
    """
    line, amount = _extreme_offers(columns, options, uses, both_ends)
    unit = columns.money_unit
    value = options.margin[line] * amount + options.fixed[line]
    use = uses.unit[:, line] * amount + uses.loan[:, line]
    measure = measure_of(columns.limits, unit, use)
    owner = options.owner[line]
    count = len(options.borrowers)
    convexity = sparse.csr_array(
        (np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=(count, len(owner))
    )
    idle = np.zeros((len(measure) + count, 1))
    idle[0, 0] = unit / measure[0]
    limits = columns.limits
    lower, upper = row_bounds(limits.senses, limits.rhs / measure)
    must = columns.offers.must[options.borrowers]
    relief, penalty = relief_of(limits, measure, unit)
    others = side_by_side(idle, stack(relief, np.zeros((count, len(penalty)))))
    program = Program(
        cost=np.concatenate([value / unit, [limits.idle_rate], -penalty]),
        matrix=side_by_side(stack(use / measure[:, None], convexity), others),
        row_lower=np.concatenate([lower, np.where(must, 1.0, -np.inf)]),
        row_upper=np.concatenate([upper, np.ones(count)]),
        column_lower=np.zeros(len(value) + 1 + len(penalty)),
        column_upper=np.concatenate(
            [np.ones(len(value)), [limits.idle_room / unit], np.full(len(penalty), np.inf)]
        ),
        integer=np.zeros(len(value) + 1 + len(penalty), dtype=bool),
    )
    return Relaxation(program, line, amount, unit, measure)


def prices_of(columns: Columns, relaxation: Relaxation, answer: ProgramAnswer) -> Floats:
    """(m,) the LP's row prices in money per unit of the row, of the sign that the row's direction wants."""
    limits = len(relaxation.measure)
    return with_right_signs(columns, answer.row_prices[:limits] * relaxation.unit / relaxation.measure)


def with_right_signs(columns: Columns, prices: Floats) -> Floats:
    """`prices` with those of the wrong sign (a solver's dust) set to 0: any such vector gives a bound.

    None is above its row's penalty.
    """
    low, high = price_range(columns.limits)
    return np.clip(prices, low, high) + 0.0


def price_range(limits: Limits) -> tuple[Floats, Floats]:
    """(m,) the least and the largest price of each row: of its direction's sign, no more than its penalty."""
    low = np.array([0.0 if sense == "at_most" else -np.inf for sense in limits.senses])
    high = np.array([0.0 if sense == "at_least" else np.inf for sense in limits.senses])
    return np.maximum(low, -limits.penalties), np.minimum(high, limits.penalties)


def _extreme_offers(
    columns: Columns, options: Options, uses: Uses, both_ends: bool
) -> tuple[Integers, Floats]:
    """Both ends of every option; the low end, without `both_ends`, only where an optimum may sit there.

    Where F <= 0 and loans only cost, (k, low) is no better than low/high of (k, high).
    """
    position = options.position
    low, high = columns.offers.low[position], columns.offers.high[position]
    pays = (options.fixed > 0) | columns.offers.must[position] | _loans_may_pay(columns, uses)
    at_high = np.arange(len(options))
    at_low = np.flatnonzero((low < high) & (pays | both_ends))
    line = np.concatenate([at_high, at_low])
    amount = np.concatenate([high, low[at_low]])
    order = np.argsort(line, kind="stable")
    return line[order], amount[order]


def _loans_may_pay(columns: Columns, uses: Uses) -> Booleans:
    """(N,) whether some row may reward the mere making of an offer: by its direction or by its sign."""
    capped = np.array([sense == "at_most" for sense in columns.limits.senses])
    pays = np.any(uses.loan[~capped] != 0.0, axis=0) | np.any(uses.loan[capped] < 0.0, axis=0)
    return np.asarray(pays, dtype=bool)
