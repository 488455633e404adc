"""A frontier is certified at every point, concave where no limit bends, and its slopes are prices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.insight.variants import answer
from allocator.insight.whatif.frontier import Frontier, FrontierPoint, breakpoints_of, frontier, line_at
from allocator.insight.whatif.tracks import Track, track_of
from allocator.pipeline import with_cuts
from allocator.records.strategy import SolverSettings
from benchmarks.registry import CASES
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.insight.explain.test_explanation import crowded
from tests.stages import prepared
from tests.strategies import cases_in_cents, random_cases

BRIEFLY = SolverSettings(gap=1e-9, time_limit=4.0)
"""Some exact limits on what is drawn no search meets: those points say so."""


def track(case: Case, *names: str) -> Track:
    return track_of(prepared(case), names)


def along(case: Case, name: str, low: float, high: float, points: int) -> tuple[Track, Frontier]:
    line = track(case, name)
    return line, frontier(line.case, line.names, [(low, high)], points)


def central() -> Case:
    book = CASES["central"].book(302)
    return Case(book.portfolio, book.table, book.policy, "isotonic", SOLVER)


SOLVER: Any = replace(crowded().settings, gap=1e-4)


@pytest.fixture(scope="module")
def budget() -> tuple[Track, Frontier]:
    case = central()
    now = case.policy.budget.amount
    return along(case, "budget", 0.3 * now, 1.8 * now, 6)


def test_the_certified_bound_is_concave_and_no_value_above_it(budget: tuple[Track, Frontier]) -> None:
    _, found = budget
    assert (len(found.points), found.concave) == (6, True)
    at = np.array([point.at[0] for point in found.points])
    bound = np.array([point.envelope for point in found.points])
    slopes = np.diff(bound) / np.diff(at)
    assert np.all(np.diff(slopes) <= 1e-9 * np.max(np.abs(slopes)))
    for point in found.points:
        assert point.value <= point.bound <= point.envelope <= point.own_bound + 1e-9 * point.bound
        assert 0.0 <= point.gap <= 1e-3


def test_slopes_are_prices_over_the_range_in_which_they_stand(budget: tuple[Track, Frontier]) -> None:
    """The budget's caps are shares of it: a unit more is its own price and theirs."""
    line, found = budget
    checked = 0
    for point in found.points[::3]:
        assert point.low <= point.at[0] <= point.high
        shares = {
            "grades": 0.40,
            "sectors": 0.12,
            "regions": 0.15,
            "expected loss": 0.0,
            "capital": 0.0,
            "budget": 1.0,
        }
        prices = point.prices or {}
        of_budget = sum(price * shares[name.partition("[")[0]] for name, price in prices.items())
        assert point.slopes[0] == pytest.approx(of_budget, rel=1e-9)
        for end in (point.low, point.high):
            if not np.isfinite(end):
                continue
            inside = point.at[0] + 0.999 * (end - point.at[0])
            again = line.bound((inside,), answer(line.case_with((inside,)), prices).prices)
            assert again == pytest.approx(line_at(point, (inside,)), rel=2e-9)
            checked += 1
    assert checked >= 4


def test_any_prices_bound_any_point_by_their_line(budget: tuple[Track, Frontier]) -> None:
    line, found = budget
    for point in found.points[::3]:
        for other in found.points[::4]:
            again = line.bound(other.at, point.prices or {})
            assert again == pytest.approx(line_at(point, other.at), rel=1e-9)


def test_beyond_a_range_other_prices_are_better(budget: tuple[Track, Frontier]) -> None:
    line, found = budget
    assert found.breakpoints
    for place in found.breakpoints[:4]:
        whose = [p for p in found.points if place.at in (p.high, p.low)] or found.points[:0]
        for point in whose:
            further = place.at + 0.02 * np.sign(place.at - point.at[0]) * place.at
            best = line.bound((further,), answer(line.case_with((further,)), point.prices).prices)
            assert best < line_at(point, (further,)) - 1e-9 * best


@random_cases(6, full=8)
@given(cases_in_cents(), st.integers(0, 3), st.floats(0.2, 0.9), st.floats(1.1, 2.0))
def test_a_frontier_of_any_case_holds(case: Case, which: int, down: float, up: float) -> None:
    """Whatever the limit: values below bounds, bounds concave where no limit bends, failures shown."""
    names = ["budget", *(entry.name for entry in case.policy.limits)]
    line = track(replace(case, settings=BRIEFLY), names[which % len(names)])
    now = abs(line.now[0]) or 0.1
    found = frontier(line.case, line.names, [(down * now, up * now)], 5)
    assert len(found.points) <= 5
    for point in found.points:
        if point.solved:
            scale = 1e-9 * max(abs(point.bound), 1e5)
            assert point.value <= point.bound + scale
            assert point.envelope == pytest.approx(line.bound(point.at, point.prices or {}), abs=scale) or (
                point.envelope < point.own_bound + scale
            )
        else:
            assert point.status in ("infeasible", "no_allocation")
    if found.concave:
        solved = [p for p in found.points if p.solved]
        for a, b, c in zip(solved, solved[1:], solved[2:], strict=False):
            part = (b.at[0] - a.at[0]) / (c.at[0] - a.at[0])
            chord = (1 - part) * a.envelope + part * c.envelope
            assert b.envelope >= chord - 1e-9 * max(abs(chord), 1e5)


