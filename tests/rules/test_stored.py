"""A strategy's run in its folder: it says what it breaks, and does not pass its recheck where it hides it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from allocator.errors import CertificateError
from allocator.pipeline import allocate
from allocator.scenario import dump_scenario, load_scenario
from allocator.store import read_run, write_run
from allocator.verification import verify_run
from tests.cases import BORROWERS, write_rich

BOOK = """\
borrower_id,amount,rate
F01,500000,0.06
F04,700000,0.0725
F05,400000,0.0625
F07,600000,0.08
F11,150000,0.08
F12,123456.78,0.0725
"""
"""F04 is above the ticket, it and F05 off the grid, F11 excluded; eight loans are wanted."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of the book, whose inputs lie beside it."""
    path = write_rich(tmp_path)
    (tmp_path / "theirs.csv").write_text(BOOK)
    scenario = load_scenario(path, [f"strategy.file={tmp_path / 'theirs.csv'}"])
    write_run(
        allocate(scenario),
        tmp_path / "run",
        scenario_text=dump_scenario(scenario, tmp_path / "run"),
        force=False,
    )
    return tmp_path / "run"


def summary_of(run: Path) -> Any:
    return json.loads((run / "summary.json").read_text())


def test_it_says_what_it_breaks_and_passes(run: Path) -> None:
    summary = summary_of(run)
    assert summary["status"] == "breaks_limits"
    assert summary["strategy"] == "theirs.csv"
    assert "book" in summary["limits_broken"]
    assert [use["name"] for use in summary["limits"] if use["broken"]] == summary["limits_broken"]
    assert summary["terms_broken"] == {
        "amount to a borrower who may not be offered anything": 1,
        "amount outside the borrower's smallest and largest loan": 1,
        "rate that may not be offered": 2,
    }
    assert verify_run(read_run(run)).value == summary["objective"]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("limits_broken", [], "summary limits_broken: says [], the inputs give ["),
        ("terms_broken", {}, "summary terms_broken amount to a borrower who may not be offered anything"),
        ("status", "feasible", "says 'feasible' at a gap of"),
        ("bound", 1e9, "summary bound: says 1000000000.0, outside"),
        ("bound", 1.0, "summary bound: says 1.0, outside"),
        ("strategy", "optimal", "summary strategy: says 'optimal', the inputs give 'theirs.csv'"),
    ],
)
def test_it_does_not_pass_where_it_hides_something(run: Path, key: str, value: Any, told: str) -> None:
    document = {**summary_of(run), key: value}
    (run / "summary.json").write_text(json.dumps(document))
    with pytest.raises(CertificateError) as caught:
        verify_run(read_run(run))
    assert told in "\n".join(map(str, caught.value.faults))


def test_the_optimum_may_not_break_what_a_strategy_may(run: Path) -> None:
    path = run / "scenario.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("strategy:")] + text[text.index("solver:") :])
    with pytest.raises(CertificateError) as caught:
        verify_run(read_run(run))
    assert "the allocation breaks this limit" in "\n".join(map(str, caught.value.faults))


@pytest.mark.parametrize(
    "strategy",
    ["equal", "by_score", "greedy", "max_interest", "min_loss", "{ahp_lines: {lines: {A: 60%, B: 30%}}}"],
)
def test_the_order_of_rows_changes_no_bit(tmp_path: Path, strategy: str) -> None:
    header, *rows = BORROWERS.splitlines()
    random.Random(strategy).shuffle(rows)
    found = []
    for name, text in (("one", BORROWERS), ("two", "\n".join([header, *rows]) + "\n")):
        (tmp_path / name).mkdir()
        run = allocate(load_scenario(write_rich(tmp_path / name, text), [f"strategy={strategy}"]))
        ordered = run.allocation.sort_values("borrower_id", ignore_index=True)
        found.append((ordered.astype({"grade": str, "reason": str}), run.certificate.value, run.status))
    assert found[0][0].equals(found[1][0])
    assert found[0][1:] == found[1][1:]
