"""Small books whose last cents a proof tree closes: the run calls itself optimal, and can be rechecked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from allocator import checker, load_scenario
from allocator.pipeline import allocate
from allocator.scenario import dump_scenario
from allocator.store import write_run
from tests.forgery.runs import Files
from tests.oracle.comparison import compare
from tests.oracle.generator import draw


@pytest.mark.parametrize("seed", [25, 47, 78, 114, 161, 198, 253, 274, 305])
def test_a_gap_of_a_cents_worth_is_closed(seed: int, tmp_path: Path) -> None:
    """In cents, in steps that the solver sees but dimly, with prices large enough for rounding to tell."""
    assert compare(draw(seed), tmp_path) == []


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run proved by a tree that splits cents."""
    folder = tmp_path_factory.mktemp("cents")
    loaded, out = load_scenario(draw(161).write(folder)), folder / "run"
    write_run(allocate(loaded), out, scenario_text=dump_scenario(loaded, out), force=False)
    return out


def test_a_tree_that_splits_cents_can_be_rechecked(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    assert (summary["status"], summary["proof"]) == ("optimal", "tree")
    assert checker.check(str(run)) == []


@pytest.mark.parametrize("by", [0.005, -0.0025, 1e-9])
def test_a_split_off_the_cent_is_refused(run: Path, by: float) -> None:
    """Between its two sides there might be a cent that neither holds."""
    files = Files(run)
    kept = files.text("certificate.json")

    def forge(document: dict[str, Any]) -> None:
        split = next(node for node in document["tree"]["nodes"] if "amounts" in node)
        split["amounts"] += by

    files.edit("certificate.json", forge)
    faults = checker.check(str(run))
    files.write("certificate.json", kept)
    assert any("which is no amount" in fault for fault in faults)
