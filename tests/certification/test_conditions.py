"""Runs with a limit that must hold only if something is lent to a group: verified three ways, and forged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from allocator import checker
from allocator.cli.main import main

SCENARIO = """\
schema: 1
name: small
portfolio: {source: borrowers.csv}
response: {churn: none}
policy:
  budget: {amount: 2_000_000}
  ticket: {min: 100_000, max: 900_000}
  rates: {A: [4%, 11%], B: [11%, 15%]}
  rate_grid: {step: 1%}
  limits:
    - {name: secured, measure: offered, where: {secured: 'yes'}, at_least: 60%, of: total,
       if_lent_to: {sector: IT}}
    - {name: steel, measure: offered, where: {sector: steel}, at_least: 400_000, if_lent_to: {sector: food}}
"""
BORROWERS = """\
borrower_id,grade,pd,lgd,max_amount,sector,secured
F01,A,0.005,0.45,500000,retail,yes
F02,A,0.008,0.45,300000,food,no
F03,A,0.004,0.45,900000,steel,yes
F04,B,0.02,0.45,800000,retail,no
F05,B,0.03,0.45,700000,retail,no
F06,B,0.05,0.45,800000,food,no
"""


@pytest.fixture(scope="module", params=["retail", "food"])
def solved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "borrowers.csv").write_text(BORROWERS)
    (folder / "case.yaml").write_text(SCENARIO.replace("IT", request.param))
    assert main(["solve", str(folder / "case.yaml"), "--out", str(folder / "run")]) == 0
    return folder


def test_it_passes_in_doubles_in_rational_numbers_and_alone(run: Path) -> None:
    certificate = json.loads((run / "certificate.json").read_text())
    assert certificate["gap"] <= 1e-8
    assert any("limit" in node for node in certificate["tree"]["nodes"])
    assert main(["verify", str(run), "--exact"]) == 0
    assert checker.check(str(run)) == []


def unsplit(certificate: dict[str, Any]) -> None:
    """Only the better case is proved."""
    nodes = certificate["tree"]["nodes"]
    certificate["tree"]["nodes"] = [node for node in nodes if "prices" in node][-1:]


def no_tree(certificate: dict[str, Any]) -> None:
    del certificate["tree"]


def other_limit(certificate: dict[str, Any]) -> None:
    next(node for node in certificate["tree"]["nodes"] if "limit" in node)["limit"] = "budget"


def swapped(certificate: dict[str, Any]) -> None:
    next(node for node in certificate["tree"]["nodes"] if "limit" in node)["children"].reverse()


def lower(certificate: dict[str, Any]) -> None:
    certificate["tree"]["bound"] *= 0.99


@pytest.mark.parametrize("forge", [unsplit, no_tree, other_limit, swapped, lower])
def test_a_forged_split_is_found_by_each(run: Path, forge: Callable[[dict[str, Any]], None]) -> None:
    path = run / "certificate.json"
    certificate = json.loads(path.read_text())
    forge(certificate)
    path.write_text(json.dumps(certificate))
    assert main(["verify", str(run), "--exact"]) == 5
    assert checker.check(str(run))


def test_a_limit_that_says_it_is_not_in_force_is_found(run: Path) -> None:
    """Of each limit the certificate says whether it must hold."""
    path = run / "certificate.json"
    certificate = json.loads(path.read_text())
    entry = certificate["limits"][1]
    if "enforce" in entry:
        del entry["enforce"], entry["missed"]
    else:
        entry |= {"enforce": "not_in_force", "missed": 0.0}
    path.write_text(json.dumps(certificate))
    assert main(["verify", str(run)]) == 5
    assert checker.check(str(run))
