"""What rules are worth and use: sums over whoever has the same rule, the same menu and the same limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.insight.distil.rules import shared_amounts, takers
from allocator.records.portfolio import Floats, Integers


@dataclass(frozen=True)
class NodeTotals:
    """Value (S, R) and use (S, R, m) of one leaf at S shares and R rates, pinned offers left out."""

    value: Floats
    use: Floats


def totals_of(columns: Columns, members: Integers, shares: Sequence[float], rates: Floats) -> NodeTotals:
    """The leaf of `members`, free borrowers who can be offered something, at every share and rate."""
    value = np.zeros((len(shares), len(rates)))
    use = np.zeros((len(shares), len(rates), len(columns.limits)))
    offers, limits = columns.offers, columns.limits
    holding = np.array([takers(offers, float(rate)) for rate in rates]).reshape(len(rates), -1)
    for number, menu in enumerate(offers.menus):
        own = members[offers.menu[members] == number]
        offered = np.flatnonzero(holding[:, number])
        if not len(own) or not len(offered):
            continue
        takes = [float(menu.take_up[np.argmin(np.abs(menu.rates - rate))]) for rate in rates[offered]]
        terms = list(zip(rates[offered].tolist(), takes, strict=True))
        for s, share in enumerate(shares):
            part = _parts(columns, own, share)
            value[s, offered] += [part.value(rate, take, columns) for rate, take in terms]
            if limits.channels:
                use[s, offered] += limits.uses_of(part.channels * _factors(columns, terms))
    return NodeTotals(value, use)


def _factors(columns: Columns, terms: Sequence[tuple[float, float]]) -> Floats:
    """(terms, 1, channels) what a unit of each channel counts at each rate and take-up."""
    by_basis = np.array([(1.0, take, take * rate, 1.0, take) for rate, take in terms])
    return by_basis[:, None, [channel.basis for channel in columns.limits.channels]]


@dataclass(frozen=True)
class _Parts:
    """Sums over borrowers of one menu, from which any rate's value and use follow."""

    offered: float
    income: float
    cost: float
    loans: int
    relationship: float
    channels: Floats
    """(cells, channels) basis x weight, before take-up and rate."""

    def value(self, rate: float, take: float, columns: Columns) -> float:
        """formulation.md, section 1."""
        offers = columns.offers
        money = take * (rate * self.income - self.cost) - (1.0 - take) * offers.churn_cost * self.offered
        relationship = (offers.decline_churn - 1.0 + take) * self.relationship
        return money + relationship - take * offers.processing_cost * self.loans


def _parts(columns: Columns, own: Integers, share: float) -> _Parts:
    offers, limits = columns.offers, columns.limits
    amount = shared_amounts(offers, own, share)
    each = np.ones(len(own))
    bases = (amount, amount, amount * offers.term[own], each, each)
    sums = np.zeros((limits.cells, len(limits.channels)))
    for h, channel in enumerate(limits.channels):
        used = bases[channel.basis]
        used = used if channel.weight is None else used * channel.weight[own]
        sums[:, h] = np.bincount(limits.cell[own], used, minlength=limits.cells)
    return _Parts(
        offered=float(np.sum(amount)),
        income=float(np.sum(amount * offers.income[own])),
        cost=float(np.sum(amount * offers.cost[own])),
        loans=len(own),
        relationship=float(np.sum(offers.relationship[own])),
        channels=sums,
    )
