"""Limits on time hold for all that lies within them, by a clock that the tests move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from allocator.engine import allowance, solving
from allocator.engine.allowance import Allowance, seconds_left, within
from allocator.engine.program import Effort, Program
from allocator.engine.solving import LiveProgram, OutOfTimeError, solve
from allocator.errors import NoAllocationError
from allocator.pipeline import decide
from allocator.records.conditions import Condition
from allocator.records.price_lists import Posting
from allocator.records.strategy import SolverSettings
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import prepared


@dataclass
class Clock:
    """Stands still until it is moved."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def still(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(allowance, "perf_counter", clock)
    return clock


def test_the_shorter_of_two_limits_holds_within(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = still(monkeypatch)
    assert seconds_left() == np.inf
    with within(10.0):
        with within(4.0):
            clock.seconds = 3.0
            assert seconds_left() == 1.0
        with within(100.0):
            assert seconds_left() == 7.0
    assert seconds_left() == np.inf


def test_a_search_has_what_is_left_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = still(monkeypatch)
    with within(10.0):
        clock.seconds = 8.0
        own = Allowance(SolverSettings(time_limit=60.0))
        assert own.left == 2.0
        assert own.rest(0.5).time_limit == 1.0
        clock.seconds = 11.0
        assert own.left == -1.0
        assert own.cut_short == "time_limit"


def test_who_ran_out_says_of_what() -> None:
    own = Allowance(SolverSettings(time_limit=0.25, memory=5e8))
    late = own.ran_out("no allocation", "time_limit")
    assert str(late) == "no allocation was found within 0.25 seconds; raise solver.time_limit"
    assert late.stop == "time_limit"
    full = own.ran_out("no price list with an allocation", "memory")
    assert str(full) == (
        "no price list with an allocation was found within 0.5 GB of memory; raise solver.memory"
    )
    assert full.stop == "memory"


def test_memory_used_up_leaves_no_seconds_and_is_what_ended_it() -> None:
    own = Allowance(SolverSettings(memory=1.0))
    assert own.left == 0.0
    assert own.seconds_left > 50.0
    assert own.cut_short == "memory"


def program() -> Program:
    """max x, x <= 1."""
    one = np.ones(1)
    return Program(
        one, sparse.csc_array(np.eye(1)), np.zeros(1), one, np.zeros(1), 9 * one, np.zeros(1, dtype=bool)
    )


def test_a_program_that_is_asked_again_and_again_ends_with_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    still(monkeypatch)
    live = LiveProgram(program(), primal=True)
    assert live.solve(np.inf).value == 1.0
    with within(0.0), pytest.raises(OutOfTimeError):
        live.solve(np.inf)


def test_a_program_outlasts_the_whole_by_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    monkeypatch.setattr(
        solving, "_solve", lambda program, effort, *rest: given.append(effort.time_limit) or None
    )
    still(monkeypatch)
    with within(2.0):
        solve(program(), Effort())
        solve(program(), Effort(time_limit=1.0))
    with within(0.0):
        solve(program(), Effort())
    solve(program(), Effort())
    assert given == [pytest.approx(2.3), 1.0, pytest.approx(0.3), np.inf]


def starved(*_given: object, **_named: object) -> None:
    raise Allowance(SolverSettings(memory=5e8)).ran_out("no allocation", "memory")


IF_LENT = replace(
    limit("then", "offered", "at_most", 1e3, where={"grade": ["A"]}), if_lent_to=(Condition("grade", ("B",)),)
)
INDEX = replace(limit("index", "hhi", "at_most", 0.5, of="total"), by="sector")
SEARCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "price_lists": ("no price list with an allocation", {"posting": Posting()}),
    "conditions": ("no allocation", {"limits": (IF_LENT,)}),
    "concentration": ("no allocation that keeps index", {"limits": (INDEX,)}),
}


@pytest.mark.parametrize("search", SEARCHES)
def test_every_search_within_a_search_says_that_memory_ended_it(
    search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    what, terms = SEARCHES[search]
    book = portfolio(["A", "B", "A"], texts={"sector": ["food", "steel", "food"]})
    table = churn_table([0.04, 0.08], A=[0.0, 0.3], B=[0.1, 0.25])
    case = Case(book, table, policy(2e6), settings=SolverSettings(memory=5e8)).under(**terms)
    monkeypatch.setattr(f"allocator.engine.{search}.optimise", starved)
    monkeypatch.setattr("allocator.engine.allowance.memory_in_use", lambda: 0.0)
    with pytest.raises(NoAllocationError) as caught:
        decide(prepared(case))
    assert str(caught.value) == f"{what} was found within 0.5 GB of memory; raise solver.memory"
