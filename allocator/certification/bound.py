"""U(lambda): an upper bound on the value of any allocation, from prices alone (formulation.md, section 4).

For any prices of the right signs
    U = b'lambda + sum_i max(0, max_k max(V_ik(l_i), V_ik(u_i))) + B max(0, idle - lambda_budget)
because an allocation that meets the limits loses nothing when they are priced instead of enforced,
and no borrower can do better than its best reduced value. One pass, no solver.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocator.certification.economics import Margin, columns_of, magnitudes
from allocator.certification.limits import Block, Charges, Sizes, charges_of
from allocator.certification.rounding import HUGE, UNIT, Rounded, depth, unwarned
from allocator.certification.terms import SAME_RATE, Tariff, Terms
from allocator.records.portfolio import Booleans, Floats, Integers, Portfolio
from allocator.records.scenario import Policy

RateColumn = float | Floats
"""One rate (or take-up) for all, or one per borrower."""

_OFFER = 26
"""Operations on the longest path to the value of an offer at its prices, those of a charge aside; 6 of them
are those of a take-up, whose magnitude is 1."""
_CHUNK = 8_192
"""Borrowers at a time, in a fixed order: the same bits whatever the machine."""


def upper_bound(
    portfolio: Portfolio,
    policy: Policy,
    terms: Terms,
    blocks: tuple[Block, ...],
    prices: Mapping[str, float],
) -> float:
    """U at `prices`, one per row name, rounded outwards, with no decisions to judge.

    Prices of a forbidden sign count as 0. inf where the prices are so large that nothing is known.
    """
    charges = charges_of(blocks, prices)
    best = best_sum(portfolio, policy, terms, charges, Magnitudes.of(portfolio, policy, terms))
    return whole_bound(policy, charges, best, prices).above


def whole_bound(policy: Policy, charges: Charges, best: Rounded, prices: Mapping[str, float]) -> Rounded:
    """U, of what everybody's best responses add up to."""
    constant = Rounded(charges.constant, error_of(charges.constant_operations, charges.constant_size))
    return Rounded.sum_of([constant, best, _idle(policy, prices["budget"])])


def _idle(policy: Policy, price: float) -> Rounded:
    unspent = policy.unspent(0.0)
    value = unspent * max(0.0, policy.idle_rate - max(price, 0.0))
    # As many operations as a checker may count for any part of the constant (docs/certificate.md, section 7).
    operations = 24 + 2 * (len(policy.limits) + 1)
    return Rounded(value, operations * UNIT * unspent * (abs(policy.idle_rate) + abs(price)))


def idle_worth(policy: Policy, prices: Mapping[str, float]) -> float:
    """What the budget left idle is worth beyond its price, at most: B max(0, idle - lambda_budget)."""
    return _idle(policy, prices["budget"]).value


@dataclass(frozen=True)
class OfferMagnitudes:
    """Magnitudes that an offer's value is the sum of, before anything cancels; arrays of shape (n,)."""

    gross: Floats
    """Of interest, a unit offered, at the highest rate there is."""
    per_unit: Floats
    """A unit offered, `gross` included, at a take-up of 1."""
    fixed: Floats
    """Whatever the amount."""

    def take(self, rows: Integers) -> OfferMagnitudes:
        """Those of the borrowers at `rows`."""
        return OfferMagnitudes(self.gross[rows], self.per_unit[rows], self.fixed[rows])

    def errors(self, amount: Floats) -> Floats:
        """(n,) what the value of an offer of `amount` may be wrong by, limits aside."""
        return np.asarray(error_of(_OFFER, amount * self.per_unit + self.fixed))

    def charged(self, amount: Floats, charges: Mapping[str, Sizes], operations: int) -> Floats:
        """(n,) what the reduced value of an offer of up to `amount` may be wrong by.

        `charges` are the magnitudes of what each basis is charged, after `operations`.
        """
        per_unit = self.per_unit + charges["offered"] + charges["drawn"] + self.gross * charges["interest"]
        size = amount * per_unit + self.fixed + charges["loans"] + charges["booked"]
        return np.asarray(error_of(_OFFER + operations, size))


@dataclass(frozen=True)
class Magnitudes:
    """What the sizes of n borrowers' offers are computed from, where they are needed."""

    columns: Sequence[Floats]
    policy: Policy
    top: float
    """The highest rate there is, whatever its sign."""

    @classmethod
    def of(
        cls, portfolio: Portfolio, policy: Policy, terms: Terms, decided: Floats | None = None
    ) -> Magnitudes:
        """Of the rates that may be offered, and of those `decided` (n,)."""
        rates = [portfolio.fixed_rate, portfolio.rate, np.zeros(0) if decided is None else decided]
        top = max(terms.highest, *(float(np.fmax.reduce(np.abs(some), initial=0.0)) for some in rates))
        return cls(columns_of(portfolio, policy), policy, top)

    def take(self, rows: Integers | slice) -> OfferMagnitudes:
        """Of the borrowers at `rows`."""
        return OfferMagnitudes(*magnitudes([column[rows] for column in self.columns], self.policy, self.top))

    def largest(self) -> OfferMagnitudes:
        """(1,) No offer's is larger."""
        columns = [np.array([np.max(np.abs(column), initial=0.0)]) for column in self.columns]
        return OfferMagnitudes(*magnitudes(columns, self.policy, self.top))


