"""U(lambda): an upper bound on the value of any allocation, from prices alone (formulation.md, section 4).

For any prices of the right signs
    U = b'lambda + sum_i max(0, max_k max(V_ik(l_i), V_ik(u_i))) + B max(0, idle - lambda_budget)
because an allocation that meets the limits loses nothing when they are priced instead of enforced,
and no borrower can do better than its best reduced value. One pass, no solver.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from allocator.certification.limits import Block, Charges, charges_of
from allocator.certification.terms import SAME_RATE, Tariff, Terms
from allocator.records.portfolio import Floats, Integers, Portfolio
from allocator.records.scenario import Policy

RateColumn = float | Floats
"""One rate (or take-up) for all, or one a borrower."""

_CHUNK = 8_192
"""Borrowers at a time, in a fixed order: the same bits whatever the machine."""


def upper_bound(
    portfolio: Portfolio,
    policy: Policy,
    terms: Terms,
    blocks: tuple[Block, ...],
    prices: Mapping[str, float],
) -> float:
    """U at `prices`, one a row name, with no decisions to judge. Prices of a forbidden sign count as 0."""
    charges = charges_of(blocks, prices)
    best = best_reduced_values(portfolio, policy, terms, charges)
    return charges.constant + float(np.sum(best)) + idle_worth(policy, prices)


def idle_worth(policy: Policy, prices: Mapping[str, float]) -> float:
    """What the budget left idle is worth beyond its price, at most: B max(0, idle - lambda_budget)."""
    unspent = policy.budget.amount if policy.budget.spend == "at_most" else 0.0
    return unspent * max(0.0, policy.idle_rate - max(prices["budget"], 0.0))


def best_reduced_values(portfolio: Portfolio, policy: Policy, terms: Terms, charges: Charges) -> Floats:
    """(n,) each borrower's best reduced value: at least 0 unless the offer is pinned."""
    best = reduced_values(portfolio, policy, terms, charges)
    return np.where(terms.lendable & terms.pinned, best, np.maximum(best, 0.0))


def reduced_values(portfolio: Portfolio, policy: Policy, terms: Terms, charges: Charges) -> Floats:
    """(n,) the reduced value of each borrower's best offer, refusal apart; -inf where there is no offer.

    What a loss comes to is not exact where the offer may be refused.
    """
    charged = _Charged.of(portfolio, policy, terms, charges.per_basis)
    best = np.full(len(portfolio), -np.inf)
    for grade, tariff in terms.tariffs.items():
        member = (portfolio.grade.codes == portfolio.grade.code_of(grade)) & terms.lendable
        free = np.flatnonzero(member & ~terms.pinned)
        for start in range(0, len(free) if len(tariff.rates) else 0, _CHUNK):
            i = free[start : start + _CHUNK]
            best[i] = charged.best(i, _open_to(portfolio.min_rate[i], tariff), refusable=True)
        i = np.flatnonzero(member & terms.pinned)
        if len(i):
            rate = portfolio.fixed_rate[i]
            menu = [(rate, 1.0 - np.interp(rate, terms.table_rates, terms.curve[grade]))]
            best[i] = charged.best(i, menu, refusable=False)
    return best


@dataclass(frozen=True)
class _Charged:
    """Offers with the limits priced: worth of x at rate r and take-up a, in columns of shape (n,).

    a (r gross + drawn) x + a booked + offered x + fixed, which is section 1 of formulation.md less
    what the limits charge, sorted by what it depends on.
    """

    gross: Floats
    drawn: Floats
    offered: Floats
    booked: Floats
    fixed: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, portfolio: Portfolio, policy: Policy, terms: Terms, charges: dict[str, Floats]) -> _Charged:
        pd, term = portfolio.pd, portfolio.term
        return cls(
            gross=term * (1.0 - pd - charges["interest"]),
            drawn=policy.churn_cost_rate - pd * portfolio.lgd - policy.funding_rate * term - charges["drawn"],
            offered=-policy.churn_cost_rate - charges["offered"],
            booked=portfolio.relationship_value - policy.processing_cost,
            fixed=(policy.decline_churn - 1.0) * portfolio.relationship_value - charges["loans"],
            low=terms.low,
            high=terms.high,
        )

    def best(self, i: Integers, menu: Iterable[tuple[RateColumn, RateColumn]], *, refusable: bool) -> Floats:
        """The best of both ends over the rates and take-ups of `menu`, for borrowers `i`.

        An offer's value is w x + F: where F <= 0 the lower end is above the upper one only if w < 0, and
        then below 0; so whoever is `refusable` has no use for it.
        """
        low, high = self.low[i], self.high[i]
        rates = list(menu)
        top = self._at(i, high, rates)
        settled = refusable and np.all(np.maximum(self.booked[i], 0.0) + self.fixed[i] <= 0.0)
        return top if settled or np.all(low == high) else np.maximum(top, self._at(i, low, rates))

    def _at(self, i: Integers, amount: Floats, menu: list[tuple[RateColumn, RateColumn]]) -> Floats:
        gross = self.gross[i] * amount
        drawn = self.drawn[i] * amount + self.booked[i]
        top, value = np.full(len(i), -np.inf), np.empty(len(i))
        for rate, take_up in menu:
            np.multiply(gross, rate, out=value)
            value += drawn
            value *= take_up
            np.fmax(top, value, out=top)
        return top + (self.offered[i] * amount + self.fixed[i])


def _open_to(least: Floats, tariff: Tariff) -> list[tuple[RateColumn, RateColumn]]:
    """The tariff's rates and take-ups; a rate below a borrower's minimum is NaN, which no maximum takes."""
    plain = list(zip(tariff.rates.tolist(), tariff.take_up.tolist(), strict=True))
    if np.all(np.isnan(least)):
        return plain
    wanted = np.nan_to_num(least, nan=0.0)
    return [(np.where(rate + SAME_RATE >= wanted, rate, np.nan), take_up) for rate, take_up in plain]
