"""Books drawn from a seed: limits of every kind, ties, steps, grids, pinned offers, exact budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from allocator.records.columns import VALUE
from allocator.records.conditions import Condition
from allocator.records.portfolio import ChurnTable, Portfolio
from allocator.records.scenario import Group, Limit
from allocator.records.strategy import SolverSettings
from allocator.records.stress import Shock, Stress, StressCase
from allocator.testing import limit_rows, plain
from allocator.testing.cases import Case, churn_table, limit, policy, portfolio

RATES = tuple(np.round(np.linspace(0.04, 0.15, 12), 4).tolist())
MEASURES = ("offered", "drawn", "interest", "gross_interest", "expected_loss", "loans")
SENSES = ("at_most", "at_most", "at_least", "exactly")
_BANDS = {"A": (0.04, 0.15), "B": (0.05, 0.15), "C": (0.06, 0.12)}
_SECTORS = ("food", "health", "retail", "steel", "trade")
_REGIONS = ("east", "north", "south", "west")
_FILTERS: tuple[Mapping[str, Any], ...] = (
    {},
    {},
    {"grade": ["A"]},
    {"sector": ["food", "steel"]},
    {"pd": {"above": 0.03}},
    {"region": ["east"], "lgd": {"below": 0.5}},
    {"exposure": {"above": 0.0}},
)
_UNDER = (("bad", Stress(pd=Shock(1.4, (StressCase((Condition("region", ("east",)),), 1.5),)))),)
_COUNTED = (None, Group("loans", (Condition("region", ("east", "north")),)), "loans")
"""What limits on loans are a share of, by their place."""
_LOOSE = (1.0, 1.02, 1.1, 1.3)
"""Room that a limit leaves a sample allocation, which therefore meets it."""


def random_case(
    seed: int, method: str = "exact", largest: int = 2_000, measures: tuple[str, ...] = MEASURES
) -> Case:
    """The case of `seed`: 50 to `largest` borrowers, as many of each order of magnitude.

    Some have limits that conflict. Of amounts on a step no sum of what is drawn is met exactly but by chance.
    """
    draw = np.random.default_rng(seed)
    n = round(float(50 * (largest / 50) ** draw.random()))
    step = float(draw.choice([0, 0, 0, 50_000])) or None
    book = _borrowers(draw, n, step)
    spread = draw.uniform(4e4, 2.5e5) if draw.random() < 0.85 else 1.5e6 / n
    pinned = float(np.nansum(book.fixed_amount))
    bare = policy(
        float(np.round(n * spread + pinned, -3)),
        rates=_BANDS,
        ticket=(100_000.0, 1_000_000.0),
        step=step,
        spend=_one(draw, "at_most", "at_most", "exactly"),
        basis=_one(draw, "offered", "offered", "drawn" if step is None else "offered"),
        funding_rate=_one(draw, 0.0, 0.02),
        churn_cost_rate=_one(draw, 0.0, 0.0, 0.005),
        decline_churn=_one(draw, 0.0, 0.1),
        idle_rate=_one(draw, 0.0, 0.005),
        processing_cost=_one(draw, 0.0, 200.0),
        own_funds=12_345_000.0,
        rate_step=_one(draw, None, None, 0.0025, 0.01),
    )
    settings = SolverSettings(method=method, gap=1e-6, time_limit=10.0)  # type: ignore[arg-type]
    case = Case(book, _table(draw), bare, _one(draw, "isotonic", "none"), settings)
    return case.under(limits=(*_usual(draw, case), *_around_a_sample(draw, case, measures)))


def _one(draw: np.random.Generator, *values: Any) -> Any:
    return values[int(draw.integers(len(values)))]


def _borrowers(draw: np.random.Generator, n: int, step: float | None) -> Portfolio:
    """Few or many kinds; terms, exposure, floors on rates, exclusions and pinned offers come and go."""
    levels = _one(draw, 3, 1_000_000, 1_000_000)
    grade = draw.choice(["A", "B", "C", "D"], n, p=[0.22, 0.31, 0.28, 0.19])

    def some(chance: float, given: Any, otherwise: float) -> np.ndarray:
        return np.where(draw.random(n) < chance * (draw.random() < 0.3), given, otherwise)

    request = np.round(100_000 + 900_000 * np.round(draw.beta(1.4, 1.8, n) * levels) / levels, -3)
    amount = np.round(draw.uniform(1e5, 3e5, n) / (step or 0.01)) * (step or 0.01)
    pinned = np.where(grade != "D", some(0.03, np.round(amount, 2), np.nan), np.nan)
    columns = {
        "pd": 0.004 + 0.06 * np.round(draw.beta(1.2, 3.0, n) * levels) / levels,
        "lgd": 0.3 + 0.3 * np.round(draw.random(n) * levels) / levels,
        "term": some(0.5, draw.choice([0.5, 3.0], n), 1.0),
        "min_amount": 100_000.0,
        "max_amount": request,
        "relationship_value": some(1.0, np.round(draw.random(n) * levels) / levels * 2_000, 0.0),
        "exposure": some(0.5, 150_000.0, 0.0),
        "exclude": (some(0.1, 1.0, 0.0) > 0) & np.isnan(pinned),
        "min_rate": some(0.3, 0.0625, np.nan),
        "fixed_amount": pinned,
        "fixed_rate": np.where(np.isnan(pinned), np.nan, 0.0725),
    }
    texts = {"sector": draw.choice(_SECTORS, n).tolist(), "region": draw.choice(_REGIONS, n).tolist()}
    numbers: dict[str, Any] = {
        "k": draw.uniform(0.02, 0.12, n),
        "score": draw.choice([-1.0, 0.0, 0.5, 3.0], n),
    }
    return portfolio(grade.tolist(), **columns, texts=texts, numbers=numbers)


def _usual(draw: np.random.Generator, case: Case) -> list[Limit]:
    """None to four of the limits that books have."""
    amount, n = case.policy.budget.amount, len(case.portfolio)
    known = [
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
        limit("food", "offered", "exactly", 50_000.0 * (n // 20), where={"sector": ["food"]}),
        limit("risky", "offered", "at_most", 0.1, of="total", where={"pd": {"above": 0.03}}),
    ]
    chosen = draw.permutation(len(known))[: int(draw.integers(0, 5))]
    return [known[int(k)] for k in np.sort(chosen)]


def _around_a_sample(draw: np.random.Generator, case: Case, measures: tuple[str, ...]) -> list[Limit]:
    """Up to three limits of any shape, whose bounds a random allocation meets, or just misses."""
    offers = _sample(draw, case)
    limits = []
    for k in range(int(draw.integers(0, 4))):
        measure, sense = _one(draw, *measures), _one(draw, *SENSES[: 3 if k else 4])
        shape = {
            "of": _COUNTED[k] if measure == "loans" else _one(draw, None, "budget", "total", "drawn"),
            "where": _one(draw, *_FILTERS),
            "each": _one(draw, None, None, "sector", "region") if sense != "exactly" else None,
            "weight": _one(draw, None, None, "k", "score"),
        }
        if shape["of"] == "budget" and k == 1:
            shape["of"] = "own_funds"
        if shape["of"] in ("total", "drawn") and shape["weight"] == "score":
            shape["of"] = Group(
                "offered" if shape["of"] == "total" else "drawn", (Condition("region", ("east", "north")),)
            )
        if sense == "exactly" and measure == VALUE:
            sense = "at_least"  # which no sum of cents meets exactly but by chance
        if sense == "exactly" and case.policy.ticket.step is not None:
            measure, shape = _one(draw, "offered", "loans"), {**shape, "of": None, "weight": None}
        if measure == VALUE or (measure in ("expected_loss", "interest") and sense == "at_most"):
            shape["under"] = _UNDER
        entry = limit(f"some {k}", measure, sense, 1.0, **shape)
        rows = [row for stressed in entry.in_stresses() for row in limit_rows.rows_of(case, stressed)]
        if rows:
            bound = _bound(draw, case, rows, offers)
            limits.append(limit(f"some {k}", measure, sense, bound, **shape))
    return limits


def _bound(
    draw: np.random.Generator, case: Case, rows: list[limit_rows.Row], offers: list[plain.Offer | None]
) -> float:
    """A bound that the sample meets on every row, or on none; one met exactly is what the sample uses."""
    used = np.array([limit_rows.left_side(case, row, offers) for row in rows])
    per = np.array([limit_rows.right_side(case, row, offers) for row in rows])
    parts = np.divide(used, per, out=np.full(len(rows), 0.2), where=per != 0)
    if rows[0].sense == "exactly":
        return float(parts[0])
    room = _one(draw, *_LOOSE) if draw.random() < 0.9 else _one(draw, 0.5, 0.9)
    upper = rows[0].sense == "at_most"
    edge = float(parts.max() if upper else parts.min())
    factor = room if upper == (edge >= 0) else 1.0 / room
    return float(factor * edge)


def _sample(draw: np.random.Generator, case: Case) -> list[plain.Offer | None]:
    """Random offers, borrower after borrower, until the budget is about used up; pinned ones all."""
    offers: list[plain.Offer | None] = [None] * len(case.portfolio)
    left = case.policy.budget.amount
    terms = [plain.terms(case, i) for i in range(len(offers))]
    order = sorted(
        draw.permutation(len(offers)).tolist(), key=lambda i: not getattr(terms[i], "pinned", False)
    )
    step = case.policy.ticket.step or 0.01
    for i in order:
        own = terms[i]
        if own is None:
            continue
        rate, take_up = own.rates[int(draw.integers(len(own.rates)))]
        share = draw.random()
        amount = own.low if own.pinned else np.floor((own.low + share * (own.high - own.low)) / step) * step
        offer = plain.Offer(max(float(amount), own.low), rate, take_up)
        uses = plain.measured(case, case.policy.budget.basis, i, offer)
        if own.pinned or uses <= left:
            offers[i], left = offer, left - uses
    return offers


def _table(draw: np.random.Generator) -> ChurnTable:
    def churn(steepness: float) -> list[float]:
        rising = 1.0 - np.exp(-steepness * (np.array(RATES) - 0.04))
        noisy = rising + draw.normal(0.0, 0.01, len(RATES))
        return [float(share) for share in np.clip(noisy, 0.0, 0.98)]

    return churn_table(RATES, A=churn(25.0), B=churn(20.0), C=churn(18.0))
