"""The engine finds what trying every allocation finds (every limit family and sense)."""

from __future__ import annotations

from hypothesis import given

from tests.builders import Case
from tests.engine.brute_force import best_value, solved_to
from tests.strategies import cases, random_cases


@random_cases(40, full=2_000)
@given(cases())
def test_the_optimum_and_the_verdict_of_brute_force(case: Case) -> None:
    solved = solved_to(case, best_value(case))
    assert solved is None or solved.solution.stop == "gap"


@random_cases(40, full=2_000)
@given(cases(several=True))
def test_amounts_by_several_steps_and_menus(case: Case) -> None:
    solved = solved_to(case, best_value(case))
    assert solved is None or solved.solution.stop == "gap"
