"""Offers and limits in rational numbers: what the formulas say of the inputs' own binary64 numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf, lcm

import numpy as np

from allocator.certification.curves import isotonic
from allocator.certification.economics import Margin
from allocator.certification.limits import Block, as_valued
from allocator.certification.measures import COUNTED, counted_by, outset_of, ruled_weights
from allocator.certification.rounding import Rounded
from allocator.certification.terms import Terms
from allocator.records.columns import VALUE
from allocator.records.curves import Response
from allocator.records.portfolio import ChurnTable, Floats, Portfolio
from allocator.records.scenario import Limit, Policy
from allocator.records.weights import weights_of

ONE = Fraction(1)


@dataclass(frozen=True)
class ExactBound(Rounded):
    """A bound that nothing was rounded for: how far a stated one lies above it is not asked."""

    @classmethod
    def of(cls, number: Fraction) -> ExactBound:
        return cls(nearest(number), 0.0)

    @property
    def highest(self) -> float:
        return inf

    def reproduces(self, stated: float) -> bool:
        return True


def nearest(number: Fraction) -> float:
    """The binary64 number next to `number`; an infinite one beyond the largest."""
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


def fractions(numbers: Floats) -> list[Fraction]:
    """Each number exactly."""
    return [Fraction(number) for number in numbers.tolist()]


@dataclass(frozen=True)
class Curve:
    """A grade's churn at the table's rates, smoothed."""

    rates: Sequence[Fraction]
    churn: Sequence[Fraction]

    def take_up(self, rate: float) -> Fraction:
        """1 less the churn at `rate`, on the line between its neighbours; at either end the end's own."""
        place, exact = bisect_right(self.rates, rate), Fraction(rate)
        if place in (0, len(self.rates)):
            return 1 - self.churn[max(place - 1, 0)]
        (x0, x1), (y0, y1) = self.rates[place - 1 : place + 1], self.churn[place - 1 : place + 1]
        return 1 - (y0 + (y1 - y0) * (exact - x0) / (x1 - x0))


def curves_of(table: ChurnTable, response: Response) -> dict[str, Curve]:
    """The curve of every grade."""
    rates = fractions(table.rates)
    smooth = isotonic if response.smoothing == "isotonic" else lambda churn: [Fraction(c) for c in churn]
    return {grade: Curve(rates, smooth(churn.tolist())) for grade, churn in table.churn.items()}


