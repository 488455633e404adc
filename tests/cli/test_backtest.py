"""`allocator backtest` on real loans, by year and by fold; bad input is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Allocator
from tests.conftest import ROOT
from tests.insight.backtest.test_backtest import club, loans  # noqa: F401 - fixtures

RULES = ROOT / "models" / "ratings" / "sba-rules.json"
MONEY = ("--lost", "ChgOffPrinGr", "--owed", "DisbursementGross")
BY_YEAR = ("--outcome", "Default", "--period", "ApprovalFY", "--variables", RULES, "--budget-share", "40%")


def test_the_optimum_by_year_against_the_rules_on_sba(loans: Path, allocator: Allocator) -> None:  # noqa: F811
    every = "optimal,equal,by_score,greedy,max_interest"
    found = allocator("backtest", loans / "sba.yaml", *BY_YEAR, *MONEY, "--strategies", every, "--json").json
    page = (ROOT / "docs" / "backtest.md").read_text(encoding="utf-8")
    for row in found["totals"]:
        sums = (row["foreseen"], row["happened"], row["loss_foreseen"], row["loss_happened"])
        assert " | ".join(f"{round(amount / 1000):,}" for amount in sums) in page, row["strategy"]
    totals = {row["strategy"]: row for row in found["totals"]}
    assert len(found["hindsight"]) >= 8
    assert totals["optimal"]["foreseen"] >= max(row["foreseen"] for row in totals.values()) * (1 - 1e-9)
    assert totals["optimal"]["happened"] > totals["equal"]["happened"]
    assert found["gains"]["equal"]["mean"] > 3 * found["gains"]["equal"]["error"]
    assert "too little was known of PD before it" in found["skipped"].values()
    for one in found["periods"]:
        best = found["hindsight"][one["period"]]
        assert best is None or one["happened"] <= best + 1e-6 * abs(best)


def test_by_fold_at_their_own_rates_on_lending_club(club: Path, allocator: Allocator) -> None:  # noqa: F811
    arguments = ("--outcome", "bad", "--variables", club / "club.json", "--strategies", "optimal,equal")
    outcome = allocator("backtest", club / "club.yaml", *arguments)
    assert outcome.status == 0, outcome
    assert "club: 5 periods decided by what was known, scored by what happened" in outcome.out
    assert "optimal earned" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_the_page_says_what_was_not_decided(loans: Path, allocator: Allocator) -> None:  # noqa: F811
    outcome = allocator("backtest", loans / "sba.yaml", *BY_YEAR, "--strategies", "optimal,equal")
    assert outcome.status == 0, outcome
    assert "not decided, too little was known of PD before it: 1989" in outcome.out


INVENTED = (ROOT / "scenarios" / "sme-720-years.yaml", "--outcome", "default", "--period", "year")


@pytest.mark.parametrize("ending", [".html", ".svg"])
def test_a_picture(tmp_path: Path, allocator: Allocator, ending: str) -> None:
    plot = tmp_path / f"b{ending}"
    arguments = ("backtest", *INVENTED, "--strategies", "optimal,equal", "--plot", plot)
    assert allocator(*arguments).status == 0
    for words in ("What happened, added up", "2019", "2024", "optimal", "equal"):
        assert words in plot.read_text()
    again = allocator(*arguments)
    assert again.status == 2
    assert "give --force" in again.told
    assert [path.name for path in tmp_path.iterdir()] == [plot.name]


@pytest.mark.parametrize("column", ["default", "lost", "default_year"])
def test_what_came_after_is_no_variable(tmp_path: Path, allocator: Allocator, column: str) -> None:
    given = json.loads((INVENTED[0].parent / "data" / "sme-720-years.json").read_text())
    given["variables"].append({"name": column, "group": "later", "sign": 1})
    (tmp_path / "v.json").write_text(json.dumps({**given, "leaks": []}))
    options = ("--lost", "lost", "--owed", "owed", "--known", "default_year")
    outcome = allocator("backtest", *INVENTED, *options, "--variables", tmp_path / "v.json")
    assert outcome.status == 2
    assert f"{column} would tell the outcome: it is what the fit is to foretell" in outcome.told


def test_a_strategy_that_breaks_limits_is_said_to(allocator: Allocator) -> None:
    limit = "{name: few, measure: offered, where: {grade: A}, exactly: 71.3%, of: total}"
    told = (
        "--set",
        f"policy.limits=[{limit}]",
        "--set",
        "solver.gap=0.001",
        "--strategies",
        "optimal,greedy",
    )
    arguments = ("backtest", *INVENTED, *told)
    page, found = allocator(*arguments), allocator(*arguments, "--json").json
    broke = {row["strategy"]: row["broke_limits_in"] for row in found["totals"]}
    assert broke["optimal"] == []
    assert broke["greedy"]
    assert f"greedy breaks limits in {', '.join(broke['greedy'])}" in page.out


def test_a_default_known_later_delays_what_can_be_decided(allocator: Allocator) -> None:
    variables = INVENTED[0].parent / "data" / "sme-720-years.json"
    arguments = ("backtest", *INVENTED, "--variables", variables, "--strategies", "equal", "--json")
    soon = allocator(*arguments).json
    late = allocator(*arguments, "--known", "default_year").json
    assert list(soon["hindsight"]) == ["2021", "2022", "2023", "2024"]
    assert list(late["hindsight"]) == ["2022", "2023", "2024"]
    assert soon["left_out"] == {"no_period": 0, "no_pd": 241}
    assert late["left_out"] == {"no_period": 0, "no_pd": 362}


BAD: dict[str, tuple[list[object], str]] = {
    "nothing says when": (["--outcome", "Default"], "nothing says what was known when"),
    "half of the money": ([*BY_YEAR, "--lost", "ChgOffPrinGr"], "give both"),
    "nothing to hold back": (["--outcome", "Default", "--period", "ApprovalFY", "--known", "x"], "--known"),
    "no such outcome": (["--outcome", "Bad", "--period", "ApprovalFY"], "Bad"),
    "an outcome that is money": (["--outcome", "GrAppv", "--period", "ApprovalFY"], "is no outcome"),
    "an outcome that is text": (["--outcome", "City", "--period", "ApprovalFY"], "City"),
    "no such period": (["--outcome", "Default", "--period", "year"], "year"),
    "no such strategy": ([*BY_YEAR, "--strategies", "best"], "best"),
    "no such variables": (["--outcome", "Default", "--variables", "no.json"], "no.json"),
    "variables that tell": (["--outcome", "NoEmp", "--variables", RULES], "NoEmp"),
    "one fold": (["--outcome", "Default", "--variables", RULES, "--folds", 1], "--folds"),
    "folds of periods": (
        [*BY_YEAR, "--folds", 5],
        "--folds says nothing beside --period -> leave out one of the two",
    ),
    "a seed of periods": ([*BY_YEAR, "--seed", 0], "--seed says nothing beside --period"),
    "no strategy": ([*BY_YEAR, "--strategies", ""], "--strategies a name is empty -> name strategies, as"),
    "a negative budget": (
        [*BY_YEAR, "--budget-share", -1],
        "--budget-share -1 is negative, expected 0% to 100%",
    ),
    "an endless budget": ([*BY_YEAR, "--budget-share", "inf"], "'inf' is not a percentage such as 63%"),
    "a budget that is no number": ([*BY_YEAR, "--budget-share", "nan"], "'nan' is not a percentage"),
    "a budget without its percent": (
        [*BY_YEAR, "--budget-share", 40],
        "expected 0% to 100% -> write 40% or 0.4",
    ),
    "a budget above all": ([*BY_YEAR, "--budget-share", "140%"], "140% is more than 100 %"),
    "no budget": ([*BY_YEAR, "--budget-share", "0%"], "'0%' is not above 0 -> write a number above 0"),
    "a period of words": (["--outcome", "Default", "--period", "City"], "does not begin with its year"),
    "no such date": ([*BY_YEAR, "--known", "day"], "day"),
    "a date beside years": ([*BY_YEAR, "--known", "ChgOffDate"], "is not of the form of '"),
    "known too early": ([*BY_YEAR, "--known", "NoEmp"], "lies before the borrower's own ApprovalFY ("),
    "another picture": ([*BY_YEAR, "--plot", "b.jpg"], "no format for the ending .jpg"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told(name: str, loans: Path, allocator: Allocator) -> None:  # noqa: F811
    arguments, words = BAD[name]
    before = sorted(path.name for path in loans.iterdir())
    outcome = allocator("backtest", loans / "sba.yaml", *arguments)
    assert outcome.status == 2, outcome
    assert words in outcome.told
    assert "Traceback" not in outcome.err
    assert sorted(path.name for path in loans.iterdir()) == before


def test_a_day_written_first_is_told(loans: Path, allocator: Allocator) -> None:  # noqa: F811
    frame = pd.read_csv(loans / "sba.csv", parse_dates=["ApprovalDate"])
    frame["ApprovalDate"] = frame["ApprovalDate"].dt.strftime("%d/%m/%Y")
    frame.to_csv(loans / "sba.csv", index=False)
    outcome = allocator("backtest", loans / "sba.yaml", "--outcome", "Default", "--period", "ApprovalDate")
    assert outcome.status == 2
    assert "row 1, ApprovalDate '09/04/2001' does not begin with its year (2,102 rows)" in outcome.told
    assert "write numbers such as 2019, or dates with the year first such as 2019-03-01" in outcome.told


def test_who_was_left_out_is_counted(loans: Path, allocator: Allocator) -> None:  # noqa: F811
    frame = pd.read_csv(loans / "sba.csv")
    frame["ApprovalFY"] = frame["ApprovalFY"].astype("Int64").where(frame.index >= 7)
    frame.to_csv(loans / "sba.csv", index=False)
    arguments = ("backtest", loans / "sba.yaml", *BY_YEAR, "--strategies", "optimal")
    found = allocator(*arguments, "--json").json
    (total,) = found["totals"]
    left_out = found["left_out"]
    assert left_out["no_period"] == 7
    assert left_out["no_pd"] > 0
    assert total["borrowers"] + sum(left_out.values()) == len(frame)
    told = f"borrowers left out: 7 without a period, {left_out['no_pd']} of whose PD too little was known"
    assert told in allocator(*arguments).out


def test_the_engine_starts_under_its_progress() -> None:
    code = (
        "import sys; from allocator.cli import main, shell\n"
        "heavy = 'numpy pandas scipy pyarrow pyomo highspy numba'.split()\n"
        "def show(verbose): sys.exit([name for name in heavy if name in sys.modules] or 0)\n"
        "shell.progress = show\n"
        "main.app(['backtest', 'a.yaml', '--outcome', 'bad', '--period', 'year', '--budget-share', '4%'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
