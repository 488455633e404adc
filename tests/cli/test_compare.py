"""`allocator compare`: the page, the JSON, the picture, the file; what is refused, and how."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Allocator
from tests.cli.test_malformed import content, edit


def test_strategies_of_one_scenario(case: Path, allocator: Allocator) -> None:
    outcome = allocator("compare", "scenario.yaml")
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert max(map(len, lines)) <= 100
    named = [line.split()[0] for line in lines[6:11]]
    assert named == ["optimal", "ahp_lines", "equal", "by_score", "greedy"]
    assert "equal beside optimal" in lines
    assert "simulated years" not in outcome.out
    simulated = allocator("compare", "scenario.yaml", "--years", "200").out
    assert "The same 200 simulated years for all, amounts in CNY" in simulated
    assert max(map(len, simulated.splitlines())) <= 100
    found = allocator("compare", "scenario.yaml", "--json", "--years", "200").json
    assert found["compared"][2]["simulated"]["less_error"] > 0
    values = {one["name"]: one["value"] for one in found["compared"]}
    assert max(values, key=values.__getitem__) == "optimal"
    for one in found["compared"]:
        assert one["less_than_first"] == values["optimal"] - one["value"]
        assert one["value"] <= one["bound"] * (1 + 1e-9)
        assert one["share_of_bound"] == one["value"] / one["bound"]
        assert sum(part["value"] for part in one["segments"].values()) == pytest.approx(one["value"])


def test_a_book_from_a_file_says_what_it_breaks(case: Path, allocator: Allocator) -> None:
    (case / "their book.csv").write_text(
        "borrower_id,amount,rate\nF01,500000,0.08\nF03,900000,0.08\nF04,900000,0.08\n"
    )
    outcome = allocator("compare", "scenario.yaml", "--strategies", "optimal, their book.csv")
    assert outcome.status == 0
    assert "their book.csv breaks limit A line, " in outcome.out
    assert "1 x amount outside the borrower's smallest and largest loan" in " ".join(outcome.out.split())
    found = allocator("compare", "scenario.yaml", "--strategies", "optimal,their book.csv", "--json").json
    assert found["compared"][1]["status"] == "breaks_limits"
    assert "A line" in found["compared"][1]["limits_broken"]


def test_a_run_beside_a_scenario(run: Path, case: Path, allocator: Allocator) -> None:
    run.rename(case / "old")
    (case / "new.yaml").write_text(
        "schema: 1\nextends: scenario.yaml\npolicy: {budget: {amount: 2_000_000}}\n"
    )
    outcome = allocator("compare", "old", "new.yaml", "--by", "sector", "--top", "2", "--out", "swaps.csv")
    assert (outcome.status, outcome.err) == (0, "")
    assert max(map(len, outcome.out.splitlines())) <= 100
    assert "policy.budget.amount: 3000000 -> 2000000" in outcome.out
    assert "By sector: value" in outcome.out
    found = allocator("compare", "old", "new.yaml", "--by", "sector", "--json").json
    (pair,) = found["pairs"]
    (step,) = pair["steps"]
    assert step["changes"] == "policy.budget"
    assert step["gain"] == pytest.approx(found["compared"][1]["value"] - found["compared"][0]["value"])
    table = pd.read_csv(case / "swaps.csv")
    assert table.columns.tolist()[:6] == ["before", "after", "borrower_id", "grade", "pd", "change"]
    assert len(table) == sum(total["borrowers"] for total in pair["swaps"]["totals"])
    assert table["gain"].sum() == pytest.approx(step["gain"])
    quick = allocator("compare", "old", "new.yaml", "--prices-only", "--json").json
    assert quick["pairs"][0]["steps"][0]["gain"] is None
    assert quick["pairs"][0]["steps"][0]["most"] == pytest.approx(step["most"])


def test_nine_sides_with_long_names_fit_the_page_and_no_number_is_cut(
    case: Path, allocator: Allocator
) -> None:
    names = [f"portfolio-of-branch-no-{at}" for at in range(9)]
    for at, name in enumerate(names):
        policy = f"{{budget: {{amount: {3_000_000 - 1000 * at}}}, funding_rate: {at / 1000}}}"
        (case / f"{name}.yaml").write_text(f"schema: 1\nextends: scenario.yaml\npolicy: {policy}\n")
    outcome = allocator("compare", *(f"{name}.yaml" for name in names), "--prices-only")
    assert (outcome.status, outcome.err) == (0, "")
    assert max(map(len, outcome.out.splitlines())) <= 100
    assert "…" not in outcome.out
    page = re.sub(r"\s+", " ", outcome.out)
    found = allocator("compare", *(f"{name}.yaml" for name in names), "--prices-only", "--json").json
    for one in found["compared"]:
        segment = one["segments"]["B"]
        for amount in (one["value"], one["offered"], segment["value"], segment["offered"]):
            assert f" {amount:,.0f} " in page


def test_the_gains_of_the_swaps_add_up_to_the_difference(case: Path, allocator: Allocator) -> None:
    more = "policy: {idle_rate: 1%, funding_rate: 1%, budget: {amount: 5_000_000}}"
    (case / "idle.yaml").write_text(f"schema: 1\nextends: scenario.yaml\n{more}\n")
    lines = allocator("compare", "scenario.yaml", "idle.yaml").out.splitlines()
    heads = [line.partition("  ")[0] for line in lines]
    for head in ("same", "idle budget", "total"):
        assert head in heads
    found = allocator("compare", "scenario.yaml", "idle.yaml", "--json").json
    first, second = (one["value"] for one in found["compared"])
    swaps = found["pairs"][0]["swaps"]
    gains = [part["gain"] for part in (*swaps["totals"], swaps["unchanged"], swaps["idle"])]
    assert swaps["unchanged"]["borrowers"] == swaps["same"]
    assert swaps["idle"]["gain"] > 0
    assert sum(gains) == pytest.approx(second - first)
    assert (swaps["total"]["value_before"], swaps["total"]["value_after"]) == (first, second)


@pytest.mark.parametrize("order", [("scenario", "short"), ("short", "scenario")])
def test_an_error_names_its_subject(case: Path, allocator: Allocator, order: tuple[str, ...]) -> None:
    (case / "short.yaml").write_text(
        "schema: 1\nextends: scenario.yaml\npolicy: {budget: {amount: 3e8, spend: exactly}}\n"
    )
    outcome = allocator("compare", *(f"{name}.yaml" for name in order))
    assert outcome.status == 3
    assert outcome.told.startswith("error: short: no allocation exists: 'budget' cannot be met")
    as_json = allocator("compare", *(f"{name}.yaml" for name in order), "--json").json
    assert as_json["error"]["message"].startswith("short: no allocation exists")
    assert as_json["error"]["conflict"] == ["budget"]


def test_a_fault_of_the_borrowers_names_the_scenario_that_has_them(case: Path, allocator: Allocator) -> None:
    (case / "theirs.yaml").write_text("schema: 1\nextends: scenario.yaml\nportfolio: {source: theirs.csv}\n")
    (case / "theirs.csv").write_text("borrower_id,grade,pd,lgd,max_amount,sector\nF,A,2,0.4,5e5,food\n")
    outcome = allocator("compare", "scenario.yaml", "theirs.yaml")
    assert outcome.status == 2
    assert outcome.told.startswith("error: theirs: ")
    assert "theirs.csv, row 1, pd" in outcome.told


@pytest.mark.parametrize("command", ["compare", "stress"])
def test_nothing_heavy_is_loaded_before_progress_can_be_shown(case: Path, command: str) -> None:
    program = f"""
