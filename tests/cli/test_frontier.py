"""`allocator frontier`: the page, the object, the picture, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Allocator


def test_the_page_of_a_frontier(case: Path, allocator: Allocator) -> None:
    outcome = allocator("frontier", "scenario.yaml", "--limit", "budget", "--points", "6")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("small: value against budget\nWorth most, ")
    assert "\n6 of 6 points feasible, value in CNY\n" in outcome.out
    assert "3,000,000 <" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_the_object_of_a_frontier(case: Path, allocator: Allocator) -> None:
    options = ("--limit", "loss rate", "--from", "0.5%", "--to", "4%", "--points", "5")
    found = allocator("frontier", "scenario.yaml", *options, "--json").json
    assert found["limits"] == ["loss rate"]
    assert [point["at"]["loss rate"] for point in found["points"]][:: len(found["points"]) - 1] == [
        0.005,
        0.04,
    ]
    for point in found["points"]:
        assert point["value"] <= point["bound"]
        assert set(point["slopes"]) == {"loss rate"}


def test_a_pair_of_limits(case: Path, allocator: Allocator) -> None:
    options = ("--limit", "budget", "--limit", "A line", "--points", "2", "--plot", "pair.svg")
    outcome = allocator("frontier", "scenario.yaml", *options)
    assert outcome.status == 0
    assert "4 of 4 points feasible" in outcome.out
    assert "<svg" in (case / "pair.svg").read_text()


@pytest.mark.parametrize("ending", ["html", "svg"])
def test_the_picture_of_a_frontier(case: Path, allocator: Allocator, ending: str) -> None:
    options = ("--limit", "budget", "--points", "3", "--plot", f"f.{ending}")
    assert allocator("frontier", "scenario.yaml", *options).status == 0
    again = allocator("frontier", "scenario.yaml", *options)
    assert (again.status, again.out) == (2, "")
    assert "is there" in again.told
    before = (case / f"f.{ending}").read_bytes()
    assert allocator("frontier", "scenario.yaml", *options, "--force").status == 0
    assert (case / f"f.{ending}").read_bytes() == before


def test_where_nothing_holds_the_conflict_is_told(case: Path, allocator: Allocator) -> None:
    floor = "policy.budget.spend=exactly"
    options = ("--limit", "budget", "--from", "1e6", "--to", "9e6", "--points", "5", "--set", floor)
    outcome = allocator("frontier", "scenario.yaml", *options)
    assert outcome.status == 0
    assert "infeasible" in outcome.out


REFUSED = {
    "no limit": ((), "--limit is not given"),
    "unknown": (("--limit", "A lin"), "no limit is named 'A lin' -> did you mean A line?"),
    "one row": (("--limit", "sectors[food]"), "write sectors: all rows of the entry move together"),
    "three": (("--limit", "budget", "--limit", "A line", "--limit", "sectors"), "is given 3 times"),
    "twice": (("--limit", "budget", "--limit", "budget"), "budget is named twice"),
    "too few": (("--limit", "budget", "--points", "1"), "1 lies outside 2 to 1000"),
    "too many": (("--limit", "budget", "--limit", "A line", "--points", "41"), "41 lies outside 2 to 40"),
    "no number": (("--limit", "budget", "--from", "much"), "'much' is not an amount"),
    "a share of money": (("--limit", "budget", "--to", "50%"), "50% of what is not said"),
    "money for a share": (("--limit", "A line", "--to", "4_000"), "--to 4_000 would be 400,000 %"),
    "backwards": (("--limit", "budget", "--from", "9e6", "--to", "8e6"), "let --from lie below --to"),
    "one end for two": (("--limit", "budget", "--limit", "A line", "--from", "1e6"), "give one per limit"),
    "no gap": (("--limit", "budget", "--gap", "0"), "0 lies outside 0 to 1"),
    "no picture": (("--limit", "budget", "--plot", "f.jpg"), "no format for the ending .jpg"),
    "no scenario": (("--limit", "budget", "--set", "policy.bugdet=1"), "unknown key 'bugdet'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused(case: Path, allocator: Allocator, name: str) -> None:
    arguments, told = REFUSED[name]
    outcome = allocator("frontier", "scenario.yaml", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert told in outcome.told
    assert allocator("frontier", "scenario.yaml", *arguments, "--json").json["error"]["code"] == "bad_input"


def test_a_file_that_is_not_there_is_refused(case: Path, allocator: Allocator) -> None:
    assert allocator("frontier", "nowhere.yaml", "--limit", "budget").status == 2


def test_a_frontier_is_of_the_optimum_whatever_the_strategy(case: Path, allocator: Allocator) -> None:
    options = ("frontier", "scenario.yaml", "--limit", "budget", "--points", "3")
    plain, ruled = (allocator(*options, *more) for more in ((), ("--set", "strategy=equal")))
    assert "every point is an optimum, whatever the scenario's strategy equal decides" in ruled.out
    assert "strategy" not in plain.out
    assert allocator(*options, "--set", "strategy=equal", "--json").json["strategy"] == "equal"
