"""From the checked sections of a file to the record that the other rooms read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from allocator.errors import InputError
from allocator.records.conditions import Condition
from allocator.records.curves import FORMULAS, Response
from allocator.records.document import BOOK, CHURN, NO_CHURN, SOURCE, Place
from allocator.records.enforcement import REPORT
from allocator.records.former import MONEY_MOVED, Changes, FormerRun
from allocator.records.frames import Frame
from allocator.records.price_lists import Posting, Pricing
from allocator.records.risk import CapitalRule, Rule, Sectors, TailRule
from allocator.records.scenario import Budget, Group, Limit, Policy, PortfolioSource, Scenario, Sense
from allocator.records.sources import InvoiceFiles, kind_of
from allocator.records.strategy import SolverSettings, Strategy
from allocator.records.stress import (
    BASE,
    FundingShock,
    LimitShock,
    Shock,
    Stress,
    StressCase,
    StressSource,
    whole_weights,
)
from allocator.scenario.capital_schema import TailEntry
from allocator.scenario.changes_schema import ChangesEntry, KeepEntry
from allocator.scenario.limit_schema import GroupEntry, LimitEntry, RangeEntry, SoftEntry
from allocator.scenario.paths import expand, offers_in
from allocator.scenario.places import paths_of
from allocator.scenario.plugged import Plugins, plugins_of
from allocator.scenario.policy_schema import PolicyEntry, RateGrid, SegmentPricing
from allocator.scenario.quantities import quantity
from allocator.scenario.schema import AnyColumn, FormerEntry, PortfolioEntry, ResponseEntry, ScenarioFile
from allocator.scenario.source_schema import (
    InvoicesEntry,
    InvoiceSource,
    SqlSource,
)
from allocator.scenario.strategy_schema import AhpLinesStrategy, FileStrategy, MinLossStrategy
from allocator.scenario.stress_schema import (
    CaseEntry,
    ChurnShockEntry,
    FundingShockEntry,
    GradeCaseEntry,
    GradeRatesEntry,
    LimitsShockEntry,
    RatesShockEntry,
    ShockEntry,
    StressEntry,
)
from allocator.scenario.stressing import large_factor_faults
from allocator.scenario.typed import Typed

_NO_FRAMES: Mapping[Place, Frame] = MappingProxyType({})
_CALLED = {"sep": "separator"}
"""What a record calls otherwise than a scenario file."""


def build(typed: ScenarioFile, path: Path | None, frames: Mapping[Place, Frame] = _NO_FRAMES) -> Scenario:
    """The scenario that `typed` states; its paths are absolute, their variables are set.

    At the places of `frames` their names stand in `typed`, for the tables that they are.

    Raises InputError where the factors of a stress together come to too much, or a package does not bring
    what the file names.
    """
    plugins = plugins_of(typed)
    stresses = {name: _stress(own) for name, own in typed.stresses.items()}
    stress = _several(_stress(typed.stress), typed.stress, stresses)
    written = _policy(typed.policy, plugins, stresses)
    written = written.apart if stress.worst else written
    places = {"stress": stress, **{f"stresses.{name}": named for name, named in stresses.items()}}
    faults = [
        f for place, named in places.items() for f in large_factor_faults(written, named.factors, place)
    ]
    if faults:
        raise InputError.of(faults, typed.name)
    numbers = written.number_columns().union(
        *(s.factors.number_columns() for s in (stress, *stresses.values()))
    )
    document = _document(typed)
    return Scenario(
        name=typed.name,
        path=path,
        portfolio=_portfolio(typed.portfolio, written.term_years, numbers, frames.get(SOURCE), plugins),
        response=_response(typed.response, frames.get(CHURN)),
        policy=written.stressed(stress.factors),
        solver=SolverSettings(**typed.solver.model_dump(exclude_none=True)),
        document=document,
        stress=stress,
        stresses=stresses,
        strategy=_strategy(typed.strategy, frames.get(BOOK), plugins),
        written=written,
        paths=paths_of(document),
        former=_former(typed.former),
    )


def _document(typed: ScenarioFile) -> dict[str, Any]:
    """The file as plain mappings: every default written out, ${VARIABLES} as they were typed."""
    document: dict[str, Any] = _tidy(typed.model_dump(mode="json", by_alias=True, exclude_none=True))
    # An entry without anything said in it is the rule's name alone.
    strategy = typed.strategy
    if "strategy" in document:
        return document
    return {**document, "strategy": _strategy(strategy, None, {}).rule}


def _tidy(value: Any) -> Any:
    """Without empty sections; whole numbers without a decimal point."""
    if isinstance(value, Mapping):
        tidied = {key: _tidy(entry) for key, entry in value.items()}
        return {key: entry for key, entry in tidied.items() if entry not in ({}, [])}
    if isinstance(value, list):
        return [_tidy(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _path(raw: str) -> Path:
    return Path(expand(raw)[0]).absolute()


def _optional(raw: str | None) -> Path | None:
    return None if raw is None else _path(raw)


def _former(typed: str | FormerEntry | None) -> FormerRun | None:
    if typed is None or isinstance(typed, str):
        return None if typed is None else FormerRun(offers_in(_path(typed)))
    return FormerRun(offers_in(_path(typed.file)), typed.columns.model_dump(exclude_none=True))


def _response(typed: ResponseEntry, frame: Frame | None) -> Response:
    churn = typed.churn
    if frame is not None:
        return Response(frame, typed.smoothing)
    if isinstance(churn, str):
        return Response(None if churn == NO_CHURN else _path(churn), typed.smoothing)
    [(formula, entries)] = churn
    curves = {grade: FORMULAS[formula](**entry.model_dump()) for grade, entry in entries.items()}
    return Response(None, typed.smoothing, curves)


def _defaults(typed: AnyColumn, term: float, numbers: frozenset[str]) -> dict[str, Any]:
    """Values for columns that the source lacks; `term`, the policy's, is that of loans without one."""
    given = typed.model_dump(exclude_none=True)
    for column in (typed.model_extra or {}).keys() & numbers:
        given[column] = quantity(given[column])
    return {"term_years": term, **given}


