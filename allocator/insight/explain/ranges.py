"""How far a right-hand side may move before a run's prices prove a looser bound than others would.

At prices lambda the bound U(lambda; b) is linear in b, the best bound U*(b) concave and nowhere above it.
They agree, up to `delta`, wherever some mixture of answers that are best at lambda (or lose little) meets
the limits at b and uses up the priced ones: its value is U(lambda; b) less what its answers lose. So the
range is found by two small linear programs over the borrowers who are nearly indifferent; everybody else
stays at the best response. Where the optimum's basis is not degenerate this is the ranging of that basis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from allocator.engine.cores import smallest_margins
from allocator.engine.kernel.columns import BestResponses, Columns
from allocator.engine.kernel.passes import Pass
from allocator.engine.options import Options, Uses, options_of, uses_of
from allocator.engine.program import Effort, Program, row_bounds, stack
from allocator.engine.solving import solve
from allocator.records.portfolio import Booleans, Floats, Integers

TIGHT = 1e-9
"""Relative to the bound: two bounds this near are one."""
MOST = 500
"""Borrowers who may be indifferent."""


@dataclass(frozen=True)
class PriceRange:
    """Over which moves of a right-hand side the prices stay tight."""

    low: float
    """Largest move down, <= 0; -inf: without end."""
    high: float
    """Largest move up, >= 0; inf: without end."""
    delta: float
    """By how much, in money, the prices' bound may lie above the best inside the range."""


@dataclass(frozen=True)
class Ties:
    """The answers of nearly indifferent borrowers, P of them, and what everybody else uses."""

    owner: Integers
    """(P,) 0, 1, ... nb - 1."""
    loss: Floats
    """(P,) money lost against the best response."""
    use: Floats
    """(m, P)"""
    settled: Floats
    """(m,) use of all others at their best responses."""
    must: Booleans
    """(nb,) who may not be declined."""


def ties_of(book: Pass, prices: Floats, delta: float) -> Ties:
    """Who has another answer to `prices` (m,) that loses at most `delta`; of many the most indifferent.

    Fewer ties give a narrower range: it is never wider than it may be.
    """
    columns = book.columns
    response = book.respond(prices)
    tied = (columns.offers.menu >= 0) & (response.margin <= delta)
    near = np.sort(smallest_margins(np.where(tied, response.margin, np.inf), MOST))
    option, amount = response.option.copy(), response.amount.copy()
    option[near], amount[near] = -1, 0.0
    settled = book.tally(option, amount).usage
    options = options_of(columns, near)
    return _ends(columns, options, uses_of(columns, options), prices, response, delta, settled)


def _ends(
    columns: Columns,
    options: Options,
    uses: Uses,
    prices: Floats,
    response: BestResponses,
    delta: float,
    settled: Floats,
) -> Ties:
    """Both ends of every option that loses at most `delta`; no offer is what no response leaves."""
    position, offers = options.position, columns.offers
    amounts = np.concatenate([offers.high[position], offers.low[position]])
    line = np.tile(np.arange(len(options)), 2)
    again = np.arange(len(line)) >= len(options)
    keep = ~again | (offers.low[position[line]] < offers.high[position[line]])
    use = uses.unit[:, line] * amounts + uses.loan[:, line]
    value = options.margin[line] * amounts + options.fixed[line]
    best = response.reduced[options.borrowers]
    loss = best[options.owner[line]] - (value - prices @ use)
    keep &= loss <= delta
    must = offers.must[options.borrowers]
    no_offer = np.flatnonzero(~must & (best <= delta))
    return Ties(
        owner=np.concatenate([options.owner[line[keep]], no_offer]),
        loss=np.maximum(np.concatenate([loss[keep], best[no_offer]]), 0.0),
        use=np.hstack([use[:, keep], np.zeros((len(settled), len(no_offer)))]),
        settled=settled,
        must=must,
    )


