"""`allocator levers`: the page, the object, the picture, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Allocator


def test_the_page_of_levers(run: Path, allocator: Allocator) -> None:
    outcome = allocator("levers", "run", "--size", "10%")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("small: what would raise its value of ")
    assert "3,000,000 to 3,300,000" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_the_object_of_levers(run: Path, allocator: Allocator) -> None:
    found = allocator("levers", "run", "--quick", "--json").json
    assert found["value"] <= found["bound"]
    for lever in found["levers"]:
        assert lever["high"] >= (lever["low"] or 0.0)
        assert not lever["solved"]


@pytest.mark.parametrize("ending", ["html", "svg"])
def test_the_picture_of_levers(run: Path, allocator: Allocator, ending: str) -> None:
    assert allocator("levers", "run", "--quick", "--plot", f"levers.{ending}").status == 0
    text = (run.parent / f"levers.{ending}").read_text()
    assert "<svg" in text or "<html" in text


REFUSED = {
    "no run": (("nowhere",), "there is no such folder"),
    "no size": (("run", "--size", ""), "--size"),
    "a word": (("run", "--size", "some"), "'some' is not a percentage"),
    "nothing": (("run", "--size", "0"), "0 lies outside 0% to 50%"),
    "too much": (("run", "--size", "50%"), "50% lies outside 0% to 50%"),
    "more than all": (("run", "--size", "101%"), "101% is more than 100 %"),
    "less than nothing": (("run", "--size", "-1%"), "-1% is negative"),
    "a whole number": (("run", "--size", "5"), "5 would be 500 %"),
    "no picture": (("run", "--plot", "levers.jpg"), "no format for the ending .jpg"),
    "no folder": (("run", "--plot", "nowhere/levers.svg"), "its folder does not exist"),
    "no option": (("run", "--slow"), "no such option"),
    "two runs": (("run", "run"), "unexpected extra argument"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_priced_is_refused(run: Path, allocator: Allocator, name: str) -> None:
    arguments, told = REFUSED[name]
    outcome = allocator("levers", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert told in outcome.told
    assert allocator("levers", *arguments, "--json").json["error"]["code"] == "bad_input"


def test_a_run_whose_inputs_changed_is_not_priced(run: Path, allocator: Allocator) -> None:
    text = (run.parent / "borrowers.csv").read_text()
    (run.parent / "borrowers.csv").write_text(text.replace("0.005", "0.006"))
    assert allocator("levers", "run").status == 5


def test_levers_of_a_book_that_breaks_limits_are_those_of_the_optimum(
    broken: Path, allocator: Allocator
) -> None:
    """Its own value, above what limits allow, is no lower bound: the optimum's is."""
    assert allocator("solve", "scenario.yaml", "--out", "own").status == 0
    theirs, own = (allocator("levers", run, "--json").json for run in ("theirs", "own"))
    assert theirs["best_at_least"] == pytest.approx(own["value"], rel=1e-8)
    ranges = [{one["name"]: one for one in found["levers"]} for found in (theirs, own)]
    for name, one in ranges[0].items():
        assert one["low"] <= ranges[1][name]["high"] + 1e-3
        assert one["high"] >= ranges[1][name]["low"] - 1e-3
    page = allocator("levers", "theirs").out
    assert "what would raise the best value, 110,532.00 CNY" in page
    assert "this run is worth" in page
    assert "limits broken: budget, A line, loss rate" in page


def test_quick_levers_of_such_a_book_know_no_upper_end(broken: Path, allocator: Allocator) -> None:
    found = allocator("levers", "theirs", "--quick", "--json").json
    assert found["best_at_least"] is None
    assert {one["high"] for one in found["levers"]} == {None}
    page = allocator("levers", "theirs", "--quick").out
    assert "what would raise the best value, at most" in page
    assert "not known" in page
