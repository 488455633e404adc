"""The recipe for a line of the ledger (docs/architecture.md): the three files that it names, and no other.

A copy of the package gets a line more, a levy on loans: 0.5 % a year of what is drawn.
That is worth the same as so much more of funding, which the package itself can be asked for.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import BORROWERS, CHURN, SCENARIO
from tests.recipe import PACKAGE, Recipe, answers, changed_package

RECIPE: Recipe = {
    "records/ledger.py": {
        "    relationship_cost: Floats\n": "    levy: Floats\n    relationship_cost: Floats\n",
        '\n)\n"""What a value': '\n    Line("levy", "levy", "levy", -1),\n)\n"""What a value',
    },
    "certification/economics.py": {
        "    processing = accepts": "    levy = drawn * 0.005 * portfolio.term\n    processing = accepts",
        "        relationship_cost=": "        levy=levy,\n        relationship_cost=",
        "- processing - relationship\n": "- processing - relationship - levy\n",
        "number(policy.funding_rate) * term": "(number(policy.funding_rate) + number(0.005)) * term",
        "abs(policy.funding_rate) * term": "(abs(policy.funding_rate) + 0.005) * term",
    },
    "pricing/offers.py": {
        "policy.funding_rate * portfolio.term": "(policy.funding_rate + 0.005) * portfolio.term"
    },
}
COMMANDS = [
    ["solve", "scenario.yaml", "--out", "run"],
    ["verify", "run", "--exact"],
    ["explain", "run"],
    ["explain", "run", "--json"],
    ["explain", "run", "F01"],
    ["explain", "run", "F08", "--json"],
    ["compare", "scenario.yaml", "--json"],
    ["stress", "scenario.yaml", "--json"],
    ["simulate", "run", "--years", "1000", "--json"],
]


def told(package: Path, folder: Path, **policy: str) -> list[str]:
    """What the commands print of the small case in `folder`, by the package in the folder `package`."""
    folder.mkdir()
    added = "".join(f"  {key}: {value}\n" for key, value in policy.items())
    (folder / "scenario.yaml").write_text(SCENARIO.replace("policy:\n", f"policy:\n{added}"))
    (folder / "borrowers.csv").write_text(BORROWERS)
    (folder / "churn.csv").write_text(CHURN)
    return answers(package, folder, COMMANDS)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of a package with the line, and what it prints."""
    top = changed_package(tmp_path_factory.mktemp("line"), RECIPE)
    return top / "case", told(top, top / "case", funding_rate="1.5%")


def test_a_line_is_written_summed_explained_and_rechecked(book: tuple[Path, list[str]]) -> None:
    folder, (_, _, page, ledger, borrower, refused, *_) = book
    summary: dict[str, Any] = json.loads((folder / "run" / "summary.json").read_text())
    with (folder / "run" / "allocation.csv").open() as file:
        rows = list(csv.DictReader(file))
    cost = summary["levy"]
    assert 0 < cost == pytest.approx(summary["funding_cost"] / 3)
    assert cost == pytest.approx(sum(float(row["levy"]) for row in rows))
    assert cost == pytest.approx(sum(grade["levy"] for grade in summary["by_grade"].values()))
    found = json.loads(ledger)
    assert found["book"]["levy"] == cost
    assert found["value_of_lines"] == pytest.approx(found["value"])
    assert [segment["levy"] for segment in found["segments"]] == [
        grade["levy"] for grade in summary["by_grade"].values()
    ]
    assert " levy " in page
    assert "\nlevy " in borrower
    assert any(reason["text"].startswith("levy takes") for reason in json.loads(refused)["reasons"])


def test_a_line_counts_wherever_a_value_is_found(book: tuple[Path, list[str]], tmp_path: Path) -> None:
    """As much more of funding is worth the same to every command."""
    funded = told(PACKAGE.parent, tmp_path / "case", funding_rate="2%")
    for ours, theirs in zip(book[1][-3:], funded[-3:], strict=True):
        same(json.loads(ours), json.loads(theirs))
    summaries = [
        json.loads((folder / "run/summary.json").read_text()) for folder in (book[0], tmp_path / "case")
    ]
    for key in ("objective", "bound", "offered", "drawn"):
        assert summaries[0][key] == pytest.approx(summaries[1][key], rel=1e-9)


def same(ours: Any, theirs: Any) -> None:
    """The same values, bounds and means, wherever they stand."""
    if isinstance(ours, dict):
        for key in ours.keys() & theirs.keys():
            if key in ("value", "bound", "hindsight", "mean") and isinstance(ours[key], float):
                assert ours[key] == pytest.approx(theirs[key], rel=1e-9, abs=1e-6)
            else:
                same(ours[key], theirs[key])
    elif isinstance(ours, list):
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
