"""Eleven optima that others published for 99 real firms: same objective, same number of firms."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from allocator.pricing.churn import read_churn_table
from allocator.records.portfolio import Portfolio
from tests.builders import Case, policy, portfolio
from tests.stages import solve

UNIT = 10_000.0
"""The publication counts in 10,000 yuan."""
NAMES = [*(f"budget_{share / 100:.2f}" for share in range(10, 101, 10)), "nominal_cap"]
SPEND = {"nominal_equality": "exactly", "nominal_cap": "at_most"}


def published(data: Path, name: str) -> dict[str, str]:
    with (data / "cumcm2020c/oracle_q1/published_optima.csv").open(encoding="utf-8") as file:
        return {row["scenario_id"]: row for row in csv.DictReader(file)}[name]


def firms(data: Path, lgd: float) -> Portfolio:
    """The 99 firms that the publication may lend to."""
    with (data / "cumcm2020c/oracle_q1/pd_99_123.csv").open(encoding="utf-8") as file:
        rated = [row for row in csv.DictReader(file) if row["rating"] != "D"]
    return portfolio([row["rating"] for row in rated], pd=[float(row["pd_mean"]) for row in rated], lgd=lgd)


@pytest.mark.parametrize("name", NAMES)
def test_the_published_optimum_is_met(data: Path, name: str) -> None:
    facts = published(data, name)
    book = firms(data, float(facts["lgd"]))
    assert len(book) == 99
    terms = policy(
        float(facts["budget_10k"]) * UNIT,
        rates=dict.fromkeys("ABC", (0.04, 0.15)),
        spend=SPEND[facts["budget_definition"]],
        funding_rate=float(facts["funding_cost"]),
    )
    solved = solve(Case(book, read_churn_table(data / "churn_curve.csv"), terms, smoothing="isotonic"))
    assert solved.value / UNIT == pytest.approx(float(facts["published_net_return_10k"]), rel=1e-8)
    assert int((solved.decisions.amount > 0).sum()) == int(facts["published_offered"])
    assert solved.finding.certificate.gap <= 1e-9