def _portfolio(
    typed: PortfolioEntry, term: float, numbers: frozenset[str], frame: Frame | None, plugins: Plugins
) -> PortfolioSource:
    source = typed.source
    shared: dict[str, Any] = {
        "columns": typed.columns.model_dump(exclude_none=True),
        "defaults": _defaults(typed.defaults, term, numbers),
        "pd_by_grade": dict(typed.pd_by_grade),
        "scorecard": _optional(typed.scorecard),
    }
    if frame is not None:
        return PortfolioSource(kind_of(frame.name).name, frame, bare=True, **shared)
    match source:
        case str():
            return PortfolioSource(kind_of(source).name, _path(source), **shared)
        case SqlSource():
            address, limit = expand(source.sql)[0], source.time_limit
            return PortfolioSource("sql", url=address, query=source.query, query_limit=limit, **shared)
        case InvoiceSource():
            return PortfolioSource("invoices", invoices=_invoices(source.invoices), **shared)
        case _:
            (kind, file), *options = source.model_dump(exclude_none=True).items()
            by_key = {_CALLED.get(key, key): option for key, option in options}
            by_key["plugin"] = plugins.get(("source", kind))
            return PortfolioSource(kind, _path(file), **by_key, **shared)


def _invoices(typed: InvoicesEntry) -> InvoiceFiles:
    files = typed.model_dump(exclude_none=True, exclude={"duplicates"})
    return InvoiceFiles(**{key: _path(file) for key, file in files.items()}, duplicates=typed.duplicates)


def _policy(typed: PolicyEntry, plugins: Plugins, stresses: Mapping[str, StressSource]) -> Policy:
    capital = CapitalRule() if typed.capital is None else CapitalRule(**typed.capital.model_dump())
    changes = _changes(typed.changes)
    rules: dict[str, Rule | Changes] = {
        "capital": capital, "tail_loss": _tail(typed.tail, capital), MONEY_MOVED: changes
    }  # fmt: skip
    own = {field.name for field in fields(Policy)} & PolicyEntry.model_fields.keys()
    same = {key: getattr(typed, key) for key in own}
    return Policy(
        **{
            **same,
            "budget": Budget(**typed.budget.model_dump()),
            "ticket": typed.ticket.record(),
            "rates": dict(typed.rates),
            "rate_step": typed.rate_grid.step if isinstance(typed.rate_grid, RateGrid) else None,
            "by_contract": typed.rate_grid == "contract",
            "posting": _posting(typed.pricing),
            "capital": capital,
            "changes": changes,
            "limits": tuple(_limit(entry, plugins, rules, stresses) for entry in typed.limits),
        }
    )


def _posting(typed: Pricing | SegmentPricing) -> Posting | None:
    if isinstance(typed, SegmentPricing):
        groups = {value: group for group, values in typed.groups.items() for value in values}
        return Posting(typed.grades != "together", typed.grades == "monotone", typed.per_segment, groups)
    return None if typed == "individual" else Posting(rising=typed == "monotone")


def _tail(typed: TailEntry | None, capital: CapitalRule) -> TailRule:
    if typed is None:
        return TailRule(capital=capital)
    correlation = None if isinstance(typed.correlation, str) else typed.correlation
    sectors = None if typed.sectors is None else Sectors(**typed.sectors.model_dump())
    return TailRule(typed.confidence, correlation, capital, sectors)


