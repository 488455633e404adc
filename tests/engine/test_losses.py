"""The core in loss form against the formulation: one optimum, and a bound that holds at any threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.engine import closing
from allocator.engine.cores import PricedPoint
from allocator.engine.kernel.columns import Answers
from allocator.engine.kernel.passes import Pass, prepare
from allocator.engine.losses import alternatives, first_lines, loss_program, solve_losses
from allocator.engine.prices import relaxation_prices
from allocator.engine.program import Effort
from allocator.engine.search import Search, candidate
from allocator.errors import InfeasibleError
from allocator.records.strategy import SolverSettings
from allocator.testing.books import random_case
from benchmarks.phases import run_phases
from benchmarks.registry import CASES
from tests.builders import SETTINGS, Case, churn_table, policy, portfolio
from tests.stages import columns_of, solve

SHARE = (1, 61, 181, 421)


def priced_book(seed: int) -> tuple[Pass, PricedPoint, float, float] | None:
    """A random book with its prices, and the value and bound that the formulation comes to."""
    case = random_case(seed, "exact", largest=80)
    try:
        solved = solve(case)
    except InfeasibleError:
        return None
    columns = columns_of(case)
    return (
        prepare(columns, 1),
        relaxation_prices(columns, lambda _: None),
        solved.value,
        solved.solution.bound,
    )


def check_same_optimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "AMOUNTS", 1_000)
    given = priced_book(seed)
    if given is None:
        return
    book, priced, value, bound = given
    tolerance = 1e-7 * max(abs(value), 1.0)
    lost = max(priced.bound - value, 1e-6 * abs(value))
    for share in (0.2, 1.0001, 3.0):
        play = closing.options_within(book.columns, priced, share * lost)
        outcome = solve_losses(book, priced, play, Effort(0.0, nodes=300), None)
        if play.covers >= play.theta:
            assert outcome.bound >= value - tolerance, share
        if outcome.option is None or outcome.amount is None:
            continue
        found = candidate(book, outcome.option, outcome.amount)
        assert found is None or found.value <= bound + tolerance
        if share > 1.0 and outcome.stop == "optimal" and found is not None:
            assert found.value >= value - (bound - value) - tolerance


@pytest.mark.parametrize("seed", SHARE)
def test_losses_and_formulation_have_one_optimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    check_same_optimum(seed, monkeypatch)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(500))
def test_losses_and_formulation_have_one_optimum_everywhere(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_same_optimum(seed, monkeypatch)


def test_an_allocation_within_the_threshold_is_a_point_of_the_program() -> None:
    """Its objective is what the allocation loses, in units of the threshold."""
    given = priced_book(1)
    assert given is not None
    book, priced, value, _ = given
    columns = book.columns
    play = closing.options_within(columns, priced, 4.0 * max(priced.bound - value, 1.0))
    outcome = solve_losses(book, priced, play, Effort(0.0, nodes=300), None)
    assert outcome.option is not None
    assert outcome.amount is not None
    options = alternatives(columns, priced, play)
    option, amount = priced.option.copy(), priced.amount.copy()
    option[play.options.borrowers], amount[play.options.borrowers] = -1, 0.0
    base = first_lines(play, options)
    mine = base[base >= 0]
    used = book.tally(option, amount).usage
    used = used + play.uses.unit[:, mine] @ options.end[mine] + play.uses.loan[:, mine].sum(axis=1)
    losses = loss_program(columns, priced, play, options, columns.tight_rhs - used)
    point = losses.point(play, options, base, Answers(outcome.option, outcome.amount))
    assert point is not None
    program = losses.program
    rows = program.matrix @ point
    assert np.all(rows <= program.row_upper + 1e-6)
    assert np.all(rows >= program.row_lower - 1e-6)
    assert np.all((point >= program.column_lower - 1e-6) & (point <= program.column_upper + 1e-6))
    found = candidate(book, outcome.option, outcome.amount)
    assert found is not None
    lost = (priced.bound - found.value) / play.theta
    assert -(program.cost @ point + program.offset) == pytest.approx(lost, abs=1e-6)


def test_a_core_covers_no_more_than_whom_it_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is left out for want of room may have an alternative that loses less than was asked."""
    given = priced_book(1)
    assert given is not None
    book, priced, value, _ = given
    margin = priced.response.margin
    theta = float(np.sort(margin[np.isfinite(margin)])[20])
    assert theta > priced.bound - value
    monkeypatch.setattr(closing, "OFFERS", 5)
    play = closing.options_within(book.columns, priced, theta)
    outside = np.setdiff1d(np.arange(len(margin)), play.options.borrowers)
    assert play.covers <= play.theta <= np.min(margin[outside])
    assert play.theta < theta


def test_more_ties_at_the_prices_than_a_core_holds_end_its_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty loans of one size and kind in a budget for ten and a half: every one loses next to nothing."""
    alike = portfolio(["A"] * 40, min_amount=100_000.0, max_amount=100_000.0)
    menus = churn_table([0.04, 0.08], A=[0.1, 0.2], B=[0.1, 0.2])
    columns = columns_of(Case(alike, menus, policy(1_050_000.0)))
    priced = relaxation_prices(columns, lambda _: None)
    search = Search(prepare(columns, 1), SETTINGS, reduced=True)
    monkeypatch.setattr(closing, "OFFERS", 5)
    monkeypatch.setattr(closing, "AMOUNTS", 0)
    play = closing.options_within(columns, priced, 1.0)
    assert play.theta < 1e-9
    monkeypatch.setattr(closing, "options_within", lambda *_: replace(play, theta=0.0))
    assert closing.close(search, priced, 1.0, lambda _: None) == "exhausted"


@pytest.mark.parametrize("borrowers", [4_000, 30_000])
def test_a_book_of_borrowers_who_are_alike_is_decided_at_once(borrowers: int) -> None:
    """A few of them tell what all may get; told by seconds the solver would look for symmetries meanwhile."""
    book = CASES["identical"].book(borrowers)
    found = run_phases(book, SolverSettings(gap=1e-9, time_limit=600.0))
    assert found.solution.stop == "gap"
    assert found.solution.log.count("Running HiGHS") == 1
