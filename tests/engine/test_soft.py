"""Limits that may be missed at a price: against brute force, and between no limit and one that must hold."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.scenario import Limit
from allocator.testing.books import random_case
from tests.builders import Case
from tests.engine.brute_force import best_value, solved_to
from tests.engine.test_methods import SHARE, methods_agree
from tests.stages import Solved, solve
from tests.strategies import cases, random_cases

PRICES = (0.0, 0.003, 0.05, 40.0)
"""Of a unit of money, above what most offers earn and below; of a loan next to nothing."""
HIGH = 1e4


def soft(entry: Limit, price: float) -> Limit:
    return entry if entry.sense == "exactly" else replace(entry, penalty=price)


def softened(case: Case, price: float | None = None) -> Case:
    """`case` with its limits soft at prices of all sizes, or all at one."""
    own = (PRICES[k % len(PRICES)] if price is None else price for k in range(len(case.policy.limits)))
    entries = zip(case.policy.limits, own, strict=True)
    return case.under(limits=tuple(soft(entry, price) for entry, price in entries))


def check_prices(solved: Solved) -> None:
    """Each within its penalty, and all of it where the limit is missed beyond the gap."""
    certificate = solved.outcome.certificate
    for use in certificate.limits:
        if use.penalty < np.inf:
            assert abs(use.price) <= use.penalty
            assert use.violation == 0.0
    assert certificate.largest_violation <= 1e-9
    assert certificate.value <= certificate.bound + 1e-12 * abs(certificate.bound) + 1e-9


@random_cases(25, full=1_000)
@given(cases())
def test_the_optimum_of_brute_force(case: Case) -> None:
    case = softened(case)
    solved = solved_to(case, best_value(case))
    if solved is not None:
        assert solved.solution.stop == "gap"
        check_prices(solved)


def agree(seed: int, largest: int = 2_000) -> None:
    """The methods agree on value and bounds."""
    methods_agree(lambda method: softened(random_case(seed, method, largest)))


@pytest.mark.parametrize("seed", [*SHARE][:4])
def test_exact_is_reduced(seed: int) -> None:
    agree(seed, 200)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_exact_is_reduced_of_all(seed: int) -> None:
    agree(seed)


@pytest.mark.parametrize("method", ["exact", "reduced"])
@pytest.mark.parametrize("seed", [7, 42])
def test_dearer_is_worth_less_until_the_limit_must_hold(seed: int, method: str) -> None:
    case = random_case(seed, method, 200)
    caps = tuple(entry for entry in case.policy.limits if entry.sense != "exactly")
    case = case.under(limits=caps)
    try:
        hard = solve(case)
    except (InfeasibleError, NoAllocationError):
        hard = None
    found = [solve(softened(case, price)) for price in (0.0, 0.001, 0.01, HIGH)]
    values = [one.value for one in found]
    size = max(map(abs, values))
    assert all(more >= less - 2e-6 * size for more, less in pairwise(values))
    free = solve(case.under(limits=()))
    assert found[0].value == free.value
    assert np.array_equal(found[0].decisions.amount, free.decisions.amount)
    if hard is not None:
        assert found[-1].value == pytest.approx(hard.value, rel=5e-6)
        assert found[-1].outcome.certificate.penalty <= 2e-6 * size
    for one in found:
        check_prices(one)


def test_what_is_already_lent_breaks_no_soft_limit() -> None:
    """An exposure above the cap is paid for whatever is lent, and lending more costs the price."""
    case = random_case(3, "exact", 60)
    lent = replace(case.portfolio, exposure=np.full(len(case.portfolio), 1e6))
    capped = Limit("cap", "offered", "at_most", 2e6, penalty=0.001)
    case = replace(case, portfolio=lent).under(limits=(capped,))
    solved = solve(case)
    use = solved.outcome.certificate.limits[-1]
    already = 1e6 * len(lent) - 2e6
    assert use.missed == pytest.approx(already + solved.decisions.amount.sum())
    assert solved.outcome.certificate.penalty == pytest.approx(0.001 * use.missed)
    assert use.price == 0.001
    with pytest.raises(InfeasibleError):
        solve(case.under(limits=(replace(capped, penalty=np.inf),)))
