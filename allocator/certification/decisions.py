"""Decisions that the terms do not allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from allocator.certification.lots import Lot
from allocator.certification.terms import Tariffs, Terms, allowed_terms, take_up_of
from allocator.errors import Fault
from allocator.records.portfolio import Booleans, Floats, Portfolio
from allocator.records.run import Decisions
from allocator.records.scenario import Policy

_MOST = 20
"""Faults named one by one."""


@dataclass(frozen=True)
class WrongDecisions:
    """What is wrong with a set of decisions, told by borrower; by default nothing is."""

    broken: tuple[Fault, ...] = ()
    """Decisions that the terms do not allow."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Term -> how many decisions break it."""
    impossible: tuple[Fault, ...] = ()
    """What no decision may be."""


@dataclass(frozen=True)
class _Kind:
    """One way in which a decision may be wrong."""

    broken: Booleans
    """(n,)"""
    what: str
    values: Floats
    """(n,) what to show of each."""


def all_allowed(step: float | None, terms: Terms, decisions: Decisions, allowed: Booleans) -> bool:
    """Whether nothing is wrong; `allowed` (n,) says whose rate may be offered."""
    kinds = [_no_amounts(decisions), *_broken_terms(step, terms, decisions, allowed)]
    return not any(np.any(kind.broken) for kind in kinds)


def judge_decisions(
    portfolio: Portfolio, policy: Policy, known: Tariffs, decisions: Decisions
) -> WrongDecisions:
    """Everything that is wrong with `decisions`."""
    terms = allowed_terms(portfolio, known, policy)
    _, allowed = take_up_of(portfolio, terms, np.where(decisions.amount > 0, decisions.rate, np.nan))
    kinds = _broken_terms(policy.ticket.step, terms, decisions, allowed)
    counts = {kind.what: int(np.count_nonzero(kind.broken)) for kind in kinds}
    return WrongDecisions(
        tuple(fault for kind in kinds for fault in _faults_of(kind, portfolio, terms)),
        {what: count for what, count in counts.items() if count},
        tuple(_faults_of(_no_amounts(decisions), portfolio, terms)),
    )


def _no_amounts(decisions: Decisions) -> _Kind:
    amount = decisions.amount
    return _Kind(~np.isfinite(amount) | (amount < 0), "amount", amount)


def _broken_terms(step: float | None, terms: Terms, decisions: Decisions, allowed: Booleans) -> list[_Kind]:
    """Amounts and rates that the terms do not allow."""
    amount = decisions.amount
    offered = amount > 0
    off, what = np.zeros(len(amount), dtype=bool), f"no multiple of {0.01 if step is None else step:g}"
    made = np.flatnonzero(amount)
    if terms.grid is None:
        off[made] = ~Lot.of(step).whole(amount[made])
    else:
        off[made], what = ~terms.grid.take(made).whole(amount[made]), "none of the borrower's steps"
    outside = (amount < terms.low) | (amount > terms.high)
    lendable = offered & terms.lendable
    return [
        _Kind(offered & ~terms.lendable, "amount to a borrower who may not be offered anything", amount),
        _Kind(lendable & outside, "amount outside the borrower's smallest and largest loan", amount),
        _Kind(offered & off & ~terms.pinned, f"amount that is {what}", amount),
        _Kind(lendable & ~allowed, "rate that may not be offered", decisions.rate),
        _Kind(terms.pinned & terms.lendable & ~offered, "pinned offer not made", amount),
    ]


def _faults_of(kind: _Kind, portfolio: Portfolio, terms: Terms) -> list[Fault]:
    """The first decisions of a kind, one fault each, and a count of the others."""
    rows = np.flatnonzero(kind.broken)
    faults = [
        Fault(
            f"{kind.what}: {kind.values[i]:,.12g}",
            f"allowed are {terms.low[i]:,.2f} to {terms.high[i]:,.2f} at the rates of the grade's band",
            row=int(portfolio.row[i]),
            field=str(portfolio.borrower_id[i]),
        )
        for i in rows[:_MOST]
    ]
    if len(rows) > _MOST:
        faults.append(Fault(f"{kind.what}: {len(rows) - _MOST} more", "mend these too"))
    return faults
