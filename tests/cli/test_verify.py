"""`allocator verify`: what was written passes, what was altered does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Allocator


def test_a_run_verifies(run: Path, allocator: Allocator) -> None:
    outcome = allocator("verify", "run")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("small: verified from its inputs alone\namounts")
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_json_says_what_was_rechecked(run: Path, allocator: Allocator) -> None:
    outcome = allocator("verify", "run", "--json")
    certificate = json.loads((run / "certificate.json").read_text())
    assert outcome.json["verified"] is True
    assert outcome.json["rechecked"]["amounts"] == 10
    assert 0 < outcome.json["rechecked"]["rates"] < 10
    assert outcome.json["rechecked"]["limits"] == len(certificate["limits"])
    for key in ("bound", "value", "gap", "inputs"):
        assert outcome.json[key] == certificate[key]


def test_rational_numbers_confirm_a_run(
    run: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = allocator("verify", "run", "--exact")
    assert outcome.status == 0
    assert "exact  " in outcome.out
    assert "bound, value and limits hold in rational numbers too" in outcome.out
    assert allocator("verify", "run", "--exact", "--json").json["exact"] is True
    assert allocator("verify", "run", "--json").json["exact"] is False
    monkeypatch.setattr("allocator.verification.MOST_BORROWERS", 9)
    refused = allocator("verify", "run", "--exact")
    assert refused.status == 2
    assert "has 10 borrowers, and rational numbers do for 9" in refused.err
    assert allocator("verify", "run").status == 0


def test_a_run_verifies_after_its_case_has_moved(run: Path, allocator: Allocator) -> None:
    moved = run.parent / "moved"
    moved.mkdir()
    for name in ("run", "borrowers.csv", "churn.csv"):
        shutil.move(run.parent / name, moved / name)
    assert allocator("verify", "moved/run").status == 0


def test_a_cell_that_is_no_number_is_an_altered_run(run: Path, allocator: Allocator) -> None:
    lines = (run / "allocation.csv").read_text().splitlines()
    cells = lines[3].split(",")
    lines[3] = ",".join([*cells[:2], "abc", *cells[3:]])
    (run / "allocation.csv").write_text("\n".join(lines) + "\n")
    outcome = allocator("verify", "run")
    assert (outcome.status, outcome.out) == (5, "")
    assert "run/allocation.csv, row 3, amount 'abc' is no finite number -> restore the file" in outcome.told


def figures(file: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def apply(run: Path) -> None:
        document = json.loads((run / file).read_text())
        change(document)
        (run / file).write_text(json.dumps(document))

    return apply


def text(file: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def apply(run: Path) -> None:
        before = (run / file).read_text()
        after = change(before)
        assert after != before
        (run / file).write_text(after)

    return apply


def first_offer(line: str, column: int, factor: float) -> str:
    """An allocation with one cell of its first offer multiplied."""
    lines = line.splitlines()
    for at, row in enumerate(lines[1:], start=1):
        cells = row.split(",")
        if float(cells[2]) > 0:
            cells[column] = repr(float(cells[column]) * factor)
            lines[at] = ",".join(cells)
            break
    return "\n".join(lines) + "\n"


ALTERED = {
    "amount": text("allocation.csv", lambda s: first_offer(s, 2, 1.1)),
    "rate": text("allocation.csv", lambda s: first_offer(s, 3, 1.001)),
    "interest": text("allocation.csv", lambda s: first_offer(s, 5, 1.001)),
    "value": text("allocation.csv", lambda s: first_offer(s, 11, 1.001)),
    "a row less": text("allocation.csv", lambda s: "".join(s.splitlines(keepends=True)[:-1])),
    "a row twice": text("allocation.csv", lambda s: s + s.splitlines(keepends=True)[-1]),
    "rows in another order": text(
        "allocation.csv", lambda s: "\n".join([s.splitlines()[0], *reversed(s.splitlines()[1:])]) + "\n"
    ),
    "bound": figures("certificate.json", lambda d: d.update(bound=d["bound"] * 1.01)),
    "value of the certificate": figures("certificate.json", lambda d: d.update(value=d["value"] * 1.01)),
    "gap": figures("certificate.json", lambda d: d.update(gap=0.5)),
    "price": figures("certificate.json", lambda d: d["prices"].update(budget=d["prices"]["budget"] + 0.01)),
    "price missing": figures("certificate.json", lambda d: d["prices"].pop("budget")),
    "use of a limit": figures("certificate.json", lambda d: d["limits"][1].update(used=1.0)),
    "hash of an input": figures(
        "certificate.json", lambda d: d["inputs"].update(churn="sha256:" + "0" * 64)
    ),
    "objective": figures("summary.json", lambda d: d.update(objective=d["objective"] * 1.01)),
    "another churn curve": text("../churn.csv", lambda s: s.replace("0.5,", "0.51,")),
    "another borrower's pd": text("../borrowers.csv", lambda s: s.replace("F01,A,0.005", "F01,A,0.006")),
    "a lower limit": text("scenario.yaml", lambda s: s.replace("0.63", "0.05")),
}  # fmt: skip


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_run_exits_5(run: Path, allocator: Allocator, name: str) -> None:
    ALTERED[name](run)
    in_json = allocator("verify", "run", "--json")
    assert in_json.status == 5, in_json.out
    assert in_json.json["error"]["code"] == "certificate_failed"
    assert in_json.json["error"]["faults"]
    in_words = allocator("verify", "run")
    assert (in_words.status, in_words.out) == (5, "")
    assert "Traceback" not in in_words.err


@pytest.mark.parametrize(
    "file",
    [
        "run/allocation.csv", "run/certificate.json", "run/scenario.yaml", "run/summary.json",
        "borrowers.csv", "churn.csv",
    ],
)  # fmt: skip
def test_a_missing_file_exits_2(run: Path, allocator: Allocator, file: str) -> None:
    (run.parent / file).unlink()
    outcome = allocator("verify", "run")
    assert outcome.status == 2
    assert Path(file).name in outcome.told


def test_what_is_no_run_exits_2(case: Path, allocator: Allocator) -> None:
    outcome = allocator("verify", "nowhere")
    assert outcome.status == 2
    assert "nowhere there is no such folder -> name a folder that solve wrote" in outcome.told