import sys
from contextlib import contextmanager
from allocator.cli import shell
from allocator.cli.main import main

@contextmanager
def shown(verbose):
    print([name for name in ("numpy", "pandas", "allocator.engine") if name in sys.modules])
    raise KeyboardInterrupt
    yield

shell.progress = shown
main(["{command}", "scenario.yaml"])
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


@pytest.mark.parametrize("ending", ["html", "svg"])
def test_a_picture(case: Path, allocator: Allocator, ending: str) -> None:
    picture = f"value.{ending}"
    assert (
        allocator("compare", "scenario.yaml", "--strategies", "optimal,equal", "--plot", picture).status == 0
    )
    text = (case / picture).read_text()
    assert "small: optimal, equal" in text
    again = allocator("compare", "scenario.yaml", "--strategies", "optimal,equal", "--plot", picture)
    assert again.status == 2
    assert "a file of this name is there" in again.told


def test_an_interrupt_leaves_nothing_behind(
    case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("allocator.report.drawing.files.picture_content", interrupted)
    before = sorted(path.name for path in case.iterdir())
    outcome = allocator("compare", "scenario.yaml", "--plot", "value.svg", "--out", "swaps.csv")
    assert outcome.status == 130
    assert "nothing was written" in outcome.told
    assert sorted(path.name for path in case.iterdir()) == before


CASES: dict[str, tuple[Callable[[Path], object], list[str], str]] = {
    "no such file": (lambda case: None, ["none.yaml"], "none.yaml the file does not exist"),
    "a run without a second": (
        lambda case: (case / "run").mkdir(),
        ["run"],
        "one run has nothing to be compared with -> name a second run, or a scenario",
    ),
    "a folder that is no run": (
        lambda case: (case / "run").mkdir(),
        ["scenario.yaml", "run"],
        "run/summary.json",
    ),
    "an unknown strategy": (
        lambda case: None,
        ["scenario.yaml", "--strategies", "optimal,equals,gredy"],
        "found 'equals'; did you mean equal? found 'gredy'",
    ),
    "a strategy twice": (
        lambda case: None,
        ["scenario.yaml", "--strategies", "equal,equal"],
        "--strategies equal stands twice -> name it once",
    ),
    "no strategy": (
        lambda case: None,
        ["scenario.yaml", "--strategies", ""],
        "--strategies a name is empty -> name strategies, as optimal,equal",
    ),
    "a comma too many": (
        lambda case: None,
        ["scenario.yaml", "--strategies", "optimal,,equal"],
        "--strategies a name is empty",
    ),
    "a seed of no years": (
        lambda case: None,
        ["scenario.yaml", "--seed", "0"],
        "--seed says nothing without --years -> give --years N too",
    ),
    "strategies of two scenarios": (
        lambda case: None,
        ["scenario.yaml", "scenario.yaml", "--strategies", "equal"],
        "--strategies is for one scenario -> name one file alone",
    ),
    "values laid over runs": (
        lambda case: [(case / name).mkdir() for name in "ab"],
        ["a", "b", "--set", "policy.budget.amount=1"],
        "--set runs stand as they are -> name scenario files",
    ),
    "a column that is not there": (
        lambda case: None,
        ["scenario.yaml", "--by", "branch"],
        "branch no column branch; ",
    ),
    "a book that is not there": (
        lambda case: None,
        ["scenario.yaml", "--strategies", "optimal,theirs.csv"],
        "theirs.csv does not exist",
    ),
    "a book of strangers": (
        content("theirs.csv", b"borrower_id,amount,rate\nX,100000,0.08\nF01,-1,0.08\n"),
        ["scenario.yaml", "--strategies", "optimal,theirs.csv"],
        'row 1, borrower_id "X" is no borrower of the portfolio',
    ),
    "a picture of another kind": (
        lambda case: None,
        ["scenario.yaml", "--plot", "value.jpg"],
        "no format for the ending .jpg -> let it end in .html or .svg or .png or .pdf",
    ),
    "a table of another kind": (
        lambda case: None,
        ["scenario.yaml", "--out", "swaps.txt"],
        "no format for the ending .txt",
    ),
    "a broken scenario": (
        edit("scenario.yaml", "budget: {amount: 3_000_000}", "budget: {amount: many}"),
        ["scenario.yaml"],
        "line 8, policy.budget.amount",
    ),
    "lines for nobody": (
        lambda case: None,
        ["scenario.yaml", "--set", "strategy={ahp_lines: {lines: {X: 10%}}}", "scenario.yaml"],
        "gives lines to X; the borrowers' grades are A, B, C",
    ),
    "too few years": (lambda case: None, ["scenario.yaml", "--years", "50"], "50 years say little"),
    "a negative number of borrowers": (lambda case: None, ["scenario.yaml", "--top", "-1"], "--top"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_told_with_its_place(case: Path, allocator: Allocator, name: str) -> None:
    change, arguments, told = CASES[name]
    change(case)
    before = sorted(path.name for path in case.iterdir())
    outcome = allocator("compare", *arguments)
    assert outcome.status == 2
    for part in told.split("; did you mean equal? "):
        assert part in outcome.told
    assert "Traceback" not in outcome.err
    assert sorted(path.name for path in case.iterdir()) == before
    as_json = allocator("compare", *arguments, "--json")
    assert as_json.json["error"]["code"] == "bad_input"


def test_ahp_lines_is_no_default_where_its_grades_are_not_those_of_the_policy(
    case: Path, allocator: Allocator
) -> None:
    """Asked for by name it is refused, as before."""
    for name in ("borrowers.csv", "churn.csv", "scenario.yaml"):
        text = (case / name).read_text()
        text = text.replace("rate,A,B", "rate,AAA,BBB").replace(",A,", ",AAA,").replace(",B,", ",BBB,")
        text = text.replace("{A: [4%, 11%], B: [11%, 15%]}", "{AAA: [4%, 11%], BBB: [11%, 15%]}")
        (case / name).write_text(text.replace("{grade: A}", "{grade: AAA}"))
    outcome = allocator("compare", "scenario.yaml")
    assert outcome.status == 0, outcome.err
    note = "ahp_lines is left out: its lines are for A, B, C, policy.rates names AAA, BBB"
    assert note in outcome.out
    found = allocator("compare", "scenario.yaml", "--json").json
    assert [one["name"] for one in found["compared"]] == ["optimal", "equal", "by_score", "greedy"]
    assert found["notes"] == [note]
    assert allocator("compare", "scenario.yaml", "--strategies", "optimal,ahp_lines").status == 2


def test_ahp_lines_lends_nothing_where_nobody_may_be_lent_to(case: Path, allocator: Allocator) -> None:
    text = (case / "borrowers.csv").read_text()
    (case / "borrowers.csv").write_text(text.replace(",A,", ",C,").replace(",B,", ",C,"))
    outcome = allocator("compare", "scenario.yaml", "--json")
    assert outcome.status == 0, outcome.err
    assert {one["value"] for one in outcome.json["compared"]} == {0.0}