def _changes(typed: ChangesEntry) -> Changes:
    moved, keep = typed.rate_moved, typed.keep
    kept: tuple[Condition, ...] | None = () if keep == "all" else None
    if isinstance(keep, KeepEntry):
        kept = tuple(condition_of(column, test) for column, test in keep.where.items())
    return Changes(None if moved is None else moved.at_most, typed.amounts, kept)


def _limit(
    typed: LimitEntry,
    plugins: Plugins,
    rules: Mapping[str, Rule | Changes],
    stresses: Mapping[str, StressSource],
) -> Limit:
    senses: tuple[Sense, ...] = get_args(Sense)
    [(sense, bound)] = [(key, end) for key in senses if (end := getattr(typed, key)) is not None]
    where = tuple(condition_of(column, test) for column, test in (typed.where or {}).items())
    plugin = plugins.get(("measure", typed.measure))
    of = _group(typed.of) if isinstance(typed.of, GroupEntry) else typed.of
    rule, enforce = rules.get(typed.measure), typed.enforce
    penalty = enforce.soft if isinstance(enforce, SoftEntry) else 0.0 if enforce == REPORT else inf
    lent_to = tuple(condition_of(column, test) for column, test in (typed.if_lent_to or {}).items())
    under = tuple((name, stresses[name].factors) for name in typed.under or ())
    factors = rule.sectors if isinstance(rule, TailRule) else None
    by = typed.by if factors is None else factors.column
    by = by or "borrower_id" if typed.top is not None else by
    groups = (typed.each, typed.weight, plugin, rule, penalty, by, under, None, lent_to, typed.top)
    return Limit(typed.name, typed.measure, sense, bound, of, where, *groups)


def _group(typed: GroupEntry) -> Group:
    return Group(typed.measure, tuple(condition_of(column, test) for column, test in typed.where.items()))


def condition_of(column: str, test: str | tuple[str, ...] | RangeEntry) -> Condition:
    """One entry of a filter as the record that reads the borrowers."""
    if isinstance(test, RangeEntry):
        return Condition(column, **test.model_dump())
    return Condition(column, (test,) if isinstance(test, str) else test)


def _stress(typed: StressEntry | None) -> StressSource:
    if typed is None:
        return StressSource()
    written = {figure: getattr(typed, figure) for figure in Stress.figures()}
    factors = Stress(**{name: _shock(entry) for name, entry in written.items() if entry is not None})
    return StressSource(factors, _optional(typed.file), typed.column)


def _several(
    own: StressSource, typed: StressEntry | None, stresses: Mapping[str, StressSource]
) -> StressSource:
    """The scenario's `own` stress with those that it is the mean of, or the worst, at equal weights."""
    worst = () if typed is None or typed.worst_of is None else typed.worst_of
    weights = {} if typed is None or typed.mean_of is None else typed.mean_of
    if worst:
        weights = dict(zip(worst, whole_weights([1.0] * len(worst)), strict=True))
    named = {BASE: StressSource(), **stresses}
    mean = tuple((weight, named[name].factors) for name, weight in weights.items())
    return replace(own, mean=mean, worst=worst)


def _strategy(typed: str | Typed, frame: Frame | None, plugins: Plugins) -> Strategy:
    match typed:
        case AhpLinesStrategy():
            entry = typed.ahp_lines
            return Strategy("ahp_lines", entry.lines, entry.bands, weights=_optional(entry.file))
        case MinLossStrategy():
            wanted = typed.min_loss
            if wanted.share is None:
                return Strategy("min_loss", income=wanted.income)
            return Strategy("min_loss", share=wanted.share)
        case FileStrategy():
            columns = typed.columns.model_dump(exclude_none=True)
            return Strategy("file", book=frame or _optional(typed.file), columns=columns)
        case str():
            return Strategy(typed, plugin=plugins.get(("strategy", typed)))
        case _:
            [(name, told)] = typed.model_dump().items()
            return Strategy(name, plugin=plugins.get(("strategy", name)), told=told)


def _shock(
    typed: ShockEntry | ChurnShockEntry | RatesShockEntry | FundingShockEntry | LimitsShockEntry,
) -> Any:
    match typed:
        case FundingShockEntry():
            return FundingShock(typed.all, typed.add)
        case LimitsShockEntry():
            return LimitShock(typed.all, tuple((case.name, case.factor) for case in typed.where))
        case _:
            return Shock(typed.all, tuple(map(_case, typed.where)))


def _case(typed: CaseEntry | GradeCaseEntry | GradeRatesEntry) -> StressCase:
    where = typed.where if isinstance(typed, CaseEntry) else {"grade": typed.grade}
    return StressCase(tuple(condition_of(column, test) for column, test in where.items()), typed.factor)
