"""The wheel carries what a newcomer needs: installed elsewhere, it starts a case and solves it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """What a command prints; the test fails where it does."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built without any network."""
    folder = tmp_path_factory.mktemp("wheel")
    offline = ("--no-deps", "--no-index")
    run(sys.executable, *PIP, "wheel", *offline, "--no-build-isolation", "-w", folder, ROOT, folder=folder)
    (built,) = folder.glob("allocator-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel lies, out of sight of the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    target = folder / "site"
    offline = ("--no-deps", "--no-index", "--no-compile", "--target", target)
    run(sys.executable, *PIP, "install", *offline, wheel, folder=folder)
    return target


def test_the_wheel_holds_scenarios_and_models_and_nothing_of_the_workshop(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    shipped = {name.removeprefix("allocator/shipped/") for name in names if "/shipped/" in name}
    for part in ("scenarios", "models"):
        there = {path.relative_to(ROOT).as_posix() for path in (ROOT / part).rglob("*") if path.is_file()}
        assert there <= shipped
    tops = {name.split("/")[0] for name in names}
    assert tops == {"allocator", next(top for top in tops if top.endswith(".dist-info"))}


def test_what_is_installed_starts_a_case_and_solves_it(installed: Path, tmp_path: Path) -> None:
    there = {"PYTHONPATH": str(installed)}
    found = run(sys.executable, "-c", "import allocator; print(allocator.__file__)", folder=tmp_path, **there)
    assert Path(found.strip()).is_relative_to(installed)
    command = installed / "bin" / "allocator"
    run(command, "init", "here", folder=tmp_path, **there)
    page = run(command, "solve", "here/scenarios/sme-302.yaml", "--out", "run", folder=tmp_path, **there)
    assert "194 of 302 borrowers funded" in page
    assert "verified from its inputs alone" in run(command, "verify", "run", folder=tmp_path, **there)


def test_the_wheel_says_under_which_terms_it_may_be_used(wheel: Path) -> None:
    held = ZipFile(wheel)
    metadata = next(name for name in held.namelist() if name.endswith(".dist-info/METADATA"))
    lines = held.read(metadata).decode().splitlines()
    assert "License-Expression: Apache-2.0" in lines
    assert "Author: The allocator authors" in lines
    licence = metadata.replace("METADATA", "licenses/LICENSE")
    assert held.read(licence) == (ROOT / "LICENSE").read_bytes()


CONSUMER = """
import pandas as pd
from allocator import (
    Fitted, Run, Scenario, allocate, compare, explain, fit_churn, frontier, levers, load_run, load_scenario,
    score, simulate, stress, verify,
)

def gap_of(path: str, firms: pd.DataFrame) -> float:
    curve: Fitted = fit_churn(firms)
    scenario: Scenario = load_scenario(path, borrowers=firms, churn=curve.table)
    scenario = scenario.with_({"policy.budget.amount": 5e7})
    run: Run = allocate(scenario, sets=["name=mine"], start={"budget": 0.1})
    amount: float = explain(run, "B000002").record.amount
    segments: int = len(explain(load_run(run.save("runs/mine")), by="sector").record.segments)
    names: tuple[str, ...] = frontier(run, ["budget"], low="50%", points=3).record.limits
    kept: bool = verify("runs/mine", exact=True).record.limits_broken == []
    tables: list[pd.DataFrame] = [levers(run).table, stress(path).table, compare(run, path).table, run.table]
    crossings: int = len(stress(path, reverse="value=0").record.crossings)
    mean: float = simulate(run).record.net.mean
    page: str = run._repr_html_() + str(run) + run.plot().title
    return run.gap

words: str = gap_of("scenario.yaml", score("firms.csv", "card.json"))
"""


def test_who_uses_the_package_is_checked_with_its_types(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(CONSUMER)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", "consumer.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if "consumer.py" in line and "error" in line]
    assert len(found) == 1, done.stdout + done.stderr
    assert found[0].startswith(
        'consumer.py:23: error: Incompatible types in assignment (expression has type "float"'
    )
