"""What a scenario file says once it is read, merged and checked.

Amounts are in currency units, rates and shares are fractions, terms are in years.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from math import inf
from pathlib import Path
from typing import Any, Literal

from allocator.errors import Fault, InputError
from allocator.records.conditions import Condition
from allocator.records.curves import Response
from allocator.records.cuts import HHI, Cut
from allocator.records.document import BOOK, CHURN, SOURCE, Place
from allocator.records.former import FORMER, FORMER_AMOUNT, Changes, FormerRun
from allocator.records.frames import File, Frame
from allocator.records.plugins import Plugin
from allocator.records.price_lists import Posting, PriceList, segment_column
from allocator.records.risk import CapitalRule, Rule
from allocator.records.sources import InvoiceFiles
from allocator.records.strategy import SolverSettings, Strategy
from allocator.records.stress import Stress, StressSource
from allocator.records.ticket import OwnSteps, Ticket

Sense = Literal["at_most", "at_least", "exactly"]
NamedMeasure = Literal[
    "offered", "drawn", "interest", "gross_interest", "expected_loss", "capital", "tail_loss",
    "clients_changed", "money_moved", "loans", "value"]  # fmt: skip
Measure = str
"""A NamedMeasure, or one that another package brings."""
Reference = Literal["budget", "own_funds", "former", "total", "drawn", "loans"]
"""What a bound may be a share of."""
Basis = Literal["offered", "drawn"]
Referred = Literal["offered", "drawn", "loans"]
"""What uses the budget, and what of a group's a bound may be a share of."""
Spend = Literal["at_most", "exactly"]
COUNTED: tuple[Measure, ...] = ("loans", "clients_changed")
"""Measures that count offers, one by one."""

BUDGET, OWN_FUNDS = "budget", "own_funds"
"""The amounts of the policy that a bound may be a share of; the budget is one of the limits, too."""
LARGEST_AMOUNT, LARGEST_LOAN = 1e14, 1e13
"""Currency units; of a budget or a bound. A double tells a cent of a loan from the next, sums too."""
MOST_LOTS = 2**53
"""Largest loan, in units of the step's decimal fraction: doubles count no further one by one."""
LONGEST_TERM = 100.0
"""Years."""
LARGEST_NUMBER = 1e50
"""Largest weight, and bound that is no money: sums of their products with money stay far below 1e308."""
LARGEST_RATIO, LARGEST_FACTOR, LARGEST_PENALTY = 1e6, 1e6, 1e9
"""Largest multiple of what another group is lent, factor of a stress, and price of a soft limit's excess."""


@dataclass(frozen=True)
class PortfolioSource:
    """Where the borrowers are and how their columns are named there."""

    kind: str
    """The name of one of `records.sources.TABLE_KINDS`, or invoices."""
    path: File | None = None
    """The file, absolute, or a frame; None for SQL and invoices."""
    separator: str = ","
    decimal: str = "."
    thousands: str = ""
    """The sign between thousands, which is passed over; none where empty."""
    encoding: str = "utf-8"
    """Encoding of delimited text."""
    skip: int = 0
    """Lines of delimited text above its header."""
    sheet: str | None = None
    """Sheet of a workbook; None: the first that is not hidden."""
    table: str | None = None
    """A table, or a named range, of a workbook; None: all that the sheet holds."""
    header: int | None = None
    """The row of a sheet that heads its columns, as a spreadsheet counts; None: the first filled one."""
    bare: bool = False
    """Named by its path alone, where nothing may be said of how to read it."""
    url: str | None = field(default=None, repr=False)
    """The database, its secrets filled in: never to be shown or written."""
    query: str | None = None
    query_limit: float = 300.0
    """Seconds after which the query is stopped."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column name, canonical or used by a limit -> the source's name."""
    defaults: Mapping[str, float | str | bool] = field(default_factory=dict)
    """Values for such columns that the source lacks; `term_years` is the policy's, if not given."""
    pd_by_grade: Mapping[str, float] = field(default_factory=dict)
    """Probability of default by grade, where the source has no pd column."""
    invoices: InvoiceFiles | None = None
    scorecard: Path | None = None
    """The fitted file that gives PD, and grade and LGD where it knows them."""
    plugin: Plugin | None = None
    """The package that reads a kind which is none of ours."""

    @property
    def label(self) -> str:
        """The source's name in messages: the file as a path, `SQL query`, or the firms of a file."""
        if self.invoices is not None:
            return f"firms of {self.invoices.workbook or self.invoices.sales}"
        return str(self.path) if self.path is not None else "SQL query"


