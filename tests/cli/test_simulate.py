"""`allocator simulate`: the page, the JSON, the picture; what is refused, and how."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Allocator
from tests.cli.test_malformed import edit


def test_a_page_of_years(run: Path, allocator: Allocator) -> None:
    outcome = allocator("simulate", "run", "--years", "2000", "--by", "sector", "--lgd-spread", "20%")
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == "small: 2,000 simulated years, seed 0"
    assert "borrower by borrower; asset correlation 15.00% in a sector, 7.50% between two" in outcome.out
    assert "probability of a loss-making year: " in outcome.out
    assert "money drawn: " in outcome.out
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("method", ["each", "binned"])
def test_figures_of_a_run_and_of_its_scenario_are_the_same(
    run: Path, allocator: Allocator, method: str
) -> None:
    arguments = ("--years", "500", "--seed", "3", "--method", method, "--json")
    found = allocator("simulate", "run", *arguments).json
    assert found == allocator("simulate", "scenario.yaml", *arguments).json
    summary = json.loads((run / "summary.json").read_text())
    assert found["expected"]["net"] == summary["objective"]
    assert found["expected"]["loss"] == summary["expected_loss"]
    assert found["expected"]["interest"] == summary["interest"]
    assert (found["method"], found["years"], found["seed"]) == (method, 500, 3)
    assert [tail["level"] for tail in found["loss"]["tails"]] == [0.95, 0.99, 0.999]
    tail = found["loss"]["tails"][1]
    assert sum(segment["tail"] for segment in found["segments"]) == pytest.approx(tail["cvar"]["value"])
    assert found["concentration"]["names"]["names"] == summary["funded"]
    for name in ("interest", "loss", "net"):
        row = found[name]
        assert abs(row["mean"] - found["expected"][name]) <= 4 * row["standard_error"]


@pytest.mark.parametrize("ending", ["html", "svg"])
def test_a_picture(run: Path, allocator: Allocator, ending: str) -> None:
    picture = f"years.{ending}"
    assert allocator("simulate", "run", "--years", "300", "--plot", picture).status == 0
    assert "small: 300 simulated years" in (run.parent / picture).read_text()
    assert allocator("simulate", "run", "--years", "300", "--plot", picture).status == 2
    assert allocator("simulate", "run", "--years", "300", "--plot", picture, "--force").status == 0


def nothing(case: Path) -> None:
    pass


def altered(case: Path) -> None:
    edit("borrowers.csv", "0.005", "0.006")(case)


CASES: dict[str, tuple[Callable[[Path], object], list[str], int, str]] = {
    "no such run": (
        nothing,
        ["nowhere"],
        2,
        "nowhere there is no such folder -> name a folder that solve wrote",
    ),
    "a folder that is no run": (lambda case: (case / "empty").mkdir(), ["empty"], 2, "empty"),
    "a file that is no scenario": (nothing, ["borrowers.csv"], 2, "borrowers.csv"),
    "a run whose input has changed": (altered, ["run"], 5, "portfolio has changed since the run"),
    "a run without its input": (
        lambda case: (case / "churn.csv").unlink(),
        ["run"],
        2,
        "churn.csv does not exist",
    ),
    "a run that was altered": (edit("run/allocation.csv", "F01,A,", "F01,B,"), ["run"], 5, "grade"),
    "no such column": (nothing, ["run", "--by", "branch"], 2, "branch"),
    "a column of numbers": (nothing, ["run", "--by", "pd"], 2, "pd"),
    "rho of all": (
        nothing,
        ["run", "--rho", "100%"],
        2,
        "rho 1 is out of range -> write 0% or more and below 100%",
    ),
    "rho of 15": (nothing, ["run", "--rho", "15"], 2, "--rho 15 would be 1,500 %"),
    "a share in words": (
        nothing,
        ["run", "--by", "sector", "--between", "half"],
        2,
        "--between 'half' is not a percentage",
    ),
    "factors of no column": (
        nothing,
        ["run", "--between", "50%"],
        2,
        "--between says nothing without --by -> give --by COLUMN too",
    ),
    "a spread below 0": (nothing, ["run", "--lgd-spread=-1%"], 2, "--lgd-spread -1% is negative"),
    "too few years": (nothing, ["run", "--years", "5"], 2, "--years"),
    "a seed below 0": (nothing, ["run", "--seed=-1"], 2, "--seed"),
    "no such method": (
        nothing,
        ["run", "--method", "magic"],
        2,
        "--method 'magic' is no method -> write each or binned",
    ),
    "a picture of another kind": (
        nothing,
        ["run", "--plot", "x.jpg"],
        2,
        "let it end in .html or .svg or .png or .pdf",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_told_with_place_and_remedy(run: Path, allocator: Allocator, name: str) -> None:
    spoil, arguments, status, told = CASES[name]
    spoil(run.parent)
    before = sorted(run.parent.iterdir())
    outcome = allocator("simulate", *arguments)
    assert (outcome.status, outcome.out) == (status, "")
    assert told in outcome.told
    assert "->" in outcome.told
    assert "Traceback" not in outcome.err
    assert sorted(run.parent.iterdir()) == before


def test_years_of_a_book_that_breaks_limits_say_so(broken: Path, allocator: Allocator) -> None:
    page = allocator("simulate", "theirs", "--years", "200").out
    assert "decided by the strategy book.csv" in page
    assert "limits broken: budget, A line, loss rate" in page
    found = allocator("simulate", "theirs", "--years", "200", "--json").json
    assert found["limits_broken"] == ["budget", "A line", "loss rate"]


@pytest.mark.parametrize(("budget", "drawn"), [("0", "none"), ("100_000", "by 1 name")])
def test_a_book_of_one_firm_or_none_is_said_in_words(
    case: Path, allocator: Allocator, budget: str, drawn: str
) -> None:
    edit("scenario.yaml", "amount: 3_000_000", f"amount: {budget}")(case)
    edit(
        "scenario.yaml",
        "    - {name: sectors, measure: offered, each: sector, at_most: 60%, of: total}\n",
        "",
    )(case)
    outcome = allocator("simulate", "scenario.yaml", "--years", "100")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1] == f"money drawn: {drawn}"
    assert ("single firms adds what so few years do not show at 99 %" in " ".join(outcome.out.split())) == (
        budget != "0"
    )
    assert "-100.00%" not in outcome.out
