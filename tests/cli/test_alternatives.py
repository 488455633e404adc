"""`allocator alternatives`: its page, its JSON, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Allocator


def test_what_is_found_is_told_with_the_limit_that_says_it(case: Path, allocator: Allocator) -> None:
    options = ("scenario.yaml", "--within", "20%", "--aim", "fewest loans")
    outcome = allocator("alternatives", *options, "--json")
    assert outcome.status == 0
    [way] = outcome.json["alternatives"]
    assert (way["aim"], way["sense"], way["proved"]) == ("fewest loans", "at_most", True)
    assert way["found"] == way["funded"] == way["reach"] < way["optimum"]
    assert outcome.json["floor"] <= way["value"] <= outcome.json["value"]

    page = allocator("alternatives", *options)
    said = f'"policy.limits=[{{name: fewest loans, measure: loans, at_most: {way["found"]:.0f}}}]"'
    assert said in page.out
    solved = allocator("solve", "scenario.yaml", "--out", "run", "--set", said.strip('"'), "--json")
    assert solved.json["funded"] == way["found"]
    assert solved.json["objective"] >= way["value"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--within", "60%"), "--within\n    60% lies outside 0% to 50%"),
        (("--aim", "less"), "--aim\n    'less' is no aim"),
    ],
)
def test_what_is_no_question_is_refused(
    options: tuple[str, ...], told: str, case: Path, allocator: Allocator
) -> None:
    outcome = allocator("alternatives", "scenario.yaml", *options)
    assert outcome.status == 2
    assert told in outcome.err
