"""What a recheck hands on, figure by figure, and what it refuses, word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from allocator.certification import certify, recheck
from allocator.certification.certify import (
    ProvedFigures,
    breach_faults,
    impossible_bound_faults,
    recheck_with_proof,
)
from allocator.certification.rounding import Rounded
from allocator.errors import CertificateError
from allocator.records.case import Inputs
from allocator.records.run import Decisions
from allocator.records.strategy import Strategy
from tests.builders import Case, churn_table, limit, policy, portfolio

TABLE = churn_table([0.04, 0.08], A=[0.0, 0.75])
CASE = Case(
    portfolio(["A", "A", "D"], pd=0.0, lgd=0.0, max_amount=300_000.0),
    TABLE,
    policy(
        500_000.0,
        limit("few", "loans", "at_most", 2.0),
        limit("some", "drawn", "at_least", 1e5),
        rates={"A": (0.04, 0.08)},
        idle_rate=0.01,
    ),
)
"""300,000 at 4 % are worth 12,000, at 8 % a quarter is drawn: 6,000."""
MADE = Decisions(np.array([300_000.0, 100_000.0, 0.0]), np.array([0.04, 0.08, 0.0]))
PRICES = {"budget": 0.05, "few": 0.0, "some": 0.0}
LEAF = {"bound": 20_000.000001, "nodes": [{"prices": {"budget": 0.04}, "bound": 20_000.000001}]}


def test_an_outcome_holds_what_was_decided_on_what() -> None:
    inputs = Inputs(CASE.portfolio, TABLE, {"churn": "abc"})
    outcome, proved = recheck_with_proof(CASE.scenario, inputs, MADE, {**PRICES, "some": -0.0}, LEAF)
    certificate = outcome.certificate
    assert (outcome.name, outcome.scenario) == ("case", CASE.scenario)
    assert outcome.inputs is inputs
    assert outcome.decisions is MADE
    assert (outcome.broken, outcome.terms_broken, outcome.faults) == ((), {}, ())
    assert certificate.value == pytest.approx(12_000 + 2_000 + 1_000, rel=1e-12)
    assert certificate.value < 15_000.0 < proved.value.most
    assert (certificate.bound, proved.tree) == (LEAF["bound"], LEAF["bound"])
    assert proved.prices.value == pytest.approx(25_000.0, rel=1e-12)
    assert certificate.prices == {"budget": 0.05, "few": 0.0, "some": 0.0}
    assert certificate.inputs == {"churn": "abc"}
    assert certificate.tree is LEAF
    assert certificate.plugins == CASE.scenario.plugins == {}
    assert [(use.name, use.used, use.price) for use in certificate.limits] == [
        ("budget", 400_000.0, 0.05),
        ("few", 2.0, 0.0),
        ("some", 325_000.0, 0.0),
    ]
    assert outcome.ledger is outcome.ledger
    assert outcome.ledger.amount.tolist() == [300_000.0, 100_000.0, 0.0]
    assert outcome.ledger.value.tolist() == [12_000.0, 2_000.0, 0.0]


def test_a_bound_by_prices_alone_is_stated_above_what_they_prove() -> None:
    outcome, proved = recheck_with_proof(CASE.scenario, CASE.inputs, MADE, PRICES)
    assert outcome.certificate.tree is None
    assert (proved.tree, outcome.certificate.bound) == (np.inf, proved.prices.above)
    weak = {"bound": 29_000.00001, "nodes": [{"prices": {}, "bound": 29_000.000001}]}
    outcome, proved = recheck_with_proof(CASE.scenario, CASE.inputs, MADE, PRICES, weak)
    assert (proved.tree, outcome.certificate.bound) == (29_000.00001, proved.prices.above)


def test_a_proof_far_above_what_its_leaves_prove_is_refused() -> None:
    loose = {**LEAF, "bound": LEAF["bound"] * (1 + 1e-7)}
    outcome, proved = recheck_with_proof(CASE.scenario, CASE.inputs, MADE, PRICES, loose)
    assert [fault.field for fault in outcome.faults] == ["tree.bound"]
    assert (proved.tree, outcome.certificate.bound) == (np.inf, proved.prices.above)


def test_prices_beside_a_tree_state_what_they_prove_alone() -> None:
    outcome, proved = recheck_with_proof(CASE.scenario, CASE.inputs, MADE, PRICES, LEAF)
    stated = outcome.certificate.price_bound
    assert stated == proved.alone.above == pytest.approx(25_000.0, rel=1e-12)
    assert stated is not None
    for told, fits in ((stated, True), (25_000.0 - 1e-9, False), (25_000.1, False), (np.inf, False)):
        assert proved.is_price_bound(told) is fits
    dear = {**PRICES, "few": 1e300}
    faults = impossible_bound_faults(recheck_with_proof(CASE.scenario, CASE.inputs, MADE, dear, LEAF)[0])
    assert [fault.field for fault in faults] == ["bound"]


def test_an_unsound_tree_proves_nothing_and_is_told() -> None:
    false = {**LEAF, "bound": 19_999.0}
    outcome, proved = recheck_with_proof(CASE.scenario, CASE.inputs, MADE, PRICES, false)
    assert [fault.field for fault in outcome.faults] == ["tree.nodes[0]"]
    assert (proved.tree, outcome.certificate.bound) == (np.inf, proved.prices.above)
    stated = certify(CASE.scenario, CASE.inputs, MADE, PRICES, false).certificate
    assert stated.tree is not None
    assert stated.bound == stated.tree["bound"] == pytest.approx(20_000.0, rel=1e-12)
    with pytest.raises(CertificateError) as caught:
        certify(CASE.scenario, CASE.inputs, MADE, PRICES, {**LEAF, "nodes": []})
    assert str(caught.value) == (
        "the allocation does not pass its own recheck\n  tree: holds no nodes; solve again"
    )


@pytest.mark.parametrize(
    ("proved", "stated", "holds"),
    [
        (ProvedFigures(Rounded(100.0, 1e-9), np.inf, Rounded(0.0, 0.0)), 100.0 + 2e-9, True),
        (ProvedFigures(Rounded(100.0, 1e-9), np.inf, Rounded(0.0, 0.0)), 100.0, False),
        (ProvedFigures(Rounded(100.0, 1e-9), np.inf, Rounded(0.0, 0.0)), 100.001, False),
        (ProvedFigures(Rounded(100.0, 1e-9), 99.0, Rounded(0.0, 0.0)), 99.0, True),
        (ProvedFigures(Rounded(100.0, 1e-9), 99.0, Rounded(0.0, 0.0)), 100.0 + 2e-9, False),
        (ProvedFigures(Rounded(100.0, 1e-9), 101.0, Rounded(0.0, 0.0)), 100.0 + 2e-9, True),
        (ProvedFigures(Rounded(0.0, 0.0), 0.0, Rounded(0.0, 0.0)), 1e-10, False),
    ],
)
def test_a_bound_is_the_tighter_of_two(proved: ProvedFigures, stated: float, holds: bool) -> None:
    assert proved.is_bound(stated) is holds


@pytest.mark.parametrize(
    ("stated", "holds"), [(100.0 - 2e-9, True), (100.0, False), (100.0 + 1e-9, False), (99.9, False)]
)
def test_a_value_is_no_more_than_what_is_certain_and_near_it(stated: float, holds: bool) -> None:
    assert ProvedFigures(Rounded(0.0, 0.0), np.inf, Rounded(100.0, 1e-9)).is_value(stated) is holds


def refused(decisions: Decisions = MADE, **prices: float) -> list[str]:
    with pytest.raises(CertificateError) as caught:
        certify(CASE.scenario, CASE.inputs, decisions, PRICES | prices)
    return str(caught.value).split("\n  ")


def test_what_no_recheck_passes_is_told_word_for_word() -> None:
    first = "the allocation does not pass its own recheck"
    endless = "bound: is not finite: the prices are too large to prove any; solve again"
    assert refused(budget=1e305) == [first, endless]
    more = Decisions(np.array([300_000.0, 300_000.0, 0.0]), np.array([0.04, 0.04, 0.0]))
    uses = "limit budget: uses 600,000.00 against at most 500,000.00; the allocation breaks this limit"
    assert refused(more) == [first, uses]
    less = Decisions(np.array([0.0, 100_000.0, 0.0]), np.array([0.0, 0.08, 0.0]))
    uses = "limit some: uses 25,000.00 against at least 100,000.00; the allocation breaks this limit"
    assert refused(less) == [first, uses]
    none = Decisions(np.array([300_000.0, np.nan, 0.0]), np.array([0.04, 0.04, 0.0]))
    assert [line.partition(":")[0] for line in refused(none)] == [first, "row 2, b001"] or len(
        refused(none)
    ) > 1
    prices = [
        "the prices do not fit the policy",
        "limit few: has no price; price every limit",
        "many: is no limit of the policy; drop its price",
        "limit budget: has the price nan; a price is a finite number",
        "limit some: has the price 0.01, which a limit at least cannot have; solve again",
    ]
    with pytest.raises(CertificateError) as caught:
        recheck(CASE.scenario, CASE.inputs, MADE, {"many": 1.0, "budget": np.nan, "some": 0.01})
    assert str(caught.value).split("\n  ") == prices
    negative = "limit few: has the price -2.5, which a limit at most cannot have; solve again"
    assert refused(few=-2.5) == [prices[0], negative]


def test_other_strategies_may_break_limits_and_terms_and_say_so() -> None:
    scenario = replace(CASE.scenario, strategy=Strategy("greedy"))
    more = Decisions(np.array([300_000.0, 350_000.0, 5.0]), np.array([0.04, 0.05, 0.04]))
    outcome = certify(scenario, CASE.inputs, more, PRICES)
    assert outcome.terms_broken == {
        "amount to a borrower who may not be offered anything": 1,
        "amount outside the borrower's smallest and largest loan": 1,
        "rate that may not be offered": 1,
    }
    assert [fault.field for fault in outcome.broken] == ["b002", "b001", "b001", "limit budget", "limit few"]
    assert breach_faults(outcome) == ()
    assert breach_faults(replace(outcome, scenario=CASE.scenario)) == outcome.broken


def test_no_decision_is_negative_whatever_the_strategy() -> None:
    scenario = replace(CASE.scenario, strategy=Strategy("greedy"))
    for amount in (-1.0, -100_000.0):
        decisions = Decisions(np.array([amount, 0.0, 0.0]), np.array([0.04, 0.0, 0.0]))
        outcome = recheck(scenario, CASE.inputs, decisions, PRICES, {**LEAF, "nodes": []})
        assert [fault.field for fault in outcome.faults] == ["tree", "b000"]


def shown(bound: float, **changes: Any) -> list[str]:
    outcome = recheck(CASE.scenario, CASE.inputs, MADE, PRICES)
    certificate = replace(outcome.certificate, bound=bound, **changes)
    return [str(fault) for fault in impossible_bound_faults(replace(outcome, certificate=certificate))]


def test_a_value_exceeds_a_bound_by_what_rows_are_exceeded_by_at_most() -> None:
    """15,000 here: a row exceeded by 2 at a price of 100, of the run's or of a node's, is worth 200."""
    value = recheck(CASE.scenario, CASE.inputs, MADE, PRICES).certificate.value
    assert shown(value) == []
    problem = f"bound: value {value!r} lies above bound {value - 1!r}; one of them is wrong"
    assert shown(value - 1) == [problem]
    limits = recheck(CASE.scenario, CASE.inputs, MADE, PRICES).certificate.limits
    over = (limits[0], replace(limits[1], excess=2.0), limits[2])
    for prices, nodes in (
        (PRICES | {"few": -100.0}, [{"prices": {}}]),
        (PRICES, [{"prices": {}}, {"borrower": "b000"}, {"prices": {"few": 100.0}}]),
    ):
        held = {"limits": over, "prices": prices, "tree": {"bound": 0.0, "nodes": nodes}}
        assert shown(value - 199.0, **held) == []
        assert len(shown(value - 201.0, **held)) == 1
    endless = ["bound: is not finite: the prices are too large to prove any; solve again"]
    assert shown(np.inf) == shown(np.nan) == endless


@pytest.mark.parametrize(("basis", "operations"), [("offered", 4.0), ("drawn", 32_768.0 + 256.0)])
def test_idle_money_adds_its_own_error(basis: Any, operations: float) -> None:
    book = portfolio(["A"], pd=0.9, lgd=1.0)
    case = Case(book, TABLE, policy(2.0**20, rates={"A": (0.04, 0.08)}, idle_rate=0.25, basis=basis))
    nothing = Decisions(np.zeros(1), np.zeros(1))
    value = recheck_with_proof(case.scenario, case.inputs, nothing, {"budget": 0.0})[1].value
    assert value.value == 2.0**18
    assert value.error == pytest.approx((operations + 2) * 2.0**-53 * 2.0**18, rel=1e-12, abs=0)
    spent = case.under(budget=replace(case.policy.budget, spend="exactly"))
    value = recheck_with_proof(spent.scenario, case.inputs, nothing, {"budget": 0.0})[1].value
    assert (value.value, value.error) == (0.0, 0.0)
