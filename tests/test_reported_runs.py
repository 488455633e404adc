"""Runs that passed their recheck once and should not have, each refused for what is wrong with it."""

from __future__ import annotations

import shutil
from math import nextafter
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


def _home(name: str) -> Path:
    """Where a case lies: those of the commands stand by themselves."""
    return next(folder for folder in (REPORTED / name, REPORTED / "cases" / name) if folder.is_dir())


def reported(name: str, to: Path) -> Path:
    """A copy of one case."""
    return Path(shutil.copytree(_home(name), to / name))


@pytest.mark.parametrize(
    ("name", "run", "told"),
    [
        ("forged-bound", "forged", "certificate bound: says 999424.0, the inputs give"),
        ("vnd-forged-60-loans", "run", "limit few: uses 60.00 against at most 50.00"),
        ("off-the-cent", "forged", "amount that is no multiple of 0.01: 79,999,999.9963"),
    ],
)
@pytest.mark.parametrize("earlier", [True, False])
def test_a_forged_run_is_refused_for_what_is_forged(
    tmp_path: Path, name: str, run: str, told: str, earlier: bool
) -> None:
    """As earlier versions wrote runs, without scenario.json, and with it."""
    folder = reported(name, tmp_path) / run
    if not earlier:
        scenario = load_scenario(folder / "scenario.yaml")
        document = seen_from(scenario.document, scenario.paths, folder)
        (folder / "scenario.json").write_text(to_json(document))
    with pytest.raises(CertificateError) as caught:
        verify_run(read_run(folder))
    assert told in str(caught.value)


def test_a_run_of_an_earlier_version_holds_in_rational_numbers(tmp_path: Path) -> None:
    """Its bound and value are sums in doubles that were not rounded outwards; one digit further is false."""
    run = reported("lends-nothing", tmp_path) / "better"
    certificate = verify_run(read_run(run))
    assert certificate.value < 2470546.226389057
    assert certificate.bound > 2470546.2466401113
    for key, stated, away in (("bound", 2470546.2466401113, 0.0), ("value", 2470546.226389057, 1e9)):
        folder = Path(shutil.copytree(run, run.with_name(key)))
        for file in ("certificate.json", "summary.json"):
            text = (folder / file).read_text()
            assert str(stated) in text
            (folder / file).write_text(text.replace(str(stated), str(nextafter(stated, away))))
        with pytest.raises(CertificateError) as caught:
            verify_run(read_run(folder))
        assert f"certificate {key}" in str(caught.value)


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
