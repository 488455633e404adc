"""The wheel carries what a newcomer needs: installed elsewhere, it starts a case and solves it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """What a command prints; the test fails where it does."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built without any network."""
    folder = tmp_path_factory.mktemp("wheel")
    offline = ("--no-deps", "--no-index")
    run(sys.executable, *PIP, "wheel", *offline, "--no-build-isolation", "-w", folder, ROOT, folder=folder)
    (built,) = folder.glob("allocator-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel lies, out of sight of the checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    target = folder / "site"
    offline = ("--no-deps", "--no-index", "--no-compile", "--target", target)
    run(sys.executable, *PIP, "install", *offline, wheel, folder=folder)
    return target


def test_the_wheel_holds_scenarios_and_models_and_nothing_of_the_workshop(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    shipped = {name.removeprefix("allocator/shipped/") for name in names if "/shipped/" in name}
    for part in ("scenarios", "models"):
        there = {path.relative_to(ROOT).as_posix() for path in (ROOT / part).rglob("*") if path.is_file()}
        assert there <= shipped
    tops = {name.split("/")[0] for name in names}
    assert "allocator/py.typed" in names
    assert tops == {"allocator", next(top for top in tops if top.endswith(".dist-info"))}


def test_what_is_installed_starts_a_case_and_solves_it(installed: Path, tmp_path: Path) -> None:
    there = {"PYTHONPATH": str(installed)}
    found = run(sys.executable, "-c", "import allocator; print(allocator.__file__)", folder=tmp_path, **there)
    assert Path(found.strip()).is_relative_to(installed)
    command = installed / "bin" / "allocator"
    run(command, "init", "here", folder=tmp_path, **there)
    page = run(command, "solve", "here/scenarios/sme-302.yaml", "--out", "run", folder=tmp_path, **there)
    assert "194 of 302 borrowers funded" in page
    assert "verified from its inputs alone" in run(command, "verify", "run", folder=tmp_path, **there)


def test_the_wheel_says_under_which_terms_it_may_be_used(wheel: Path) -> None:
    held = ZipFile(wheel)
    metadata = next(name for name in held.namelist() if name.endswith(".dist-info/METADATA"))
    lines = held.read(metadata).decode().splitlines()
    assert "License-Expression: Apache-2.0" in lines
    assert "Author: The allocator authors" in lines
    licence = metadata.replace("METADATA", "licenses/LICENSE")
    assert held.read(licence) == (ROOT / "LICENSE").read_bytes()


@pytest.mark.full
def test_who_uses_the_package_is_checked_with_its_types(installed: Path, tmp_path: Path) -> None:
    """`make lint` checks the same program beside the package."""
    shutil.copy(ROOT / "tests" / "consumer.py", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", "consumer.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
