"""No alteration of a run passes `verify` or the stand-alone checker; what changes nothing passes both."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from allocator import checker
from allocator.errors import CertificateError
from allocator.store import read_run
from allocator.verification import verify_run
from tests.forgery import runs
from tests.forgery.alterations import ALL, Alteration
from tests.forgery.harmless import HARMLESS
from tests.forgery.largest import LARGEST
from tests.forgery.lenient import LENIENT
from tests.forgery.runs import Files, solved
from tests.forgery.sectors import SECTORS
from tests.forgery.stated_prices import STATED_PRICES
from tests.forgery.worst import WORST

BASES = (
    *(
        "rich",
        "cents",
        "steps",
        "sized",
        "menus",
        "stressed",
        "followed",
        "shares",
        "groups",
        "changed",
        "reported",
        "lists",
        "segments",
        "grid",
        "conditional",
        "soft",
        "earning",
        "weighted",
        "worst",
        "counted",
        "sectors",
        "largest",
        "workbook",
    ),
)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Base -> its folder, solved once."""
    folder = tmp_path_factory.mktemp("bases")
    return {name: solved(folder / name, getattr(runs, name.upper())).parent for name in BASES}


def copy_of(bases: dict[str, Path], name: str, tmp_path: Path) -> Files:
    shutil.copytree(bases[name], tmp_path / name)
    return Files(tmp_path / name / "run")


@pytest.mark.parametrize("name", BASES)
def test_runs_as_they_were_written_pass_both(bases: dict[str, Path], name: str) -> None:
    verify_run(read_run(bases[name] / "run"))
    assert checker.check(str(bases[name] / "run")) == []


ALTERED = [*ALL, *LENIENT, *LARGEST, *SECTORS, *STATED_PRICES, *WORST]


@pytest.mark.parametrize("alteration", ALTERED, ids=[one.label for one in ALTERED])
def test_no_alteration_passes(bases: dict[str, Path], alteration: Alteration, tmp_path: Path) -> None:
    files = copy_of(bases, alteration.base, tmp_path)
    alteration.change(files)
    with pytest.raises(CertificateError):
        verify_run(read_run(files.run))
    assert checker.check(str(files.run))


@pytest.mark.parametrize("change", HARMLESS, ids=[one.label for one in HARMLESS])
def test_what_changes_nothing_passes(bases: dict[str, Path], change: Alteration, tmp_path: Path) -> None:
    files = copy_of(bases, change.base, tmp_path)
    change.change(files)
    verify_run(read_run(files.run))
    assert checker.check(str(files.run)) == []


def test_there_are_enough_of_them() -> None:
    assert len({one.label for one in ALL}) == len(ALL) >= 150
    assert len({one.label for one in HARMLESS}) == len(HARMLESS) >= 40
