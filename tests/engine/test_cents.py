"""Amounts are whole cents inside feasibility, whatever must be met exactly."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from allocator import allocate, load_scenario
from allocator.errors import InfeasibleError
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import solve

TABLE = churn_table([0.06], A=[0.45], B=[0.35])


def test_offers_that_no_whole_cents_can_settle_give_way_to_others() -> None:
    """91,000 drawn need 165,454.54... from A alone, but 140,000 from B."""
    book = portfolio(["A", "B"], pd=[0.01, 0.1])
    terms = policy(91_000.0, spend="exactly", basis="drawn", ticket=(100_000.0, 240_000.0))
    solved = solve(Case(book, TABLE, terms))
    assert solved.decisions.amount.tolist() == [0.0, 140_000.0]
    assert solved.outcome.certificate.limits[0].used == pytest.approx(91_000.0, abs=1e-6)


def test_where_no_whole_cents_exist_the_exact_limits_are_named() -> None:
    terms = policy(91_000.0, spend="exactly", basis="drawn", ticket=(100_000.0, 240_000.0))
    with pytest.raises(InfeasibleError, match=r"^no amounts in whole cents meet 'budget' exactly") as caught:
        solve(Case(portfolio(["A"]), TABLE, terms))
    assert caught.value.conflict == ("budget",)


@pytest.mark.parametrize("basis", ["offered", "drawn"])
def test_a_budget_is_spent_to_the_cent(basis: str) -> None:
    """The odd cent goes somewhere: every amount is whole, and the sum is met."""
    book = portfolio(["A", "B"] * 6, pd=[0.01 * k for k in range(12)], max_amount=333_333.33)
    terms = policy(1_234_567.89, spend="exactly", basis=basis)
    solved = solve(Case(book, TABLE, terms))
    cents = solved.decisions.amount * 100
    assert np.abs(cents - np.round(cents)).max() < 1e-6
    assert solved.outcome.certificate.limits[0].used == pytest.approx(1_234_567.89, abs=0.005)


@pytest.mark.parametrize("step", [0.07, 0.333, 3.3])
def test_amounts_are_the_doubles_nearest_to_steps_that_are_decimals(step: float) -> None:
    """4,286 x 0.07 in doubles is not the double of 300.02: the recheck would refuse the amount."""
    book = portfolio(["A", "B", "B"], pd=[0.01, 0.02, 0.02], max_amount=[500.0, 300.0, 400.0])
    solved = solve(Case(book, TABLE, policy(1000.0, ticket=(10.0, 600.0), step=step)))
    taken = solved.decisions.amount[solved.decisions.amount > 0]
    assert taken.sum() > 999.0 - 3 * step
    assert all(x == float(round(x / step) * Fraction(str(step))) for x in taken.tolist())


def test_cents_are_found_under_several_exact_limits_at_once() -> None:
    book = portfolio(
        ["A", "B"] * 10,
        pd=[0.005 * k for k in range(20)],
        texts={"sector": ["food", "retail", "steel", "NO"] * 5},
    )
    terms = policy(
        5_000_000.0,
        limit("food", "drawn", "exactly", 777_777.77, where={"sector": ["food"]}),
        limit("retail", "offered", "exactly", 0.3, of="total", where={"sector": ["retail"]}),
        spend="exactly",
    )
    solved = solve(Case(book, TABLE, terms))
    assert solved.outcome.certificate.largest_violation <= 1e-9
    assert solved.solution.bound - solved.value <= 1e-6 * solved.value


def test_a_conflict_that_only_the_count_of_cents_sees_is_named_without_exact_rows(tmp_path: Path) -> None:
    """The relaxation, within its tolerance, has a point; two limits that are ranges exclude it."""
    (tmp_path / "b.csv").write_text(
        "borrower_id,grade,pd,lgd,kind,w,rate,exposure\n"
        "b0,B,0.1,0.5,z,-1,0.05,0\nb1,A,0.02,1,y,1,0.08,1\nb2,B,0.02,0.5,z,2,0.01,3.5\n"
    )
    (tmp_path / "s.yaml").write_text(
        "schema: 1\nportfolio: {source: b.csv}\nresponse: {churn: none}\n"
        "policy:\n  budget: {amount: 3}\n  ticket: {min: 0, max: 3}\n  rate_grid: contract\n"
        "  rates: {A: [-5%, 20%], B: [2%, 10%]}\n  limits:\n"
        "    - {name: margin, measure: gross_interest, weight: w, at_most: 5%, of: budget}\n"
        "    - {name: match, measure: drawn, where: {kind: [x, y]}, at_least: 100%,\n"
        "       of: {where: {kind: z}, measure: drawn}}\n"
        "    - {name: size, measure: offered, weight: w, at_least: 0.3333333333333333,\n"
        "       of: {where: {kind: [x, y]}}}\n"
    )
    with pytest.raises(InfeasibleError, match="'margin' and 'match' cannot all be met together") as caught:
        allocate(load_scenario(tmp_path / "s.yaml"))
    assert caught.value.exit_status == 3
