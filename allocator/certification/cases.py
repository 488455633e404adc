"""Every offer of every borrower as one table, and the bound that prices prove when some are excluded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from allocator.certification.bands import Grid, grid_of
from allocator.certification.bound import Magnitudes, OfferMagnitudes, error_of, sum_of_best
from allocator.certification.economics import Margin
from allocator.certification.limits import Block, Charges, charges_of
from allocator.certification.lots import Lot
from allocator.certification.members import inside_of
from allocator.certification.rounding import HUGE, UNIT, Rounded
from allocator.certification.terms import SAME_RATE, Terms
from allocator.records.limits import conditional
from allocator.records.portfolio import Booleans, Floats, Integers, Portfolio
from allocator.records.scenario import Policy


@dataclass(frozen=True)
class ChoiceSets:
    """What is left to the nb borrowers of a table: K options each, no offer, and a range of amounts."""

    options: Booleans
    """(nb, K)"""
    no_offer: Booleans
    """(nb,)"""
    low: Floats
    """(nb,)"""
    high: Floats
    """(nb,)"""
    held: frozenset[str] = frozenset()
    """The conditional limits that must hold."""


@dataclass(frozen=True)
class Values:
    """Reduced values at some prices, and the bound that they add up to."""

    bound: Rounded
    empty: bool
    """Whether some borrower has nothing left: then there is no allocation, and any bound holds."""
    option: Floats
    """(nb, K) at the better end; -inf where it is excluded."""
    best: Floats
    """(nb,) the choice of no offer included."""
    errors: Floats
    """(nb,) what any of a borrower's values may be wrong by; inf where nothing is known."""

    def beyond(self, distance: float) -> tuple[Booleans, Booleans]:
        """(nb, K) options and (nb,) declining, where they lose more than `distance` for certain."""
        with np.errstate(invalid="ignore"):
            clear = distance + 2 * self.errors
            return self.best[:, None] - self.option > clear[:, None], self.best > clear


@dataclass(frozen=True)
class Table:
    """Offers to the nb borrowers who may get one; K is the length of the longest tariff."""

    member: Integers
    """(nb,) positions in the portfolio."""
    rate: Floats
    """(nb, K) NaN beyond the end of a borrower's tariff."""
    take_up: Floats
    gross: Floats
    """(nb, K) take-up x rate x term: gross interest per unit offered."""
    margin: Floats
    """(nb, K) worth per unit offered."""
    fixed: Floats
    """(nb, K) worth an offer, whatever the amount."""
    everything: ChoiceSets
    blocks: tuple[Block, ...]
    lots: Mapping[str, float]
    """Row -> what new offers may use of it, rounded to whole lots."""
    sizes: OfferMagnitudes
    """Of shape (nb,)."""
    budget: float
    """What may stay idle at most; 0 where the budget is spent exactly."""
    idle_rate: float
    groups: Mapping[str, Booleans]
    """Conditional limit -> who (nb,) makes it hold by being offered anything."""

    def under(self, held: frozenset[str]) -> Self:
        """The table where of the conditional limits those in `held` must hold, and no others."""
        blocks = tuple(block.under(held) for block in self.blocks)
        return replace(self, blocks=blocks) if self.groups else self

    def values(self, prices: Mapping[str, float], sets: ChoiceSets) -> Values:
        """What `prices` (by row name; 0 where not named) prove inside `sets`.

        Prices of a forbidden sign count as 0.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            table = self.under(sets.held)
            charges = charges_of(table.blocks, prices)
            option = self._options(charges, sets)
            offer = np.max(option, axis=1, initial=-np.inf)
            sizes = charges.sizes(self.member)
            errors = self.sizes.charged(self.everything.high, sizes, charges.operations)
            summed = sum_of_best(offer, errors, sets.no_offer)
            bound = Rounded.sum_of([table._constant(charges, prices), summed, self._idle(prices)])
        empty = bool(np.any(~sets.options.any(axis=1) & ~sets.no_offer))
        best = np.maximum(offer, np.where(sets.no_offer, 0.0, -np.inf))
        return Values(bound, empty, option, best, np.where(errors <= HUGE, errors, np.inf))

    def _options(self, charges: Charges, sets: ChoiceSets) -> Floats:
        """(nb, K) values of the options of `sets` at the better end, -inf for the others."""
        own = {basis: charge[self.member][:, None] for basis, charge in charges.per_basis.items()}
        per_unit = self.margin - own["offered"] - self.take_up * own["drawn"] - self.gross * own["interest"]
        per_loan = self.fixed - own["loans"] - self.take_up * own["booked"]
        ends = np.maximum(per_unit * sets.low[:, None], per_unit * sets.high[:, None]) + per_loan
        return np.where(sets.options, ends, -np.inf)

    def _idle(self, prices: Mapping[str, float]) -> Rounded:
        """What money left idle is worth: beyond the budget's price, as far as new offers may take it up."""
        room = min(self.lots.get("budget", self.budget), self.budget)
        price = max(prices.get("budget", 0.0), 0.0)
        idle = self.idle_rate * (self.budget - room) + room * max(0.0, self.idle_rate - price)
        operations = 24 + 2 * len(self.blocks)
        size = (self.budget + 2 * abs(room)) * (abs(self.idle_rate) + price)
        return Rounded(idle, operations * UNIT * size)

    def _constant(self, charges: Charges, prices: Mapping[str, float]) -> Rounded:
        """b'lambda, where right-hand sides are rounded to whole lots as they are then."""
        moved, size = 0.0, charges.constant_size
        for block in self.blocks if self.lots else ():
            own = block.allowed(prices)
            for row in np.flatnonzero(own).tolist():
                whole, price, room = self.lots.get(block.names[row]), float(own[row]), float(block.room[row])
                if whole is not None:
                    moved += price * (whole - room)
                    right, lent = float(block.constant[row]), float(block.lent[row])
                    size += abs(price) * (abs(whole) + abs(right) + abs(lent))
        operations = charges.constant_operations + len(self.lots) + 4
        return Rounded(charges.constant + moved, error_of(operations, size))


