"""Each family of limits, in every shape that a policy can give it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.limits.measures import MEASURES as DECLARED
from allocator.limits.measures import Measured
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.limits.conformance import check_limit
from tests.stages import columns_of
from tests.strategies import MEASURES, SENSES, cases, random_cases

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])
BOOK = portfolio(
    ["A", "B", "A", "D", "B", "B", "A", "A"],
    pd=[0.01, 0.2, 0.03, 0.5, 0.0, 0.07, 0.02, 0.11],
    lgd=[0.5, 0.4, 1.0, 0.9, 0.3, 0.0, 0.45, 0.6],
    term=[1.0, 2.0, 0.5, 1.0, 1.0, 3.0, 1.0, 0.25],
    exposure=[0.0, 70_000.0, 0.0, 50_000.0, 0.0, 0.0, 250_000.0, 10_000.0],
    exclude=[False] * 6 + [True, False],
    relationship_value=[0.0, 9_000.0] * 4,
    fixed_amount=[np.nan] * 7 + [123_456.78],
    fixed_rate=[np.nan] * 7 + [0.07],
    texts={"sector": ["retail", "NO", "food", "food", "retail", "retail", "NO", "food"]},
    numbers={"score": [1.0, -2.0, 0.0, 3.0, 0.5, 7.0, 1.5, -0.25]},
)
WHERE: list[dict[str, Any]] = [
    {},
    {"grade": ["B"]},
    {"sector": ["retail", "NO"], "pd": {"above": 0.0, "at_most": 0.1}},
    {"borrower_id": ["b001", "b003", "b007"]},
    {"sector": ["steel"]},
]


@pytest.mark.parametrize("weight", [None, "pd", "score"])
@pytest.mark.parametrize("each", [None, "sector", "grade"])
@pytest.mark.parametrize("of", [None, "budget", "total", "drawn"])
@pytest.mark.parametrize("measure", MEASURES)
def test_three_readings_agree(measure: str, of: str | None, each: str | None, weight: str | None) -> None:
    limits = [
        limit(f"{sense} {k}", measure, sense, 0.21, of=of, each=each, weight=weight, where=where)
        for k, (where, sense) in enumerate(zip(WHERE, [*SENSES, *SENSES], strict=False))
    ]
    terms = policy(1_000_000.0, *limits, rates=dict.fromkeys("AB", (0.04, 0.12)), step=50_000.0)
    check_limit(Case(BOOK, TABLE, terms), seed=len(measure))


@random_cases(40, full=400)
@given(cases(), st.integers(0, 2**32))
def test_three_readings_agree_on_random_cases(case: Case, seed: int) -> None:
    check_limit(case, seed)


def test_every_measure_is_declared() -> None:
    assert tuple(DECLARED) == MEASURES


@pytest.mark.parametrize(
    ("measure", "use", "by_exposure"),
    [
        ("offered", 200_000.0, 70_000.0),
        ("drawn", 150_000.0, 70_000.0),
        ("gross_interest", 150_000.0 * 0.08 * 2.0, 0.0),
        ("interest", 150_000.0 * 0.08 * 2.0 * 0.8, 0.0),
        ("expected_loss", 150_000.0 * 0.2 * 0.4, 70_000.0 * 0.2 * 0.4),
        ("loans", 1.0, 0.0),
    ],
)
def test_what_a_measure_adds_up(measure: str, use: float, by_exposure: float) -> None:
    """One borrower of PD 20 %, LGD 40 %, two years and 70,000 lent gets 200,000 at 8 %; a quarter walks."""
    book = portfolio(["B"], pd=0.2, lgd=0.4, term=2.0, exposure=70_000.0)
    terms = policy(1e6, limit("cap", measure, "at_most", 500_000.0), rates={"B": (0.08, 0.08)})
    columns = columns_of(Case(book, TABLE, terms))
    assert columns.limits.rows[1].rhs == pytest.approx(500_000.0 - by_exposure)
    used = columns.usage(np.array([0], dtype=np.int32), np.array([200_000.0]))
    assert used[1] == pytest.approx(use)


def test_a_measure_on_no_known_basis_is_refused() -> None:
    with pytest.raises(ValueError, match="no basis 'capital'"):
        Measured("capital", None, counts_exposure=True)
