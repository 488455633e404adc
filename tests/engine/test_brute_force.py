"""The engine finds what trying every allocation finds (every limit family and sense)."""

from __future__ import annotations

import pytest
from hypothesis import given

from allocator.errors import InfeasibleError
from tests.builders import Case
from tests.engine.brute_force import best_value
from tests.stages import solve
from tests.strategies import cases, random_cases


@random_cases(40, full=2_000)
@given(cases())
def test_the_optimum_and_the_verdict_of_brute_force(case: Case) -> None:
    best = best_value(case)
    if best is None:
        with pytest.raises(InfeasibleError):
            solve(case)
        return
    solved = solve(case)
    tolerance = 1e-7 * max(abs(best), 1.0)
    assert solved.value == pytest.approx(best, rel=1e-7, abs=1e-7)
    assert solved.bound >= best - tolerance
    assert solved.solution.bound >= best - tolerance
    assert solved.solution.stop == "gap"
