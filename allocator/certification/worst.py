"""What decisions are worth in the worst of several stresses (docs/formulation.md, section 4).

For any weights w >= 0 of the stresses s, together 1,
    min_s V_s(x) <= sum_s w_s V_s(x) = V_w(x) <= U_w(lambda)
since V is linear in PD and in PD times LGD, whose means V_w reads: a bound on the mean is one on the least.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from allocator.certification.members import put_under
from allocator.certification.parts import value_of
from allocator.certification.rounding import Rounded
from allocator.certification.terms import Tariffs, tariffs_of
from allocator.errors import CertificateError, Fault
from allocator.records.case import Inputs
from allocator.records.cuts import cuts_of
from allocator.records.portfolio import Portfolio
from allocator.records.run import Decisions
from allocator.records.scenario import Policy, Scenario
from allocator.records.stress import StressSource


def values_in(scenario: Scenario, inputs: Inputs, decisions: Decisions) -> tuple[float, ...]:
    """What the loans of `decisions` are worth in each stress whose least value counts, in their order."""
    known = tariffs_of(inputs.churn, scenario.response, scenario.policy)
    each = worths_of(scenario.stress, inputs.portfolio, scenario.policy, known, decisions)
    return tuple(worth.value for worth in each)


def worths_of(
    stress: StressSource, portfolio: Portfolio, policy: Policy, tariffs: Tariffs, decisions: Decisions
) -> list[Rounded]:
    """`values_in` with what rounding leaves open, what idle money earns aside."""
    return [value_of(world, policy, tariffs, decisions) for world in worlds_of(stress, portfolio)]


def worlds_of(stress: StressSource, portfolio: Portfolio) -> list[Portfolio]:
    """The borrowers in each of the stresses whose least value counts; as they are without such."""
    return [put_under(own, portfolio) for _, own in stress.mean] if stress.worst else [portfolio]


def least_of(worths: list[Rounded]) -> Rounded:
    """The least of some figures."""
    return Rounded(min(own.value for own in worths), max(own.error for own in worths))


def as_certified(scenario: Scenario, claimed: Mapping[str, Any]) -> Scenario:
    """The scenario with the cuts, and at the weights, that a certificate's prices are of.

    Raises CertificateError for weights of no mean, without which there are no borrowers to look at.
    """
    stated = claimed.get("weights", {})
    faults = weight_faults(scenario.stress, stated)
    if faults:
        raise CertificateError("the run does not pass its recheck", faults)
    policy = replace(scenario.policy, cuts=cuts_of(claimed))
    stress = scenario.stress.weighted(stated.values()) if stated else scenario.stress
    return replace(scenario, policy=policy, stress=stress)


def weight_faults(stress: StressSource, stated: Any) -> list[Fault]:
    """What keeps the `stated` weights of a certificate from being those of a mean over the stresses."""
    if not isinstance(stated, Mapping):
        stated = {}
    problem = ""
    if [*stated] != [*stress.worst]:
        problem = f"are of {', '.join(stated) or 'no stress'}, expected {', '.join(stress.worst) or 'none'}"
    elif any(weight < 0 or not math.isfinite(weight) for weight in stated.values()):
        problem = "are not all 0 or more"
    elif stated and sum(map(Fraction, stated.values())) != 1:
        problem = f"are {math.fsum(stated.values())!r} together, expected 1 to the last bit"
    return [Fault(problem, "solve again", field="certificate weights")] if problem else []
