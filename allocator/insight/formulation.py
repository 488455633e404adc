"""The program of one scenario in figures: sets, data, amounts and rows, read off what the engine is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from allocator.limits.filters import Membership, members_of
from allocator.limits.measures import measured
from allocator.records.case import Case
from allocator.records.cuts import HHI
from allocator.records.limits import Row
from allocator.records.offers import Menu
from allocator.records.portfolio import Booleans, Floats, Portfolio
from allocator.records.scenario import BUDGET, Group, Limit, Policy, Sense


@dataclass(frozen=True)
class Span:
    """The least and the most of a figure over some borrowers."""

    least: float
    most: float

    @classmethod
    def of(cls, figures: Floats) -> Span:
        """Both are 0 where there are none."""
        return cls(float(np.min(figures)), float(np.max(figures))) if len(figures) else cls(0.0, 0.0)

    @property
    def only(self) -> float | None:
        """The one figure that all have; None where they differ."""
        return self.least if self.least == self.most else None


@dataclass(frozen=True)
class GradeRates:
    """The rates that a grade's borrowers may be offered."""

    grade: str
    band: tuple[float, float]
    borrowers: int
    """Those to whom an offer is possible."""
    options: int
    """Pairs of such a borrower and a rate."""
    count: Span
    """Rates per borrower."""
    rates: Span
    take_up: Span


@dataclass(frozen=True)
class Economics:
    """What an offer's worth is made of, over the borrowers to whom one is possible."""

    pd: Span
    lgd: Span
    term: Span
    take_up: Span
    relationship: Span
    funding_rate: float
    churn_cost: float
    decline_churn: float
    processing_cost: float
    requirement: Span
    """Of capital, a unit drawn."""
    capital_cost: float
    idle_rate: float
    """What a unit of unspent budget earns; 0 where the budget is spent exactly."""


@dataclass(frozen=True)
class Amounts:
    """Between what amounts may lie, in currency units."""

    smallest: Span
    largest: Span
    step: float | None
    """Amounts are multiples of it; None: of 0.01."""


@dataclass(frozen=True)
class StatedRow:
    """One row: what is its own beside those of the same entry of the policy."""

    label: str
    """The value of the column that `each` names; '' without one."""
    borrowers: int
    """Who counts, among those to whom an offer is possible."""
    rhs: float
    """What new offers may come to: the bound less what is already lent."""


@dataclass(frozen=True)
class Rows:
    """The rows of one entry of the policy: sum of weight x basis, less share x reference, against `rhs`."""

    limit: Limit | None
    """None: the budget."""
    basis: str
    """One of records.limits.BASES."""
    weighted: bool
    """Whether the measure itself gives borrowers weights, beside the limit's own column."""
    sense: Sense
    rows: tuple[StatedRow, ...]
    share: float
    """0 where the right-hand side is a figure."""
    reference: Group | None
    referred: int
    """Whom the reference counts, among those to whom an offer is possible."""
    bound: float
    """In money or loans before anything already lent is taken off; 0 with a reference."""

    @property
    def name(self) -> str:
        return BUDGET if self.limit is None else self.limit.name

    @property
    def penalty(self) -> float:
        """What a unit of excess costs; 0 where the rows must hold."""
        soft = self.limit is not None and self.limit.penalty < np.inf
        return self.limit.penalty if soft and self.limit is not None else 0.0

    @property
    def exposed(self) -> bool:
        """Whether what is already lent moves a right-hand side."""
        return any(row.rhs != self.bound for row in self.rows)


@dataclass(frozen=True)
class Formulation:
    """The program of a scenario, in the order of docs/formulation.md."""

    case: Case
    borrowers: int
    """To whom an offer is possible."""
    pinned: int
    """Of these, those to whom one is made whatever it is worth."""
    grades: tuple[GradeRates, ...]
    economics: Economics
    amounts: Amounts
    rows: tuple[Rows, ...]
    """The budget's first."""
    declined: Mapping[str, int]
    """Reason -> borrowers to whom no offer is possible, the commonest first."""

    @property
    def options(self) -> int:
        """Pairs of a borrower and a rate: as many binary variables, and as many amounts."""
        return sum(grade.options for grade in self.grades)


def formulation_of(case: Case) -> Formulation:
    """The program that `case` comes to."""
    offers, portfolio = case.offers, case.inputs.portfolio
    able = offers.menu >= 0
    reasons = np.bincount(offers.no_offer.codes[~able], minlength=len(offers.no_offer.values))
    counted = zip(offers.no_offer.values, reasons.tolist(), strict=True)
    declined = sorted(((why, count) for why, count in counted if count), key=lambda entry: -entry[1])
    return Formulation(
        case=case,
        borrowers=int(np.count_nonzero(able)),
        pinned=int(np.count_nonzero(able & offers.must)),
        grades=tuple(_grades(case, able)),
        economics=_economics(case, able),
        amounts=Amounts(Span.of(offers.low[able]), Span.of(offers.high[able]), offers.step),
        rows=tuple(_rows(case, portfolio, able)),
        declined=dict(declined),
    )


