"""`allocator distil`: rules from a run, on a page, as files, as JSON; bad input is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Allocator


def test_rules_on_a_page_and_in_files(run: Path, allocator: Allocator) -> None:
    files = [run.parent / f"rules.{ending}" for ending in ("sql", "txt", "csv", "xlsx")]
    outcome = allocator("distil", run, "--rules", 4, *(word for file in files for word in ("--out", file)))
    assert outcome.status == 0
    assert "otherwise: decline" in outcome.out
    assert "limits hold, largest violation" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100
    assert "SELECT borrower_id" in files[0].read_text()
    assert "otherwise: decline\n\nTerms of every offer:\n- loans of" in files[1].read_text()
    assert len(pd.read_csv(files[2])) == len(pd.read_excel(files[3], engine="calamine")) <= 4


def test_rules_as_json(run: Path, allocator: Allocator) -> None:
    found = allocator("distil", run, "--json").json
    summary = json.loads((run / "summary.json").read_text())
    assert found["run"]["value"] == pytest.approx(summary["objective"])
    assert found["regret"] == pytest.approx(found["run"]["value"] - found["value"])
    assert found["bound"] == pytest.approx(summary["bound"])
    assert found["broken"] == []
    assert {"where", "rate", "share", "firms", "offered", "value"} <= found["rules"][0].keys()


def test_a_further_column_may_be_asked_for(run: Path, allocator: Allocator) -> None:
    assert allocator("distil", run, "--text", "sector", "--number", "max_amount").status == 0


Damage = Callable[[Path], tuple[list[object], str]]


def altered(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def without(run: Path, name: str) -> None:
    (run / name).unlink()


BAD: dict[str, tuple[Callable[[Path], object], list[object], int, str]] = {
    "no folder": (lambda run: None, ["nowhere"], 2, "there is no such folder"),
    "a file": (lambda run: None, ["scenario.yaml"], 2, "is a file, not a run's folder"),
    "no certificate": (lambda run: without(run, "certificate.json"), ["run"], 2, "certificate.json"),
    "no allocation": (lambda run: without(run, "allocation.csv"), ["run"], 2, "allocation"),
    "broken json": (lambda run: (run / "summary.json").write_text("{"), ["run"], 5, "is not JSON"),
    "an altered input": (
        lambda run: altered(run.parent / "borrowers.csv", "0.005", "0.006"),
        ["run"], 5, "has changed since the run",
    ),
    "no borrowers": (lambda run: without(run.parent, "borrowers.csv"), ["run"], 2, "borrowers.csv"),
    "no rules": (lambda run: None, ["run", "--rules", 0], 2, "--rules"),
    "too many rules": (lambda run: None, ["run", "--rules", 13], 2, "--rules"),
    "words for a number": (lambda run: None, ["run", "--rules", "few"], 2, "--rules"),
    "a file twice": (
        lambda run: None, ["run", "--out", "a.sql", "--out", "a.sql"], 2, "stands twice"
    ),
    "another format": (lambda run: None, ["run", "--out", "rules.doc"], 2, "no format for the ending .doc"),
    "a file that stands": (lambda run: None, ["run", "--out", "churn.csv"], 2, "give --force"),
    "no such place": (lambda run: None, ["run", "--out", "no/rules.sql"], 2, "its folder does not exist"),
    "no such column": (lambda run: None, ["run", "--text", "colour"], 2, "colour"),
    "a number for text": (lambda run: None, ["run", "--text", "pd"], 2, "pd is no column of texts"),
    "another picture": (lambda run: None, ["run", "--plot", "rules.jpg"], 2, "no format for the ending .jpg"),
    "text for a number": (lambda run: None, ["run", "--number", "sector"], 2, "sector"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told(name: str, run: Path, allocator: Allocator) -> None:
    damage, arguments, status, words = BAD[name]
    damage(run)
    before = sorted(path.name for path in run.parent.iterdir())
    outcome = allocator("distil", *arguments)
    assert outcome.status == status, outcome
    assert words in outcome.told
    assert "Traceback" not in outcome.err
    assert sorted(path.name for path in run.parent.iterdir()) == before


def test_a_run_that_funds_nobody_has_no_rules(case: Path, allocator: Allocator) -> None:
    allocator("solve", "scenario.yaml", "--set", "policy.budget.amount=0", "--out", "none")
    outcome = allocator("distil", "none", "--json")
    assert outcome.status == 0
    assert outcome.json["rules"] == []


def test_shares_in_words_lend_no_more_than_the_rules_do(run: Path, allocator: Allocator) -> None:
    found = allocator("distil", run, "--json", "--out", run.parent / "rules.txt").json
    said = [
        line.split("offer ")[1].split("%")[0]
        for line in (run.parent / "rules.txt").read_text().splitlines()
        if "offer " in line
    ]
    assert [float(share) / 100 for share in said] == pytest.approx(
        [one["share"] for one in found["rules"]], rel=1e-9
    )


def test_a_run_that_breaks_limits_is_no_optimum(broken: Path, allocator: Allocator) -> None:
    page = allocator("distil", "theirs").out
    assert "the run is worth -89,058.75\ndecided by the strategy book.csv\n" in page
    assert "limits broken: budget, A line, loss rate" in page
    found = allocator("distil", "theirs", "--json").json
    assert found["run"]["limits_broken"] == ["budget", "A line", "loss rate"]
    assert found["broken"] == []
    assert found["value"] <= found["bound"] * (1 + 1e-9)


@pytest.mark.parametrize("ending", ["html", "svg"])
def test_rules_are_drawn_in_one_file(run: Path, allocator: Allocator, ending: str) -> None:
    assert allocator("distil", "run", "--plot", f"rules.{ending}").status == 0
    text = (run.parent / f"rules.{ending}").read_text()
    assert "small as rules" in text
    assert 'src="http' not in text


def test_rules_of_a_stressed_run_are_no_query_over_a_table_that_is_not(
    case: Path, allocator: Allocator
) -> None:
    allocator("solve", "scenario.yaml", "--set", "stress={pd: {all: 2}}", "--out", "stressed")
    refused = allocator("distil", "stressed", "--out", "rules.sql", "--out", "rules.txt")
    assert refused.status == 2
    assert "the run's borrowers are stressed, those of a table are not" in refused.told
    assert not (case / "rules.txt").exists()
    outcome = allocator("distil", "stressed", "--out", "rules.txt")
    assert "under the scenario's stress" in outcome.out
    assert "under the scenario's stress" in (case / "rules.txt").read_text()


def test_a_book_that_nobody_of_can_be_lent_to_has_no_rules(case: Path, allocator: Allocator) -> None:
    path = case / "borrowers.csv"
    path.write_text(
        "\n".join(line for line in path.read_text().splitlines() if not {"A", "B"} & set(line.split(",")))
    )
    solved = allocator("solve", "scenario.yaml", "--out", "nobody")
    assert solved.status == 0, solved.err
    assert allocator("distil", "nobody", "--json").json["rules"] == []
