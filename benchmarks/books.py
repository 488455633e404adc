"""Invented books as records in memory, ten million borrowers in seconds: the registry's raw material."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allocator.pricing.churn import read_churn_table
from allocator.records.curves import Response
from allocator.records.portfolio import ChurnTable, Floats, Integers, Portfolio, Text
from allocator.records.scenario import Policy, PortfolioSource, Scenario
from allocator.records.strategy import SolverSettings

CHURN = Path(__file__).resolve().parents[1] / "models" / "churn" / "cumcm-2020.csv"
GRADES = ("A", "B", "C", "D")
SHARES = np.array([27, 38, 34, 24]) / 123
"""Of the grades, as in the contest's 123 rated firms; nobody lends to D."""
MEAN_PD = np.array([0.008, 0.026, 0.059, 0.3])
SECTORS, REGIONS, BRANCHES = 10, 8, 176


@dataclass(frozen=True)
class Book:
    """Everything that the stages read, loaded."""

    portfolio: Portfolio
    table: ChurnTable
    policy: Policy

    def scenario(self, settings: SolverSettings) -> Scenario:
        response = Response(CHURN, "isotonic")
        return Scenario(
            "book", None, PortfolioSource("parquet"), response, self.policy, settings, {}, written=self.policy
        )

    def with_columns(self, **columns: Any) -> Book:
        """The same book with other columns of the portfolio."""
        return replace(self, portfolio=replace(self.portfolio, **columns))


@cache
def churn_table() -> ChurnTable:
    """The contest's 29 rates and three churn curves."""
    return read_churn_table(CHURN)


def labelled(codes: Integers, count: int, prefix: str) -> Text:
    """A text column of `count` values that ascend as their codes do."""
    digits = len(str(count - 1))
    return Text(codes.astype(np.int32), tuple(f"{prefix}{code:0{digits}d}" for code in range(count)))


def borrowers(n: int, seed: int) -> Portfolio:
    """n borrowers of scale.md's shape: requests of 100,000 to 1,000,000 in steps of 10,000.

    Grades in the contest's shares, log-normal PD around each grade's mean, LGD around 45 %, sector and
    region evenly drawn, `k` (capital a unit drawn) 2 to 12 %.
    """
    random = np.random.default_rng(seed)
    grade = random.choice(len(GRADES), size=n, p=SHARES).astype(np.int32)
    default = np.clip(MEAN_PD[grade] * np.exp(0.5 * random.standard_normal(n)), 0.0003, 0.9)
    request = np.round(random.uniform(1e5, 1e6, n), -4)
    given_nothing: Floats = np.full(n, np.nan)
    return Portfolio(
        source="invented",
        borrower_id=_identifiers(n),
        row=np.arange(1, n + 1),
        grade=Text(grade, GRADES),
        pd=default,
        lgd=np.clip(random.beta(9, 11, n), 0.0, 1.0),
        term=np.ones(n),
        min_amount=np.full(n, 1e5),
        max_amount=np.maximum(request, 1e5),
        relationship_value=np.zeros(n),
        exposure=np.zeros(n),
        exclude=np.zeros(n, dtype=bool),
        min_rate=given_nothing,
        max_rate=given_nothing,
        rate=given_nothing,
        fixed_amount=given_nothing.copy(),
        fixed_rate=given_nothing.copy(),
        texts={
            "sector": labelled(random.integers(0, SECTORS, n), SECTORS, "s"),
            "region": labelled(random.integers(0, REGIONS, n), REGIONS, "r"),
        },
        numbers={"k": random.uniform(0.02, 0.12, n)},
    )


def _identifiers(n: int) -> np.ndarray:
    """(n,) texts of one width, ascending."""
    digits = pc.utf8_lpad(pa.array(np.arange(n)).cast(pa.string()), len(str(n)), "0")
    return np.asarray(digits.to_numpy(zero_copy_only=False), dtype=object)
