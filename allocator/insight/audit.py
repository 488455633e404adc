"""Some borrowers of a run with all that an auditor recomputes them by: terms, limits, best responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from allocator.certification.concentration import with_cuts
from allocator.certification.economics import BASES, Margin, ledger_of
from allocator.certification.limits import Block, as_valued
from allocator.certification.members import inside_of
from allocator.certification.terms import OF_BORROWERS, Terms, open_to
from allocator.insight.explain.flips import turning_pd
from allocator.insight.explain.position import Position
from allocator.records.columns import VALUE
from allocator.records.ledger import Ledger
from allocator.records.portfolio import Booleans, Floats, Integers, Portfolio
from allocator.records.scenario import Limit, Policy


@dataclass(frozen=True)
class Entry:
    """The budget, or an entry of the policy, over the borrowers of an audit."""

    limit: Limit | None
    """None: the budget."""
    block: Block
    first: int
    """The number of its first row among all rows, from 1."""
    written: Limit | None = None
    """The limit as the policy writes it, where no row says it: on groups, or on worst years."""
    counted: Portfolio | None = None
    """The borrowers as a limit on value counts them: with PD, LGD and capital under its stress."""
    lent_to: Booleans | None = None
    """Whom any offer to makes a limit on a condition hold."""

    @property
    def name(self) -> str:
        return "budget" if self.limit is None else self.limit.name

    @property
    def labels(self) -> tuple[str, ...]:
        """Of each row the value of the column that the entry is for each value of; "" of a single row."""
        if self.limit is None or self.limit.each is None:
            return ("",)
        return tuple(name[len(self.limit.name) + 1 : -1] for name in self.block.names)


@dataclass(frozen=True)
class Audit:
    """k borrowers of a run, arrays of shape (k,); the limits whole."""

    rows: Integers
    """Their positions in the portfolio."""
    borrowers: Portfolio
    decided: Ledger
    answers: Ledger
    """Of the best response to the prices: amount 0 where none may be offered, or no offer is worth more."""
    entries: tuple[Entry, ...]
    charges: Mapping[str, Floats]
    """Basis -> what the limits charge a unit of it, at the prices."""
    chosen: Floats
    """Value less charges of what was decided."""
    best: Floats
    """Value less charges of the best response, at least 0 unless the offer is pinned."""
    pinned: np.ndarray
    reasons: np.ndarray
    """Why each is declined, "" for who is not."""
    turning: Floats
    """The PD at which the best response turns, NaN where none does or it was not asked for."""


def _entries_of(position: Position, rows: Integers) -> tuple[Entry, ...]:
    """The budget and the entries of the policy in their order, over the borrowers at `rows`."""
    written, portfolio = position.run.scenario.policy, position.run.inputs.portfolio
    policy, own = with_cuts(written, portfolio)
    limits, borrowers = (None, *policy.limits), own.take(rows)
    firsts = np.cumsum([1, *(len(block.names) for block in position.blocks)])
    convex = {limit.name: limit for limit in written.convex}
    return tuple(
        Entry(
            limit,
            block.part(rows),
            int(first),
            None if limit is None else convex.get(limit.name),
            as_valued(limit, policy, borrowers) if limit is not None and limit.measure == VALUE else None,
            inside_of(limit.if_lent_to, borrowers) if limit is not None and limit.if_lent_to else None,
        )
        for limit, block, first in zip(limits, position.blocks, firsts, strict=False)
    )


def audit_of(position: Position, rows: Integers, *, turning: int = 0) -> Audit:
    """The audit of the borrowers at `rows`; of the first `turning` of them the PD at which they turn too."""
    run, terms = position.run, position.terms
    _, portfolio = with_cuts(run.scenario.policy, run.inputs.portfolio)
    borrowers = portfolio.take(rows)
    charges = {basis: np.broadcast_to(position.charges.per_basis[basis], len(position.best))[rows]
               for basis in BASES}  # fmt: skip
    own = _terms_at(terms, rows)
    amount, rate, take_up = _best_answers(borrowers, run.scenario.policy, own, charges)
    pds = [turning_pd(position, i) for i in rows[:turning].tolist()]
    return Audit(
        rows=rows,
        borrowers=borrowers,
        decided=run.ledger.take(rows),
        answers=ledger_of(borrowers, run.scenario.policy, amount, rate, take_up),
        entries=_entries_of(position, rows),
        charges=charges,
        chosen=position.chosen[rows],
        best=position.best[rows],
        pinned=own.pinned,
        reasons=position.reasons[rows],
        turning=np.array([*pds, *[np.nan] * (len(rows) - len(pds))]),
    )


def _terms_at(terms: Terms, rows: Integers) -> Terms:
    own = {name: getattr(terms, name)[rows] for name in OF_BORROWERS}
    return replace(terms, **own)


def _best_answers(
    borrowers: Portfolio, policy: Policy, terms: Terms, charges: Mapping[str, Floats]
) -> tuple[Floats, Floats, Floats]:
    """(k,) amount, rate and take-up of the offer that keeps most at the prices; 0 where none does."""
    count = len(borrowers)
    top, best = np.where(terms.pinned, -np.inf, 0.0), np.zeros((3, count))
    worth: Margin[Floats] = Margin.of(borrowers, policy, charges)

    def tried(among: np.ndarray, amount: Floats, rate: Floats, take_up: Floats) -> None:
        keeps = worth.value(amount, rate, take_up)
        better = among & (keeps > top)
        top[better] = keeps[better]
        best[:, better] = np.stack([amount, rate, take_up])[:, better]

    for grade, own, tariff in terms.of_grades(borrowers):
        member = own & terms.lendable
        fixed = member & np.isfinite(terms.rate)
        if fixed.any():
            rate = np.nan_to_num(terms.rate, nan=0.0)
            tried(fixed, terms.high, rate, 1.0 - np.interp(rate, terms.table_rates, terms.curve[grade]))
        free = member & ~terms.single
        for rate, take_up in zip(tariff.rates.tolist(), tariff.take_up.tolist(), strict=True):
            among = free & open_to(borrowers.min_rate, borrowers.max_rate, rate)
            for amount in (terms.high, terms.low):
                tried(among, amount, np.full(count, rate), np.full(count, take_up))
    return best[0], best[1], best[2]
