"""From the checked sections of a file to the record that the other rooms read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from allocator.records.conditions import Condition
from allocator.records.scenario import (
    Budget,
    Limit,
    Policy,
    PortfolioSource,
    Response,
    Scenario,
    Sense,
    SolverSettings,
    Ticket,
)
from allocator.scenario.limit_schema import LimitEntry, RangeEntry
from allocator.scenario.paths import expand
from allocator.scenario.policy_schema import PolicyEntry, RateGrid
from allocator.scenario.quantities import quantity
from allocator.scenario.schema import (
    CsvSource,
    DefaultsEntry,
    ParquetSource,
    PortfolioEntry,
    ScenarioFile,
    SqlSource,
    XlsxSource,
)


def build(typed: ScenarioFile, path: Path | None) -> Scenario:
    """The scenario that `typed` states; its paths are absolute, their variables are set."""
    policy = _policy(typed.policy)
    return Scenario(
        name=typed.name,
        path=path,
        portfolio=_portfolio(typed.portfolio, policy),
        response=Response(_path(typed.response.churn), typed.response.smoothing),
        policy=policy,
        solver=SolverSettings(**typed.solver.model_dump()),
        document=_document(typed),
    )


def _document(typed: ScenarioFile) -> dict[str, Any]:
    """The file as plain mappings: every default written out, ${VARIABLES} as they were typed."""
    document: dict[str, Any] = _tidy(typed.model_dump(mode="json", by_alias=True, exclude_none=True))
    return document


def _tidy(value: Any) -> Any:
    """Without empty sections; whole numbers without a decimal point."""
    if isinstance(value, Mapping):
        tidied = {key: _tidy(entry) for key, entry in value.items()}
        return {key: entry for key, entry in tidied.items() if entry not in ({}, [])}
    if isinstance(value, list):
        return [_tidy(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _path(raw: str) -> Path:
    return Path(expand(raw)[0])


def _defaults(typed: DefaultsEntry, policy: Policy) -> dict[str, Any]:
    """Values for columns that the source lacks; the policy's term is that of loans without one."""
    given = typed.model_dump(exclude_none=True)
    for column in (typed.model_extra or {}).keys() & policy.number_columns():
        given[column] = quantity(given[column])
    return {"term_years": policy.term_years, **given}


def _portfolio(typed: PortfolioEntry, policy: Policy) -> PortfolioSource:
    source = typed.source
    shared: dict[str, Any] = {
        "columns": typed.columns.model_dump(exclude_none=True),
        "defaults": _defaults(typed.defaults, policy),
        "pd_by_grade": dict(typed.pd_by_grade),
    }
    match source:
        case SqlSource():
            return PortfolioSource("sql", url=expand(source.sql)[0], query=source.query, **shared)
        case CsvSource():
            path = _path(source.csv)
            return PortfolioSource("csv", path, separator=source.sep, decimal=source.decimal, **shared)
        case ParquetSource():
            return PortfolioSource("parquet", _path(source.parquet), **shared)
        case XlsxSource():
            return PortfolioSource("xlsx", _path(source.xlsx), **shared)
        case ending if ending.lower().endswith(".parquet"):
            return PortfolioSource("parquet", _path(source), **shared)
        case ending if ending.lower().endswith(".xlsx"):
            return PortfolioSource("xlsx", _path(source), **shared)
        case _:
            return PortfolioSource("csv", _path(source), **shared)


def _policy(typed: PolicyEntry) -> Policy:
    return Policy(
        budget=Budget(**typed.budget.model_dump()),
        ticket=Ticket(**typed.ticket.model_dump()),
        rates=dict(typed.rates),
        currency=typed.currency,
        term_years=typed.term_years,
        funding_rate=typed.funding_rate,
        churn_cost_rate=typed.churn_cost_rate,
        decline_churn=typed.decline_churn,
        idle_rate=typed.idle_rate,
        processing_cost=typed.processing_cost,
        rate_step=typed.rate_grid.step if isinstance(typed.rate_grid, RateGrid) else None,
        limits=tuple(map(_limit, typed.limits)),
    )


def _limit(typed: LimitEntry) -> Limit:
    senses: tuple[tuple[Sense, float | None], ...] = (
        ("at_most", typed.at_most),
        ("at_least", typed.at_least),
        ("exactly", typed.exactly),
    )
    [(sense, bound)] = [(sense, bound) for sense, bound in senses if bound is not None]
    where = tuple(_condition(column, test) for column, test in (typed.where or {}).items())
    return Limit(typed.name, typed.measure, sense, bound, typed.of, where, typed.each, typed.weight)


def _condition(column: str, test: str | tuple[str, ...] | RangeEntry) -> Condition:
    if isinstance(test, RangeEntry):
        return Condition(column, **test.model_dump())
    return Condition(column, (test,) if isinstance(test, str) else test)
