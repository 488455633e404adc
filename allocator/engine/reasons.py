"""Why each borrower is refused (docs/formulation.md, section 5): the largest price that sinks the offer."""

from __future__ import annotations

import numpy as np

from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import Columns, Response
from allocator.records.portfolio import Floats
from allocator.records.solution import Solution

_BLOCK = 100_000
"""Borrowers at a time: rows x borrowers of charges are held for one block only."""


def reasons(columns: Columns, solution: Solution) -> np.ndarray:
    """(n,) texts: "" where an offer is made, else the reason for the refusal."""
    offers = columns.offers
    refused = solution.option < 0
    out = np.full(len(columns), "", dtype=object)
    impossible = refused & (offers.menu < 0)
    names = np.array([*offers.refusal.values, ""], dtype=object)
    out[impossible] = names[offers.refusal.codes[impossible]]
    free = dense.respond(columns, np.zeros(len(columns.limits)))
    priced = dense.respond(columns, solution.prices)
    unprofitable = refused & ~impossible & (free.option < 0)
    near = refused & ~impossible & ~unprofitable & (priced.option >= 0)
    out[unprofitable] = "never profitable, whatever the limits"
    out[near] = "decided by the integer step: lost within the gap"
    crowded = np.flatnonzero(refused & ~impossible & ~unprofitable & ~near)
    for start in range(0, len(crowded), _BLOCK):
        i = crowded[start : start + _BLOCK]
        largest = _largest_charge(columns, solution.prices, i, free)
        out[i] = np.array([_named(row.name) for row in columns.limits.rows], dtype=object)[largest]
    return out


def _named(row: str) -> str:
    return "crowded out by the budget" if row == "budget" else f"crowded out by limit {row}"


def _largest_charge(columns: Columns, prices: Floats, i: np.ndarray, free: Response) -> np.ndarray:
    """The row that charges each borrower's best unpriced offer most."""
    coefficient = columns.limits.coefficients(i)
    take_up, rate = columns.take_up(free.option)[i], columns.rate(free.option)[i]
    amount = free.amount[i]
    per_unit = coefficient[0] + take_up * (coefficient[1] + rate * columns.offers.term[i] * coefficient[2])
    charge = prices[:, None] * (per_unit * amount + coefficient[3])
    return np.asarray(np.argmax(charge, axis=0))
