"""Each family of limits, in every shape that a policy can give it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.limits.measures import MEASURES as DECLARED
from allocator.limits.measures import RULED, MeasureTerms
from allocator.records.columns import VALUE
from allocator.records.former import MONEY_MOVED
from allocator.records.scenario import Group, Reference
from allocator.testing.measures import GROUP, TABLE, case_of, check_limit
from tests.builders import Case, limit, policy, portfolio
from tests.stages import columns_of
from tests.strategies import LOANS, MEASURES, cases, random_cases


@pytest.mark.parametrize("weight", [None, "pd", "score"])
@pytest.mark.parametrize("each", [None, "sector", "grade"])
@pytest.mark.parametrize("of", [None, "budget", "total", "drawn", GROUP], ids=str)
@pytest.mark.parametrize(
    "measure", [*dict.fromkeys(MEASURES), *(name for name in RULED if name != MONEY_MOVED)]
)
def test_three_readings_agree(
    measure: str, of: Reference | Group | None, each: str | None, weight: str | None
) -> None:
    check_limit(case_of(measure, of, each, weight), seed=len(measure))


@pytest.mark.parametrize("weight", [None, "score"])
@pytest.mark.parametrize("each", [None, "sector"])
@pytest.mark.parametrize("of", ["loans", LOANS], ids=str)
def test_a_share_of_loans_is_read_alike_too(
    of: Reference | Group, each: str | None, weight: str | None
) -> None:
    check_limit(case_of("loans", of, each, weight), seed=3)


@pytest.mark.parametrize("measure", ["offered", "expected_loss"])
def test_a_share_of_own_funds_is_read_alike_too(measure: str) -> None:
    check_limit(case_of(measure, "own_funds", "sector", None), seed=0)


@pytest.mark.parametrize("weight", [None, "score"])
@pytest.mark.parametrize("each", [None, "sector"])
@pytest.mark.parametrize("measure", ["offered", "loans", "clients_changed"])
def test_a_share_of_the_former_run_is_read_alike_too(
    measure: str, each: str | None, weight: str | None
) -> None:
    check_limit(case_of(measure, "former", each, weight), seed=5)


@random_cases(40, full=400)
@given(cases(), st.integers(0, 2**32))
def test_three_readings_agree_on_random_cases(case: Case, seed: int) -> None:
    check_limit(case, seed)


def test_every_measure_is_declared() -> None:
    assert (*DECLARED, VALUE) == tuple(dict.fromkeys(MEASURES))


@pytest.mark.parametrize(
    ("measure", "use", "by_exposure"),
    [
        ("offered", 200_000.0, 70_000.0),
        ("drawn", 150_000.0, 70_000.0),
        ("gross_interest", 150_000.0 * 0.08 * 2.0, 0.0),
        ("interest", 150_000.0 * 0.08 * 2.0 * 0.8, 0.0),
        ("expected_loss", 150_000.0 * 0.2 * 0.4, 70_000.0 * 0.2 * 0.4),
        ("capital", 150_000.0 * 0.14006643, 70_000.0 * 0.14006643),
        ("tail_loss", 150_000.0 * 0.27635685, 70_000.0 * 0.27635685),
        ("loans", 1.0, 0.0),
        ("value", 150_000.0 * (0.08 * 2.0 * 0.8 - 0.2 * 0.4), 0.0),
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


@pytest.mark.parametrize(("former", "rhs", "use"), [(0.0, 3.0, 1.0), (50_000.0, 2.0, -1.0)])
def test_clients_changed_are_those_who_come_and_those_who_go(former: float, rhs: float, use: float) -> None:
    """Who was served counts 1 from the start, which an offer takes back."""
    book = portfolio(["B"], numbers={"former_amount": [former]})
    terms = policy(1e6, limit("changes", "clients_changed", "at_most", 3.0), rates={"B": (0.08, 0.08)})
    columns = columns_of(Case(book, TABLE, terms))
    assert columns.limits.rows[1].rhs == rhs
    assert columns.usage(np.array([0], dtype=np.int32), np.array([200_000.0]))[1] == use


def test_a_measure_on_no_known_basis_is_refused() -> None:
    with pytest.raises(ValueError, match="no basis 'capital'"):
        MeasureTerms("capital", None, counts_exposure=True)
