"""What an outcome says of itself: the tightest bound, what it rests on, and the status."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from allocator.records.outcome import SOLVER_TOLERANCE, Outcome
from allocator.records.run import Certificate
from allocator.records.strategy import SolverSettings
from tests.records.outcomes import outcome_of, solution
from tests.store.runs import made_scenario


def outcome(bound: float, value: float, *, broken: bool = False, tree: Any = None) -> Outcome:
    return outcome_of(Certificate({}, bound, value, (), {}, tree), broken=broken)


@pytest.mark.parametrize(
    ("found", "own", "proof", "expected"),
    [
        (outcome(100.0, 90.0), 95.0, "solver", (95 + SOLVER_TOLERANCE * 95, "solver")),
        (outcome(100.0, 90.0), 100.0, "solver", (100.0, "prices")),
        (outcome(100.0, 90.0), 101.0, "solver", (100.0, "prices")),
        (outcome(100.0, 90.0), 95.0, "prices", (100.0, "prices")),
        (outcome(100.0, 90.0, tree={}), 95.0, "tree", (100.0, "tree")),
        (outcome(100.0, 90.0), 80.0, "solver", (90.0, "solver")),
        (outcome(100.0, 101.0), 100.0, "prices", (101.0, "prices")),
        (outcome(100.0, 101.0, broken=True), 100.0, "prices", (100.0, "prices")),
        (outcome(100.0, 99.0, broken=True), 0.5, "solver", (0.5 + SOLVER_TOLERANCE, "solver")),
    ],
)
def test_the_solvers_bound_counts_below_the_certified_one_only(
    found: Outcome, own: float, proof: str, expected: tuple[float, str]
) -> None:
    searched = found.searched(solution(own, proof))
    assert (searched.bound, searched.proof) == expected
    assert (searched.stop, searched.stopped) == ("gap", False)


def test_a_status_goes_by_the_gap_asked_for() -> None:
    scenario = replace(made_scenario("s"), solver=SolverSettings(gap=1e-6))
    good = replace(outcome(1.0, 1.0), scenario=scenario)
    above = float(np.nextafter(1e-6, 1.0))
    assert [good.status_at(gap) for gap in (0.0, 1e-6, above)] == ["optimal", "optimal", "feasible"]
    assert good.status == "optimal"
    assert replace(good, broken=outcome(1.0, 1.0, broken=True).broken).status_at(0.0) == "breaks_limits"
