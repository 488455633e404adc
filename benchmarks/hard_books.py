"""Books on which one vector of prices leaves a gap: few firms, many limits, terms that no amount earns back.

Drawn from a seed alone: 100 to 1,000 firms; a budget for a few or for many of them; processing costs and
relationships at stake, so that F is negative; steps; five to thirty rows of every family, ratio rows among
them, about what a book of average firms would use, so that most of them bind.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.scenario import Budget, Limit, Policy
from allocator.records.ticket import Ticket
from benchmarks.books import Book, borrowers, churn_table

_BANDS = dict.fromkeys("ABC", (0.04, 0.15))


def hard_book(seed: int) -> Book:
    """The book of `seed`."""
    draw = np.random.default_rng((seed, 9))
    n = int(draw.integers(100, 1_001))
    own = borrowers(n, seed + 1_000)
    spend = float(draw.choice([0.03, 0.06, 0.12, 0.24]))
    amount = float(np.round(max(spend * own.max_amount.sum(), 1e7), -4))
    relationship = draw.uniform(0.0, float(draw.choice([0.0, 3_000.0, 9_000.0])), n)
    step = draw.choice([0.0, 0.0, 10_000.0, 50_000.0])
    terms = Policy(
        Budget(amount, str(draw.choice(["at_most", "at_most", "at_most", "exactly"]))),  # type: ignore[arg-type]
        Ticket(1e5, 1e6, float(step) or None),
        _BANDS,
        funding_rate=float(draw.choice([0.0, 0.01])),
        processing_cost=float(draw.choice([0.0, 300.0, 1_000.0])),
        decline_churn=float(draw.choice([0.0, 0.1])),
        rate_step=float(draw.choice([0.0, 0.0025])) or None,
    )
    known = _limits(draw, amount)
    chosen = np.sort(draw.permutation(len(known))[: int(draw.integers(2, 7))])
    book = Book(own, churn_table(), replace(terms, limits=tuple(known[k] for k in chosen.tolist())))
    return book.with_columns(relationship_value=relationship)


def _limits(draw: np.random.Generator, amount: float) -> list[Limit]:
    """One of each family; the bounds are tight more often than not."""

    def about(value: float) -> float:
        return float(value * draw.uniform(0.8, 1.2))

    return [
        Limit(
            "grades",
            "offered",
            "at_most",
            about(0.4),
            "budget",
            (Condition("grade", ("A", "B", "C")),),
            "grade",
        ),
        Limit("sectors", "offered", "at_most", about(0.13), "total", (), "sector"),
        Limit("regions", "drawn", "at_most", about(0.15), "drawn", (), "region"),
        Limit("expected loss", "expected_loss", "at_most", about(0.004) * amount),
        Limit("loss rate", "expected_loss", "at_most", about(0.006), "drawn"),
        Limit("average PD", "drawn", "at_most", about(0.014), "drawn", weight="pd"),
        Limit("average rate", "gross_interest", "at_least", about(0.062), "drawn"),
        Limit("capital", "drawn", "at_most", about(0.03) * amount, weight="k"),
        Limit("floors", "offered", "at_least", about(0.06), "total", (), "region"),
        Limit("risky", "offered", "at_most", about(0.15), "total", (Condition("pd", above=0.03),)),
        Limit("book size", "loans", "at_most", float(round(about(amount / 5.5e5)))),
    ]
