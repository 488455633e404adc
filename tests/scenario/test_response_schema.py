"""The customers' answer as people type it: a table, nobody walking, or curves by parameters."""

from __future__ import annotations

import pytest

from allocator.records.curves import Logistic, Response
from allocator.scenario import load_scenario
from tests.scenario.conftest import Faults, Write

CURVES = "response: {churn: {logistic: {A: {midpoint: 9%, slope: 60}, B: {midpoint: 0.13, slope: 40}}}}\n"
STEPS = "  rate_grid: {step: 0.25%}\n"


def under(base: str, response: str) -> str:
    """The scenario `base` with another answer of the customers, and a grid by steps."""
    return base.replace("response: {churn: churn.csv}\n", response) + STEPS


def test_a_curve_by_parameters_is_one_a_grade(write: Write, base: str) -> None:
    scenario = load_scenario(write("case.yaml", under(base, CURVES)))
    curves = {"A": Logistic(0.09, 60.0), "B": Logistic(0.13, 40.0)}
    assert scenario.response == Response(None, "none", curves)
    assert scenario.document["response"] == {
        "churn": {"logistic": {"A": {"midpoint": 0.09, "slope": 60}, "B": {"midpoint": 0.13, "slope": 40}}},
        "smoothing": "none",
    }


def test_one_parameter_may_be_laid_over_and_a_table_over_all(write: Write, base: str) -> None:
    path = write("case.yaml", under(base, CURVES))
    steeper = load_scenario(path, ["response.churn.logistic.A.slope=80"]).response
    assert steeper.curves == {"A": Logistic(0.09, 80.0), "B": Logistic(0.13, 40.0)}
    write("below.yaml", "extends: case.yaml\nresponse: {churn: churn.csv}\n")
    assert load_scenario(path.with_name("below.yaml")).response.curves == {}
    assert load_scenario(path, ["response.churn=none"]).response == Response(None)


WRONG = {
    "no grade": (
        "{churn: {logistic: {}}}",
        ["response.churn.logistic: no grade has a curve; write one, as A: {midpoint: 11%, slope: 40}"],
    ),
    "a band without a curve": (
        "{churn: {logistic: {A: {midpoint: 9%, slope: 60}}}}",
        [
            "policy.rates.B: grade B has no churn curve; give it one under response.churn.logistic, "
            "or take its band away"
        ],
    ),
    "parameters that are none": (
        "{churn: {logistic: {A: {midpoint: 9, slope: -2}, B: {midpoint: 13%, slope: 0, floor: 1%}}}}",
        [
            "response.churn.logistic.A.midpoint: 9 would be 900 %, expected 0% to 100%; write 9% or 0.09",
            "response.churn.logistic.A.slope: -2 is negative, expected 0 or more; write a slope such as 40",
            "response.churn.logistic.B.slope: '0' is not above 0; write a number above 0",
            "response.churn.logistic.B.floor: unknown key 'floor'; the keys here are midpoint, slope",
        ],
    ),
    "a step for a slope": (
        "{churn: {logistic: {A: {midpoint: 9%, slope: 2e4}, B: {midpoint: 13%}}}}",
        [
            "response.churn.logistic.A.slope: '2e4' is too steep a slope, expected at most 10,000; "
            "write a slope such as 40",
            "response.churn.logistic.B.slope: the key is missing; add `slope: 40`",
        ],
    ),
    "another formula": (
        "{churn: {logit: {A: {midpoint: 9%, slope: 2}}}}",
        [
            "response.churn.logistic: the key is missing; add `logistic: {...}`",
            "response.churn.logit: unknown key 'logit'; did you mean logistic?",
        ],
    ),
}


@pytest.mark.parametrize("slip", WRONG)
def test_faults_of_curves_by_parameters(slip: str, base: str, faults: Faults) -> None:
    response, words = WRONG[slip]
    found = faults(under(base, f"response: {response}\n"))
    assert sorted(one.partition(", line ")[2].partition(", ")[2] for one in found) == sorted(words)


def test_curves_by_parameters_have_no_rates_of_their_own(base: str, faults: Faults) -> None:
    [found] = faults(under(base, CURVES).replace(STEPS, ""))
    assert "policy.rate_grid: there is no table of churn whose rates could be offered" in found
    assert found.endswith("write a step, as rate_grid: {step: 0.25%}")
