"""Books of 50 to 2,000 borrowers drawn from a seed, with every kind of limit among them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.records.portfolio import Portfolio
from allocator.records.scenario import Limit, SolverSettings
from tests.builders import Case, churn_table, limit, policy, portfolio

RATES = tuple(np.round(np.linspace(0.04, 0.15, 12), 4).tolist())
_SECTORS = ("food", "health", "retail", "steel", "trade")
_REGIONS = ("east", "north", "south", "west")


def random_case(seed: int, method: str = "exact", largest: int = 2_000) -> Case:
    """The case of `seed`: ties, steps, fixed terms, exposure, exact budgets come and go with it."""
    draw = np.random.default_rng(seed)
    n = int(draw.integers(50, largest + 1))
    book = _borrowers(draw, n)
    amount = float(np.round(n * draw.uniform(4e4, 2.5e5), -3))
    bare = policy(
        amount,
        rates={"A": (0.04, 0.15), "B": (0.05, 0.15), "C": (0.06, 0.12)},
        ticket=(100_000.0, 1_000_000.0),
        step=float(draw.choice([0, 0, 0, 50_000])) or None,
        spend=str(draw.choice(["at_most", "at_most", "exactly"])),
        basis=str(draw.choice(["offered", "offered", "drawn"])),
        funding_rate=float(draw.choice([0.0, 0.02])),
        decline_churn=float(draw.choice([0.0, 0.1])),
        idle_rate=float(draw.choice([0.0, 0.005])),
        processing_cost=float(draw.choice([0.0, 200.0])),
    )
    chosen = draw.permutation(len(_limits(amount, n)))[: int(draw.integers(0, 5))]
    limits = tuple(_limits(amount, n)[int(k)] for k in sorted(chosen))
    case = Case(book, _table(draw), replace(bare, limits=limits), "isotonic")
    return replace(case, settings=SolverSettings(method=method, gap=1e-6, time_limit=20.0))  # type: ignore[arg-type]


def _borrowers(draw: np.random.Generator, n: int) -> Portfolio:
    levels = int(draw.choice([3, 1_000_000]))
    pd = 0.004 + 0.06 * np.round(draw.beta(1.2, 3.0, n) * levels) / levels
    request = 100_000 + 900_000 * np.round(draw.beta(1.4, 1.8, n) * levels) / levels
    fixed_terms = draw.uniform(0, 2_000, n) if draw.random() < 0.3 else np.zeros(n)
    lent = draw.choice([0.0, 150_000.0], n) if draw.random() < 0.3 else np.zeros(n)
    return portfolio(
        draw.choice(["A", "B", "C", "D"], n, p=[0.22, 0.31, 0.28, 0.19]).tolist(),
        pd=pd.tolist(),
        lgd=(0.3 + 0.3 * np.round(draw.random(n) * levels) / levels).tolist(),
        min_amount=100_000.0,
        max_amount=np.round(request, -3).tolist(),
        relationship_value=fixed_terms.tolist(),
        exposure=lent.tolist(),
        texts={"sector": draw.choice(_SECTORS, n).tolist(), "region": draw.choice(_REGIONS, n).tolist()},
        numbers={"k": draw.uniform(0.02, 0.12, n).tolist()},
    )


def _limits(amount: float, n: int) -> list[Limit]:
    return [
        limit("grades", "offered", "at_most", 0.5, of="total", each="grade"),
        limit("sectors", "offered", "at_most", 0.25, of="budget", each="sector"),
        limit("loss", "expected_loss", "at_most", 0.013, of="drawn"),
        limit("loss money", "expected_loss", "at_most", 0.004 * amount),
        limit("average PD", "drawn", "at_most", 0.025, of="drawn", weight="pd"),
        limit("capital", "drawn", "at_most", 0.03 * amount, weight="k"),
        limit("rate", "gross_interest", "at_least", 0.055, of="drawn"),
        limit("income", "interest", "at_least", 0.01 * amount),
        limit("few", "loans", "at_most", float(n // 4)),
        limit("many", "loans", "at_least", float(n // 10)),
        limit("regions", "offered", "at_least", 0.02, of="budget", each="region"),
        limit("food", "drawn", "exactly", 0.03 * amount, where={"sector": ["food"]}),
        limit("risky", "offered", "at_most", 0.1, of="total", where={"pd": {"above": 0.03}}),
    ]


def _table(draw: np.random.Generator) -> object:
    def churn(steepness: float) -> list[float]:
        rising = 1.0 - np.exp(-steepness * (np.array(RATES) - 0.04))
        return np.clip(rising + draw.normal(0.0, 0.01, len(RATES)), 0.0, 0.98).tolist()

    return churn_table(RATES, A=churn(25.0), B=churn(20.0), C=churn(18.0))