@dataclass(frozen=True)
class Budget:
    amount: float
    """Money, or a fraction of `of`."""
    spend: Spend = "at_most"
    basis: Basis = "offered"
    of: Literal["requests"] | None = None
    """requests: of what the borrowers ask for, which `scenario.demand` makes money."""


@dataclass(frozen=True)
class Group:
    """What a bound may be a fraction of: all that some borrowers are offered, or draw, or their loans."""

    basis: Referred = "offered"
    where: tuple[Condition, ...] = ()
    """Who counts passes all; none: everybody."""

    def __str__(self) -> str:
        """As pages have it: `offered where sector: retail`."""
        return f"{self.basis} where {', '.join(map(str, self.where))}" if self.where else self.basis


@dataclass(frozen=True)
class Limit:
    """One entry of `policy.limits`; with `each` it stands for one limit a value of that column."""

    name: str
    measure: Measure
    sense: Sense
    bound: float
    """Money, a count, or (with `of`) a fraction of the reference."""
    of: Reference | Group | None = None
    where: tuple[Condition, ...] = ()
    each: str | None = None
    weight: str | None = None
    plugin: Plugin | None = None
    """The package that brings a measure which is none of ours."""
    rule: Rule | Changes | None = None
    """What the measures `capital`, `tail_loss` and `money_moved` go by."""
    penalty: float = inf
    """What a unit of a row's excess costs: inf, it must hold; 0, it is only reported."""
    by: str | None = None
    """Of a limit that is kept by cuts: the column whose values are the groups."""
    under: tuple[tuple[str, Stress], ...] = ()
    """The named stresses in which it holds too, beside the scenario as it stands."""
    stress: Stress | None = None
    """What PD and LGD are put under first: it stands for another limit, in a named stress."""
    if_lent_to: tuple[Condition, ...] = ()
    """Whoever passes all makes the limit hold by any offer; none: it holds whatever is offered."""
    top: int | None = None
    """How many groups, those that use most, it counts; None: all."""

    @property
    def reference(self) -> Group | None:
        """Whose money or loans the bound is a fraction of, where that moves with what is lent; else None."""
        return self.of if isinstance(self.of, Group) else _LENT.get(self.of or "")

    @property
    def own_weights(self) -> bool:
        """Whether a package's code, a rule of the policy or a stress gives the measure its weights."""
        return self.plugin is not None or self.rule is not None or self.stress is not None

    @property
    def class_column(self) -> str | None:
        """The column of the borrowers' asset classes, where the rule reads one."""
        return None if self.rule is None or isinstance(self.rule, Changes) else self.rule.asset_class_by

    @property
    def most(self) -> float:
        """The largest that a bound without weights may be: all of what it is a share of."""
        return inf if self.of is None or self.weight is not None else self.largest_share

    @property
    def largest_share(self) -> float:
        """The largest that a bound which is a share may be: all, or a multiple of what may be less."""
        return LARGEST_RATIO if isinstance(self.of, Group) or self.of in (OWN_FUNDS, FORMER) else 1.0

    @property
    def shown_as_share(self) -> bool:
        """Whether pages state use and bound as shares: of what is lent, of own funds or of the former run."""
        return self.reference is not None or self.of in (OWN_FUNDS, FORMER)

    @property
    def of_what(self) -> str:
        """What the bound is a fraction of, as pages have it; "" where it is a figure."""
        return {OWN_FUNDS: "own funds", FORMER: "the former run"}.get(str(self.of), str(self.of or ""))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every test of a filter of the limit, and of the stresses that it holds in."""
        shocks = (shock for _, stress in self.under for shock in (stress.pd, stress.lgd))
        cases = (condition for shock in shocks for case in shock.cases for condition in case.where)
        return (*self.where, *(self.reference.where if self.reference else ()), *self.if_lent_to, *cases)

    def in_stresses(self) -> Iterator[Limit]:
        """The limit in the scenario as it stands, and one in each of its named stresses."""
        yield replace(self, under=())
        for name, stress in self.under:
            yield replace(self, name=f"{self.name} [{name}]", under=(), stress=stress)

    def stressed(self, stress: Stress, name: str = "") -> Limit:
        """The limit in the stress of that name, once; one that bounds a share has the factor on the share."""
        everyone = stress.limits.all if self.sense == "at_most" else 1.0
        under = () if name in dict(self.under) else self.under
        return replace(self, bound=self.bound * everyone * stress.limits.of(self.name), under=under)


_LENT = {"total": Group("offered"), "drawn": Group("drawn"), "loans": Group("loans")}  # of everybody


@dataclass(frozen=True)
class Policy:
    """What the lender allows; a changed policy is another value, the one changed stays as it is."""

    budget: Budget
    ticket: Ticket
    rates: Mapping[str, tuple[float, float]]
    """Grade -> lowest and highest rate, ends included; a grade not named is declined."""
    currency: str = "CNY"
    term_years: float = 1.0
    funding_rate: float = 0.0
    churn_cost_rate: float = 0.0
    decline_churn: float = 0.0
    idle_rate: float = 0.0
    processing_cost: float = 0.0
    own_funds: float | None = None
    """The lender's own funds, which large exposures are measured against; None: not stated."""
    rate_step: float | None = None
    """None: the churn table's own rates inside the band; else by steps from the band's low end."""
    by_contract: bool = False
    """Whether loans have the rates of their contracts and no other."""
    posting: Posting | None = None
    """Who shares a posted rate; None: each borrower has a rate of its own."""
    posted: PriceList | None = None
    """The price list that the policy is held to, whatever `posting` leaves open; None: to none."""
    limits: tuple[Limit, ...] = ()
    capital: CapitalRule = field(default_factory=CapitalRule)
    """How much capital a unit drawn ties up, where a limit asks for it, and what it costs."""
    changes: Changes = field(default_factory=Changes)
    """What may change of the offers to those who were served in the former run."""
    cuts: tuple[Cut, ...] = ()
    """The rows of convex limits, once they are found."""

    @property
    def conditions(self) -> Iterator[Condition]:
        """Every test of a filter of the policy."""
        yield from self.changes.keep or ()
        yield from (condition for limit in self.limits for condition in limit.conditions)

    @property
    def enforced(self) -> tuple[Limit, ...]:
        """The limits that decide something; the others are measured and no more."""
        return tuple(limit for limit in self.limits if limit.penalty > 0)

    def text_columns(self) -> frozenset[str]:
        """Columns that filters by value and `each` read as text (`grade` and `borrower_id` aside)."""
        read = {column for limit in self.limits for column in (limit.each, limit.by, limit.class_column)}
        read.update(self.capital.charged[0], (c.column for c in self.conditions if c.values))
        return frozenset(filter(None, (*read, segment_column(self.posting)))) - {"grade", "borrower_id"}

    def number_columns(self) -> frozenset[str]:
        """Columns that ranges and weights read as numbers."""
        ranged = {c.column for c in self.conditions if c.is_range}
        weights = {limit.weight for limit in self.limits if limit.weight is not None}
        measured = {c for limit in self.limits if limit.plugin for c in limit.plugin.thing.columns}
        measured |= {c for limit in self.limits if limit.rule for c in limit.rule.columns}
        measured |= {self.ticket.grid.column} if isinstance(self.ticket.grid, OwnSteps) else set()
        measured |= {FORMER_AMOUNT for x in self.limits if x.measure == "clients_changed" or x.of == FORMER}
        return frozenset(ranged | weights | measured | self.capital.charged[1])

    def in_stresses(self) -> Policy:
        """The policy with each limit that holds in named stresses as one limit more for each of them."""
        if not any(limit.under for limit in self.limits):
            return self
        return replace(self, limits=tuple(row for limit in self.limits for row in limit.in_stresses()))

    @property
    def convex(self) -> tuple[Limit, ...]:
        """The limits that are no rows but imply some, their cuts: on what groups have, by a column."""
        return tuple(limit for limit in self.limits if limit.by is not None)

    def amount_of(self, limit: Limit) -> float:
        """What a bound of 1 is: the budget or own funds, where it is a fraction of one; else 1."""
        amounts = {BUDGET: self.budget.amount, OWN_FUNDS: self.own_funds}
        own = amounts.get(limit.of) if isinstance(limit.of, str) else None
        return 1.0 if own is None else own

    def unspent(self, used: float) -> float:
        """What is left of the budget once `used` of it is used; none where it must be spent exactly."""
        return self.budget.amount - used if self.budget.spend == "at_most" else 0.0

    @property
    def idle_yield(self) -> float:
        """What a unit of the budget earns where it may stay unspent."""
        return self.idle_rate if self.budget.spend == "at_most" else 0.0

    def entry(self, name: str, field: str = "limit") -> Limit | None:
        """The limit called `name`; None for the budget. Raises InputError at `field` where there is none."""
        names = [BUDGET, *(limit.name for limit in self.limits)]
        if name in names:
            return next((limit for limit in self.limits if limit.name == name), None)
        whole, near = name.partition("[")[0].rstrip(), get_close_matches(name, names, n=1)
        if whole in names:
            remedy = f"write {whole}: all rows of the entry move together"
        else:
            remedy = f"did you mean {near[0]}?" if near else f"the limits are {', '.join(names)}"
        raise InputError.of([Fault(f"no limit is named {name!r}", remedy, field=field)], "limits")

    def bound_of(self, name: str) -> float:
        """The budget's amount, or the bound of the limit `name` as the policy states it."""
        limit = self.entry(name)
        return self.budget.amount if limit is None else limit.bound

    def with_budget(self, amount: float) -> Policy:
        """The policy with another amount as its budget."""
        return replace(self, budget=replace(self.budget, amount=amount))

    def with_bound(self, name: str, bound: float) -> Policy:
        """The policy with another bound of the limit `name`, or another budget."""
        limits = (replace(own, bound=bound) if own.name == name else own for own in self.limits)
        return self.with_budget(bound) if name == BUDGET else replace(self, limits=tuple(limits))

    def without(self, name: str, room: float = inf) -> Policy:
        """The policy with the limit `name` dropped; without the budget at most `room` may be lent."""
        if name != BUDGET:
            return replace(self, limits=tuple(limit for limit in self.limits if limit.name != name))
        budget = replace(self.budget, amount=max(self.budget.amount, room), spend="at_most")
        return replace(self, budget=budget, limits=tuple(self._in_money(own, budget) for own in self.limits))

    def _in_money(self, limit: Limit, wider: Budget) -> Limit:
        """A share of the budget as it is; of an index as a part of the `wider` one."""
        if limit.of != BUDGET:
            return limit
        if limit.measure == HHI:
            return replace(limit, bound=limit.bound * (self.budget.amount / wider.amount) ** 2)
        return replace(limit, bound=limit.bound * self.budget.amount, of=None)

    @property
    def apart(self) -> Policy:
        """The policy whose limits read PD and LGD as they are apart from any mean over stresses."""
        limits = (own if own.by or own.stress else replace(own, stress=Stress()) for own in self.limits)
        return replace(self, limits=tuple(limits))

    def stressed(self, stress: Stress, name: str = "") -> Policy:
        """The policy after what the stress of that name does to funding and limits."""
        return replace(
            self.with_budget(self.budget.amount * stress.limits.of(BUDGET)),
            funding_rate=self.funding_rate * stress.funding.all + stress.funding.add,
            limits=tuple(limit.stressed(stress, name) for limit in self.limits),
        )


