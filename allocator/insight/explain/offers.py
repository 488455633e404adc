"""Every offer that one borrower may get, and what each is worth at a run's prices.

The economics and the limits' coefficients are certification's, asked again with one figure changed: each
reduced value is linear in PD, LGD, funding rate, amount, ..., so that two evaluations give the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from allocator.certification.concentration import with_cuts
from allocator.certification.economics import Bases, ledger_of
from allocator.certification.limits import further_of
from allocator.certification.measures import weight_of
from allocator.certification.terms import SAME_RATE
from allocator.insight.explain.position import Position
from allocator.records.ledger import Ledger
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.scenario import Policy, Sense


@dataclass(frozen=True)
class Stake:
    """How one limit counts the borrower's offers: coefficient x basis - share x reference."""

    limit: str
    sense: Sense
    price: float
    basis: str
    coefficient: float
    reference: str
    share: float
    further: tuple[tuple[str, float], ...] = ()
    """Bases that it counts besides, each with its coefficient."""

    def uses(self, bases: Bases) -> Floats:
        """(M,) what each offer uses of the limit."""
        used = self.coefficient * np.asarray(getattr(bases, self.basis), dtype=np.float64)
        for basis, coefficient in self.further:
            used = used + coefficient * getattr(bases, basis)
        if self.reference:
            used = used - self.share * getattr(bases, self.reference)
        return used


@dataclass(frozen=True)
class Offers:
    """M offers to one borrower: each rate at its largest amount, then at its smallest; shapes (M,)."""

    borrower: Portfolio
    """One row."""
    policy: Policy
    amount: Floats
    rate: Floats
    take_up: Floats
    stakes: tuple[Stake, ...]

    def __len__(self) -> int:
        return len(self.amount)

    @cached_property
    def ledger(self) -> Ledger:
        many = self.borrower.take(np.zeros(len(self), dtype=np.int64))
        return ledger_of(many, self.policy, self.amount, self.rate, self.take_up)

    @cached_property
    def bases(self) -> Bases:
        return Bases.of(self.ledger)

    @cached_property
    def charges(self) -> dict[str, Floats]:
        """Limit -> (M,) what it charges each offer; limits without a price are left out."""
        return {stake.limit: stake.price * stake.uses(self.bases) for stake in self.stakes if stake.price}

    @cached_property
    def reduced(self) -> Floats:
        """(M,) value less charges."""
        return np.asarray(self.ledger.value - sum(self.charges.values(), np.zeros(len(self))))

    def at_prices(self, prices: Mapping[str, float]) -> Offers:
        """The same offers at other prices; limits that `prices` does not name keep theirs."""
        stakes = (replace(stake, price=prices.get(stake.limit, stake.price)) for stake in self.stakes)
        return replace(self, stakes=tuple(stakes))


def offers_to(position: Position, i: int) -> Offers:
    """What borrower `i` may be offered, by grade, exclusion and amounts; M may be 0."""
    terms, run = position.terms, position.run
    borrower = run.inputs.portfolio.take(np.array([i]))
    rate, take_up = _tariff(position, i)
    low, high = float(terms.low[i]), float(terms.high[i])
    ends = [] if not terms.lendable[i] or not len(rate) else [high] if low == high else [high, low]
    count = len(rate) if ends else 0
    return Offers(
        borrower=borrower,
        policy=run.scenario.policy,
        amount=np.repeat(np.array(ends), count),
        rate=np.tile(rate[:count], len(ends)),
        take_up=np.tile(take_up[:count], len(ends)),
        stakes=stakes_of(position, i, borrower, position.run.scenario.policy),
    )


def offer_made(position: Position, i: int) -> Offers:
    """The one offer that borrower `i` got."""
    ledger = position.run.ledger
    alone = np.array([i])
    borrower = position.run.inputs.portfolio.take(alone)
    return Offers(
        borrower=borrower,
        policy=position.run.scenario.policy,
        amount=ledger.amount[alone],
        rate=ledger.rate[alone],
        take_up=ledger.take_up[alone],
        stakes=stakes_of(position, i, borrower, position.run.scenario.policy),
    )


def _tariff(position: Position, i: int) -> tuple[Floats, Floats]:
    """Rates and take-ups that the borrower's grade, minimum or pin leaves."""
    terms, portfolio = position.terms, position.run.inputs.portfolio
    grade = portfolio.grade.values[portfolio.grade.codes[i]]
    tariff = next((tariff for _, who, tariff in terms.of_grades(portfolio) if who[i]), None)
    if tariff is None:
        return np.zeros(0), np.zeros(0)
    if terms.single[i]:
        rate = terms.rate[i : i + 1]
        rate = rate[np.isfinite(rate)]
        return rate, 1.0 - np.interp(rate, terms.table_rates, terms.curve[grade])
    least = np.nan_to_num(portfolio.min_rate[i], nan=-np.inf) - SAME_RATE
    most = np.nan_to_num(portfolio.max_rate[i], nan=np.inf) + SAME_RATE
    open_to = (tariff.rates >= least) & (tariff.rates <= most)
    return tariff.rates[open_to], tariff.take_up[open_to]


def stakes_of(position: Position, i: int, borrower: Portfolio, policy: Policy) -> tuple[Stake, ...]:
    """The limits of `policy` that count borrower `i`, whose own figures are those of `borrower`, one row."""
    policy, borrower = with_cuts(policy, borrower)
    stakes = []
    for block, limit in zip(position.blocks, [None, *policy.limits], strict=True):
        weight = None if limit is None else weight_of(limit, borrower)
        own = 1.0 if weight is None else float(weight[0])
        parts = () if limit is None else further_of(limit, policy, borrower, weight)
        further = tuple((part.basis, float(part.weight[0])) for part in parts if part.weight is not None)
        for row, name in enumerate(block.names):
            inside = bool(block.codes[i] == row)
            coefficient = own if inside else 0.0
            price = float(position.prices[name])
            reference = block.reference if block.base is None or block.base[i] else ""
            if not (coefficient or (inside and further)) and not (reference and price):
                continue
            counted = block.basis, coefficient, reference, block.share
            stakes.append(Stake(name, block.sense, price, *counted, further if inside else ()))
    return tuple(stakes)
