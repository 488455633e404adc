"""A certificate confirmed in rational numbers: no rounding, and no error to bound.

Bound, every node of a tree, value and every row are recomputed from the inputs' binary64 numbers: the real
bound must not lie above the stated one, nor the real value below.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import partial
from math import inf
from typing import Any, Self

import numpy as np

from allocator.certification.cases import ChoiceSets, Table, Values, coarsest_lots, steps_of, table_of
from allocator.certification.concentration import with_cuts
from allocator.certification.economics import BASES, Margin
from allocator.certification.factors import worst_mean_above
from allocator.certification.largest import largest_above
from allocator.certification.limits import blocks_of
from allocator.certification.lots import CENTS, decimal
from allocator.certification.members import lent_to
from allocator.certification.rationals import (
    ONE,
    Curve,
    ExactBlock,
    ExactBound,
    MadeOffer,
    Menu,
    blocks_in_rationals,
    curves_of,
    fractions,
    nearest,
    offers_made,
    worth_of,
)
from allocator.certification.terms import Terms, terms_of
from allocator.certification.tree import lots_of, tree_faults
from allocator.certification.worst import worlds_of
from allocator.errors import Fault
from allocator.records.cuts import HHI
from allocator.records.limits import conditional
from allocator.records.portfolio import Booleans, ChurnTable, Portfolio
from allocator.records.run import TOLERANCE, Decisions
from allocator.records.scenario import Limit, Policy, Scenario

MOST_BORROWERS = 10_000
"""Beyond, rational numbers take too long."""
_ROUNDING = Fraction(4, 2**53)


@dataclass(frozen=True)
class ExactValues(Values):
    """`Values` whose bound and losses are exact."""

    losses: list[dict[int, Fraction]]
    """A borrower's options left -> what each loses against the best response."""
    leads: list[Fraction]
    """The best response of each borrower, what no offer loses; 0 where nothing is left."""

    def beyond(self, distance: float) -> tuple[Booleans, Booleans]:
        options, edge = np.zeros(self.option.shape, dtype=bool), Fraction(distance)
        for row, losses in enumerate(self.losses):
            options[row, [k for k, lost in losses.items() if lost > edge]] = True
        return options, np.array([lead > edge for lead in self.leads], dtype=bool)


@dataclass(frozen=True)
class ExactTable(Table):
    """`Table` that answers in rational numbers."""

    menus: list[Menu]
    worths: list[Margin[Fraction]]
    terms: list[Fraction]
    """Years: what a charge on interest is times."""
    exact_blocks: list[ExactBlock]

    def under(self, held: frozenset[str]) -> Self:
        table = super().under(held)
        blocks = [replace(exact, block=exact.block.under(held)) for exact in self.exact_blocks]
        return replace(table, exact_blocks=blocks) if self.groups else table

    def values(self, prices: Mapping[str, float], sets: ChoiceSets) -> ExactValues:
        charged = _ChargedOffers.of(self.under(sets.held), prices)
        total, losses, leads, empty = charged.constant + self._idle_worth(prices), [], [], False
        for row in range(len(self.member)):
            options = np.flatnonzero(sets.options[row]).tolist()
            values = charged.values(row, sets, options) if options else {}
            answers = [*values.values(), *([Fraction(0)] if sets.no_offer[row] else [])]
            best = max(answers, default=Fraction(0))
            empty |= not answers
            total += best
            losses.append({k: best - value for k, value in values.items()})
            leads.append(best)
        zeros = np.zeros(sets.options.shape)
        return ExactValues(ExactBound.of(total), empty, zeros, zeros[:, 0], zeros[:, 0], losses, leads)

    def answers(self, prices: Mapping[str, float]) -> tuple[Fraction, list[dict[int, Fraction]]]:
        """What `prices` make of the constant, and option -> value at its better end of each borrower."""
        charged, sets = _ChargedOffers.of(self, prices), self.everything
        values = [
            charged.values(row, sets, np.flatnonzero(sets.options[row]).tolist())
            for row in range(len(self.member))
        ]
        return charged.constant + self._idle_worth(prices), values

    def _idle_worth(self, prices: Mapping[str, float]) -> Fraction:
        budget, rate = Fraction(self.budget), Fraction(self.idle_rate)
        room = min(Fraction(self.lots.get("budget", self.budget)), budget)
        price = Fraction(max(prices.get("budget", 0.0), 0.0))
        return rate * (budget - room) + room * max(Fraction(0), rate - price)


