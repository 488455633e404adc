"""Stressed worlds: the frozen allocation by hand, the re-optimised one by `allocate`, the difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from allocator.errors import InputError
from allocator.insight.whatif.stress import (
    BUILT_IN,
    Base,
    Moved,
    StressTrial,
    chosen_stresses,
    notes_of,
    read_base,
    try_stresses,
)
from allocator.pipeline import allocate, decide, judge, prepare
from allocator.records.conditions import Condition
from allocator.records.run import Decisions
from allocator.records.strategy import Strategy
from allocator.records.stress import FundingShock, LimitShock, Shock, Stress, StressCase, StressSource
from allocator.scenario import load_scenario
from tests.builders import Case, churn_table, limit, policy, portfolio

SHIPPED = Path(__file__).resolve().parents[3] / "scenarios"
TABLE = churn_table([0.05, 0.1], A=[0.1, 0.4], B=[0.0, 0.5])
CASE = Case(
    portfolio(["A", "B", "A", "B"], pd=[0.01, 0.02, 0.03, 0.04], max_amount=[300e3, 400e3, 500e3, 120e3]),
    TABLE,
    policy(1e6, funding_rate=0.01),
)


def base_of(case: Case, strategy: Strategy | None = None) -> Base:
    scenario = replace(case.scenario, strategy=strategy or Strategy())
    ready = prepare(scenario, case.inputs)
    return Base(ready, judge(ready, decide(ready)))


def tried(case: Case, stress: Stress) -> StressTrial:
    return try_stresses(base_of(case), {"it": StressSource(stress)})[-1]


def test_no_stress_changes_nothing() -> None:
    first, neutral = try_stresses(base_of(CASE), {"it": StressSource()})
    assert first.name == "base"
    assert neutral.frozen.value == neutral.reoptimised.value == first.frozen.value
    assert (neutral.hindsight, neutral.frozen.broken, neutral.frozen.gap) == (0.0, (), first.frozen.gap)
    assert (first.moved, neutral.moved) == (None, Moved(come=0, gone=0, money=0.0, rates=0, rate=0.0))


SEVERE, MILD = Stress(pd=Shock(2.0)), Stress(pd=Shock(1.2))
RISKY = limit("loss", "expected_loss", "at_most", 8e3)
ROBUST = CASE.under(limits=(replace(RISKY, under=(("severe", SEVERE), ("mild", MILD))),))


def test_a_limit_under_the_stress_that_is_tried_holds_there_once() -> None:
    """The frozen book and the one decided anew are those of the limit without its stresses."""
    base, plain = base_of(ROBUST), base_of(CASE.under(limits=(RISKY,)))
    assert [use.name for use in base.verdict.limits] == ["budget", "loss", "loss [severe]", "loss [mild]"]
    stresses = {"severe": StressSource(SEVERE), "mild": StressSource(MILD), "other": StressSource(SEVERE)}
    _, severe, mild, other = try_stresses(base, stresses)
    alone = try_stresses(plain, stresses)[1]
    for trial in (severe, mild):
        assert [use.name for use in trial.frozen.limits] == ["budget", "loss"]
    in_base = next(use for use in base.verdict.limits if use.name == "loss [severe]")
    assert severe.frozen.limits[1].used == pytest.approx(in_base.used, rel=1e-12)
    assert not severe.frozen.broken
    assert severe.reoptimised is not None
    assert alone.reoptimised is not None
    assert severe.reoptimised.value == pytest.approx(alone.reoptimised.value, rel=1e-9)
    assert [use.name for use in other.frozen.limits] == ["budget", "loss", "loss [severe]", "loss [mild]"]
    assert other.frozen.limits[2].used == pytest.approx(2 * in_base.used, rel=1e-12)


def test_what_moves_is_who_comes_and_goes_money_and_rates() -> None:
    base = Decisions(np.array([5e5, 3e5, 0.0, 1e5]), np.array([0.05, 0.06, 0.0, 0.07]))
    anew = Decisions(np.array([4e5, 0.0, 2e5, 1e5]), np.array([0.06, 0.0, 0.05, 0.07]))
    moved = Moved.between(base, anew)
    assert (moved.come, moved.gone, moved.money, moved.rates) == (1, 1, 6e5, 1)
    assert moved.rate == pytest.approx(0.01)


def test_a_frozen_offer_earns_and_costs_what_the_world_says() -> None:
    base = base_of(CASE)
    own = base.outcome
    stress = Stress(pd=Shock(2.0), lgd=Shock(1.5), funding=FundingShock(2.0, 0.005))
    trial = try_stresses(base, {"it": StressSource(stress)})[-1]
    amount, rate = own.decisions.amount, own.decisions.rate
    take_up = np.array(
        [1 - np.interp(r, TABLE.rates, TABLE.churn[g]) for r, g in zip(rate, "ABAB", strict=True)]
    )
    drawn, pd = take_up * amount, 2 * CASE.portfolio.pd
    loss = np.sum(drawn * pd * 0.75)
    assert trial.frozen.account.lines["expected_loss"] == pytest.approx(loss, rel=1e-12)
    assert trial.frozen.account.lines["funding_cost"] == pytest.approx(np.sum(drawn) * 0.025, rel=1e-12)
    assert trial.frozen.value == pytest.approx(
        np.sum(drawn * rate * (1 - pd)) - loss - np.sum(drawn) * 0.025, rel=1e-12
    )


def test_offers_shrink_to_what_is_asked_for_and_end_below_the_ticket() -> None:
    ticket = replace(CASE.policy.ticket, step=10_000.0)
    case = CASE.under(ticket=ticket, budget=replace(CASE.policy.budget, amount=2e6))
    trial = tried(case, Stress(amount=Shock(0.77)))
    assert trial.cut.dropped == 1  # of 120,000 92,400 are left, below the ticket
    assert trial.cut.smaller >= 2
    assert trial.frozen.account.offered % 10_000 == 0
    assert trial.frozen.account.offered <= 0.77 * (300e3 + 400e3 + 500e3)


def test_a_frozen_allocation_breaks_limits_where_a_new_one_keeps_to_them() -> None:
    case = CASE.under(limits=(limit("risky", "offered", "at_most", 900e3, where={"grade": ["A", "B"]}),))
    trial = tried(case, Stress(limits=LimitShock(0.5)))
    [use] = trial.frozen.broken
    assert (use.name, use.bound) == ("risky", 450e3)
    assert trial.reoptimised is not None
    assert trial.reoptimised.broken == ()
    assert trial.hindsight is not None
    assert trial.hindsight < 0  # breaking a limit pays


def test_a_world_without_any_allocation_is_told_and_the_frozen_one_still_judged() -> None:
    trial = tried(CASE.under(budget=replace(CASE.policy.budget, spend="exactly")), Stress(amount=Shock(0.5)))
    assert trial.reoptimised is None
    assert trial.hindsight is None
    assert "budget" in trial.failure
    assert [use.name for use in trial.frozen.broken] == ["budget"]
    assert (trial.frozen.bound, trial.frozen.gap) == (None, None)


def test_where_the_strategy_finds_nothing_the_bound_is_still_that_of_the_world() -> None:
    stress = Stress(pd=Shock(8.0), amount=Shock(0.5))
    income = base_of(CASE).verdict.account.lines["interest"] * 0.9
    trial = try_stresses(base_of(CASE, Strategy("min_loss", income=income)), {"it": StressSource(stress)})[-1]
    optimal = tried(CASE, stress)
    assert trial.reoptimised is None
    assert "income wanted by min_loss" in trial.failure
    assert optimal.reoptimised is not None
    assert trial.frozen.bound == pytest.approx(optimal.reoptimised.bound, rel=1e-9)


def test_cases_that_are_about_nobody_are_noted() -> None:
    nobody = StressCase((Condition("grade", ("Z",)),), 2.0)
    stresses = {
        "idle": StressSource(Stress(pd=Shock(cases=(nobody,)), churn=Shock(cases=(nobody,)))),
        "all": StressSource(Stress(pd=Shock(2.0))),
    }
    assert notes_of(base_of(CASE), stresses) == (
        "stresses.idle: a case of stress.pd changes nothing: no borrower passes {grade: Z}",
        "stresses.idle: a case of stress.churn changes nothing: no borrower passes {grade: Z}",
    )


@pytest.mark.parametrize("name", BUILT_IN)
def test_hindsight_is_what_solving_the_stressed_scenario_gains(name: str) -> None:
    path = SHIPPED / "sme-302-limits.yaml"
    scenario = load_scenario(path)
    stress = BUILT_IN[name].factors
    sets = [
        f"stress.{figure}.all={getattr(stress, figure).all}" for figure in ("pd", "lgd", "amount", "churn")
    ]
    stresses = {name: BUILT_IN[name]}
    trial = try_stresses(read_base(scenario, stresses), stresses)[-1]
    run = allocate(load_scenario(path, [*sets, f"stress.funding.add={stress.funding.add}"]))
    assert trial.reoptimised is not None
    assert trial.reoptimised.value == pytest.approx(run.certificate.value, rel=2e-9)
    assert trial.reoptimised.gap <= 1e-9
    assert trial.frozen.bound == pytest.approx(run.certificate.bound, rel=2e-9)
    assert trial.hindsight == pytest.approx(trial.reoptimised.value - trial.frozen.value)


def test_the_worse_named_stress_is_worse() -> None:
    scenario = load_scenario(SHIPPED / "sme-302.yaml")
    base, mild, severe = try_stresses(read_base(scenario, BUILT_IN), BUILT_IN)
    assert base.frozen.value > mild.frozen.value > severe.frozen.value
    for trial in (base, mild, severe):  # no limits that a frozen allocation could break
        assert trial.reoptimised is not None
        assert trial.frozen.value <= trial.reoptimised.value * (1 + 1e-9)
        assert trial.frozen.account.lines["expected_loss"] > 0


def test_the_chosen_ones(tmp_path: Path) -> None:
    scenario = load_scenario(SHIPPED / "sme-302.yaml")
    shock = SHIPPED.parent / "models" / "shocks" / "covid-2020q1-invented.csv"
    assert list(chosen_stresses(scenario)) == ["mild", "severe"]
    named = chosen_stresses(scenario, ["severe", "covid-2020q1-invented"], shock)
    assert named["covid-2020q1-invented"] == StressSource(file=shock, column="sector")
    own = replace(scenario, stresses={"mine": StressSource(Stress(pd=Shock(3.0)))})
    assert list(chosen_stresses(own)) == ["mine"]
    with pytest.raises(InputError, match="no stress is named 'mine'; the stresses are base, mild, severe"):
        chosen_stresses(scenario, ["mine"])


@pytest.mark.parametrize("name", ["base", "mild", "severe"])
def test_a_factor_file_takes_no_name_that_is_taken(tmp_path: Path, name: str) -> None:
    scenario = load_scenario(SHIPPED / "sme-302.yaml")
    shock = tmp_path / f"{name}.csv"
    shock.write_text("sector,pd\nretail,2\n")
    with pytest.raises(InputError, match=f"--shock: a stress is named '{name}' already; rename the file"):
        chosen_stresses(scenario, shock=shock)
    own = replace(scenario, stresses={"mine": StressSource(Stress(pd=Shock(3.0)))})
    if name != "base":
        assert list(chosen_stresses(own, shock=shock)) == ["mine", name]
    with pytest.raises(InputError, match="a stress is named 'mine' already"):
        chosen_stresses(own, shock=shock.rename(tmp_path / "mine.csv"))


def test_another_strategy_decides_anew_by_itself_under_the_bound_of_the_world() -> None:
    base = base_of(CASE, Strategy("equal"))
    stress = {"it": StressSource(Stress(pd=Shock(2.0)))}
    by_rule = try_stresses(base, stress)[-1]
    optimal = try_stresses(base_of(CASE), stress)[-1]
    assert by_rule.reoptimised is not None
    assert optimal.reoptimised is not None
    assert by_rule.reoptimised.value < optimal.reoptimised.value
    assert by_rule.reoptimised.bound == pytest.approx(optimal.reoptimised.bound, rel=1e-9)


def test_the_bound_stays_that_of_the_world_where_a_book_breaks_limits() -> None:
    case = CASE.under(limits=(limit("few", "offered", "at_most", 300e3, where={"grade": ["A", "B"]}),))
    offers = np.array([300e3, 400e3, 0.0, 0.0])
    inputs = replace(case.inputs, book=Decisions(offers, np.where(offers > 0, 0.1, 0.0)))
    book = Strategy("file", book=Path("book.csv"))
    ready = prepare(replace(case.scenario, strategy=book), inputs)
    found = judge(ready, decide(ready))
    assert found.certificate.limits_broken == ["few"]
    assert found.value > found.bound
    assert found.gap < 0


def test_a_factor_file_must_speak_of_every_value(tmp_path: Path) -> None:
    (tmp_path / "shock.csv").write_text("sector,pd\nretail,2\n")
    scenario = load_scenario(SHIPPED / "sme-302.yaml")
    stresses = chosen_stresses(scenario, shock=tmp_path / "shock.csv")
    with pytest.raises(InputError, match=r"shock\.csv, sector: no factor for sector 'agriculture'"):
        try_stresses(read_base(scenario, stresses), {"shock": stresses["shock"]})