@dataclass(frozen=True)
class Scenario:
    """One complete case: resolved, checked, ready to run."""

    name: str
    path: Path | None = field(compare=False)
    """The file it was read from; None when built in memory. The same scenario may stand in two files."""
    portfolio: PortfolioSource
    response: Response
    policy: Policy
    """What holds: the policy as written, under what the stress does to funding and limits."""
    solver: SolverSettings
    document: Mapping[str, Any]
    """The resolved file as plain mappings, as `scenario.yaml` of a run repeats it: defaults written out,
    paths absolute, ${VARIABLES} as they were typed so that no secret is in it."""
    stress: StressSource = field(default_factory=StressSource)
    """What is done to the borrowers and the churn curve before anything is priced, and to the policy."""
    written: Policy = field(kw_only=True)
    """The policy as the file writes it, before the stress."""
    paths: tuple[Place, ...] = ()
    """The places of `document` where paths stand."""
    stresses: Mapping[str, StressSource] = field(default_factory=dict)
    """Named sets to try on top of `stress`."""
    strategy: Strategy = field(default_factory=Strategy)
    former: FormerRun | None = None
    """The run that changes are counted from."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What was set over the file and changes nothing."""

    @property
    def frames(self) -> dict[Place, Frame]:
        """Tables handed over in memory, by the place in `document` where a run's file would stand."""
        named = {SOURCE: self.portfolio.path, CHURN: self.response.churn, BOOK: self.strategy.book}
        return {place: file for place, file in named.items() if isinstance(file, Frame)}

    @property
    def plugins(self) -> dict[str, str]:
        """What of other packages the scenario uses, as `measure npl`, and whose it is: `acme-lending 1.0`."""
        used = (self.portfolio.plugin, self.strategy.plugin, *(limit.plugin for limit in self.policy.limits))
        return {plugin.key: plugin.origin for plugin in used if plugin is not None}
