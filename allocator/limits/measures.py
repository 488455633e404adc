"""What each measure of a limit adds up (docs/formulation.md, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from allocator.limits.missing import check_values
from allocator.records.columns import VALUE
from allocator.records.cuts import HHI
from allocator.records.former import FORMER_AMOUNT, MONEY_MOVED, Changes
from allocator.records.limits import BASES
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.risk import CapitalRule, TailRule
from allocator.records.scenario import Limit, Measure, Policy
from allocator.records.weights import weights_of


@dataclass(frozen=True)
class MeasureTerms:
    """A measure adds up `weight` times the basis; money already lent adds `weight` times the exposure."""

    basis: str
    """One of records.limits.BASES."""
    weight: Floats | None = None
    """(n,) None: 1."""
    counts_exposure: bool = False
    """Whether what is already lent uses this measure too, as fully drawn."""
    outset: Floats | None = None
    """(n,) what counts, times the weight, before any offer is made where that is not exposure."""
    further: tuple[tuple[str, Floats], ...] = ()
    """Other bases that it adds up besides, with their weights (n,)."""

    def __post_init__(self) -> None:
        if self.basis not in BASES:
            raise ValueError(f"no basis {self.basis!r}")


def _offered(portfolio: Portfolio) -> MeasureTerms:
    """Money offered, x."""
    return MeasureTerms("offered", counts_exposure=True)


def _drawn(portfolio: Portfolio) -> MeasureTerms:
    """Money expected to be drawn, a x."""
    return MeasureTerms("drawn", counts_exposure=True)


def _interest(portfolio: Portfolio) -> MeasureTerms:
    """Expected interest a r T (1 - p) x, as the output column has it."""
    return MeasureTerms("interest", 1.0 - portfolio.pd)


def _gross_interest(portfolio: Portfolio) -> MeasureTerms:
    """Contractual interest a r T x."""
    return MeasureTerms("interest")


def _expected_loss(portfolio: Portfolio) -> MeasureTerms:
    """a p L x, on what is drawn and on what is already lent."""
    return MeasureTerms("drawn", portfolio.pd * portfolio.lgd, counts_exposure=True)


def _capital(limit: Limit, portfolio: Portfolio) -> MeasureTerms:
    """K a x, on what is drawn and on what is already lent."""
    from allocator.risk.capital import capital_of

    rule = limit.rule if isinstance(limit.rule, CapitalRule) else CapitalRule()
    return MeasureTerms("drawn", capital_of(rule, portfolio), counts_exposure=True)


def with_requirements(policy: Policy, portfolio: Portfolio) -> Portfolio:
    """The borrowers with K of their own, where capital has a cost.

    Raises InputError where what it follows from is missing.
    """
    rule = policy.capital
    if rule.cost is None:
        return portfolio
    from allocator.risk.capital import capital_of

    check_values([Limit("", "capital", "at_most", inf, rule=rule)], portfolio)
    return replace(portfolio, requirement=capital_of(rule, portfolio))


def _tail_loss(limit: Limit, portfolio: Portfolio) -> MeasureTerms:
    """Its mean loss in the worst years, on what is drawn and on what is already lent."""
    from allocator.risk.tail import tail_loss_of

    rule = limit.rule if isinstance(limit.rule, TailRule) else TailRule()
    return MeasureTerms("drawn", tail_loss_of(rule, portfolio), counts_exposure=True)


def _clients_changed(portfolio: Portfolio) -> MeasureTerms:
    """Borrowers who get an offer and got none formerly, or got one and get none: s (1 - z) + (1 - s) z."""
    served = np.where(portfolio.number(FORMER_AMOUNT) > 0, 1.0, 0.0)
    return MeasureTerms("loans", 1.0 - 2.0 * served, outset=-served)


def _money_moved(limit: Limit, portfolio: Portfolio) -> MeasureTerms:
    """|x - f|: f before any offer, and x - 2 f more by one of f or more, -x by one of f or less."""
    then, own = portfolio.number(FORMER_AMOUNT), portfolio.fixed_amount
    changes = limit.rule if isinstance(limit.rule, Changes) else Changes()
    rises = np.where(np.isnan(own), changes.amounts == "no_cut", own >= then) | (then == 0.0)
    side, back = np.where(rises, 1.0, -1.0), np.where(rises, -2.0 * then, 0.0)
    return MeasureTerms("offered", side, outset=then * side, further=(("loans", back),))


def _loans(portfolio: Portfolio) -> MeasureTerms:
    """The number of offers made."""
    return MeasureTerms("loans")


def _value(policy: Policy, portfolio: Portfolio) -> MeasureTerms:
    """m x + F, what an offer is worth against none (docs/formulation.md, section 1), sorted by basis."""
    churn, relationship = policy.churn_cost_rate, portfolio.relationship_value
    cost = portfolio.pd * portfolio.lgd + policy.funding_rate * portfolio.term
    if policy.capital.cost is not None:
        cost = cost + policy.capital.cost * portfolio.tied_up * portfolio.term
    further = {
        "drawn": churn - cost,
        "offered": np.full(len(portfolio), -churn),
        "booked": relationship - policy.processing_cost,
        "loans": (policy.decline_churn - 1.0) * relationship,
    }
    own = tuple((basis, weight) for basis, weight in further.items() if np.any(weight))
    return MeasureTerms("interest", 1.0 - portfolio.pd, further=own)


MEASURES: Mapping[Measure, Callable[[Portfolio], MeasureTerms]] = {
    "offered": _offered,
    "drawn": _drawn,
    "interest": _interest,
    "gross_interest": _gross_interest,
    "expected_loss": _expected_loss,
    "clients_changed": _clients_changed,
    "loans": _loans,
}

RULED: Mapping[Measure, Callable[[Limit, Portfolio], MeasureTerms]] = {
    "capital": _capital,
    "tail_loss": _tail_loss,
    "money_moved": _money_moved,
}
"""Measures whose weights follow from a rule that the policy states."""

OF_PARTS = (MONEY_MOVED, VALUE)
"""Measures of more than one part, of which a loan may use less than nothing."""


def measured(limit: Limit, portfolio: Portfolio, policy: Policy) -> MeasureTerms:
    """What the limit's measure adds up. Raises InputError where another package's has no such weights."""
    if limit.measure == VALUE:
        return _value(policy, portfolio if limit.stress is None else with_requirements(policy, portfolio))
    if limit.by is not None:  # its cuts are its rows
        zeros = np.zeros(len(portfolio))
        basis = "offered" if limit.measure in (HHI, "offered") else "drawn"
        return MeasureTerms(basis, zeros, limit.measure != HHI)
    if limit.measure in RULED:
        return RULED[limit.measure](limit, portfolio)
    if limit.plugin is None:
        return MEASURES[limit.measure](portfolio)
    brought = limit.plugin.thing
    return MeasureTerms(brought.basis, weights_of(limit.plugin, portfolio), brought.counts_exposure)
