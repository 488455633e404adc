"""Made-up runs: of the shape that the pipeline hands on, with figures that add up to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.records.curves import Response
from allocator.records.run import Certificate, LimitUse, Run
from allocator.records.scenario import Budget, Policy, PortfolioSource, Scenario
from allocator.records.strategy import SolverSettings
from allocator.records.ticket import Ticket

SUMS = ("interest", "expected_loss", "funding_cost", "churn_cost", "processing_cost", "relationship_cost")
SCENARIO_TEXT = "schema: 1\nname: made up\n"


def made_run(borrowers: int = 8, *, name: str = "made up", seed: int = 0, **summary: Any) -> Run:
    """A run of `borrowers` borrowers in grades A and B, every fourth refused; `summary` overrides figures."""
    allocation = made_allocation(borrowers, seed)
    certificate = made_certificate(float(allocation["value"].sum()))
    return Run(
        scenario=made_scenario(name),
        allocation=allocation,
        certificate=certificate,
        summary={**made_summary(name, allocation, certificate), **summary},
        status="optimal",
        log="solver said: fine\n",
    )


def made_scenario(name: str) -> Scenario:
    policy = Policy(Budget(1_000_000.0), Ticket(100.0, 1_000.0), {"A": (0.04, 0.11)})
    source = PortfolioSource("csv", Path("/data/borrowers.csv"))
    return Scenario(
        name, None, source, Response(Path("/data/churn.csv")), policy, SolverSettings(), {}, written=policy
    )


def made_allocation(borrowers: int, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    made = np.arange(borrowers) % 4 != 3
    amount = np.where(made, np.round(generator.uniform(100, 1_000, borrowers), 2), 0.0)
    costs = {name: amount * generator.random(borrowers) / 10 for name in SUMS}
    value = costs["interest"] - sum(costs[name] for name in SUMS[1:])
    grades = np.where(np.arange(borrowers) % 2 == 0, "A", "B")
    return pd.DataFrame(
        {
            "borrower_id": np.array([f"F{i:06d}" for i in range(borrowers)], dtype=object),
            "grade": pd.Categorical(grades),
            "amount": amount,
            "rate": np.where(made, 0.0465, 0.0),
            "take_up": np.where(made, generator.random(borrowers), 0.0),
            **costs,
            "value": value,
            "reason": pd.Categorical(np.where(made, "", "grade is not lent to")),
        }
    )


def made_certificate(value: float) -> Certificate:
    uses = (
        LimitUse("budget", "offered", "at_most", 1_000_000.0, 1_000_000.0, 0.01, 0.0),
        LimitUse("A line", "offered", "at_most", 600_000.0, 630_000.0, 0.0, 0.0),
        LimitUse("sectors[retail]", "offered", "at_most", -2_000.0, 0.0, 0.0, 0.0),
    )
    prices = {use.name: use.price for use in uses}
    inputs = {"portfolio": "sha256:" + "0" * 64, "churn": "sha256:" + "1" * 64}
    return Certificate(prices, value + 1e-7, value, uses, inputs)


def made_summary(name: str, allocation: pd.DataFrame, certificate: Certificate) -> dict[str, Any]:
    offered = allocation["amount"]
    return {
        "name": name,
        "status": "optimal",
        "proof": "prices",
        "stop": "gap",
        "strategy": "optimal",
        "limits_broken": [],
        "terms_broken": {},
        "currency": "CNY",
        "objective": certificate.value,
        "bound": certificate.bound,
        "gap": certificate.gap,
        "certified_bound": certificate.bound,
        "certified_gap": certificate.gap,
        "offered": float(offered.sum()),
        "drawn": float((offered * allocation["take_up"]).sum()),
        **{key: float(allocation[key].sum()) for key in SUMS},
        "budget_unspent": 0.0,
        "borrowers": len(allocation),
        "funded": int((offered > 0).sum()),
        "by_grade": {
            str(grade): by_grade(part) for grade, part in allocation.groupby("grade", observed=True)
        },
        "limits": [
            {
                "name": use.name,
                "measure": use.measure,
                "sense": use.sense,
                "used": use.used,
                "bound": use.bound,
                "slack": use.slack,
                "price": use.price,
                "binding": use.slack == 0,
                "broken": use.broken,
            }
            for use in certificate.limits
        ],
        "digest": "5f" * 32,
    }


def by_grade(part: pd.DataFrame) -> dict[str, float]:
    offered = float(part["amount"].sum())
    return {
        "borrowers": len(part),
        "funded": int((part["amount"] > 0).sum()),
        "offered": offered,
        "drawn": float((part["amount"] * part["take_up"]).sum()),
        "mean_rate": float((part["amount"] * part["rate"]).sum()) / offered if offered else 0.0,
        **{key: float(part[key].sum()) for key in (*SUMS, "value")},
    }
