"""The policy's limits, read again straight from the policy and the borrowers' columns."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np

from allocator.certification.capital import with_requirements
from allocator.certification.concentration import with_cuts
from allocator.certification.economics import BASES, Margin, columns_of, magnitudes
from allocator.certification.lots import CENTS, WholeSums, decimal, whole_cents
from allocator.certification.measures import ByRule, amounts_of, counted_by, outset_of, times, weight_of
from allocator.certification.members import as_counted, inside_of, rows_of
from allocator.certification.rounding import DEEPEST, depth, unwarned
from allocator.certification.sums import CHUNK, sums_by_code
from allocator.records.columns import VALUE
from allocator.records.former import FORMER_AMOUNT
from allocator.records.portfolio import Booleans, Codes, Floats, Integers, Portfolio
from allocator.records.scenario import Group, Limit, Measure, Policy, Sense

_WEIGHED = 5
"""Operations on a price before it is added to others: those of a weight, and their product."""
_ROOM = 2 * DEEPEST
"""Operations on a right-hand side, its exposure aside: the sum of a reference, and that of the rows."""
_ONE_BY_ONE = ("loans", "clients_changed")
"""Measures that count offers."""
Sizes = float | Floats


@dataclass(frozen=True)
class ExactRows:
    """The rows of a block as whole numbers: unit x count  {<=, >=, =}  constant, or share x reference count.

    Counts are of loans, or of cents; those of cents are whole only where every amount is.
    """

    unit: Floats
    """(rows,) the weight that all members of a row share; NaN: none, or 0, or cents lent are not whole."""
    per_unit: int
    """Counts in a unit of the measure: 100 cents, or 1 loan."""
    lent: WholeSums
    """(rows,) cents that existing exposure counts."""
    reference_lent: WholeSums
    """(1,)"""
    bound: Fraction
    """What the policy states: a figure, or a share."""
    amounts: Floats
    """(rows,) what a bound of 1 is."""

    def right(self, row: int) -> Fraction:
        return self.bound * decimal(float(self.amounts[row]))

    def room(self, row: int) -> Fraction:
        """What is left to new offers of a row without a reference, whose unit is 1."""
        return self.right(row) - Fraction(self.lent.exact(row), self.per_unit)


@dataclass(frozen=True)
class Part:
    """A basis times a weight."""

    basis: str
    weight: Floats | None
    """(n,) None: 1."""
    size: Floats | None = None
    """(n,) the magnitudes that the weight is the sum of; None: its own."""

    @property
    def magnitude(self) -> Floats | None:
        return self.weight if self.size is None else self.size

    def take(self, span: slice | Integers) -> Part:
        """Of the borrowers of `span` alone."""
        weight, size = (None if own is None else own[span] for own in (self.weight, self.size))
        return Part(self.basis, weight, size)


@dataclass(frozen=True)
class Block:
    """One entry of the policy: a row, or one a value of its `each` column.

    Row g:  sum over members of weight x basis, existing exposure included  {<=, >=, =}
    constant, or share x (reference, existing exposure included).
    """

    names: tuple[str, ...]
    measure: Measure
    sense: Sense
    basis: str
    weight: Floats | None
    """(n,) None: 1."""
    codes: Codes
    """(n,) row of each borrower within the block; -1: in none."""
    lent: Floats
    """(rows,) what existing exposure, or who was served formerly, uses."""
    lent_size: Floats
    """(rows,) the sum of its magnitudes."""
    lent_operations: int
    """On the longest path to what existing exposure uses."""
    constant: Floats
    """(rows,)"""
    amounts: Floats
    """(rows,) what a bound of 1 is there."""
    share: float
    """0 where the right-hand side is `constant`."""
    reference: str
    """Basis of the reference; '' where there is none."""
    reference_lent: float
    """Existing exposure in the reference."""
    exact: ExactRows | None
    """What is needed to decide rows without any tolerance; None where no row can be."""
    finest: Floats
    """(rows,) the smallest step in which the left-hand side can move, where loans are counted: the smallest
    weight that is not 0; inf where it moves by any amount."""
    base: Booleans | None = None
    """(n,) whom the reference counts; None: everybody."""
    penalty: float = inf
    """What a unit of a row's excess costs: inf, the rows must hold; 0, they are only reported."""
    conditional: str = ""
    """The limit, where it must hold only if something is lent to a group."""
    former: Floats | None = None
    """(n,) f, where an offer of x counts |x - f| - f: x - 2 f where the weight is 1, -x where it is -1."""
    further: tuple[Part, ...] = ()
    """What it adds up besides."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """What an offer uses is their sum."""
        return (Part(self.basis, self.weight), *self.further)

    def terms_of(self, bases: Any) -> list[Any]:
        """(n,) each: what offers use of their rows is the sum of these, references aside."""
        if self.former is not None:
            basis = getattr(bases, self.basis)
            return [np.where(basis > 0, np.maximum(basis - 2.0 * self.former, -basis), 0.0)]
        return [times(getattr(bases, part.basis), part.weight) for part in self.parts]

    def under(self, held: Container[str]) -> Block:
        """The block where of the conditional limits those in `held` must hold, and no others."""
        must = self.conditional in held
        return replace(self, penalty=inf if must else 0.0) if self.conditional else self

    @property
    def soft(self) -> bool:
        """Whether the rows may be missed at a price."""
        return 0.0 < self.penalty < inf

    def used_by(self, bases: Any) -> Any:
        """(n,) what offers use of their rows, references aside."""
        first, *others = self.terms_of(bases)
        return np.sum([first, *others], axis=0) if others else first

    def part(self, span: slice | Integers) -> Block:
        """The same rows over the borrowers of `span` alone."""
        weight = None if self.weight is None else self.weight[span]
        base = None if self.base is None else self.base[span]
        former = None if self.former is None else self.former[span]
        further = tuple(part.take(span) for part in self.further)
        own: dict[str, Any] = {"codes": self.codes[span], "weight": weight, "base": base, "former": former}
        return Block(**{**vars(self), **own, "further": further})

    def referred(self, amount: Any) -> Any:
        """`amount` of the borrowers whom the reference counts, 0 of the others."""
        return amount if self.base is None else amount * self.base

    def price_offers(self, prices: Floats, per_basis: dict[str, Floats]) -> tuple[float, float]:
        """Adds what the rows charge each borrower a unit of each basis.

        Returns their part of b'lambda, and the sum of its terms' magnitudes.
        """
        if not np.any(prices):
            return 0.0, 0.0
        for part in self.parts:
            per_basis[part.basis] += self._charged(prices, None, part.weight)
        if self.reference:
            per_basis[self.reference] -= self.referred(self.share * float(np.sum(prices)))
        magnitudes = np.abs(prices)
        fixed = abs(self.share) * self.reference_lent if self.reference else np.abs(self.constant)
        return float(np.sum(prices * self.room)), float(np.sum(magnitudes * (fixed + self.lent_size)))

    def add_sizes(self, prices: Floats, sizes: dict[str, Sizes], rows: Integers | None) -> None:
        """Adds the magnitudes of what `price_offers` adds, of the borrowers at `rows` (None: of all)."""
        if not np.any(prices):
            return
        for part in self.parts:
            sizes[part.basis] = np.abs(self._charged(prices, rows, part.magnitude)) + sizes[part.basis]
        if self.reference:
            sizes[self.reference] = sizes[self.reference] + self._referred(prices)

    def add_largest(self, prices: Floats, sizes: dict[str, float]) -> None:
        """Adds what is no less than any borrower's of these magnitudes."""
        highest = float(np.max(np.abs(prices), initial=0.0))
        for part in self.parts:
            own = part.magnitude
            sizes[part.basis] += highest * (1.0 if own is None else float(np.max(np.abs(own), initial=0.0)))
        if self.reference:
            sizes[self.reference] += self._referred(prices)

    def _referred(self, prices: Floats) -> float:
        return abs(self.share) * float(np.sum(np.abs(prices)))

    def _charged(self, prices: Floats, rows: Integers | None, weight: Floats | None) -> Sizes:
        """(n,) what the rows charge a unit of a basis of that weight; one figure where it is everybody's."""
        everyone = self.codes.strides == (0,)  # one row, as `blocks_of` and `_rows` make it
        codes = self.codes if everyone or rows is None else self.codes[rows]
        price = float(prices[0]) if everyone else np.append(prices, 0.0)[codes]
        if weight is None:
            return price
        return price * (weight if rows is None else weight[rows])

    @property
    def room(self) -> Floats:
        """(rows,) right-hand sides with every reference on the left: what is left to new offers."""
        fixed = self.share * self.reference_lent if self.reference else self.constant
        return np.asarray(fixed - self.lent)

    def allowed(self, prices: Mapping[str, float]) -> Floats:
        """(rows,) the rows' own prices, 0 where not named or of a sign that the row cannot have.

        None is larger than what a unit of excess costs.
        """
        own = np.array([prices.get(name, 0.0) for name in self.names])
        own = np.maximum(own, 0.0) if self.sense == "at_most" else own
        own = np.minimum(own, 0.0) if self.sense == "at_least" else own
        return np.asarray(np.clip(own, -self.penalty, self.penalty) + 0.0)