@dataclass(frozen=True)
class _ChargedOffers:
    """Offers at some prices."""

    table: ExactTable
    priced: list[tuple[ExactBlock, list[Fraction]]]
    constant: Fraction
    """b'lambda, rows rounded to whole lots as they are then."""

    @classmethod
    def of(cls, table: ExactTable, prices: Mapping[str, float]) -> _ChargedOffers:
        priced, constant = [], Fraction(0)
        for exact in table.exact_blocks:
            block = exact.block
            own = [Fraction(price) for price in block.allowed(prices).tolist()]
            if not any(own):
                continue
            priced.append((exact, own))
            for row, price in enumerate(own):
                if price:
                    whole = table.lots.get(block.names[row])
                    constant += price * (exact.room(row) if whole is None else Fraction(whole))
        return cls(table, priced, constant)

    def values(self, row: int, sets: ChoiceSets, options: list[int]) -> dict[int, Fraction]:
        """Option of the borrower in `row` -> its reduced value at the better end."""
        table, charge = self.table, dict.fromkeys(BASES, Fraction(0))
        i = int(table.member[row])
        for exact, prices in self.priced:
            if exact.refers_to(i):
                charge[exact.block.reference] -= Fraction(exact.block.share) * sum(prices)
            code = int(exact.block.codes[i])
            if code >= 0 and prices[code]:
                weight = ONE if exact.weights is None else exact.weights[i]
                charge[exact.block.basis] += prices[code] * weight
                for basis, further in exact.further[i].items() if exact.block.further else ():
                    charge[basis] += prices[code] * further
        own = table.worths[row]
        gross, drawn = own.gross - table.terms[row] * charge["interest"], own.drawn - charge["drawn"]
        offered, fixed = own.offered - charge["offered"], own.fixed - charge["loans"]
        booked = own.booked - charge["booked"]
        ends = {Fraction(float(end[row])) for end in (sets.low, sets.high)}
        at_ends = [table.menus[row].values(gross * x, drawn * x + booked, offered * x + fixed) for x in ends]
        return {k: max(values[k] for values in at_ends) for k in options}


