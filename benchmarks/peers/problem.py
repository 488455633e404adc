"""The problem as every peer gets it, and the judgement of what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from allocator.certification import recheck
from allocator.engine.kernel.columns import Columns
from allocator.engine.options import Options, options_of
from allocator.limits import compile_limits
from allocator.pricing.offers import price_offers
from allocator.records.case import Inputs
from allocator.records.limits import BASES
from allocator.records.portfolio import Floats, Integers
from allocator.records.run import Decisions
from allocator.records.strategy import SolverSettings
from benchmarks.books import Book

_AN_OFFER = (BASES.index("loans"), BASES.index("booked"))
"""The bases that an offer adds to whatever its amount."""
UNIT = 1e6
"""Peers count money in millions: solvers like numbers near 1."""


class NotApplicable(Exception):  # noqa: N818 - a reason, no fault
    """Why a peer is left out of a case."""


@dataclass(frozen=True)
class Effort:
    gap: float
    """Relative."""
    seconds: float
    threads: int = 2


@dataclass(frozen=True)
class Problem:
    """max margin'x + fixed'z over N options (borrower and rate) of nb borrowers; money in UNIT.

    z binary, x between low z and high z, at most one option a borrower; use_unit x + use_loan z within
    lower and upper.
    """

    columns: Columns
    options: Options
    margin: Floats
    fixed: Floats
    low: Floats
    """(N,)"""
    high: Floats
    """(N,)"""
    use_unit: sparse.csr_array
    """(m, N)"""
    use_loan: sparse.csr_array
    """(m, N)"""
    lower: Floats
    """(m,)"""
    upper: Floats

    @property
    def owner(self) -> Integers:
        """(N,) borrower of each option."""
        return self.options.owner

    @property
    def borrowers(self) -> int:
        return len(self.options.borrowers)


@dataclass(frozen=True)
class Answer:
    """What a peer says."""

    line: Integers
    """Options taken, as lines of the problem."""
    amount: Floats
    """Their amounts, in UNIT."""
    bound: float
    """On the value, in UNIT, as the peer claims it; inf without one."""
    status: str
    seconds: dict[str, float] = field(default_factory=dict)
    prices: Floats | None = None
    """(m,) in money, where the peer has any: they prove a bound."""


def problem_of(book: Book) -> Problem:
    scenario = book.scenario(SolverSettings())
    offers = price_offers(book.portfolio, book.table, scenario.response, book.policy)
    columns = Columns(offers, compile_limits(book.policy, book.portfolio))
    options = options_of(columns, np.flatnonzero(offers.menu >= 0))
    position = options.position
    use_unit, use_loan = _uses(columns, options)
    senses, rhs = columns.limits.senses, columns.limits.rhs / UNIT
    return Problem(
        columns=columns,
        options=options,
        margin=options.margin,
        fixed=options.fixed / UNIT,
        low=offers.low[position] / UNIT,
        high=offers.high[position] / UNIT,
        use_unit=use_unit,
        use_loan=sparse.csr_array(use_loan / UNIT),
        lower=np.where([sense == "at_most" for sense in senses], -np.inf, rhs),
        upper=np.where([sense == "at_least" for sense in senses], np.inf, rhs),
    )


def _uses(columns: Columns, options: Options) -> tuple[sparse.csr_array, sparse.csr_array]:
    """What each option uses of each row, (m, N): a unit of money, and an offer."""
    limits, position = columns.limits, options.position
    channels, count, matrix = len(limits.channels), len(options), limits.in_each_cell()
    term = columns.offers.term[position]
    one, take_up = np.ones(count), options.take_up
    per_basis = (one, take_up, take_up * options.rate * term, one, take_up)
    out = []
    for loans in (False, True):
        used = [
            h
            for h, channel in enumerate(limits.channels)
            if (BASES[channel.basis] in ("loans", "booked")) == loans
        ]
        row = [limits.cell[position] * channels + h for h in used]
        value = []
        for h in used:
            weight = limits.channels[h].weight
            basis = per_basis[limits.channels[h].basis]
            value.append(basis if weight is None else basis * weight[position])
        column = np.tile(np.arange(count), len(used))
        none = np.zeros(0)
        entries = (
            np.concatenate(value or [none]),
            (np.concatenate(row or [none.astype(int)]), column),
        )
        picked = sparse.coo_array(entries, shape=(limits.cells * channels, count)).tocsr()
        product = sparse.csr_array(matrix @ picked)
        product.eliminate_zeros()
        out.append(product)
    return out[0], out[1]


def judged(book: Book, problem: Problem, answer: Answer) -> dict[str, Any]:
    """Value and violation by the certification room, the bound as claimed and, from prices, as proved."""
    columns = problem.columns
    option = np.full(len(columns), -1, dtype=np.int32)
    amount = np.zeros(len(columns))
    position = problem.options.position[answer.line]
    option[position] = problem.options.option[answer.line]
    offers = columns.offers
    cents = np.floor(answer.amount * UNIT * 100.0 + 1e-6) / 100.0
    amount[position] = np.clip(cents, offers.low[position], offers.high[position])
    prices = np.zeros(len(columns.limits)) if answer.prices is None else answer.prices
    named = {row.name: float(p) for row, p in zip(columns.limits.rows, prices, strict=True)}
    decisions = Decisions(amount, columns.rate(option))
    inputs = Inputs(book.portfolio, book.table, {})
    outcome = recheck(book.scenario(SolverSettings()), inputs, decisions, named)
    found = outcome.certificate
    bound = found.bound if answer.prices is not None else answer.bound * UNIT
    return {
        "status": answer.status,
        "funded": len(answer.line),
        "value": found.value,
        "bound": bound if np.isfinite(bound) else None,
        "gap": (bound - found.value) / max(abs(bound), 1.0) if np.isfinite(bound) else None,
        "largest_violation": found.largest_violation,
        "faults": len(outcome.faults),
    }
