"""`allocator explain`: the page, the object, the picture, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Allocator


def test_the_page_of_a_run_adds_up(run: Path, allocator: Allocator) -> None:
    outcome = allocator("explain", "run", "--exact")
    assert (outcome.status, outcome.err) == (0, "")
    assert max(map(len, outcome.out.splitlines())) <= 100
    for part in ("Ledger by grade", "= value", "Limits, amounts in CNY", "What each limit costs", "declined"):
        assert part in outcome.out


def test_the_object_of_a_run_adds_up(run: Path, allocator: Allocator) -> None:
    found = allocator("explain", "run", "--by", "sector", "--where", "grade: A", "--json").json
    assert found["value_of_lines"] == pytest.approx(found["value"], rel=1e-9)
    gap = found["bound_at_prices"] - found["value"]
    assert found["gap_of_lines"] == pytest.approx(gap, abs=1e-9 * found["value"])
    assert sum(part["borrowers"] for part in found["segments"]) == 5
    assert {part["name"] for part in found["segments"]} == {"food", "retail", "steel"}
    stored = json.loads((run / "summary.json").read_text())
    assert [limit["price"] for limit in found["limits"]] == [limit["price"] for limit in stored["limits"]]
    assert set(found["refusals"]) == {
        "crowded out by the budget",
        "never profitable, whatever the limits",
        "no rates for this grade",
        "request below the smallest loan",
    }
    assert sum(found["refusals"].values()) == stored["borrowers"] - stored["funded"]


def test_every_borrower_is_explained_in_the_words_of_the_allocation(run: Path, allocator: Allocator) -> None:
    rows = [line.split(",") for line in (run / "allocation.csv").read_text().splitlines()]
    reason = rows[0].index("reason")
    for row in rows[1:]:
        found = allocator("explain", "run", row[0], "--json").json
        assert found["refused_because"] == row[reason].strip('"') or "," in found["refused_because"]
        assert 1 <= len(found["reasons"]) <= 4
        page = allocator("explain", "run", row[0])
        assert page.status == 0
        assert max(map(len, page.out.splitlines())) <= 100


def test_what_a_strategy_decides_is_laid_to_the_strategy(case: Path, allocator: Allocator) -> None:
    allocator("solve", "scenario.yaml", "--set", "strategy=equal", "--out", "ruled")
    rows = [line.split(",") for line in (case / "ruled/allocation.csv").read_text().splitlines()]
    found = [allocator("explain", "ruled", row[0], "--json").json for row in rows[1:]]
    reasons = [reason for one in found for reason in one["reasons"]]
    assert any(reason["text"].startswith("decided by the strategy equal: its best") for reason in reasons)
    assert "integer_step" not in {reason["code"] for reason in reasons}


def test_what_is_made_is_marked_and_a_decision_against_the_prices_is_said(
    case: Path, allocator: Allocator
) -> None:
    allocator("solve", "scenario.yaml", "--set", "strategy=equal", "--out", "ruled")
    rows = [line.split(",") for line in (case / "ruled/allocation.csv").read_text().splitlines()[1:]]
    against = 0
    for borrower, _, amount, *_ in rows:
        page = allocator("explain", "ruled", borrower).out
        found = allocator("explain", "ruled", borrower, "--json").json
        made = [line.split() for line in page.splitlines() if line.endswith("  made")]
        assert [one[2] for one in made] == ([f"{float(amount):,.0f}"] if float(amount) else [])
        if found["alternatives"] and not found["as_prices_say"]:
            response = "no offer" if float(amount) else "an offer"
            assert f"The best response to the shadow prices is {response}, not the decision" in page
            against += 1
    assert against


@pytest.mark.parametrize("arguments", [(), ("F01",), ("--exact",)])
def test_a_book_that_breaks_limits_is_said_to(broken: Path, allocator: Allocator, arguments: Any) -> None:
    page = allocator("explain", "theirs", *arguments).out
    assert "decided by the strategy book.csv" in page
    assert "limits broken: budget, A line, loss rate" in page
    assert "4 x rate that may not be offered" in page


def test_a_value_above_what_limits_allow_bounds_no_cost_from_below(
    broken: Path, allocator: Allocator
) -> None:
    """The same limits cost the same, whatever run they are asked of: within what is known of the optimum."""
    assert allocator("solve", "scenario.yaml", "--out", "own").status == 0
    theirs, own = (allocator("explain", run, "--exact", "--json").json for run in ("theirs", "own"))
    assert theirs["limits_broken"] == ["budget", "A line", "loss rate"]
    for cost, best in zip(theirs["costs"], own["costs"], strict=True):
        assert cost["low"] <= best["high"] + 1e-6
        assert cost["high"] is None or cost["high"] >= best["low"] - 1e-6


def test_the_ledger_of_some_says_whose_it_is(run: Path, allocator: Allocator) -> None:
    page = allocator("explain", "run", "--where", "grade: A").out
    assert "Ledger by grade of those with grade: A, amounts in CNY" in page
    assert allocator("explain", "run", "--where", "grade: A", "--json").json["where"] == "grade: A"


@pytest.mark.parametrize("arguments", [(), ("F05",)])
@pytest.mark.parametrize("ending", ["html", "svg"])
def test_a_picture_is_one_file(run: Path, allocator: Allocator, arguments: Any, ending: str) -> None:
    assert allocator("explain", "run", *arguments, "--plot", f"why.{ending}").status == 0
    text = (run.parent / f"why.{ending}").read_text()
    assert "<svg" in text or "<html" in text
    assert 'src="http' not in text


REFUSED = {
    "no run": (("nowhere",), "there is no such folder"),
    "no borrower": (("run", "F99"), "no borrower is named 'F99' -> did you mean F09"),
    "no column": (("run", "--by", "sektor"), "no column sektor; the nearest is sector"),
    "numbers": (("run", "--by", "pd"), "pd is no column of texts"),
    "two questions": (("run", "F01", "--by", "sector"), "leave one of the two out"),
    "two questions again": (("run", "F01", "--exact"), "leave one of the two out"),
    "no filter": (("run", "--where", ""), "no column is named"),
    "no value": (("run", "--where", "sector"), "expected text, found nothing"),
    "a wrong filter": (("run", "--where", "pd: {over: 5%}"), "unknown key 'over'"),
    "nobody": (("run", "--where", "grade: Q"), "no borrower passes grade: Q"),
    "an empty range": (("run", "--where", "pd: {above: 5%, below: 1%}"), "no number lies in the range"),
    "a text for a number": (("run", "--where", "pd: high"), "pd holds numbers, expected a range"),
    "no YAML": (("run", "--where", "{sector: ["), "--where"),
    "no picture": (("run", "--plot", "why.jpg"), "no format for the ending .jpg"),
    "no folder": (("run", "--plot", "nowhere/why.svg"), "its folder does not exist"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_answered_is_refused(run: Path, allocator: Allocator, name: str) -> None:
    arguments, told = REFUSED[name]
    outcome = allocator("explain", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert told in outcome.told
    as_json = allocator("explain", *arguments, "--json")
    assert as_json.json["error"]["code"] == "bad_input"


def test_a_run_whose_inputs_changed_is_not_explained(run: Path, allocator: Allocator) -> None:
    text = (run.parent / "borrowers.csv").read_text()
    (run.parent / "borrowers.csv").write_text(text.replace("0.005", "0.006"))
    assert allocator("explain", "run").status == 5