@dataclass(frozen=True)
class ExactCase:
    """A case read in rational numbers."""

    portfolio: Portfolio
    scenario: Scenario
    terms: Terms
    curves: dict[str, Curve]
    blocks: list[ExactBlock]
    written: Policy
    """Before the cuts of convex limits stood among its limits."""

    @classmethod
    def of(cls, scenario: Scenario, portfolio: Portfolio, table: ChurnTable) -> ExactCase:
        written = scenario.policy
        policy, portfolio = with_cuts(scenario.policy, portfolio)
        scenario = replace(scenario, policy=policy)
        blocks = blocks_in_rationals(blocks_of(policy, portfolio), portfolio, policy)
        terms = terms_of(portfolio, table, scenario.response, policy)
        return cls(portfolio, scenario, terms, curves_of(table, scenario.response), blocks, written)

    def bound(self, prices: Mapping[str, float]) -> float:
        """U at `prices`, rounded up once."""
        table = self.table({})
        return table.values(prices, table.everything).bound.most

    def price_bound(
        self, prices: Mapping[str, float], force: frozenset[str], posted: Mapping[str, float] | None
    ) -> float:
        """`bound` with the conditional limits of `force`, under the `posted` list alone."""
        case = self
        if posted is not None:
            left = {name: np.array([rate]) for name, rate in posted.items()}
            case = replace(self, terms=replace(self.terms, left=left))
        table = case.table({})
        return table.values(prices, replace(table.everything, held=force)).bound.most

    def tree_faults(self, tree: Mapping[str, Any]) -> list[Fault]:
        """What keeps a proof tree from proving its bound."""
        policy, table = self.scenario.policy, self.table(lots_of(tree))
        blocks = tuple(exact.block for exact in self.blocks)
        coarsest = coarsest_lots(self.portfolio, policy, self.terms, blocks)
        ids = self.portfolio.borrower_id[table.member].tolist()
        position = {borrower: row for row, borrower in enumerate(ids)}
        return tree_faults(tree, table, coarsest, position, steps_of(self.portfolio, policy, table.member))

    def table(self, lots: Mapping[str, float]) -> ExactTable:
        """Every offer, with the rows of `lots` rounded to whole lots."""
        policy, blocks = self.scenario.policy, tuple(exact.block for exact in self.blocks)
        table = table_of(self.portfolio, policy, self.terms, blocks, lots)
        menus, worths = [], []
        known: dict[tuple[str, tuple[float, ...]], Menu] = {}
        for row, i in enumerate(table.member.tolist()):
            grade = self.portfolio.grade.values[self.portfolio.grade.codes[i]]
            # Where a rate is not open to the borrower its place is kept, and never asked for.
            rates = tuple(np.nan_to_num(table.rate[row]).tolist())
            if (grade, rates) not in known:
                known[grade, rates] = Menu.of(self.curves[grade], rates)
            menus.append(known[grade, rates])
            worths.append(Margin.exactly(self.portfolio, policy, i))
        own = {column.name: getattr(table, column.name) for column in fields(Table)}
        years = fractions(self.portfolio.term[table.member])
        return ExactTable(**own, menus=menus, worths=worths, terms=years, exact_blocks=self.blocks)

    def value(self, offers: Sequence[MadeOffer]) -> Fraction:
        """What `offers` are worth, idle money included: of several stresses in the worst."""
        policy, portfolio = self.scenario.policy, self.portfolio
        worlds = worlds_of(self.scenario.stress, portfolio)
        total = min(worth_of(offers, world, policy) for world in worlds)
        if policy.budget.spend == "at_most":
            spent = sum((made.basis(policy.budget.basis, portfolio) for made in offers), Fraction(0))
            total += Fraction(policy.idle_rate) * (Fraction(policy.budget.amount) - spent)
        return total - sum(self._penalties(offers), Fraction(0))

    def _penalties(self, offers: Sequence[MadeOffer]) -> Iterator[Fraction]:
        """What each soft row that is missed takes off."""
        for exact, row, own, total in self._rows(offers):
            if exact.block.soft:
                left, right, _ = _decided(exact, row, own, offers, total)
                over = left - right if exact.block.sense == "at_most" else right - left
                yield Fraction(exact.block.penalty) * max(over, Fraction(0))

    def broken(self, offers: Sequence[MadeOffer], aside: Container[str] = ()) -> Iterator[str]:
        """Names of the rows that `offers` break, or miss; those of the limits `aside` are not in force."""
        for exact in self.blocks:
            limit = exact.limit
            if limit is None or limit.by is None:
                continue
            over = self._too_concentrated if limit.measure == HHI else partial(self._loses_more, exact)
            if over(limit, offers):
                yield limit.name
        for exact, row, own, total in self._rows(offers):
            if exact.block.conditional not in aside and not _kept(exact, row, own, offers, total):
                yield exact.block.names[row]

    def _rows(
        self, offers: Sequence[MadeOffer]
    ) -> Iterator[tuple[ExactBlock, int, Sequence[MadeOffer], Fraction | None]]:
        """Every row, convex limits aside, with its own offers, and the sum that its share is of, if whole."""
        for exact in self.blocks:
            if exact.limit is not None and exact.limit.by is not None:
                continue
            lent: list[float] = self.portfolio.exposure.tolist() if exact.block.reference_lent else []
            made = [float(offer.amount) for offer in offers]
            whole = exact.block.reference == "offered" and exact.block.base is None
            total = _whole_sum([*made, *lent]) if whole else None
            by_row: dict[int, list[MadeOffer]] = {}
            for offer in offers:
                by_row.setdefault(int(exact.block.codes[offer.borrower]), []).append(offer)
            for row in range(len(exact.block.names)):
                yield exact, row, by_row.get(row, []), total

    def _loses_more(self, exact: ExactBlock, limit: Limit, offers: Sequence[MadeOffer]) -> bool:
        """Whether the worst years lose more on average, or the largest use more, than is allowed."""
        used = {made.borrower: made.basis(exact.block.basis, self.portfolio) for made in offers}
        _, right, _ = _sides(exact, 0, [], offers)
        above = (largest_above if limit.top else worst_mean_above)(limit, self.portfolio, used)
        return above > right + decimal(TOLERANCE) * abs(right)

    def _too_concentrated(self, limit: Limit, offers: Sequence[MadeOffer]) -> bool:
        """Whether the squares of the groups' shares add up to more than the limit allows."""
        portfolio, policy = self.portfolio, self.scenario.policy
        column, groups = portfolio.text(limit.by or ""), dict[int, Fraction]()
        lent = zip(range(len(portfolio)), portfolio.exposure.tolist(), strict=True)
        for i, money in [*lent, *((made.borrower, float(made.amount)) for made in offers)]:
            group = int(column.codes[i])
            groups[group] = groups.get(group, Fraction(0)) + (decimal(money) if money else 0)
        whole = sum(groups.values(), Fraction(0))
        if next(own.of for own in self.written.limits if own.name == limit.name) == "budget":
            whole = decimal(policy.budget.amount)
        return sum((own * own for own in groups.values()), Fraction(0)) > decimal(limit.bound) * whole * whole


def _whole_sum(amounts: Sequence[float]) -> Fraction | None:
    """The sum of `amounts` as decimals; None where one is no whole number of cents."""
    exact = [decimal(amount) for amount in amounts]
    return None if any((money * CENTS).denominator > 1 for money in exact) else sum(exact, Fraction(0))


