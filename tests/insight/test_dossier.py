"""Questions of a report that are asked beside one another, and how long they may take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from allocator.insight.dossier import _beside, beyond_rules
from allocator.insight.variants import in_brief
from allocator.records.progress import Progress
from allocator.records.ticket import Choices, OwnSteps, SizedSteps, Ticket
from allocator.testing.books import random_case
from tests.engine.test_conditions import tiny
from tests.stages import prepared


@pytest.mark.parametrize("apart", [False, True])
def test_an_answer_is_the_same_in_a_thread(apart: bool) -> None:
    said: list[str] = []

    def question(progress: Progress) -> Any:
        progress("stress mild")
        return "tried"

    with _beside(apart, said.append, question) as answer:
        assert answer() == "tried"
    assert said == ["stress mild"]


@pytest.mark.parametrize("apart", [False, True])
def test_a_fault_of_the_question_comes_where_it_is_answered(apart: bool) -> None:
    def question(progress: Progress) -> Any:
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"), _beside(apart, print, question) as answer:
        answer()


def test_nobody_waits_for_what_is_asked_beside_a_failure() -> None:
    def endless(progress: Progress) -> Any:
        while True:
            progress("still at it")

    with pytest.raises(KeyboardInterrupt), _beside(True, lambda _: None, endless):
        raise KeyboardInterrupt


def test_a_what_if_in_brief_is_the_same_case() -> None:
    case = prepared(random_case(3))
    brief = in_brief(case)
    assert brief.scenario.solver.briefly
    assert not case.scenario.solver.briefly
    assert brief.scenario.policy == case.scenario.policy


def test_no_rules_are_sought_beside_limits_on_a_condition() -> None:
    case = tiny(1)[0]
    assert beyond_rules(case.policy) == [
        "rules cannot yet be held to limit then 0, on a condition: none were sought"
    ]
    assert beyond_rules(case.under(limits=()).policy) == []


@pytest.mark.parametrize(
    "grid",
    [Choices((0.5, 1.0), of_request=True), SizedSteps(((5e5, 1e4), (float("inf"), 5e4))), OwnSteps("lot")],
)
def test_no_rules_are_sought_where_amounts_go_by_several_steps(grid: Choices | SizedSteps | OwnSteps) -> None:
    policy = replace(tiny(1)[0].under(limits=()).policy, ticket=Ticket(1e5, 1e6, None, grid))
    assert beyond_rules(policy) == [
        "rules cannot yet be held to amounts by several steps, or a menu: none were sought"
    ]
