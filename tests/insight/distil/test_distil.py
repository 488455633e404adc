"""Rules from a run: few, inside every limit, near the optimum, the same each time."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from allocator.borrowers import read_inputs
from allocator.certification import recheck
from allocator.engine.kernel.columns import Columns
from allocator.errors import InfeasibleError, InputError
from allocator.insight.distil import DistilledRules, distil, follow
from allocator.insight.distil.totals import totals_of
from allocator.insight.distil.tree import features_of
from allocator.pipeline import decide, judge, prepare
from allocator.records.case import Case, Inputs
from allocator.records.filters import weighted
from allocator.records.run import Decisions
from allocator.records.strategy import SolverSettings, Strategy
from allocator.records.stress import APART, Shock, Stress, StressSource
from allocator.records.ticket import Choices, Ticket
from allocator.scenario import load_scenario
from benchmarks.registry import CASES
from tests.builders import Case as Built
from tests.builders import churn_table, limit, policy, portfolio
from tests.conftest import ROOT

TABLE = churn_table([0.04, 0.08, 0.12], A=[0.0, 0.5, 0.8], B=[0.0, 0.3, 0.7])


@cache
def shipped(name: str) -> Case:
    scenario = load_scenario(ROOT / "scenarios" / f"{name}.yaml")
    return prepare(scenario, read_inputs(scenario))


@cache
def distilled(name: str, most: int) -> tuple[DistilledRules, float]:
    case = shipped(name)
    run = judge(case, decide(case))
    return distil(run, most), run.value


def case_of(built: Built) -> Case:
    return prepare(built.scenario, Inputs(built.portfolio, built.table, {}))


def test_what_a_mean_keeps_apart_is_no_feature() -> None:
    book = portfolio(["A", "B", "A"], pd=[0.01, 0.02, 0.04], lgd=[0.2, 0.4, 0.3])
    bad = Stress(pd=Shock(3.0), lgd=Shock(1.5))
    mean = weighted(StressSource(mean=((0.5, Stress()), (0.5, bad))), book)
    assert {*APART.values()} <= {*mean.numbers}
    assert [one.column for one in features_of(mean, np.arange(3))] == [
        one.column for one in features_of(book, np.arange(3))
    ]


@pytest.mark.parametrize(
    ("name", "most", "share"),
    [
        ("sme-302", 6, 0.99),
        ("sme-302-lines", 12, 0.995),
        pytest.param("sme-302-limits", 12, 0.99, marks=pytest.mark.full),
    ],
)
def test_few_rules_keep_every_limit_and_most_of_the_value(name: str, most: int, share: float) -> None:
    found, optimum = distilled(name, most)
    assert 1 <= len(found.rules) <= most
    assert not found.outcome.faults
    assert share * optimum <= found.outcome.certificate.value <= optimum * (1 + 1e-9)
    assert found.regret == pytest.approx(optimum - found.outcome.certificate.value)


def test_rules_never_overlap() -> None:
    found, _ = distilled("sme-302-lines", 12)
    case = shipped("sme-302-lines")
    again = follow(tuple(reversed(found.rules)), case.inputs.portfolio, case.offers)
    assert np.array_equal(again.amount, found.outcome.ledger.amount)


def test_the_same_rules_each_time_and_for_any_order_of_rows() -> None:
    case = shipped("sme-302")
    first, _ = distilled("sme-302", 6)
    assert distil(judge(case, decide(case)), 6).rules == first.rules


def test_more_rules_lose_no_more_than_a_search_may() -> None:
    few, optimum = distilled("sme-302", 2)
    many, _ = distilled("sme-302", 6)
    assert many.outcome.certificate.value >= few.outcome.certificate.value * 0.99
    assert few.outcome.certificate.value < optimum


def test_totals_are_what_followed_rules_come_to() -> None:
    found, _ = distilled("sme-302-lines", 12)
    case = shipped("sme-302-lines")
    columns = Columns(case.offers, case.limits)
    value, use = 0.0, np.zeros(len(case.limits))
    for at, rule in enumerate(found.rules):
        members = np.flatnonzero((found.rule == at) & (case.offers.menu >= 0))
        total = totals_of(columns, members, (rule.share,), np.array([rule.rate]))
        value, use = value + total.value[0, 0], use + total.use[0, 0]
    assert value == pytest.approx(found.outcome.certificate.value, rel=1e-12)
    uses = found.outcome.certificate.limits
    assert use[0] == pytest.approx(uses[0].used, rel=1e-12)


def test_a_limit_on_net_value_uses_what_the_rules_are_worth() -> None:
    earned = limit("earned", "value", "at_least", 0.0)
    book = portfolio(["A", "B"] * 5, max_amount=400_000.0)
    case = case_of(Built(book, TABLE, policy(3_000_000.0, earned, processing_cost=200.0)))
    total = totals_of(Columns(case.offers, case.limits), np.arange(10), (0.5, 1.0), np.array([0.04, 0.08]))
    assert np.all(total.value)
    np.testing.assert_allclose(total.use[:, :, 1], total.value, rtol=1e-12)


def test_an_exact_budget_is_spent_exactly() -> None:
    case = shipped("sme-302")
    budget = replace(case.scenario.policy.budget, spend="exactly")
    scenario = replace(case.scenario, policy=replace(case.scenario.policy, budget=budget))
    exact = prepare(scenario, case.inputs)
    found = distil(judge(exact, decide(exact)), 8)
    assert not found.outcome.faults
    assert found.outcome.certificate.limits[0].used == pytest.approx(1e8, abs=0.1)


def test_pinned_offers_stay_and_the_excluded_stay_out() -> None:
    book = portfolio(
        ["A", "B"] * 20,
        max_amount=400_000.0,
        exclude=[i == 4 for i in range(40)],
        fixed_amount=[123_456.78 if i == 7 else np.nan for i in range(40)],
        fixed_rate=[0.08 if i == 7 else np.nan for i in range(40)],
    )
    case = case_of(Built(book, TABLE, policy(3_000_000.0)))
    ledger = distil(judge(case, decide(case)), 3).outcome.ledger
    assert (ledger.amount[7], ledger.rate[7]) == (123_456.78, 0.08)
    assert ledger.amount[4] == 0


def test_limits_that_no_few_rules_keep_are_said() -> None:
    each = [
        limit(f"only {i}", "offered", "exactly", 100_000.0 + i, where={"borrower_id": [f"b{i:03d}"]})
        for i in range(12)
    ]
    book = portfolio(["A"] * 12, max_amount=900_000.0)
    case = case_of(Built(book, TABLE, policy(9_000_000.0, *each)))
    nobody, prices = np.zeros(12), {row.name: 0.0 for row in case.limits.rows}
    run = recheck(case.scenario, case.inputs, Decisions(nobody, nobody), prices)
    with pytest.raises(
        InfeasibleError, match="no 2 rules were found that keep every limit: allow more of them"
    ):
        distil(run, 2)


TWELVE = [("central", None), ("few", None), ("central", 3)]


@pytest.mark.parametrize(
    ("name", "limits", "size"),
    [
        ("few", None, 2_000),
        *(
            pytest.param(name, limits, size, marks=pytest.mark.full)
            for name, limits in TWELVE
            for size in (2_000, 4_000, 1_000_000)
            if (name, size) != ("few", 2_000)
        ),
    ],
)
def test_twelve_rules_beat_lending_by_score_and_by_the_lines(
    name: str, limits: int | None, size: int
) -> None:
    """Of the case's limits the first `limits`: grades, sectors and regions alone."""
    book = CASES[name].book(size)
    terms = replace(book.policy, limits=book.policy.limits[:limits])
    case = case_of(Built(book.portfolio, book.table, terms, "isotonic", SolverSettings(gap=1e-4)))
    optimum = decide(case)
    found = distil(judge(case, optimum), 12)
    assert len(found.rules) <= 12
    assert not found.outcome.broken
    assert found.regret >= -1e-4 * found.run.value
    for rule in ("by_score", "ahp_lines"):
        ruled = replace(case, scenario=replace(case.scenario, strategy=Strategy(rule)))
        other = judge(ruled, decide(ruled, optimum=optimum))
        assert not other.broken
        assert found.outcome.certificate.value > other.certificate.value, rule


def test_amounts_by_several_steps_are_refused() -> None:
    book = Built(portfolio(["A"], max_amount=300_000.0), churn_table([0.04, 0.15], A=[0.0, 0.5]), policy(1e6))
    ticket = Ticket(100_000.0, 300_000.0, None, Choices((200_000.0,)))
    case = case_of(book.under(ticket=ticket, rates={"A": (0.04, 0.15)}))
    run = judge(case, decide(case))
    with pytest.raises(InputError, match="amounts go by several steps, or a menu"):
        distil(run)
