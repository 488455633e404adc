"""Runs that passed their recheck once and should not have, each refused for what is wrong with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from allocator.errors import CertificateError
from allocator.pipeline import allocate
from allocator.records.document import seen_from
from allocator.scenario import dump_scenario, load_scenario
from allocator.store import read_run, write_run
from allocator.store.text import to_json
from allocator.verification import verify_run

REPORTED = Path(__file__).parent / "reported"


def reported(name: str, to: Path) -> Path:
    """A copy of one case."""
    return Path(shutil.copytree(REPORTED / name, to / name))


@pytest.mark.parametrize(
    ("name", "run", "told"),
    [
        ("forged-bound", "forged", "certificate bound: says 999424.0, the inputs give"),
        ("vnd-forged-60-loans", "run", "limit few: uses 60.00 against at most 50.00"),
        ("off-the-cent", "forged", "amount that is no multiple of 0.01: 79,999,999.9963"),
    ],
)
def test_a_forged_run_is_refused_for_what_is_forged(tmp_path: Path, name: str, run: str, told: str) -> None:
    folder = reported(name, tmp_path) / run
    scenario = load_scenario(folder / "scenario.yaml")
    document = seen_from(scenario.document, scenario.paths, folder)
    (folder / "scenario.json").write_text(to_json(document))
    with pytest.raises(CertificateError) as caught:
        verify_run(read_run(folder))
    assert told in str(caught.value)


def test_half_of_the_total_exactly_is_proved(tmp_path: Path) -> None:
    """Prices of a tree's node that cancel: its bound is stated as the recheck has it."""
    folder = reported("exact-half-of-total-recheck", tmp_path)
    scenario = load_scenario(folder / "s.yaml")
    out = folder / "run"
    write_run(allocate(scenario), out, scenario_text=dump_scenario(scenario, out), force=False)
    stored = read_run(out)
    assert stored.summary["status"] == "optimal"
    assert stored.summary["objective"] == pytest.approx(5_023_331.11, abs=0.01)
    verify_run(stored, exact=True)
