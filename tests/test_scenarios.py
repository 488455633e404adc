"""Every shipped scenario is one complete case: it solves to its gap, or names a real conflict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from allocator.errors import InfeasibleError
from allocator.pipeline import allocate
from allocator.records.scenario import Scenario
from allocator.scenario import load_scenario

FOLDER = Path(__file__).resolve().parents[1] / "scenarios"
INFEASIBLE = "sme-302-infeasible"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def test_there_are_scenarios() -> None:
    assert INFEASIBLE in NAMES
    assert len(NAMES) >= 6


@pytest.mark.parametrize("name", [name for name in NAMES if name != INFEASIBLE])
def test_a_scenario_is_solved_to_its_gap(name: str) -> None:
    run = allocate(load_scenario(FOLDER / f"{name}.yaml"))
    assert run.status == "optimal"
    assert run.summary["gap"] <= run.scenario.solver.gap
    assert run.certificate.largest_violation <= 1e-9
    assert run.certificate.gap <= 1e-3


def without(scenario: Scenario, name: str) -> Scenario:
    policy = scenario.policy
    if name == "budget":
        return replace(scenario, policy=replace(policy, budget=replace(policy.budget, spend="at_most")))
    kept = tuple(limit for limit in policy.limits if limit.name != name)
    assert len(kept) == len(policy.limits) - 1
    return replace(scenario, policy=replace(policy, limits=kept))


def test_the_infeasible_one_names_limits_each_of_which_is_one_too_many() -> None:
    scenario = load_scenario(FOLDER / f"{INFEASIBLE}.yaml")
    with pytest.raises(InfeasibleError) as caught:
        allocate(scenario)
    assert caught.value.conflict == ("budget", "A share")
    assert "dropping 'budget' or 'A share' alone makes it feasible" in caught.value.message
    for name in caught.value.conflict:
        assert allocate(without(scenario, name)).certificate.value > 0