def _grades(case: Case, able: Booleans) -> Iterator[GradeRates]:
    offers, grade = case.offers, case.inputs.portfolio.grade
    bands = case.scenario.policy.rates
    for code, name in enumerate(grade.values):
        menus, borrowers = np.unique(offers.menu[able & (grade.codes == code)], return_counts=True)
        if len(menus):
            used = [offers.menus[menu] for menu in menus]
            sizes = np.array([len(menu.rates) for menu in used])
            options = int(np.sum(borrowers * sizes))
            of = (bands[name], int(np.sum(borrowers)), options, Span.of(sizes))
            yield GradeRates(name, *of, Span.of(_rates(used)), Span.of(_take_up(used)))


def _rates(menus: list[Menu]) -> Floats:
    return np.concatenate([np.zeros(0), *(menu.rates for menu in menus)])


def _take_up(menus: list[Menu]) -> Floats:
    return np.concatenate([np.zeros(0), *(menu.take_up for menu in menus)])


def _economics(case: Case, able: Booleans) -> Economics:
    policy, portfolio, offers = case.scenario.policy, case.inputs.portfolio, case.offers
    used = [offers.menus[menu] for menu in np.unique(offers.menu[able])]
    return Economics(
        pd=Span.of(portfolio.pd[able]),
        lgd=Span.of(portfolio.lgd[able]),
        term=Span.of(offers.term[able]),
        take_up=Span.of(_take_up(used)),
        relationship=Span.of(offers.relationship[able]),
        funding_rate=policy.funding_rate,
        churn_cost=offers.churn_cost,
        decline_churn=offers.decline_churn,
        processing_cost=offers.processing_cost,
        requirement=Span.of(
            portfolio.requirement[able] if portfolio.requirement is not None else np.zeros(0)
        ),
        capital_cost=policy.capital.cost or 0.0,
        idle_rate=policy.idle_yield,
    )


def _rows(case: Case, portfolio: Portfolio, able: Booleans) -> Iterator[Rows]:
    """The compiled rows by the entry that they were made of, in the policy's order; none is only reported."""
    policy, rows = case.scenario.policy.in_stresses(), case.limits.rows
    budget, everybody = rows[0], int(np.count_nonzero(able))
    single = (StatedRow("", everybody, budget.rhs),)
    yield Rows(None, budget.measure, False, budget.sense, single, 0.0, None, 0, policy.budget.amount)
    members, first = members_of(policy.enforced, portfolio), 1
    places = zip(policy.enforced, members.counted, members.reference, strict=True)
    for limit, counted, reference in places:
        cuts = sum(cut.limit == limit.name for cut in policy.cuts)
        if limit.measure == HHI:
            first += 1 + cuts
            yield _index(limit, portfolio, able)
            continue
        membership = members.distinct[counted]
        own = rows[first : first + len(membership.labels)]
        first += len(own) + cuts
        terms = measured(limit, portfolio, policy)
        yield Rows(
            limit=limit,
            basis=terms.basis,
            weighted=terms.weight is not None,
            sense=limit.sense,
            rows=tuple(_stated(own, membership, able)),
            share=limit.bound if limit.reference is not None else 0.0,
            reference=limit.reference,
            referred=everybody if reference is None else _inside(members.distinct[reference], able),
            bound=_bound(limit, policy),
        )


def _index(limit: Limit, portfolio: Portfolio, able: Booleans) -> Rows:
    """The groups of a limit on the Herfindahl index, with what each has already."""
    column = portfolio.text(limit.by or "")
    codes = column.codes[able]
    counts = np.bincount(codes, minlength=len(column.values)).tolist()
    lent = np.bincount(column.codes, portfolio.exposure, minlength=len(column.values)).tolist()
    each = zip(column.values, counts, lent, strict=True)
    groups = tuple(StatedRow(value, count, -held) for value, count, held in each)
    return Rows(limit, "offered", False, limit.sense, groups, limit.bound, limit.reference, len(codes), 0.0)


def _stated(rows: tuple[Row, ...], membership: Membership, able: Booleans) -> Iterator[StatedRow]:
    codes = membership.codes[able]
    counts = np.bincount(codes[codes >= 0], minlength=len(rows)).tolist()
    for row, label, count in zip(rows, membership.labels, counts, strict=True):
        yield StatedRow(label, count, row.rhs)


def _bound(limit: Limit, policy: Policy) -> float:
    return 0.0 if limit.reference is not None else limit.bound * policy.amount_of(limit)


def _inside(membership: Membership, able: Booleans) -> int:
    return int(np.count_nonzero((membership.codes >= 0) & able))