def test_slopes_are_of_the_cuts_of_each_point_whatever_cuts_the_case_came_with() -> None:
    """A saved run's policy holds the cuts of its own prices, which a point with a budget to spare lacks."""
    spread = replace(limit("sectors", "hhi", "at_most", 0.6, of="budget"), by="sector")
    book = portfolio(["A"] * 6, pd=0.01, max_amount=100.0, texts={"sector": ["a"] * 5 + ["b"]})
    table = churn_table([0.05, 0.1], A=[0.0, 0.5])
    held = policy(500.0, spread, ticket=(50.0, 100.0), rates={"A": (0.0, 1.0)})
    case = prepared(replace(Case(book, table, held), settings=SOLVER))
    cuts = answer(case).certificate.cuts
    assert cuts
    found = frontier(with_cuts(case, cuts), ("budget",), [(500.0, 2_000.0)], 2)
    assert [len(point.slopes) for point in found.points] == [1, 1]
    assert set(found.points[-1].prices or {}) == {"budget", "sectors"}


def test_an_infeasible_end_is_shown_and_the_rest_goes_on() -> None:
    case = crowded()
    case = case.under(limits=(*case.policy.limits, limit("floor", "drawn", "at_least", 1e6)))
    _, found = along(case, "floor", 1e6, 2e7, 9)
    states = [point.solved for point in found.points]
    assert states[0]
    assert not states[-1]
    assert states == sorted(states, reverse=True)
    assert "floor" in found.points[-1].conflict
    edge = states.index(False)
    assert found.points[edge].at[0] - found.points[edge - 1].at[0] < 0.1 * 1.9e7


def test_a_share_of_what_is_lent_is_bounded_by_its_neighbours_prices() -> None:
    line, found = along(replace(crowded(200), settings=SOLVER), "loss rate", 0.004, 0.02, 6)
    assert not found.concave
    for point in found.points:
        assert point.value <= point.bound <= point.own_bound + 1e-9 * point.bound
        assert point.own_bound == pytest.approx(line.bound(point.at, point.prices or {}), rel=1e-12)
        left, right = (
            (line.bound((point.at[0] + step,), point.prices or {}) - point.own_bound) / step
            for step in (-1e-7, 1e-7)
        )
        assert 0.95 * left - 1.0 <= point.slopes[0] <= 1.05 * right + 1.0


def test_a_pair_is_a_grid_whose_bounds_use_every_price() -> None:
    line = track(crowded(), "budget", "book")
    found = frontier(line.case, line.names, [(3e6, 8e6), (8, 20)], 3)
    assert [point.at for point in found.points] == sorted(
        {(a, b) for a in (3e6, 5.5e6, 8e6) for b in (8, 14, 20)}
    )
    for point in found.points:
        least = min(line.bound(point.at, other.prices or {}) for other in found.points)
        assert point.envelope == pytest.approx(least, rel=1e-9)
        assert len(point.slopes) == 2
    values = {point.at: point.value for point in found.points}
    assert values[8e6, 20] >= values[3e6, 20]
    assert values[8e6, 20] >= values[8e6, 8]


def test_the_same_frontier_twice_is_the_same() -> None:
    first, second = (along(crowded(), "budget", 3e6, 9e6, 5)[1] for _ in range(2))
    assert first == second


def test_breakpoints_are_where_neighbours_meet_or_segments_end() -> None:
    def point(at: float, slope: float, low: float, high: float) -> FrontierPoint:
        return FrontierPoint((at,), "optimal", 0.0, 0.0, 0.0, 0.0, (slope,), low, high, {})

    meeting = breakpoints_of([point(1.0, 3.0, 0.0, 2.0), point(3.0, 1.0, 2.0, 4.0)])
    assert [(p.at, p.before, p.after) for p in meeting] == [(2.0, 3.0, 1.0)]
    apart = breakpoints_of([point(1.0, 3.0, 0.0, 1.5), point(3.0, 1.0, 2.5, 4.0)])
    assert [(p.at, p.before, p.after) for p in apart] == [(1.5, 3.0, None), (2.5, None, 1.0)]
    assert breakpoints_of([point(1.0, 3.0, 0.0, 4.0), point(3.0, 3.0, 0.0, 4.0)]) == []


def test_points_on_a_number_of_loans_are_whole() -> None:
    """However many are asked for: no more than there are whole numbers between the ends."""
    case = central()
    case = case.under(limits=(limit("book", "loans", "at_most", 150.0),))
    _, found = along(case, "book", 140.0, 144.0, 15)
    assert [point.at[0] for point in found.points] == [140.0, 141.0, 142.0, 143.0, 144.0]
