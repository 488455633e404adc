"""The two methods are one: `reduced` and `exact` agree on value, bounds and verdict on random books."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from allocator.engine.optimise import optimise
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.scenario import Limit
from tests.builders import Case
from tests.engine.random_books import random_case
from tests.stages import solve

SHARE = range(0, 500, 42)
"""Seeds of the cases that every test run looks at; `make check-full` looks at all."""


@dataclass(frozen=True)
class Verdict:
    """What a method says: its value and bounds, or that there is no allocation."""

    says: str
    value: float = -np.inf
    bound: float = np.inf
    """The tightest, the solver's tree included."""
    certified: float = np.inf
    violation: float = 0.0

    @property
    def open(self) -> float:
        """What the method itself leaves between value and bound, in money."""
        return self.bound - self.value


def judge(case: Case) -> Verdict:
    try:
        solved = solve(case)
    except InfeasibleError:
        return Verdict("infeasible")
    except NoAllocationError:
        return Verdict("not found")
    certificate = solved.finding.certificate
    return Verdict("found", solved.value, solved.solution.bound, solved.bound, certificate.largest_violation)


def check_agreement(seed: int, largest: int = 2_000) -> None:
    exact, reduced = (judge(random_case(seed, method, largest)) for method in ("exact", "reduced"))
    if "not found" in (exact.says, reduced.says):
        return  # the time limit: no verdict to compare
    assert exact.says == reduced.says
    if exact.says == "infeasible":
        return
    size = max(abs(exact.value), abs(reduced.value), 1.0)
    for one, other in ((exact, reduced), (reduced, exact)):
        assert one.violation <= 1e-9
        assert one.certified >= other.value - 1e-8 * size
        assert one.bound >= other.value - 1e-8 * size
        assert one.value >= other.value - one.open - 1e-8 * size


@pytest.mark.parametrize("seed", SHARE)
def test_reduced_and_exact_agree(seed: int) -> None:
    check_agreement(seed, largest=400)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(500))
def test_reduced_and_exact_agree_everywhere(seed: int) -> None:
    check_agreement(seed)


def check_slack_limit(seed: int) -> None:
    """A limit that the answer does not fill changes nothing; one limit less never costs anything."""
    case = random_case(seed, "reduced", largest=600)
    before = judge(case)
    if before.says != "found":
        return
    size = max(abs(before.value), 1.0)
    roomy = Limit("roomy", "drawn", "at_most", 1e6 * len(case.portfolio))
    after = judge(case.under(limits=(*case.policy.limits, roomy)))
    assert after.value == pytest.approx(before.value, abs=before.open + after.open + 1e-8 * size)
    if case.policy.limits:
        freer = judge(case.under(limits=case.policy.limits[1:]))
        assert freer.value >= before.value - freer.open - 1e-8 * size


@pytest.mark.parametrize("seed", range(0, 500, 100))
def test_a_slack_limit_changes_nothing(seed: int) -> None:
    check_slack_limit(seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(500))
def test_a_slack_limit_changes_nothing_anywhere(seed: int) -> None:
    check_slack_limit(seed)


def test_threads_do_not_change_a_bit() -> None:
    case = random_case(7, "reduced")
    one = solve(replace(case, settings=replace(case.settings, threads=1)))
    two = solve(replace(case, settings=replace(case.settings, threads=2)))
    assert np.array_equal(one.decisions.amount, two.decisions.amount)
    assert np.array_equal(one.solution.prices, two.solution.prices)
    assert one.value == two.value


def test_prices_of_a_former_run_start_the_next() -> None:
    case = random_case(7, "reduced")
    first = solve(case)
    columns = first.columns
    again = optimise(columns.offers, columns.limits, case.settings, start=first.solution.prices)
    assert again.value == pytest.approx(first.solution.value, rel=1e-6)
    assert again.bound <= first.solution.bound * (1 + 1e-9)