def error_of(operations: int, size: Any) -> Any:
    """What a sum of magnitudes `size` may be wrong by; the error is itself computed in doubles."""
    return operations * 1.001 * UNIT * size


@unwarned
def best_sum(
    portfolio: Portfolio, policy: Policy, terms: Terms, charges: Charges, magnitudes: Magnitudes
) -> Rounded:
    """The sum of everybody's best reduced value.

    Whoever is declined for certain adds nothing, and nothing to the error: where no offer's error could
    change that, it is not computed.
    """
    best = reduced_values(portfolio, policy, terms, charges)
    may_decline = ~(terms.lendable & terms.pinned)
    most = np.full(1, np.max(terms.high, initial=0.0))
    limit = magnitudes.largest().charged(most, charges.largest(), charges.operations)
    near = np.flatnonzero(~(may_decline & (best < -limit) & (limit <= HUGE)))
    sizes = magnitudes.take(near).charged(terms.high[near], charges.sizes(near), charges.operations)
    errors = np.where(terms.lendable[near], sizes, 0.0)
    return sum_of_best(best[near], errors, may_decline[near])


def sum_of_best(best: Floats, errors: Floats, may_decline: Booleans) -> Rounded:
    """The sum of each borrower's `best` offer (n,), wrong by `errors` (n,), or 0 where one `may_decline`.

    Whoever is declined for certain adds nothing to the error.
    """
    worth = np.where(may_decline, np.maximum(best, 0.0), best)
    declined = may_decline & (best < -errors) & (errors <= HUGE)
    summed = depth(len(worth)) * UNIT * float(np.sum(np.abs(worth)))
    return Rounded(float(np.sum(worth)), float(np.sum(np.where(declined, 0.0, errors))) + summed)


def best_reduced_values(portfolio: Portfolio, policy: Policy, terms: Terms, charges: Charges) -> Floats:
    """(n,) each borrower's best reduced value: at least 0 unless the offer is pinned."""
    best = reduced_values(portfolio, policy, terms, charges)
    return np.where(terms.lendable & terms.pinned, best, np.maximum(best, 0.0))


@unwarned
def reduced_values(portfolio: Portfolio, policy: Policy, terms: Terms, charges: Charges) -> Floats:
    """(n,) the reduced value of each borrower's best offer, declining apart; -inf where there is no offer.

    What a loss comes to is not exact where the borrower may be declined.
    """
    charged = ChargedOffers(Margin.of(portfolio, policy, charges.per_basis), terms.low, terms.high)
    best = np.full(len(portfolio), -np.inf)
    for grade, own, tariff in terms.of_grades(portfolio):
        member = own & terms.lendable
        free = np.flatnonzero(member & ~terms.single)
        for start in range(0, len(free) if len(tariff.rates) else 0, _CHUNK):
            i = free[start : start + _CHUNK]
            ends = portfolio.min_rate[i], portfolio.max_rate[i]
            best[i] = charged.best(i, open_to(*ends, tariff), may_decline=True)
        for may_decline in (False, True):
            i = np.flatnonzero(member & terms.single & (terms.pinned ^ may_decline))
            if len(i):
                rate = terms.rate[i]
                menu = [(rate, 1.0 - np.interp(rate, terms.table_rates, terms.curve[grade]))]
                best[i] = charged.best(i, menu, may_decline=may_decline)
    return best


@dataclass(frozen=True)
class ChargedOffers:
    """Offers of `low` to `high` with the limits priced; shapes (n,)."""

    worth: Margin[Floats]
    low: Floats
    high: Floats

    def best(
        self, i: Integers, menu: Iterable[tuple[RateColumn, RateColumn]], *, may_decline: bool
    ) -> Floats:
        """The best of both ends over the rates and take-ups of `menu`, for borrowers `i`.

        An offer's value is w x + F: where F <= 0 the lower end is above the upper one only if w < 0, and
        then below 0; so whoever is `refusable` has no use for it.
        """
        low, high = self.low[i], self.high[i]
        rates = list(menu)
        top = self._at(i, high, rates)
        settled = may_decline and np.all(np.maximum(self.worth.booked[i], 0.0) + self.worth.fixed[i] <= 0.0)
        return top if settled or np.all(low == high) else np.maximum(top, self._at(i, low, rates))

    def _at(self, i: Integers, amount: Floats, menu: list[tuple[RateColumn, RateColumn]]) -> Floats:
        worth = self.worth
        gross = worth.gross[i] * amount
        drawn = worth.drawn[i] * amount + worth.booked[i]
        top, value = np.full(len(i), -np.inf), np.empty(len(i))
        for rate, take_up in menu:
            np.multiply(gross, rate, out=value)
            value += drawn
            value *= take_up
            np.fmax(top, value, out=top)
        return top + (worth.offered[i] * amount + worth.fixed[i])


def open_to(least: Floats, most: Floats, tariff: Tariff) -> list[tuple[RateColumn, RateColumn]]:
    """The tariff's rates and take-ups; a rate outside a borrower's ends is NaN, which no maximum takes."""
    plain = list(zip(tariff.rates.tolist(), tariff.take_up.tolist(), strict=True))
    if np.all(np.isnan(least)) and np.all(np.isnan(most)):
        return plain
    low, high = np.nan_to_num(least, nan=-np.inf), np.nan_to_num(most, nan=np.inf)
    return [
        (np.where((rate + SAME_RATE >= low) & (rate - SAME_RATE <= high), rate, np.nan), take_up)
        for rate, take_up in plain
    ]
