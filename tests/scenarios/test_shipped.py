"""Every shipped scenario is one complete case: solved, rechecked, and as scenarios/README.md says it ends."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from allocator.cli.main import main
from allocator.pipeline import allocate
from allocator.records.scenario import Scenario
from allocator.scenario import load_scenario

FOLDER = Path(__file__).resolve().parents[2] / "scenarios"
INFEASIBLE = "sme-302-infeasible"
FILES = sorted(FOLDER.glob("*.yaml"))
ROW = re.compile(r"^\| `([^`]+)` \|.*\| *(.*?) \| *(.*?) \| *(.*?) \| *(.*?) \|$", re.MULTILINE)
SAID = {name: figures for name, *figures in ROW.findall((FOLDER / "README.md").read_text(encoding="utf-8"))}
"""Scenario -> firms funded, value, the budget's price, proof; empty for the infeasible one."""


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """A command's exit status and JSON object."""
    capsys.readouterr()
    status = main([*arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_the_page_lists_every_file() -> None:
    assert sorted(SAID) == sorted(path.stem for path in FILES)


@pytest.mark.parametrize(
    "file", [path for path in FILES if path.stem != INFEASIBLE], ids=lambda path: path.stem
)
def test_a_scenario_is_solved_and_rechecked(
    file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if file.stem.startswith("contest-"):
        monkeypatch.setenv("ALLOCATOR_DATA", str(request.getfixturevalue("data").resolve()))
    status, summary = printed(capsys, "solve", str(file), "--out", str(tmp_path / "run"))
    assert status == 0
    assert summary["status"] == "optimal"
    funded, value, price, proof = SAID[file.stem]
    assert f"{summary['funded']:,}" == funded
    assert f"{summary['objective']:,.2f}" == value
    assert summary["limits"][0]["price"] == pytest.approx(float(price), abs=5e-5)
    assert summary["proof"] == proof
    status, certificate = printed(capsys, "verify", str(tmp_path / "run"))
    assert status == 0
    apart = file.stem == "sme-302-worst"  # whose best in the mean is not the best in the worst
    assert certificate["gap"] <= (1e-5 if apart else 1e-9)


def without(scenario: Scenario, name: str) -> Scenario:
    policy = scenario.policy
    if name == "budget":
        return replace(scenario, policy=replace(policy, budget=replace(policy.budget, spend="at_most")))
    kept = tuple(limit for limit in policy.limits if limit.name != name)
    assert len(kept) == len(policy.limits) - 1
    return replace(scenario, policy=replace(policy, limits=kept))


def test_the_infeasible_one_names_limits_each_of_which_is_one_too_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = FOLDER / f"{INFEASIBLE}.yaml"
    status, outcome = printed(capsys, "solve", str(file), "--out", str(tmp_path / "run"))
    assert status == 3
    assert not (tmp_path / "run").exists()
    assert outcome["error"]["conflict"] == ["budget", "A share"]
    assert "dropping 'budget' or 'A share' alone makes it feasible" in outcome["error"]["message"]
    for name in outcome["error"]["conflict"]:
        assert allocate(without(load_scenario(file), name)).certificate.value > 0


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sme-302.csv", "--borrowers 302 --seed 2020"),
        ("sme-720-years.csv", "--borrowers 720 --seed 2019 --years 2019-2024"),
    ],
)
def test_the_book_is_what_synth_writes(tmp_path: Path, name: str, arguments: str) -> None:
    written = tmp_path / name
    assert main(["synth", *arguments.split(), "--out", str(written)]) == 0
    assert written.read_bytes() == (FOLDER / "data" / name).read_bytes()
    page = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    assert f"`{arguments}` those of `{name}`" in page
