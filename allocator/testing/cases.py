"""Records for checks, built in plain sight: every value that matters is an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from allocator.records.case import Inputs
from allocator.records.conditions import Condition
from allocator.records.curves import Response
from allocator.records.portfolio import ChurnTable, Portfolio, Text
from allocator.records.risk import CapitalRule, TailRule
from allocator.records.scenario import Budget, Limit, Policy, PortfolioSource, Scenario
from allocator.records.strategy import SolverSettings
from allocator.records.ticket import Ticket

SETTINGS = SolverSettings(gap=1e-9, time_limit=30.0)


def text(values: Sequence[str | None]) -> Text:
    """A text column; None is missing."""
    distinct = sorted({value for value in values if value is not None})
    codes = [-1 if value is None else distinct.index(value) for value in values]
    return Text(np.array(codes, dtype=np.int32), tuple(distinct))


def portfolio(
    grade: Sequence[str],
    *,
    pd: float | Sequence[float] = 0.02,
    lgd: float | Sequence[float] = 0.5,
    term: float | Sequence[float] = 1.0,
    min_amount: float | Sequence[float] = 0.0,
    max_amount: float | Sequence[float] = np.inf,
    relationship_value: float | Sequence[float] = 0.0,
    exposure: float | Sequence[float] = 0.0,
    exclude: bool | Sequence[bool] = False,
    min_rate: float | Sequence[float] = np.nan,
    max_rate: float | Sequence[float] = np.nan,
    rate: float | Sequence[float] = np.nan,
    fixed_amount: float | Sequence[float] = np.nan,
    fixed_rate: float | Sequence[float] = np.nan,
    texts: Mapping[str, Sequence[str | None]] | None = None,
    numbers: Mapping[str, Sequence[float]] | None = None,
) -> Portfolio:
    """One borrower per grade, b000, b001, ...; a single value stands for all of them."""
    n = len(grade)

    def column(values: Any, kind: type = float) -> Any:
        return np.array(np.broadcast_to(np.asarray(values, dtype=kind), n))

    return Portfolio(
        source="borrowers.csv",
        borrower_id=np.array([f"b{i:03d}" for i in range(n)], dtype=object),
        row=np.arange(1, n + 1),
        grade=text(grade),
        pd=column(pd),
        lgd=column(lgd),
        term=column(term),
        min_amount=column(min_amount),
        max_amount=column(max_amount),
        relationship_value=column(relationship_value),
        exposure=column(exposure),
        exclude=column(exclude, bool),
        min_rate=column(min_rate),
        max_rate=column(max_rate),
        rate=column(rate),
        fixed_amount=column(fixed_amount),
        fixed_rate=column(fixed_rate),
        texts={name: text(values) for name, values in (texts or {}).items()},
        numbers={name: column(values) for name, values in (numbers or {}).items()},
    )


def churn_table(rates: Sequence[float], **churn: Sequence[float]) -> ChurnTable:
    """A churn curve with one column per grade."""
    return ChurnTable(
        "churn.csv", np.array(rates, dtype=float), {g: np.array(c, dtype=float) for g, c in churn.items()}
    )


def limit(name: str, measure: Any, sense: Any, bound: float, **rest: Any) -> Limit:
    """A limit; `where` maps a column to a list of texts or to a mapping of range ends."""
    conditions = tuple(
        Condition(column, **test) if isinstance(test, Mapping) else Condition(column, tuple(test))
        for column, test in rest.pop("where", {}).items()
    )
    rules = {"capital": CapitalRule(), "tail_loss": TailRule()}
    rest = {"rule": rules[measure], **rest} if measure in rules else rest
    return Limit(name, measure, sense, bound, where=conditions, **rest)


def policy(
    budget: float,
    *limits: Limit,
    rates: Mapping[str, tuple[float, float]] | None = None,
    spend: Any = "at_most",
    basis: Any = "offered",
    ticket: tuple[float, float] = (100_000.0, 1_000_000.0),
    step: float | None = None,
    **rest: Any,
) -> Policy:
    """A policy that lends to A and B at 4 to 15 % unless told otherwise."""
    bands = dict.fromkeys("AB", (0.04, 0.15)) if rates is None else rates
    return Policy(Budget(budget, spend, basis), Ticket(*ticket, step), bands, limits=limits, **rest)


@dataclass(frozen=True)
class Case:
    """Everything that a run reads, as records."""

    portfolio: Portfolio
    table: ChurnTable
    policy: Policy
    smoothing: Any = "none"
    settings: SolverSettings = SETTINGS

    def with_risk(self, pd: Sequence[float], lgd: Sequence[float]) -> Case:
        """The same case of borrowers of other PD and LGD."""
        return replace(self, portfolio=replace(self.portfolio, pd=np.array(pd), lgd=np.array(lgd)))

    @property
    def inputs(self) -> Inputs:
        return Inputs(self.portfolio, self.table, {})

    @property
    def scenario(self) -> Scenario:
        response = Response(Path("churn.csv"), self.smoothing)
        return Scenario(
            "case",
            None,
            PortfolioSource("csv"),
            response,
            self.policy,
            self.settings,
            {},
            written=self.policy,
        )

    def under(self, **changes: Any) -> Case:
        """The same case with other fields of its policy."""
        return replace(self, policy=replace(self.policy, **changes))
