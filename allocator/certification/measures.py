"""What each measure of a limit adds up, read from the policy and the borrowers' columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np

from allocator.certification.capital import weights_by
from allocator.certification.members import as_counted
from allocator.records.former import FORMER, FORMER_AMOUNT, Changes
from allocator.records.portfolio import Codes, Floats, Portfolio
from allocator.records.risk import Rule
from allocator.records.scenario import COUNTED as BY_NUMBER
from allocator.records.scenario import Limit, Measure, Policy
from allocator.records.stress import Stress
from allocator.records.weights import weights_of

ByRule = dict[tuple[Rule | Changes, Stress | None], Floats]
"""What a rule gives each borrower (n,), under a stress or none."""


@dataclass(frozen=True)
class CountedMeasure:
    """What a measure adds up: `weight` times a basis."""

    basis: str
    exposed: bool = False
    """Whether what is already lent counts, as fully drawn."""
    outset: Callable[[Callable[[str], Any]], Any] | None = None
    """What counts, times the weight, before any offer is made where that is not exposure."""
    weight: Callable[[Callable[[str], Any]], Any] | None = None
    """From what gives a column by its name, in doubles or in rational numbers; None: 1."""
    former: bool = False
    """Whether an offer counts by what it is more or less than the former one."""


COUNTED: dict[Measure, CountedMeasure] = {
    "offered": CountedMeasure("offered", exposed=True),
    "drawn": CountedMeasure("drawn", exposed=True),
    "expected_loss": CountedMeasure("drawn", exposed=True, weight=lambda of: of("pd") * of("lgd")),
    "interest": CountedMeasure("interest", weight=lambda of: 1 - of("pd")),
    "gross_interest": CountedMeasure("interest"),
    "capital": CountedMeasure("drawn", exposed=True),
    "tail_loss": CountedMeasure("drawn", exposed=True),
    "clients_changed": CountedMeasure(
        "loans",
        outset=lambda of: -1 * (of(FORMER_AMOUNT) > 0),
        weight=lambda of: 1 - 2 * (of(FORMER_AMOUNT) > 0),
    ),
    "money_moved": CountedMeasure("offered", former=True),
    "loans": CountedMeasure("loans"),
    "value": CountedMeasure("interest", weight=lambda of: 1 - of("pd")),  # and further parts, in `limits`
    "hhi": CountedMeasure("offered"),
}


def outset_of(counted: CountedMeasure, portfolio: Portfolio) -> Floats | None:
    """(n,) what counts, times the weight, before any offer is made; None: nothing."""
    if counted.exposed:
        return portfolio.exposure
    return None if counted.outset is None else np.asarray(counted.outset(portfolio.number), dtype=np.float64)


def times(amounts: Floats, weight: Floats | None) -> Floats:
    return amounts if weight is None else amounts * weight


def weight_of(limit: Limit, portfolio: Portfolio, by_rule: ByRule | None = None) -> Floats | None:
    """(n,) what multiplies each borrower's basis in the limit's rows; None: 1.

    What a rule gives (n,) is computed once for all limits that are asked for with the same `by_rule`.
    """
    if limit.by is not None:  # its cuts are its rows
        return np.zeros(len(portfolio))
    portfolio = as_counted(limit, portfolio)
    weight = None if limit.weight is None else portfolio.number(limit.weight)
    if limit.plugin is not None:
        brought = weights_of(limit.plugin, portfolio)
        return weight if brought is None else times(brought, weight)
    if limit.rule is not None:
        known = {} if by_rule is None else by_rule
        by = limit.rule, limit.stress
        if by not in known:
            known[by] = ruled_weights(limit.rule, portfolio)
        return times(known[by], weight)
    own = COUNTED[limit.measure].weight
    return weight if own is None else times(np.asarray(own(portfolio.number), dtype=np.float64), weight)


def ruled_weights(rule: Rule | Changes, portfolio: Portfolio) -> Floats:
    """(n,) what a unit counts by a rule of the policy; of money moved 1 where an offer is the former one or
    more, -1 where it is that or less."""
    if not isinstance(rule, Changes):
        return weights_by(rule, portfolio)
    then, pinned = portfolio.number(FORMER_AMOUNT), ~np.isnan(portfolio.fixed_amount)
    more = np.full(len(portfolio), rule.amounts == "no_cut")
    more[pinned] = portfolio.fixed_amount[pinned] >= then[pinned]
    return np.where(more | (then <= 0.0), 1.0, -1.0)


def counted_by(limit: Limit) -> CountedMeasure:
    """What the limit's measure adds up; the weights of another package's are `weights_of` it."""
    brought = None if limit.plugin is None else limit.plugin.thing
    return CountedMeasure(brought.basis, brought.counts_exposure) if brought else COUNTED[limit.measure]


def amounts_of(limit: Limit, policy: Policy, portfolio: Portfolio, codes: Codes, rows: int) -> Floats:
    """(rows,) what a bound of 1 is: of a share of the former run the double nearest to what its offers, made
    again, would add up to over the row."""
    if limit.of != FORMER:
        return np.full(rows, policy.amount_of(limit))
    portfolio = as_counted(limit, portfolio)
    offered = portfolio.number(FORMER_AMOUNT)
    again: Floats = np.where(offered > 0, 1.0, 0.0) if limit.measure in BY_NUMBER else offered
    if counted_by(limit).exposed:
        again = again + portfolio.exposure
    again = times(again, None if limit.weight is None else portfolio.number(limit.weight))
    members: list[list[float]] = [[] for _ in range(rows + 1)]
    for code, amount in zip(codes.tolist(), again.tolist(), strict=True):
        members[code].append(amount)
    return np.array([fsum(own) for own in members[:rows]])
