"""The recheck of many borrowers: fixed parts of the portfolio, one after another, sums added in their order.

A part is small enough that its temporaries stay in a core's cache. Threads would only wait for one another:
steps of a part are too short to share a core's time with (docs/decisions/dual-pass.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from allocator.certification.bound import Magnitudes, best_sum, whole_bound
from allocator.certification.decisions import all_allowed
from allocator.certification.economics import Bases, ledger_of
from allocator.certification.limits import Block, Charges, charges_of
from allocator.certification.rounding import UNIT, Rounded, depth
from allocator.certification.terms import Tariffs, allowed_terms, take_up_of
from allocator.certification.uses import Totals
from allocator.records.ledger import ON_CAPITAL, Ledger
from allocator.records.portfolio import Portfolio
from allocator.records.run import Decisions
from allocator.records.scenario import Policy

Result = TypeVar("Result")

PART = 32_768
"""Borrowers in a part."""


@dataclass(frozen=True)
class RecomputedFigures:
    """What decisions and prices come to."""

    totals: Totals
    value: Rounded
    """Of the decisions, without what idle money earns."""
    bound: Rounded
    """U at the prices."""
    allowed: bool
    """Whether the terms allow every decision."""
    ledger: Ledger
    """One line per borrower."""


@dataclass(frozen=True)
class _Part:
    """Of a part of the borrowers."""

    totals: Totals
    value: Rounded
    charges: Charges
    best: Rounded
    allowed: bool


def recompute(
    portfolio: Portfolio,
    policy: Policy,
    tariffs: Tariffs,
    blocks: tuple[Block, ...],
    decisions: Decisions,
    prices: Mapping[str, float],
) -> RecomputedFigures:
    """Value, limits and bound of `decisions` (n,) and `prices`, from the inputs alone."""

    ledger = _empty_ledger(policy, len(portfolio))

    def part(span: slice) -> _Part:
        own = portfolio.take(span)
        mine = tuple(block.part(span) for block in blocks)
        terms = allowed_terms(own, tariffs, policy)
        decided = Decisions(decisions.amount[span], decisions.rate[span])
        take_up, allowed = take_up_of(own, terms, np.where(decided.amount > 0, decided.rate, np.nan))
        lines = ledger_of(own, policy, decided.amount, decided.rate, take_up)
        _write(ledger, span, lines)
        magnitudes = Magnitudes.of(own, policy, terms, decided.rate)
        charges = charges_of(mine, prices)
        best = best_sum(own, policy, terms, charges, magnitudes)
        return _Part(
            Totals.of(mine, Bases.of(lines)),
            _value(lines, magnitudes),
            charges,
            best,
            all_allowed(policy.ticket.step, terms, decided, allowed),
        )

    parts = in_parts(part, len(portfolio))
    best = Rounded.sum_of([sums.best for sums in parts])
    return RecomputedFigures(
        Totals.sum_of([sums.totals for sums in parts]),
        Rounded.sum_of([sums.value for sums in parts]),
        whole_bound(policy, parts[0].charges, best, prices),
        all(sums.allowed for sums in parts),
        ledger,
    )


def value_of(portfolio: Portfolio, policy: Policy, tariffs: Tariffs, decisions: Decisions) -> Rounded:
    """What `decisions` (n,) are worth, without what idle money earns, as `recompute` has it."""
    made = np.flatnonzero(decisions.amount > 0)
    portfolio = portfolio.take(made)
    amount, rate = decisions.amount[made], decisions.rate[made]

    def part(span: slice) -> Rounded:
        own, offered, rates = portfolio.take(span), amount[span], rate[span]
        terms = allowed_terms(own, tariffs, policy)
        take_up, _ = take_up_of(own, terms, rates)
        lines = ledger_of(own, policy, offered, rates, take_up)
        return _value(lines, Magnitudes.of(own, policy, terms, rates))

    return Rounded.sum_of(in_parts(part, len(made)))


def _empty_ledger(policy: Policy, borrowers: int) -> Ledger:
    absent = set(ON_CAPITAL) if policy.capital.cost is None else set()
    names = (column.name for column in fields(Ledger) if column.name not in absent)
    return Ledger(**{name: np.zeros(borrowers) for name in names})


def _write(ledger: Ledger, span: slice, lines: Ledger) -> None:
    """Zeros are there already, and cost no memory until they are touched."""
    for column in fields(Ledger):
        figures = getattr(lines, column.name)
        if figures is not None and np.any(figures):
            getattr(ledger, column.name)[span] = figures


def _value(lines: Ledger, magnitudes: Magnitudes) -> Rounded:
    """What the offers made add up to."""
    made = np.flatnonzero(lines.amount > 0)
    errors = magnitudes.take(made).errors(lines.amount[made])
    summed = depth(len(lines.value)) * UNIT * float(np.sum(np.abs(lines.value[made])))
    return Rounded(float(np.sum(lines.value)), float(np.sum(errors)) + summed)


def in_parts(part: Callable[[slice], Result], borrowers: int) -> list[Result]:
    """What `part` makes of each part, in their order."""
    begins = range(0, max(borrowers, 1), PART)
    return [part(slice(begin, min(begin + PART, borrowers))) for begin in begins]