@dataclass(frozen=True)
class Charges:
    """What prices charge for what the limits count."""

    per_basis: dict[str, Floats]
    """Basis -> (n,) charge a unit of it: P of docs/formulation.md, section 2."""
    constant: float
    """b'lambda"""
    constant_size: float
    """The magnitudes that the constant is the sum of."""
    operations: int
    """On the longest path to a charge."""
    constant_operations: int
    """On the longest path to the constant."""
    priced: tuple[tuple[Block, Floats], ...]
    """The blocks, each with its rows' prices."""

    def sizes(self, rows: Integers | None = None) -> dict[str, Sizes]:
        """Basis -> (n,) the magnitudes that a charge is the sum of, at `rows` (None: of everybody)."""
        sizes: dict[str, Sizes] = dict.fromkeys(BASES, 0.0)
        for block, prices in self.priced:
            block.add_sizes(prices, sizes, rows)
        return sizes

    def largest(self) -> dict[str, float]:
        """Basis -> what none of these exceeds."""
        sizes = dict.fromkeys(BASES, 0.0)
        for block, prices in self.priced:
            block.add_largest(prices, sizes)
        return sizes


@unwarned
def charges_of(blocks: tuple[Block, ...], prices: Mapping[str, float]) -> Charges:
    """What `prices`, by row name, charge each borrower."""
    per_basis = {basis: np.zeros(len(blocks[0].codes)) for basis in BASES}
    constant = constant_size = 0.0
    priced = tuple((block, block.allowed(prices)) for block in blocks)
    for block, own in priced:
        part, size = block.price_offers(own, per_basis)
        constant, constant_size = constant + part, constant_size + size
    parts = sum(len(block.parts) for block in blocks)
    operations = _WEIGHED + 2 * parts + max(depth(len(block.names)) for block in blocks)
    lent = max(block.lent_operations for block in blocks)
    return Charges(per_basis, constant, constant_size, operations, operations + _ROOM + lent, priced)


