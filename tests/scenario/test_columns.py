"""Columns beside the canonical ones may be named where a limit uses them."""

from __future__ import annotations

import pytest

from allocator.scenario import load_scenario
from tests.scenario.conftest import BASE, Faults, Write

USED = (
    "{name: x, measure: drawn, where: {sector: a, age: {above: 3}}, each: region, weight: staff, at_most: 9}"
)
TEXT = BASE.replace("{name: A line, measure: offered, where: {grade: A}, at_most: 63%, of: budget}", USED)


def test_columns_that_limits_use_may_be_renamed_and_given(write: Write) -> None:
    given = (
        "columns: {sector: industry, age: years}\n"
        "  defaults: {lgd: 50%, region: 001, staff: 1e1, age: 5%, sector: NO}"
    )
    portfolio = load_scenario(write("case.yaml", TEXT.replace("defaults: {lgd: 50%}", given))).portfolio

    assert portfolio.columns == {"sector": "industry", "age": "years"}
    defaults = {"term_years": 1.0, "lgd": 0.5, "region": "001", "staff": 10.0, "age": 0.05, "sector": "NO"}
    assert portfolio.defaults == defaults


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "columns: {sectr: industry}",
            "portfolio.columns.sectr: unknown key 'sectr', which no limit or stress uses either; "
            "did you mean sector?",
        ),
        (
            "defaults: {lgb: 5%}",
            "portfolio.defaults.lgb: unknown key 'lgb', which no limit or stress uses either; "
            "did you mean lgd?",
        ),
        (
            "defaults: {staff: many}",
            "portfolio.defaults.staff: 'many' is not a number such as 2.5 or 5%; "
            "write a number such as 2.5 or 5%",
        ),
        (
            "defaults: {group: G}",
            "portfolio.defaults.group: group is not yet supported; "
            "leave it out; limits read the source's columns by their own names",
        ),
        ("defaults: {region: [a]}", "portfolio.defaults.region: expected text, found a list; write one text"),
    ],
)
def test_other_columns_are_told(given: str, expected: str, faults: Faults) -> None:
    assert faults(TEXT.replace("defaults: {lgd: 50%}", given)) == [f"case.yaml, line 4, {expected}"]


def test_columns_are_checked_whatever_else_is_wrong(faults: Faults) -> None:
    told = faults(TEXT.replace("{lgd: 50%}", "{lgb: 5%}").replace("at_most: 9", "at_most: x"))

    assert [one.split(": ")[0] for one in told] == [
        "case.yaml, line 4, portfolio.defaults.lgb",
        "case.yaml, line 11, policy.limits[x].at_most",
    ]
