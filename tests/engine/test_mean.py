"""A mean over stresses: what is decided once is worth the weighted mean of what it is worth in each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from allocator.limits import compile_limits
from allocator.records.conditions import Condition
from allocator.records.filters import alone, apart, mean_over, under
from allocator.records.stress import Shock, Stress, StressCase
from allocator.testing import plain
from allocator.testing.books import random_case
from tests.builders import Case, limit
from tests.engine.brute_force import best_value, solved_to
from tests.engine.test_methods import SHARE, methods_agree
from tests.strategies import cases, random_cases

WEIGHTS = (0.5, 0.25, 0.25)
STRESSES = (
    Stress(),
    Stress(pd=Shock(3.0, (StressCase((Condition("grade", ("A",)),), 0.5),)), lgd=Shock(1.4)),
    Stress(pd=Shock(0.0), lgd=Shock(5.0)),
)


def expected(case: Case) -> Case:
    worlds = [under(stress, case.portfolio) for stress in STRESSES]
    return replace(case, portfolio=mean_over(WEIGHTS, worlds, case.portfolio))


@random_cases(15, full=1_000)
@given(cases())
def test_the_optimum_is_that_of_the_mean_value(case: Case) -> None:
    mean = expected(case)
    worlds = [replace(case, portfolio=under(stress, case.portfolio)) for stress in STRESSES]
    for i in range(len(case.portfolio)):
        for offer in plain.alternatives(case, i):
            worths = [plain.worth(world, i, offer) for world in worlds]
            assert plain.worth(mean, i, offer) == pytest.approx(np.dot(WEIGHTS, worths), rel=1e-12, abs=1e-7)
    solved_to(mean, best_value(mean))


def agree(seed: int, largest: int = 2_000) -> None:
    methods_agree(lambda method: expected(random_case(seed, method, largest)))


@pytest.mark.parametrize("seed", SHARE[:5])
def test_exact_is_reduced(seed: int) -> None:
    agree(seed, 200)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_exact_is_reduced_of_all(seed: int) -> None:
    agree(seed)


@pytest.mark.parametrize("seed", range(3))
def test_a_row_in_a_stress_is_that_of_the_stress_alone(seed: int) -> None:
    case = random_case(seed)
    mean = expected(case)
    some = (("a", STRESSES[1]),)
    entries = [limit(f"some {measure}", measure, "at_most", 1.0, where={"pd": {"above": 0.02}}, under=some)
               for measure in ("value", "expected_loss", "interest")]  # fmt: skip
    rows = [entry for limit in entries for entry in limit.in_stresses() if entry.stress is not None]
    policy = replace(case.policy, limits=tuple(rows))
    everybody = np.arange(len(case.portfolio))
    ours, theirs = (compile_limits(policy, one.portfolio).coefficients(everybody) for one in (mean, case))
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(alone(mean.portfolio).pd, case.portfolio.pd)
    np.testing.assert_array_equal(
        apart(STRESSES[1], mean.portfolio).lgd, under(STRESSES[1], case.portfolio).lgd
    )
