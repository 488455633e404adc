"""Runs with a limit on the Herfindahl index: verified three ways, and no forged cut passes any of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from allocator import checker
from allocator.cli.main import main

LIMIT = "policy.limits=[{name: sectors, measure: hhi, by: sector, at_most: 35%, of: OF}]"
SCENARIO = """\
schema: 1
name: small
portfolio: {source: borrowers.csv}
response: {churn: none}
policy:
  budget: {amount: 3_000_000}
  ticket: {min: 100_000, max: 900_000}
  rates: {A: [4%, 11%], B: [11%, 15%]}
  rate_grid: {step: 1%}
"""
BORROWERS = """\
borrower_id,grade,pd,lgd,max_amount,sector,exposure
F01,A,0.005,0.45,500000,retail,10000
F02,A,0.008,0.45,300000,food,0
F03,A,0.004,0.45,900000,steel,250000.5
F04,B,0.02,0.45,800000,retail,0
F05,B,0.03,0.45,700000,retail,0
F06,B,0.05,0.45,800000,food,0
"""


@pytest.fixture(scope="module", params=["total", "budget"])
def solved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "borrowers.csv").write_text(BORROWERS)
    (folder / "case.yaml").write_text(SCENARIO)
    limit = LIMIT.replace("OF", request.param)
    assert main(["solve", str(folder / "case.yaml"), "--set", limit, "--out", str(folder / "run")]) == 0
    return folder


def test_it_passes_in_doubles_in_rational_numbers_and_alone(run: Path) -> None:
    certificate = json.loads((run / "certificate.json").read_text())
    assert certificate["cuts"]
    assert certificate["gap"] <= 1e-8
    index = next(use for use in certificate["limits"] if use["name"] == "sectors")
    assert index["used"] <= 0.35
    assert index["used"] == pytest.approx(0.35, rel=1e-6)
    assert main(["verify", str(run), "--exact"]) == 0
    assert checker.check(str(run)) == []
    summary = json.loads((run / "summary.json").read_text())
    assert summary["per_point"]["sectors"] > 0


def longer(certificate: dict[str, Any]) -> None:
    name = next(iter(certificate["cuts"]))
    certificate["cuts"][name] = {sector: s * 1.001 for sector, s in certificate["cuts"][name].items()}


def negative(certificate: dict[str, Any]) -> None:
    name = next(iter(certificate["cuts"]))
    certificate["cuts"][name]["food"] = -0.1


def stray(certificate: dict[str, Any]) -> None:
    certificate["cuts"]["regions[1]"] = {"food": 0.5}


def dropped(certificate: dict[str, Any]) -> None:
    del certificate["cuts"][next(iter(certificate["cuts"]))]


def turned(certificate: dict[str, Any]) -> None:
    name = next(iter(certificate["cuts"]))
    certificate["cuts"][name] = {"food": 1.0}


def other_index(certificate: dict[str, Any]) -> None:
    next(use for use in certificate["limits"] if use["name"] == "sectors")["used"] = 0.2


def near_index(certificate: dict[str, Any]) -> None:
    """By less than what sums of money are held to."""
    next(use for use in certificate["limits"] if use["name"] == "sectors")["used"] -= 5e-9


@pytest.mark.parametrize("forge", [longer, negative, stray, dropped, turned, other_index, near_index])
def test_a_forged_cut_is_found_by_each(run: Path, forge: Callable[[dict[str, Any]], None]) -> None:
    path = run / "certificate.json"
    certificate = json.loads(path.read_text())
    forge(certificate)
    path.write_text(json.dumps(certificate))
    assert main(["verify", str(run), "--exact"]) == 5
    assert checker.check(str(run))


def test_an_index_that_is_broken_by_a_cent_is_broken(run: Path) -> None:
    """The bound is written lower than what the allocation has, by a hair."""
    certificate = json.loads((run / "certificate.json").read_text())
    used = next(use for use in certificate["limits"] if use["name"] == "sectors")["used"]
    for name in ("scenario.json", "scenario.yaml"):
        text = (run / name).read_text()
        (run / name).write_text(text.replace("0.35", repr(used * (1 - 1e-12))))
    assert main(["verify", str(run)]) == 5
    assert any("sectors" in fault for fault in checker.check(str(run)))


def solved_with(folder: Path, column: str) -> Path:
    """The run with a limit that weighs by a column of thousands."""
    folder.mkdir()
    header, *rows = BORROWERS.splitlines()
    named = "\n".join([f"{header},{column}", *(f"{row},1000" for row in rows)])
    (folder / "borrowers.csv").write_text(named + "\n")
    weighed = f"{{name: weighed, measure: offered, weight: '{column}', at_most: 9_000_000_000}}"
    index = LIMIT.partition("[")[2].replace("OF", "total")[:-1]
    (folder / "case.yaml").write_text(f"{SCENARIO}  limits:\n    - {index}\n    - {weighed}\n")
    assert main(["solve", str(folder / "case.yaml"), "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_a_column_of_the_name_of_a_cut_keeps_its_weights(tmp_path: Path) -> None:
    """Whoever names a column as a cut's row is named may not decide by what others count it."""
    plain = json.loads((solved_with(tmp_path / "plain", "thousand") / "certificate.json").read_text())
    name = next(iter(plain["cuts"]))
    folder = solved_with(tmp_path / "named", name)
    certificate = json.loads((folder / "certificate.json").read_text())
    assert name in certificate["cuts"]
    uses = {use["name"]: use["used"] for use in certificate["limits"]}
    assert uses["weighed"] == pytest.approx(1000 * (uses["budget"] + 260_000.5))
    assert main(["verify", str(folder), "--exact"]) == 0
    assert checker.check(str(folder)) == []


def test_what_the_tightened_bound_leaves_is_said_as_exhausted(tmp_path: Path) -> None:
    (tmp_path / "borrowers.csv").write_text(
        "borrower_id,grade,pd,lgd,max_amount,sector\na,B,0.01,1,4000,s\nb,A,0,1,2000,t\n"
    )
    (tmp_path / "churn.csv").write_text("rate,A,B\n0.04,0.016,0.024\n0.06,0.265,0.445\n0.08,0.299,0.871\n")
    (tmp_path / "case.yaml").write_text(TIGHTENED)
    folder = tmp_path / "run"
    assert main(["solve", str(tmp_path / "case.yaml"), "--out", str(folder)]) == 0
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["stop"] == "gap") == (summary["gap"] <= 1e-9)
    assert main(["verify", str(folder)]) == 0
    assert checker.check(str(folder)) == []


TIGHTENED = """\
schema: 1
name: tightened
portfolio: {source: borrowers.csv}
response: {churn: churn.csv}
policy:
  budget: {amount: 2000, basis: drawn}
  ticket: {min: 2000, max: 4000, step: 1000}
  rates: {A: [4%, 8%], B: [4%, 8%]}
  idle_rate: 0.001
  decline_churn: 0.3
  limits:
    - {name: H, measure: hhi, by: sector, of: budget, at_most: 0.3}
    - {name: line, measure: offered, at_most: 1385, where: {grade: A}, enforce: {soft: 0.003}}
"""