def table_of(
    portfolio: Portfolio,
    policy: Policy,
    terms: Terms,
    blocks: tuple[Block, ...],
    lots: Mapping[str, float],
) -> Table:
    """The table of `portfolio`, with the rows of `lots` rounded as they say (`coarsest_lots` checks that)."""
    member = np.flatnonzero(terms.lendable)
    rate, take_up = _offers(portfolio, terms, member)
    own = portfolio.take(member)
    worth = Margin.of(own, policy)
    gross, drawn, booked, fixed = (
        column[:, None] for column in (worth.gross, worth.drawn, worth.booked, worth.fixed)
    )
    exists = np.isfinite(rate)
    has = exists.any(axis=1) & (terms.low <= terms.high)[member]
    table = Table(
        member=member,
        rate=rate,
        take_up=take_up,
        gross=take_up * rate * own.term[:, None],
        margin=take_up * (rate * gross + drawn) + worth.offered,
        fixed=take_up * booked + fixed,
        everything=ChoiceSets(exists, ~terms.pinned[member], terms.low[member], terms.high[member]),
        blocks=blocks,
        lots=lots,
        sizes=Magnitudes.of(portfolio, policy, terms).take(member),
        budget=policy.unspent(0.0),
        idle_rate=policy.idle_rate,
        groups={limit.name: inside_of(limit.if_lent_to, portfolio)[member] for limit in conditional(policy)},
    )
    return _only(table, has)


def _offers(portfolio: Portfolio, terms: Terms, member: Integers) -> tuple[Floats, Floats]:
    """(nb, K) rates and take-ups that each of `member` may be offered; NaN where there are no more."""
    width = max((len(tariff.rates) for tariff in terms.tariffs.values()), default=1)
    rate, take_up = (np.full((len(member), max(width, 1)), np.nan) for _ in range(2))
    single, asked = terms.single[member], terms.rate[member]
    least = np.nan_to_num(portfolio.min_rate[member], nan=-np.inf)
    most = np.nan_to_num(portfolio.max_rate[member], nan=np.inf)
    for grade, whose, tariff in terms.of_grades(portfolio):
        own = whose[member]
        free = np.flatnonzero(own & ~single)
        enough = tariff.rates + SAME_RATE >= least[free][:, None]
        enough &= tariff.rates - SAME_RATE <= most[free][:, None]
        rate[free, : len(tariff.rates)] = np.where(enough, tariff.rates, np.nan)
        take_up[free, : len(tariff.rates)] = np.where(enough, tariff.take_up, np.nan)
        fixed = np.flatnonzero(own & single)
        rate[fixed, 0] = asked[fixed]
        take_up[fixed, 0] = 1.0 - np.interp(asked[fixed], terms.table_rates, terms.curve[grade])
    return rate, take_up


def _only(table: Table, has: Booleans) -> Table:
    sets = table.everything
    return replace(
        table,
        member=table.member[has],
        **{name: getattr(table, name)[has] for name in ("rate", "take_up", "gross", "margin", "fixed")},
        sizes=table.sizes.take(np.flatnonzero(has)),
        groups={name: inside[has] for name, inside in table.groups.items()},
        everything=ChoiceSets(sets.options[has], sets.no_offer[has], sets.low[has], sets.high[has]),
    )


def steps_of(portfolio: Portfolio, policy: Policy, member: Integers) -> float | Grid | None:
    """What the amounts of the borrowers at `member` go by: a step, the cent (None), or more than one."""
    grid = grid_of(portfolio, policy)
    return policy.ticket.step if grid is None else grid.take(member)


def coarsest_lots(
    portfolio: Portfolio, policy: Policy, terms: Terms, blocks: tuple[Block, ...]
) -> dict[str, float]:
    """Row -> its room for new offers in whole lots, for the rows that no allocation uses but by whole lots.

    Those are rows that must hold, decided in whole numbers, with every weight 1, that count loans, or amounts
    offered where there is a step that every pinned offer of the row is a multiple of: what is left over
    beyond the last whole lot can never be used.
    """
    step, grid = policy.ticket.step, grid_of(portfolio, policy)
    pinned = terms.lendable & terms.pinned
    rounded: dict[str, float] = {}
    for block in blocks:
        if block.exact is None or block.reference or block.sense == "exactly" or block.soft:
            continue
        if block.basis == "offered" and step is None and grid is None:
            continue
        lot = Lot(1, 1) if block.basis == "loans" else Lot.of(step) if grid is None else grid.common
        broken = pinned & (block.codes >= 0) & ~lot.whole(portfolio.fixed_amount)
        off = set() if block.basis == "loans" else set(block.codes[broken].tolist())
        for row, name in enumerate(block.names):
            if block.exact.unit[row] == 1 and row not in off:
                rounded[name] = lot.inside(block.exact.room(row), at_most=block.sense == "at_most")
    return rounded
