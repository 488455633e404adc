"""What it would take is named in the limits' own units, fits, and says what it is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given

from allocator.engine import allowance
from allocator.errors import InfeasibleError, NewBound, Relaxation
from allocator.insight.variants import answer, with_policy
from allocator.insight.whatif.relaxations import allocate_or_explain, explain, with_relaxation
from allocator.pipeline import decide
from allocator.records.case import Case as Ready
from allocator.scenario import load_document, load_scenario
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import prepared
from tests.strategies import cases_in_cents, random_cases

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.3, 0.8], B=[0.1, 0.25, 0.6])


def explained(ready: Ready) -> InfeasibleError:
    with pytest.raises(InfeasibleError) as caught:
        decide(ready)
    return explain(ready.scenario, ready, caught.value, lambda _: None)


def in_words(error: InfeasibleError) -> list[str]:
    return [str(one) for one in error.relaxations]


def test_two_limits_that_exclude_each_other_may_either_move() -> None:
    terms = policy(
        5e6,
        limit("A least", "offered", "at_least", 3e6, where={"grade": ["A"]}),
        limit("A most", "offered", "at_most", 2.4e6, where={"grade": ["A"]}),
    )
    error = explained(prepared(Case(portfolio(["A"] * 4 + ["B"] * 2), TABLE, terms)))
    assert error.conflicts == (("A least", "A most"),)
    assert in_words(error) == [
        "lower 'A least' from 3,000,000 to 2,400,000",
        "raise 'A most' from 2,400,000 to 3,000,000",
    ]
    assert [one.change for one in error.relaxations] == pytest.approx([0.2, 0.25])
    assert min(one.lost for one in error.relaxations) == 0.0
    assert error.message == (
        "no allocation exists: 'A least' and 'A most' cannot all be met together; "
        "dropping 'A least' or 'A most' alone makes it feasible"
    )


def test_two_conflicts_are_both_named_and_a_relaxation_ends_both() -> None:
    terms = policy(
        5e6,
        limit("B", "loans", "at_least", 3.0, where={"grade": ["B"]}),
        limit("A", "loans", "at_least", 2.0, where={"grade": ["A"]}),
    )
    error = explained(prepared(Case(portfolio(["A", "B", "B"]), TABLE, terms)))
    assert set(error.conflicts) == {("A",), ("B",)}
    assert in_words(error) == ["lower 'B' from 3 to 2 and lower 'A' from 2 to 1"]
    first, second = error.conflicts
    assert error.message == (
        f"no allocation exists: {first[0]!r} cannot be met, nor can {second[0]!r}; "
        "more than one limit must be loosened"
    )
    assert [fault.problem for fault in error.faults][-1] == "cannot be met, whatever the others are"


def test_a_bound_for_each_of_several_groups_that_miss_it_is_one_limit_to_loosen() -> None:
    floors = limit("floor", "loans", "at_least", 3.0, each="grade")
    error = explained(prepared(Case(portfolio(["A", "B", "B"]), TABLE, policy(5e6, floors))))
    assert error.message == (
        "no allocation exists: 'floor[A]' cannot be met; dropping 'floor' alone makes it feasible"
    )
    assert in_words(error) == ["lower 'floor' from 3 to 1"]


def test_whole_offers_that_do_not_fit_widen_until_they_do() -> None:
    """The relaxation lends 4e5 to each of two; one whole offer of 6e5 is too little, two are too much."""
    book = portfolio(["A", "A"], max_amount=[6e5, 6e5], min_amount=[6e5, 6e5])
    terms = policy(1e6, limit("floor", "offered", "at_least", 8e5))
    error = explained(prepared(Case(book, TABLE, terms)))
    assert in_words(error) == [
        "raise the budget from 1,000,000 to 1,200,000",
        "lower 'floor' from 800,000 to 600,000",
    ]


def test_a_floor_that_holds_to_the_last_bit_is_no_unit_of_its_row() -> None:
    """What a pinned loan earns is its share exactly: its use of that row is rounding alone."""
    book = portfolio(["A"], pd=0.01, lgd=0.5, term=0.5, fixed_amount=85_000.5, fixed_rate=0.04)
    asked = limit("lent", "offered", "at_most", 0.0), limit("earned", "value", "at_most", 0.0148, of="total")
    case = Case(book, TABLE, policy(85_000.5, *asked, rates={"A": (0.04, 0.04)}, ticket=(20_000.0, 20_000.0)))
    error = explained(prepared(case))
    assert in_words(error) == ["raise 'lent' from 0 to 85,100"]


def several() -> Ready:
    """Three floors that are each out of reach by itself of what a fourth allows."""
    floors = [
        limit(f"floor {k}", "offered", "at_least", 1e6 + k, where={"grade": ["AB"[k % 2]]}) for k in range(3)
    ]
    terms = policy(5e6, limit("most", "offered", "at_most", 1e6), *floors)
    return prepared(Case(portfolio(["A", "B"] * 4), TABLE, terms))


@dataclass
class Ticking:
    """A clock on which every look takes as many seconds."""

    tick: float
    seconds: float = 0.0

    def __call__(self) -> float:
        self.seconds += self.tick
        return self.seconds


@pytest.mark.parametrize("limit", [0.2, 1.0, 3.0])
def test_the_clock_ends_the_search_for_what_it_would_take_and_that_is_said(
    limit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = several()
    with pytest.raises(InfeasibleError) as caught:
        decide(ready)
    patient = explain(ready.scenario, ready, caught.value, lambda _: None)
    assert not patient.stopped
    solver = replace(ready.scenario.solver, time_limit=limit)
    hurried = replace(ready, scenario=replace(ready.scenario, solver=solver))
    clock = Ticking(0.02)
    monkeypatch.setattr(allowance, "perf_counter", clock)
    found = explain(hurried.scenario, hurried, caught.value, lambda _: None)
    assert found.stopped
    assert len(found.relaxations) < len(patient.relaxations)
    assert set(found.conflicts) <= {*patient.conflicts, caught.value.conflict}
    assert clock.seconds <= limit + 1.0


@random_cases(8, full=150)
@given(cases_in_cents(borrowers=6, limits=3))
def test_every_relaxation_fits_and_names_what_it_is_worth(case: Case) -> None:
    ready = prepared(case)
    try:
        decide(ready)
        assume(False)
    except InfeasibleError as error:
        found = explain(ready.scenario, ready, error, lambda _: None)
    assert found.conflict
    changes = [round(one.change, 6) for one in found.relaxations]
    assert changes == sorted(changes)
    for one in found.relaxations:
        terms = case.policy
        for bound in one.bounds:
            assert terms.bound_of(bound.limit) == bound.was
            terms = terms.with_bound(bound.limit, bound.now)
        outcome = answer(with_policy(ready, terms))
        assert not outcome.broken
        assert outcome.value == one.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "".join(f"F{k},{'AB'[k % 2]},0.01,0.45,500000\n" for k in range(6))
    (tmp_path / "b.csv").write_text("borrower_id,grade,pd,lgd,max_amount\n" + rows)
    (tmp_path / "s.yaml").write_text(
        "schema: 1\nportfolio: {source: b.csv}\nresponse: {churn: none}\n"
        "policy:\n  budget: {of: requests, amount: 50%, spend: exactly}\n"
        "  ticket: {min: 100_000, max: 1_000_000}\n  rates: {A: [4%, 6%], B: [5%, 8%]}\n"
        "  rate_grid: {step: 1%}\n"
        "  limits:\n    - {name: A, measure: offered, where: {grade: A}, at_most: 20%, of: total}\n"
        "    - {name: B, measure: offered, where: {grade: B}, at_most: 1_400_000}\n"
        "stress: {limits: {where: [{name: B, factor: 0.5}]}}\n"
    )
    return tmp_path


def test_a_run_under_other_bounds_says_so_and_its_scenario_carries_them(folder: Path) -> None:
    """Of 1.5 million at most 20 % and 700,000 may be lent: the file writes B before its stress halves it."""
    scenario = load_scenario(folder / "s.yaml")
    with pytest.raises(InfeasibleError) as caught:
        allocate_or_explain(scenario)
    keys = [set(one.sets) for one in caught.value.relaxations]
    assert {"policy.limits[A].at_most"} in keys
    assert {"policy.budget.of", "policy.budget.amount"} in keys
    of_b = next(one for one in caught.value.relaxations if one.bounds[0].limit == "B")
    assert str(of_b) == "raise 'B' from 700,000 to 1,200,000"
    assert of_b.sets == {"policy.limits[B].at_most": 2_400_000.0}
    number = caught.value.relaxations.index(of_b) + 1
    run, outcome = allocate_or_explain(scenario, number)
    assert run.summary["notes"][0] == (
        "nothing fits the scenario as it was given; relaxed: raise 'B' from 700,000 to 1,200,000"
    )
    assert outcome.value == of_b.value
    written = load_document(run.scenario.document, folder, run.scenario.name)
    assert written.written.bound_of("B") == 2_400_000.0
    assert written.policy.bound_of("B") == 1_200_000.0


def test_each_relaxation_gives_its_own_value(folder: Path) -> None:
    scenario = load_scenario(folder / "s.yaml")
    with pytest.raises(InfeasibleError) as caught:
        allocate_or_explain(scenario)
    assert len(caught.value.relaxations) == 3
    for one in caught.value.relaxations:
        run, _ = allocate_or_explain(with_relaxation(scenario, one))
        assert run.certificate.value == one.value
    with pytest.raises(InfeasibleError):
        allocate_or_explain(scenario, 4)


def test_words_are_shares_in_percent_and_money_as_it_stands() -> None:
    bounds = (NewBound("A", 0.2, 0.234, share=True), NewBound("budget", 1e8, 9.7e7, share=False))
    one = Relaxation(bounds, 0.2, 1.0, 0.0, 0.0, {})
    assert str(one) == "raise 'A' from 20 % to 23.4 % and lower the budget from 100,000,000 to 97,000,000"
    assert np.isclose(one.change, 0.2)
