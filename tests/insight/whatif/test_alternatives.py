"""Near-optimal alternatives: worth the floor, and nothing that is goes further."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.borrowers import read_inputs
from allocator.errors import InputError
from allocator.insight.variants import answer, with_policy
from allocator.insight.whatif.alternatives import AIMS, Alternatives, _Search, aims_named, alternatives
from allocator.insight.whatif.tracks import track_of
from allocator.pipeline import prepare
from allocator.records.case import Case
from allocator.report.alternatives import alternatives_view
from allocator.scenario import load_scenario
from tests.engine.test_conditions import tiny
from tests.stages import prepared

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"


def case_of(name: str) -> Case:
    scenario = load_scenario(SCENARIOS / f"{name}.yaml")
    return prepare(scenario, read_inputs(scenario))


@pytest.fixture(scope="module")
def case() -> Case:
    return case_of("sme-302")


@pytest.fixture(scope="module")
def found(case: Case) -> Alternatives:
    return alternatives(case)


def test_each_is_worth_the_floor_and_the_counts_are_proved(found: Alternatives) -> None:
    assert [way.aim.name for way in found.alternatives] == [
        "most firms served",
        "fewest loans",
        "least expected loss",
    ]
    for way in found.alternatives:
        assert found.floor <= way.outcome.value <= found.optimum.certificate.bound
        assert way.outcome.certificate.largest_violation == 0
        assert not way.stopped
    most, fewest, loss = found.alternatives
    assert (most.proved, fewest.proved) == (True, True)
    assert fewest.reached == fewest.outcome.account.funded < fewest.optimum < most.outcome.account.funded
    assert loss.reach <= loss.reached <= loss.reach + 1e-3 * loss.optimum
    assert loss.reached == pytest.approx(loss.outcome.account.lines["expected_loss"])


def test_a_loan_less_is_worth_less_than_the_floor(case: Case, found: Alternatives) -> None:
    policy = case.scenario.policy
    for way in found.alternatives[:2]:
        further = way.reached + (1 if way.aim.sense == "at_least" else -1)
        beyond = with_policy(case, replace(policy, limits=(*policy.limits, way.aim.limit(further, policy))))
        assert answer(beyond).certificate.bound < found.floor


def test_a_book_whose_optimum_has_cuts_has_alternatives() -> None:
    found = alternatives(case_of("sme-302-concentration"), aims=aims_named(["fewest loans"]))
    assert found.optimum.certificate.cuts
    [fewest] = found.alternatives
    assert fewest.reach <= fewest.reached < fewest.optimum
    assert found.floor <= fewest.outcome.value


def test_an_aim_has_another_name_where_a_limit_has_it(case: Case) -> None:
    [fewest] = aims_named(["fewest loans"])
    taken = replace(case.scenario.policy, limits=(fewest.limit(5.0, case.scenario.policy),))
    assert fewest.limit(5.0, taken).name == "fewest loans sought"
    assert aims_named([]) == AIMS
    with pytest.raises(InputError, match="'fewest' is no aim; name one of fewest clients changed, "):
        aims_named(["fewest"])


def test_what_each_offers_is_a_table(found: Alternatives) -> None:
    path = Path("offers.csv")
    table = alternatives_view(found, path).files[path]
    assert isinstance(table, pd.DataFrame)
    fewest = found.alternatives[1]
    assert np.count_nonzero(table["fewest loans: amount"]) == fewest.reached
    assert np.count_nonzero(table["optimum: rate"]) == fewest.optimum


def test_a_search_without_time_left_says_so(case: Case) -> None:
    """Its solves have the time of one together: the first ends it, and the optimum stands."""
    solver = replace(case.scenario.solver, time_limit=0.0)
    hurried = replace(case, scenario=replace(case.scenario, solver=solver))
    search = _Search(hurried, answer(case), 0.0, AIMS[2], lambda _: None)
    way = search.run()
    assert way.stopped
    assert way.reached == way.optimum


def test_prices_of_one_way_to_keep_a_condition_bound_nothing() -> None:
    """Of limits on a condition only a tree over the ways proves a bound, so that no tangent rules out any."""
    case = prepared(tiny(1)[0])
    track = track_of(case, ("budget",))
    assert track.bends == (True,)
    assert track.bound((300.0,), {row.name: 0.0 for row in case.limits.rows}) == np.inf