def range_along(
    columns: Columns, ties: Ties, prices: Floats, direction: Floats, delta: float
) -> PriceRange | None:
    """How far b may move along `direction` (m,) before `prices` are no longer tight.

    None where no mixture of `ties` shows that they are tight where b stands.
    """
    norm = _norms(columns, ties)
    unit = float(1.0 / (np.max(np.abs(direction) / norm, initial=0.0) or 1.0))
    program = _program(columns, ties, prices, direction * unit, norm, delta)
    ends = []
    for sign in (-1.0, 1.0):
        cost = np.zeros(len(program.cost))
        cost[-1] = sign
        answer = solve(replace(program, cost=cost), Effort(presolve=False))
        if answer.stop not in ("optimal", "unbounded"):
            return None
        ends.append(sign * (answer.value * unit if answer.stop == "optimal" else np.inf))
    low, high = ends
    near = TIGHT * unit
    return PriceRange(min(low, 0.0), max(high, 0.0), delta) if low <= near and high >= -near else None


def _program(
    columns: Columns, ties: Ties, prices: Floats, direction: Floats, norm: Floats, delta: float
) -> Program:
    """Rows: m limits, one per borrower, what is lost. Columns: shares of answers, idle budget, the move."""
    shares, borrowers = len(ties.owner), len(ties.must)
    lower, upper = _rows(columns, ties, prices, norm)
    spent = np.zeros((len(norm), 1))
    spent[0] = float(_idle(columns, prices)) * norm[0]
    limits = np.hstack([ties.use, spent, -direction[:, None]]) / norm[:, None]
    each = sparse.csr_array((np.ones(shares), (ties.owner, np.arange(shares))), shape=(borrowers, shares + 2))
    lost = np.append(ties.loss / delta, [0.0, 0.0])[None, :]
    return Program(
        cost=np.zeros(shares + 2),
        matrix=stack(limits, each, lost),
        row_lower=np.concatenate([lower, np.ones(borrowers), [-np.inf]]),
        row_upper=np.concatenate([upper, np.ones(borrowers), [1.0]]),
        column_lower=np.append(np.zeros(shares + 1), -np.inf),
        column_upper=np.append(np.ones(shares), [np.inf, np.inf]),
        integer=np.zeros(shares + 2, dtype=bool),
    )


def _idle(columns: Columns, prices: Floats) -> bool:
    """Whether part of the budget may stay idle at these prices: it earns what the budget is priced."""
    limits = columns.limits
    return limits.idle_room > 0 and abs(float(prices[0]) - limits.idle_rate) <= 1e-12


def _norms(columns: Columns, ties: Ties) -> Floats:
    """(m,) what each row is counted in, so that its numbers are neither huge nor tiny."""
    most = np.max(np.abs(ties.use), axis=1, initial=0.0)
    norm = np.maximum(most, _sizes(columns, ties) / 1000)
    return np.where(norm > 0.0, norm, 1.0)


def _sizes(columns: Columns, ties: Ties) -> Floats:
    """(m,) how large each row's numbers are."""
    return np.maximum(np.abs(columns.limits.rhs), np.abs(ties.settled))


def _rows(columns: Columns, ties: Ties, prices: Floats, norm: Floats) -> tuple[Floats, Floats]:
    """(m,) bounds of the limits' rows, counted in `norm`; priced ones are used up."""
    limits = columns.limits
    right = (limits.rhs - ties.settled) / norm
    lower, upper = row_bounds(limits.senses, right)
    used_up = (prices != 0.0) | (np.arange(len(norm)) == 0) & _idle(columns, prices)
    slack = TIGHT * _sizes(columns, ties) / norm
    least, most = np.where(used_up, right, lower), np.where(used_up, right, upper)
    missed = np.isfinite(limits.penalties) & (np.abs(prices) >= limits.penalties)  # or any more is used
    most[missed & (limits.relief < 0)], least[missed & (limits.relief > 0)] = np.inf, -np.inf
    return least - slack, most + slack