def _kept(
    exact: ExactBlock, row: int, own: Sequence[MadeOffer], offers: Sequence[MadeOffer], total: Fraction | None
) -> bool:
    """Whether one row is kept by its `own` offers: as decimals where it is whole, else to its tolerance."""
    left, right, tolerance = _decided(exact, row, own, offers, total)
    over = {"at_most": left - right, "at_least": right - left, "exactly": abs(left - right)}
    return over[exact.block.sense] <= tolerance


def _decided(
    exact: ExactBlock, row: int, own: Sequence[MadeOffer], offers: Sequence[MadeOffer], total: Fraction | None
) -> tuple[Fraction, Fraction, Fraction]:
    """Left and right side, as decimals where the row is whole, and what it may be broken by."""
    whole = _whole_sides(exact, row, own, total)
    return _sides(exact, row, own, offers) if whole is None else (*whole, Fraction(0))


def _sides(
    exact: ExactBlock, row: int, own: Sequence[MadeOffer], offers: Sequence[MadeOffer]
) -> tuple[Fraction, Fraction, Fraction]:
    """Left and right side, and what the row may be broken by."""
    block, portfolio = exact.block, exact.portfolio
    uses = [exact.used_by(made) for made in own]
    right = exact.fixed(row)
    if block.reference:
        counted = (made for made in offers if exact.refers_to(made.borrower))
        added = sum((made.basis(block.reference, portfolio) for made in counted), Fraction(0))
        right += Fraction(block.share) * added
    scale = max([abs(right), *map(abs, uses)])
    tolerance = decimal(TOLERANCE) * scale
    if np.isfinite(block.finest[row]):
        tolerance = min(tolerance, Fraction(float(block.finest[row])) / 2)
    return exact.lent[row] + sum(uses), right, max(tolerance, _ROUNDING * scale)


def _whole_sides(
    exact: ExactBlock, row: int, own: Sequence[MadeOffer], total: Fraction | None
) -> tuple[Fraction, Fraction] | None:
    """Left and right side of a row that is decided without any tolerance, as decimals; None for another.

    `total` is what a share is of, if that is whole.
    """
    block, portfolio, limit = exact.block, exact.portfolio, exact.limit
    if block.measure not in ("offered", "loans") or (block.reference and total is None):
        return None
    members = block.codes == row
    weights = {1.0} if block.weight is None else set(block.weight[members].tolist())
    if len(weights) > 1 or 0.0 in weights:
        return None
    counted: Fraction | None = Fraction(len(own))
    if block.measure == "offered":
        lent = [] if limit is None else portfolio.exposure[members].tolist()  # the budget is of new offers
        counted = _whole_sum([*(float(made.amount) for made in own), *lent])
    if counted is None:
        return None
    left = counted * (decimal(weights.pop()) if weights else ONE)
    if limit is None:
        return left, decimal(exact.policy.budget.amount)
    amount = decimal(float(block.amounts[row])) if total is None else total
    return left, decimal(limit.bound) * amount


def exact_faults(
    case: ExactCase, decisions: Decisions, not_kept: Sequence[str], stated: Mapping[str, Any]
) -> Iterator[Fault]:
    """What of the `stated` certificate does not hold in rational numbers, a proof over price lists aside.

    `not_kept` are limits, in order.
    """
    lists = stated.get("lists")
    unsound = [] if stated.get("tree") is None else case.tree_faults(stated["tree"])
    yield from unsound
    least = inf if stated.get("tree") is None or unsound else float(stated["tree"]["bound"])
    if lists is not None:
        least = float(lists["bound"])
    elif stated["bound"] < least and not conditional(case.written):
        least = case.bound(stated["prices"])
    if stated["bound"] < least:
        yield _fault("bound", f"is {stated['bound']!r}, in rational numbers {least!r} is proved")
    force = lent_to(case.written, case.portfolio, decisions.amount)
    if "price_bound" in stated:
        posted = None if lists is None else lists["posted"]
        least = case.price_bound(stated["prices"], force, posted)
        if stated["price_bound"] < least:
            problem = f"is {stated['price_bound']!r}, in rational numbers {least!r} is proved"
            yield _fault("price_bound", problem)
    offers = list(offers_made(case.portfolio, case.terms, case.curves, decisions.amount, decisions.rate))
    value = case.value(offers)
    if Fraction(stated["value"]) > value:
        yield _fault("value", f"is {stated['value']!r}, in rational numbers {nearest(value)!r}")
    broken = list(case.broken(offers, {own.name for own in conditional(case.written)} - force))
    if broken != list(not_kept):
        yield _fault("limits", f"{broken} are broken in rational numbers, not {list(not_kept)}")


def _fault(what: str, problem: str) -> Fault:
    return Fault(problem, "solve again", field=f"certificate {what}")
