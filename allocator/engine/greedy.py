"""A start that needs no solver, so that a time limit seldom leaves nothing."""

from __future__ import annotations

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.engine.options import Options, options_of, uses_of
from allocator.records.portfolio import Codes, Floats


def fill(columns: Columns) -> tuple[Codes, Floats]:
    """Each borrower's best offer, the most valuable a unit of money first, while at-most limits leave room.

    Options and amounts (n,); limits of the other directions are met only by luck, so check them.
    """
    option = np.full(len(columns), -1, dtype=np.int32)
    amount = np.zeros(len(columns))
    borrowers = np.flatnonzero(columns.offers.menu >= 0)
    options = _best_each(columns, options_of(columns, borrowers))
    uses = uses_of(columns, options)
    high = columns.offers.high[options.position]
    low = columns.offers.low[options.position]
    worth = options.margin + options.fixed / high
    must = columns.offers.must[options.position]
    capped = np.array([row.sense != "at_least" for row in columns.limits.rows])
    left = columns.limits.rhs
    for k in np.lexsort((np.arange(len(options)), -worth, ~must)):
        if worth[k] <= 0 and not must[k]:
            break
        x = _room(uses.unit[:, k], left - uses.loan[:, k], high[k], capped)
        x = x if must[k] else _on_lattice(x, columns.offers.step)
        if x < low[k] or (options.margin[k] * x + options.fixed[k] <= 0 and not must[k]):
            continue
        left = left - uses.unit[:, k] * x - uses.loan[:, k]
        option[options.position[k]] = options.option[k]
        amount[options.position[k]] = x
    return option, amount


def _best_each(columns: Columns, options: Options) -> Options:
    """The option of most value at the largest amount, one a borrower."""
    value = options.margin * columns.offers.high[options.position] + options.fixed
    order = np.lexsort((options.option, -value, options.owner))
    _, first = np.unique(options.owner[order], return_index=True)
    mask = np.zeros(len(options), dtype=bool)
    mask[order[first]] = True
    return options.keep(mask)


def _room(use: Floats, left: Floats, high: float, capped: np.ndarray) -> float:
    """The largest amount that the capped rows leave room for."""
    tight = capped & (use > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(tight, left / use, np.inf).min(initial=np.inf)
    return float(min(high, most))


def _on_lattice(amount: float, step: float | None) -> float:
    if step is None:
        return float(np.floor(amount * 100.0 + 1e-6) / 100.0)
    return float(np.floor(amount / step + 1e-9) * step)
