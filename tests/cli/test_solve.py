"""`allocator solve` from file to folder."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pandas as pd
import pytest

from allocator.store import folder
from tests.cli.conftest import Allocator, finish, start

FILES = ["allocation.csv", "certificate.json", "scenario.json", "scenario.yaml", "solver.log", "summary.json"]


def test_solve_writes_a_run_and_shows_it(case: Path, allocator: Allocator) -> None:
    outcome = allocator("solve", "scenario.yaml", "--out", "runs/first")
    assert (outcome.status, outcome.err) == (0, "")
    assert sorted(path.name for path in (case / "runs" / "first").iterdir()) == FILES
    assert outcome.out.startswith("small: optimal, bound proved by ")
    assert "By grade, amounts in CNY" in outcome.out
    assert outcome.out.endswith("\n\nWritten to runs/first\n")
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_the_allocation_has_one_row_a_borrower_in_input_order(case: Path, allocator: Allocator) -> None:
    allocator("solve", "scenario.yaml", "--out", "run")
    allocation = pd.read_csv(case / "run" / "allocation.csv", keep_default_na=False)
    assert list(allocation.columns) == [
        "borrower_id", "grade", "amount", "rate", "take_up", "interest", "expected_loss", "funding_cost",
        "churn_cost", "processing_cost", "relationship_cost", "value", "reason",
    ]  # fmt: skip
    assert list(allocation["borrower_id"]) == [f"F{number:02d}" for number in range(1, 11)]
    assert ((allocation["amount"] > 0) == (allocation["reason"] == "")).all()
    assert allocation.loc[8, "reason"] == "no rates for this grade"
    assert allocation.loc[9, "reason"] == "request below the smallest loan"


def test_json_is_the_summary_and_the_folder(case: Path, allocator: Allocator) -> None:
    outcome = allocator("solve", "scenario.yaml", "--out", "run", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    summary = json.loads((case / "run" / "summary.json").read_text())
    assert outcome.json == {**summary, "folder": str(case / "run")}
    assert summary["status"] == "optimal"
    assert summary["seconds"]["total"] >= summary["seconds"]["write"] > 0


def test_without_out_the_folder_is_named_after_name_and_digest(case: Path, allocator: Allocator) -> None:
    first = allocator("solve", "scenario.yaml", "--json")
    assert Path(first.json["folder"]) == case / "runs" / f"small-{first.json['digest'][:12]}"
    again = allocator("solve", "scenario.yaml")
    assert again.status == 2
    assert "holds a run already -> give --force to replace it" in again.told
    assert allocator("solve", "scenario.yaml", "--force").status == 0
    other = allocator("solve", "scenario.yaml", "--set", "policy.budget.amount=2_000_000", "--json")
    assert other.json["folder"] != first.json["folder"]


def test_set_lays_values_over_the_scenario(case: Path, allocator: Allocator) -> None:
    sets = ["--set", "policy.budget.amount=1_000_000", "--set", "policy.limits[A line].at_most=10%"]
    outcome = allocator("solve", "scenario.yaml", "--out", "run", "--json", *sets)
    uses = {use["name"]: use for use in outcome.json["limits"]}
    assert uses["budget"]["bound"] == 1_000_000
    assert uses["A line"]["bound"] == pytest.approx(100_000)


def test_the_written_scenario_solves_to_the_same_run(case: Path, allocator: Allocator) -> None:
    first = allocator(
        "solve", "scenario.yaml", "--out", "a/b/run", "--set", "policy.budget.amount=2e6", "--json"
    )
    second = allocator("solve", "a/b/run/scenario.yaml", "--out", "again", "--json")
    assert second.json["objective"] == first.json["objective"]
    assert (case / "again" / "allocation.csv").read_bytes() == (case / "a/b/run/allocation.csv").read_bytes()


def test_an_existing_run_is_refused_before_solving(
    case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    allocator("solve", "scenario.yaml", "--out", "run")
    with monkeypatch.context() as patch:
        patch.setattr("allocator.pipeline.allocate", lambda *_: pytest.fail("solved before it looked"))
        outcome = allocator("solve", "scenario.yaml", "--out", "run")
    assert outcome.status == 2
    assert "run holds a run already -> give --force to replace it, or name another" in outcome.told
    assert allocator("solve", "scenario.yaml", "--out", "run", "--force").status == 0


def test_an_infeasible_scenario_exits_3_and_names_the_conflict(case: Path, allocator: Allocator) -> None:
    scenario = case / "scenario.yaml"
    floor = "    - {name: book size, measure: loans, at_least: 50}\n"
    scenario.write_text(scenario.read_text().replace("solver:", floor + "solver:"))
    in_words = allocator("solve", "scenario.yaml", "--out", "run")
    assert in_words.status == 3
    assert "'book size'" in in_words.told
    in_json = allocator("solve", "scenario.yaml", "--out", "run", "--json")
    assert in_json.status == 3
    assert in_json.json["error"]["code"] == "infeasible"
    assert "book size" in in_json.json["error"]["conflict"]
    assert not (case / "run").exists()


def test_a_full_disk_exits_1_and_leaves_nothing(case: Path) -> None:
    """A limit on the size of files stands for the full disk: the allocation is larger than it."""
    borrowers = case / "borrowers.csv"
    rows = "".join(f"G{number:05d},A,0.005,0.45,500000,retail\n" for number in range(2_000))
    borrowers.write_text(borrowers.read_text() + rows)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    before = sorted(case.iterdir())
    outcome = finish(start("solve", "scenario.yaml", "--out", "run", "--json", preexec_fn=limited))
    assert outcome.status == 1
    error = outcome.json["error"]
    assert error["code"] == "not_written"
    assert error["faults"][0]["remedy"] == "free some space or write elsewhere"
    assert sorted(case.iterdir()) == before


def test_a_large_book_is_written_as_parquet_and_verifies(
    case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "PARQUET_FROM", 10)
    assert allocator("solve", "scenario.yaml", "--out", "run").status == 0
    assert (case / "run" / "allocation.parquet").exists()
    assert allocator("verify", "run").status == 0


@pytest.mark.parametrize("name", ["book.csv", "runs/x.XLSX", "x.parquet", "a.json"])
def test_a_file_s_name_for_the_folder_is_refused(case: Path, allocator: Allocator, name: str) -> None:
    outcome = allocator("solve", "scenario.yaml", "--out", name, "--force")
    assert outcome.status == 2
    stem = name.rpartition(".")[0]
    assert f"a run is a folder, and {Path(name).name} is a file's name -> write --out {stem};" in outcome.told
    assert not (case / name).exists()


def test_what_it_would_take_is_said_and_relax_takes_it(case: Path, allocator: Allocator) -> None:
    scenario = case / "scenario.yaml"
    floor = "    - {name: book size, measure: loans, at_least: 50}\n"
    scenario.write_text(scenario.read_text().replace("solver:", floor + "solver:"))
    in_words = allocator("solve", "scenario.yaml", "--out", "run")
    assert "What it would take, each solved and certified; solve --relax N takes one:" in in_words.told
    assert "1 lower 'book size' from 50 to 8: worth 95,149.00" in in_words.told
    error = allocator("solve", "scenario.yaml", "--out", "run", "--json").json["error"]
    assert error["conflicts"] == [error["conflict"]]
    first = error["relaxations"][0]
    (bound,) = first["bounds"]
    assert (bound["limit"], bound["was"], bound["share"]) == ("book size", 50.0, False)
    assert first["sets"] == {"policy.limits[book size].at_least": bound["now"]}
    run = allocator("solve", "scenario.yaml", "--relax", "1", "--out", "run", "--json")
    assert run.status == 0
    assert run.json["objective"] == first["value"]
    assert run.json["notes"][0].startswith("nothing fits the scenario as it was given; relaxed: lower")
    assert allocator("verify", "run").status == 0
    assert allocator("solve", "scenario.yaml", "--relax", "9", "--out", "no").status == 3


def test_a_run_does_not_replace_what_it_reads(case: Path, allocator: Allocator) -> None:
    allocator("solve", "scenario.yaml", "--out", "run")
    before = (case / "run" / "allocation.csv").read_bytes()
    (case / "next.yaml").write_text("extends: scenario.yaml\nformer: run\n")
    outcome = allocator("solve", "next.yaml", "--out", "run", "--force")
    assert outcome.status == 2
    assert "holds what the scenario reads as former" in outcome.err
    assert "name another folder: it would be replaced" in outcome.err
    assert (case / "run" / "allocation.csv").read_bytes() == before
    assert allocator("solve", "next.yaml", "--out", "next").status == 0