@dataclass(frozen=True)
class Menu:
    """Rates r_k = rates[k] / 2^bits and take-ups accepts[k] / per, as whole numbers."""

    rates: tuple[int, ...]
    bits: int
    accepts: tuple[int, ...]
    per: int

    @classmethod
    def of(cls, curve: Curve, rates: Sequence[float]) -> Menu:
        exact, take_up = [Fraction(rate) for rate in rates], [curve.take_up(rate) for rate in rates]
        bits = max((rate.denominator.bit_length() - 1 for rate in exact), default=0)
        per = lcm(*(share.denominator for share in take_up))
        return cls(
            tuple(int(rate * 2**bits) for rate in exact), bits, tuple(int(a * per) for a in take_up), per
        )

    def values(self, gross: Fraction, drawn: Fraction, rest: Fraction) -> list[Fraction]:
        """a_k (r_k gross + drawn) + rest of every rate; the three have powers of 2 below."""
        below = max(number.denominator for number in (gross, drawn, rest))
        g, d, r = (number.numerator * (below // number.denominator) for number in (gross, drawn, rest))
        d, r = d << self.bits, (r * self.per) << self.bits
        whole = (self.per * below) << self.bits
        pairs = zip(self.rates, self.accepts, strict=True)
        return [Fraction(accept * (rate * g + d) + r, whole) for rate, accept in pairs]


@dataclass(frozen=True)
class ExactBlock:
    """A block of rows with its weights and right-hand side as they are before any rounding."""

    block: Block
    limit: Limit | None
    """None: the budget."""
    portfolio: Portfolio
    policy: Policy

    def weight(self, i: int) -> Fraction:
        """What multiplies borrower i's basis."""
        limit, portfolio, own = self.limit, self.portfolio, self._column(i)
        if limit is None:
            return own
        if limit.by is not None:  # its cuts are its rows
            return Fraction(0)

        def of(column: str) -> Fraction:
            return Fraction(float(portfolio.number(column)[i]))

        if limit.plugin is not None or limit.rule is not None:
            return own if self.brought is None else own * Fraction(float(self.brought[i]))
        weight = COUNTED[limit.measure].weight
        return own if weight is None else own * weight(of)

    def _column(self, i: int) -> Fraction:
        """Borrower i's figure in the limit's own column of weights."""
        named = None if self.limit is None else self.limit.weight
        return ONE if named is None else Fraction(float(self.portfolio.number(named)[i]))

    @cached_property
    def brought(self) -> Floats | None:
        """(n,) the weights of a measure that another package brings, or that a rule says; None: 1."""
        if self.limit is not None and self.limit.rule is not None:
            return ruled_weights(self.limit.rule, self.portfolio)
        plugin = None if self.limit is None else self.limit.plugin
        return None if plugin is None else weights_of(plugin, self.portfolio)

    @cached_property
    def weighed(self) -> bool:
        """Whether some weight is not 1."""
        return self.limit is not None and self.block.weight is not None

    @cached_property
    def weights(self) -> list[Fraction] | None:
        """One a borrower; None: 1."""
        return [self.weight(i) for i in range(len(self.portfolio))] if self.weighed else None

    @cached_property
    def lent(self) -> list[Fraction]:
        """What existing exposure, or who was served formerly, uses of each row."""
        sums = [Fraction(0)] * len(self.block.names)
        if self.block.former is not None:
            for code, money in zip(self.block.codes.tolist(), self.block.former.tolist(), strict=True):
                sums[code] += Fraction(money) if code >= 0 else 0
            return sums
        outset = None if self.limit is None else outset_of(counted_by(self.limit), self.portfolio)
        if outset is not None and np.any(self.block.lent_size):
            for i in np.flatnonzero(outset * (self.block.codes >= 0)).tolist():
                own = Fraction(float(outset[i]))
                sums[int(self.block.codes[i])] += own * (ONE if self.weights is None else self.weights[i])
        return sums

    def fixed(self, row: int) -> Fraction:
        """The right-hand side without what new offers add to a reference."""
        if self.limit is None:
            return Fraction(self.policy.budget.amount)
        if self.block.reference:
            counts = bool(self.block.reference_lent)
            exposure = self.block.referred(self.portfolio.exposure)
            lent = sum(fractions(exposure), Fraction(0)) if counts else Fraction(0)
            return Fraction(self.limit.bound) * lent
        return Fraction(self.limit.bound) * Fraction(float(self.block.amounts[row]))

    @cached_property
    def further(self) -> list[dict[str, Fraction]]:
        """One a borrower: what multiplies other bases than the block's own."""
        if self.limit is not None and self.limit.measure == VALUE:
            return [self._further_value(i) for i in range(len(self.portfolio))]
        loans = [part.weight for part in self.block.further if part.weight is not None]  # of money moved
        return [{"loans": Fraction(float(own[i]))} for own in loans for i in range(len(own))]

    def _further_value(self, i: int) -> dict[str, Fraction]:
        own, column = Margin.exactly(self.portfolio, self.policy, i), self._column(i)
        bases = {"drawn": own.drawn, "offered": own.offered, "booked": own.booked, "loans": own.fixed}
        return {basis: column * weight for basis, weight in bases.items()}

    def used_by(self, made: MadeOffer) -> Fraction:
        """What an offer uses of its row, a reference aside."""
        if self.block.former is not None:
            then = Fraction(float(self.block.former[made.borrower]))
            return abs(made.amount - then) - then
        used = self.weight(made.borrower) * made.basis(self.block.basis, self.portfolio)
        further = self.further[made.borrower] if self.block.further else {}
        return used + sum(weight * made.basis(basis, self.portfolio) for basis, weight in further.items())

    def refers_to(self, i: int) -> bool:
        """Whether borrower i's offer adds to what the block is a share of."""
        base = self.block.base
        return bool(self.block.reference) and (base is None or bool(base[i]))

    def room(self, row: int) -> Fraction:
        """The right-hand side with every reference on the left."""
        return self.fixed(row) - self.lent[row]


def blocks_in_rationals(blocks: tuple[Block, ...], portfolio: Portfolio, policy: Policy) -> list[ExactBlock]:
    """The budget and the limits."""
    limits: list[Limit | None] = [None, *policy.limits]
    return [
        ExactBlock(block, limit, portfolio if limit is None else as_valued(limit, policy, portfolio), policy)
        for block, limit in zip(blocks, limits, strict=True)
    ]


@dataclass(frozen=True)
class MadeOffer:
    """One offer made."""

    borrower: int
    amount: Fraction
    rate: Fraction
    take_up: Fraction

    def basis(self, name: str, portfolio: Portfolio) -> Fraction:
        """What it adds to one of the five bases."""
        if name == "loans":
            return ONE
        if name == "booked":
            return self.take_up
        if name == "offered":
            return self.amount
        drawn = self.take_up * self.amount
        return (
            drawn if name == "drawn" else drawn * self.rate * Fraction(float(portfolio.term[self.borrower]))
        )


def offers_made(
    portfolio: Portfolio, terms: Terms, curves: dict[str, Curve], amount: Floats, rate: Floats
) -> Iterator[MadeOffer]:
    """Every offer of `amount` (n,) at `rate` (n,), its take-up that of the tariff's own rate next to it."""
    tariffs = [(who, tariff) for _, who, tariff in terms.of_grades(portfolio)]
    for i in np.flatnonzero(amount > 0).tolist():
        grade, asked = portfolio.grade.values[portfolio.grade.codes[i]], float(rate[i])
        tariff = next((tariff for who, tariff in tariffs if who[i]), None)
        near = asked
        if tariff is not None and len(tariff.rates) and not terms.single[i]:
            near = float(tariff.rates[np.argmin(np.abs(tariff.rates - asked))])
        curve = curves.get(grade)
        take_up = (
            Fraction(0) if curve is None else curve.take_up(near if abs(near - asked) <= 1e-12 else asked)
        )
        yield MadeOffer(i, Fraction(float(amount[i])), Fraction(asked), take_up)


def worth_of(offers: Iterable[MadeOffer], portfolio: Portfolio, policy: Policy) -> Fraction:
    """What `offers` are worth to the lender of these borrowers."""
    worths = ((Margin.exactly(portfolio, policy, made.borrower), made) for made in offers)
    return sum((own.value(made.amount, made.rate, made.take_up) for own, made in worths), Fraction(0))
