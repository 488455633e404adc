"""Shares of the number of loans: the best of all allocations, and both methods agree on random books."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.testing import plain
from allocator.testing.books import random_case
from tests.builders import Case
from tests.engine.brute_force import best_value, solved_to
from tests.engine.test_methods import SHARE, methods_agree
from tests.strategies import cases, limits_around, random_cases


@random_cases(12, full=300)
@given(cases(limits=1), st.data())
def test_the_best_of_brute_force(case: Case, data: st.DataObject) -> None:
    sample = [data.draw(st.sampled_from(plain.alternatives(case, i))) for i in range(len(case.portfolio))]
    counted = data.draw(limits_around(case, sample, "counted", ("loans",)))
    case = case.under(limits=(*case.policy.limits, counted))
    solved_to(case, best_value(case))


def agree(seed: int, largest: int = 2_000) -> None:
    methods_agree(lambda method: random_case(seed, method, largest, ("loans",)))


@pytest.mark.parametrize("seed", SHARE)
def test_exact_is_reduced(seed: int) -> None:
    agree(seed, 200)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
def test_exact_is_reduced_of_all(seed: int) -> None:
    agree(seed)
