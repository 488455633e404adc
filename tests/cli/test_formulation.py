"""`allocator formulation`: the page, the object, the files, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator import formulation
from tests.cli.conftest import Allocator


def test_the_page(case: Path, allocator: Allocator) -> None:
    outcome = allocator("formulation", "scenario.yaml", "--set", "policy.limits[A line].at_most=30%")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("# small: the formulation\n")
    assert "\n    Σ_{i∈S1,k} x_ik ≤ 900,000\n" in outcome.out


def test_the_object(case: Path, allocator: Allocator) -> None:
    found = allocator("formulation", "scenario.yaml", "--json").json
    assert [limit["name"] for limit in found["limits"]] == ["budget", "A line", "sectors", "loss rate"]
    assert found["limits"][2]["row"] == {
        "plain": "Σ_{i∈S2(v),k} x_ik - 0.6 Σ_{i,k} x_ik ≤ 0",
        "latex": r"\sum_{i\in S_{2}(v),k} x_{ik} - 0.6 \sum_{i,k} x_{ik} \le  0",
    }
    assert {row["right_hand_side"] for row in found["limits"][2]["rows"]} == {0.0}


@pytest.mark.parametrize(("name", "first"), [("f.md", "# small"), ("f.tex", r"\documentclass")])
def test_the_file_is_in_the_language_of_its_ending(
    case: Path, allocator: Allocator, name: str, first: str
) -> None:
    assert allocator("formulation", "scenario.yaml", "--out", name).out == f"Written to {name}\n"
    assert (case / name).read_text().startswith(first)
    assert allocator("formulation", "scenario.yaml", "--out", name).status == 2


def test_what_is_refused(case: Path, allocator: Allocator) -> None:
    outcome = allocator("formulation", "scenario.yaml", "--latex", "--out", "f.md")
    assert outcome.status == 2
    assert (
        "f.md\n    a .md file is Markdown\n    -> let it end in .tex, or leave --latex out\n" in outcome.err
    )
    assert "let it end in .md or .tex" in allocator("formulation", "scenario.yaml", "--out", "f.pdf").err


def test_python_says_the_same(case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case)
    found = formulation("scenario.yaml", "latex")
    assert f"{found}\n" == allocator("formulation", "scenario.yaml", "--latex").out
    assert found.table["name"].tolist() == ["budget", "A line", "sectors", "loss rate"]
    assert found.record.borrowers == found.document["borrowers"]