def blocks_of(policy: Policy, portfolio: Portfolio) -> tuple[Block, ...]:
    """The budget and the policy's limits in their order, behind one on the Herfindahl index its cuts."""
    policy, portfolio = with_cuts(policy, portfolio)
    everyone, budget = np.broadcast_to(np.int32(0), len(portfolio)), policy.budget
    first = Block(
        ("budget",), budget.basis, budget.spend, budget.basis, None, everyone,
        np.zeros(1), np.zeros(1), 0, np.full(1, budget.amount), np.ones(1), 0.0, "", 0.0, None,
        np.full(1, inf),
    )  # fmt: skip
    first = replace(first, exact=_exact(first, portfolio, decimal(budget.amount)))
    by_rule: ByRule = {}
    return (first, *(_block(limit, policy, portfolio, by_rule) for limit in policy.limits))


def _block(limit: Limit, policy: Policy, portfolio: Portfolio, by_rule: ByRule) -> Block:
    codes, names = rows_of(limit, portfolio)
    weight = weight_of(limit, portfolio, by_rule)
    counted = counted_by(limit)
    then = portfolio.number(FORMER_AMOUNT) if counted.former else None
    counts, outset = counted.exposed, outset_of(counted, portfolio)
    outset = outset if then is None or weight is None else then * weight
    lent = times(outset, weight) if outset is not None and np.any(outset) else None
    reference, base = _reference(limit, portfolio)
    amounts = amounts_of(limit, policy, portfolio, codes, len(names))
    block = Block(
        names=names,
        measure=limit.measure,
        sense=limit.sense,
        basis=counted.basis,
        weight=weight,
        codes=codes,
        lent=np.zeros(len(names)) if lent is None else sums_by_code(codes, lent, len(names)),
        lent_size=np.zeros(len(names)) if lent is None else sums_by_code(codes, np.abs(lent), len(names)),
        lent_operations=0 if lent is None else DEEPEST + 2 * (len(portfolio) // CHUNK + 1),
        constant=np.zeros(len(names)) if reference else limit.bound * amounts,
        amounts=amounts,
        share=limit.bound if reference else 0.0,
        reference=reference,
        reference_lent=float(np.sum(portfolio.exposure[base])) if reference and counts else 0.0,
        exact=None,
        finest=_finest(limit.measure, codes, weight, len(names)),
        base=base,
        penalty=limit.penalty,
        former=then,
        further=further_of(limit, policy, portfolio, weight),
        conditional=limit.name if limit.if_lent_to else "",
    )
    return replace(block, exact=_exact(block, portfolio, decimal(limit.bound)))


def as_valued(limit: Limit, policy: Policy, portfolio: Portfolio) -> Portfolio:
    """The borrowers as the limit's rows count them; of net value under a stress K is that under it too."""
    counted = as_counted(limit, portfolio)
    moved = limit.measure == VALUE and limit.stress is not None
    return with_requirements(policy, counted) if moved else counted


def further_of(limit: Limit, policy: Policy, portfolio: Portfolio, weight: Floats | None) -> tuple[Part, ...]:
    """What the limit's rows add up beside the basis that `weight` (n,) multiplies."""
    if counted_by(limit).former and weight is not None:
        return (Part("loans", np.where(weight > 0, -2.0 * portfolio.number(FORMER_AMOUNT), 0.0)),)
    if limit.measure != VALUE:
        return ()
    portfolio = as_valued(limit, policy, portfolio)
    column = None if limit.weight is None else portfolio.number(limit.weight)
    own = Margin.of(portfolio, policy)
    _, per_unit, fixed = magnitudes(columns_of(portfolio, policy), policy, 0.0)
    return (
        Part("drawn", times(own.drawn, column), times(per_unit, column)),
        Part("offered", times(np.broadcast_to(own.offered, len(portfolio)), column)),
        Part("booked", times(own.booked, column), times(fixed, column)),
        Part("loans", times(own.fixed, column)),
    )


def _reference(limit: Limit, portfolio: Portfolio) -> tuple[str, Booleans | None]:
    """The basis that the limit is a share of, "" without one, and whom it counts (n,), None: everybody."""
    if isinstance(limit.of, Group):
        return limit.of.basis, inside_of(limit.of.where, as_counted(limit, portfolio))
    return {"total": "offered", "drawn": "drawn", "loans": "loans"}.get(limit.of or "", ""), None


def _exact(block: Block, portfolio: Portfolio, bound: Fraction) -> ExactRows | None:
    """Of rows of amounts offered or loans by one weight, against a figure or a share of the total."""
    if block.base is not None:
        return None
    if block.measure not in ("offered", "loans") or block.reference not in ("", "offered"):
        return None
    rows = len(block.names)
    unit = _units(block.codes, block.weight, rows)
    lent, reference_lent = WholeSums.none(rows), WholeSums.none(1)
    if np.any(block.lent) or block.reference_lent:
        cents, off = whole_cents(portfolio.exposure)
        lent = WholeSums.of(block.codes, cents, rows) if np.any(block.lent) else lent
        unit[np.unique(block.codes[off & (block.codes >= 0)])] = np.nan
        if block.reference_lent:
            reference_lent = WholeSums.of(np.zeros(len(cents), dtype=np.int32), cents, 1)
            unit[:] = np.nan if np.any(off) else unit
    per_unit = CENTS if block.measure == "offered" else 1
    return ExactRows(unit, per_unit, lent, reference_lent, bound, block.amounts)


def _units(codes: Codes, weight: Floats | None, rows: int) -> Floats:
    """(rows,) the weight that all members share; NaN where they differ or it is 0."""
    if weight is None:
        return np.ones(rows)
    unit = np.full(rows + 1, np.nan)
    unit[codes] = weight
    unit[-1] = np.nan
    unit[codes[(weight != unit[codes]) & (codes >= 0)]] = np.nan
    return np.where(unit[:-1] == 0, np.nan, unit[:-1])


def _finest(measure: Measure, codes: Codes, weight: Floats | None, rows: int) -> Floats:
    """(rows,) of counts, the smallest absolute weight of a member that is not 0; inf where there is none."""
    finest = np.full(rows + 1, np.inf)
    if measure not in _ONE_BY_ONE:
        return finest[1:]
    sizes = np.ones(len(codes)) if weight is None else np.abs(weight)
    np.minimum.at(finest, codes, np.where(sizes > 0, sizes, np.inf))
    return finest[:-1]
