"""`allocator init`: shipped scenarios in a folder of one's own, ready to solve."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from allocator.cli import init
from tests.cli.conftest import Allocator


def test_a_shipped_scenario_solves_from_the_new_folder(
    tmp_path: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = allocator("init", "work")
    assert outcome.status == 0
    assert "allocator solve work/scenarios/" in outcome.out
    assert allocator("check", "work/scenarios/sme-302.yaml").status == 0
    assert allocator("solve", "work/scenarios/sme-302.yaml", "--out", "run").status == 0


def test_json_lists_the_scenarios(tmp_path: Path, allocator: Allocator) -> None:
    outcome = allocator("init", tmp_path / "work", "--json")
    assert str(tmp_path / "work" / "scenarios" / "sme-302.yaml") in outcome.json["scenarios"]
    assert all(Path(path).is_file() for path in outcome.json["scenarios"])


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, allocator: Allocator) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused = allocator("init", tmp_path)
    assert refused.status == 2
    assert "is not empty -> name a new folder or give --force" in refused.told
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert allocator("init", tmp_path, "--force").status == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_file_in_the_way_is_bad_input(tmp_path: Path, allocator: Allocator) -> None:
    (tmp_path / "file").touch()
    outcome = allocator("init", tmp_path / "file")
    assert outcome.status == 2
    assert "is a file -> name a folder" in outcome.told
    assert allocator("init", tmp_path / "file" / "below").status == 2


def test_a_copy_that_cannot_be_finished_leaves_nothing(
    tmp_path: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, copied = shutil.copy2, []

    def full(source: Path, target: Path) -> None:
        if len(copied) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        copied.append(copy(source, target))

    monkeypatch.setattr(shutil, "copy2", full)
    outcome = allocator("init", tmp_path / "work")
    assert outcome.status == 1
    assert "work No space left on device -> make room or name another folder" in outcome.told
    assert list((tmp_path / "work").iterdir()) == []


def test_an_installed_package_carries_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "allocator"
    for part in init.PARTS:
        (package / "shipped" / part).mkdir(parents=True)
    monkeypatch.setattr(init, "__file__", str(package / "cli" / "init.py"))
    assert init.shipped() == package / "shipped"


def test_a_package_without_them_says_so(
    tmp_path: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(init, "__file__", str(tmp_path / "allocator" / "cli" / "init.py"))
    outcome = allocator("init", tmp_path / "work")
    assert outcome.status == 1
    assert "the scenarios that come with the package are missing; install it again" in outcome.told
    assert not (tmp_path / "work").exists()
