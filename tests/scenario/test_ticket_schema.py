"""Steps by borrower and by size, and menus of amounts."""

from __future__ import annotations

import math

import pytest

from allocator.records.ticket import Choices, OwnSteps, SizedSteps, Ticket
from allocator.scenario import load_scenario
from tests.scenario.conftest import BASE, Faults, Write

ONE = "{min: 10_000, max: 100_000}"
ORDER = "write steps in ascending order of `below`, the last without it"


def with_ticket(more: str) -> str:
    return BASE.replace(ONE, f"{ONE[:-1]}, {more}}}")


@pytest.mark.parametrize(
    ("written", "grid"),
    [
        ("step: {column: lot}", OwnSteps("lot")),
        (
            "step: {by_size: [{below: 50_000, step: 5_000}, {step: 20_000.5}]}",
            SizedSteps(((50_000, 5_000), (math.inf, 20_000.5))),
        ),
        ("menu: {amounts: [20_000, 45_000.5]}", Choices((20_000, 45_000.5))),
        ("menu: {of: requests, amounts: [40%, 1]}", Choices((0.4, 1), of_request=True)),
    ],
)
def test_amounts_by_more_than_one_step(written: str, grid: object, write: Write) -> None:
    assert load_scenario(write("case.yaml", with_ticket(written))).policy.ticket == Ticket(
        10_000, 100_000, None, grid
    )


@pytest.mark.parametrize(
    ("written", "place", "problem"),
    [
        ("step: {column: }", "step.column", "expected text, found nothing; write one text"),
        ("step: {by_size: []}", "step.by_size", f"0 steps, expected 1 to 50; {ORDER}"),
        (
            "step: {by_size: [{below: 50_000, step: 10_000}]}",
            "step.by_size[#1].below",
            f"loans of 50000 and more have no step; {ORDER}",
        ),
        (
            "step: {by_size: [{below: 50_000, step: 10}, {below: 40_000, step: 1}, {step: 5}]}",
            "step.by_size[#2].below",
            f"40000 is not above 50000; {ORDER}",
        ),
        (
            "step: {by_size: [{step: 10_000}, {step: 5}]}",
            "step.by_size[#1]",
            f"only the last step may have no end; {ORDER}",
        ),
        (
            "step: {by_size: [{step: 0.005}]}",
            "step.by_size[#1].step",
            "0.005 is no whole number of cents; write two decimals at most",
        ),
        ("step: 10, menu: {amounts: [20_000]}", "menu", "a step and a menu of amounts; write one of the two"),
        (
            "menu: {amounts: 20_000}",
            "menu.amounts",
            "expected a list of amounts, found '20_000'; "
            "write them in square brackets, as [100_000, 250_000]",
        ),
        (
            "menu: {amounts: [30%]}",
            "menu.amounts",
            "percentages of what is not said; add `of: requests`, or write amounts such as 100_000",
        ),
        (
            "menu: {amounts: [30_000, 20_000]}",
            "menu.amounts[#2]",
            "20000 is not above 30000; write amounts above 0 in ascending order",
        ),
        (
            "menu: {amounts: [20_000.001]}",
            "menu.amounts",
            "20000.001 is no whole number of cents; write two decimals at most",
        ),
        (
            f"menu: {{amounts: {[*range(1, 52)]}}}",
            "menu.amounts",
            "51 amounts, expected 50 at most; name fewer, or write a step",
        ),
    ],
)
def test_what_is_no_step_and_no_menu(written: str, place: str, problem: str, faults: Faults) -> None:
    assert faults(with_ticket(written)) == [f"case.yaml, line 8, policy.ticket.{place}: {problem}"]
