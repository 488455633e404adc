"""The wheel alone in an empty environment: what comes with it, how large that is, and what it can do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_wheel import PIP, run, wheel  # noqa: F401

LARGEST = 800
"""Megabytes that the package and all that it brings may take, compiled to bytecode too."""
SIZES = """\
import json
from importlib.metadata import distributions
held = {}
for one in distributions():
    paths = {one.locate_file(path).resolve() for path in one.files or ()}
    held[one.name] = sum(path.stat().st_size for path in paths if path.is_file())
print(json.dumps(held))
"""

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """Where an empty environment's commands lie, the wheel and nothing else installed in it."""
    folder = tmp_path_factory.mktemp("light")
    run(sys.executable, "-m", "venv", "there", folder=folder)
    run(folder / "there" / "bin" / "python", *PIP, "install", wheel, folder=folder)
    return folder / "there" / "bin"


def test_a_light_install_is_small(environment: Path, tmp_path: Path) -> None:
    held: dict[str, int] = json.loads(run(environment / "python", "-c", SIZES, folder=tmp_path))
    brought = {name: size / 1e6 for name, size in held.items() if name not in ("pip", "setuptools")}
    largest = sorted(brought.items(), key=lambda pair: -pair[1])[:8]
    told = ", ".join(f"{name} {size:.0f}" for name, size in largest)
    print(f"{sum(brought.values()):.0f} MB in {len(brought)} distributions: {told}")
    assert sum(brought.values()) < LARGEST
    assert not brought.keys() & {"typst", "statsmodels", "SQLAlchemy", "xlsxwriter"}


def test_the_checks_for_other_packages_need_no_framework(environment: Path, tmp_path: Path) -> None:
    program = "import allocator.testing as t; from allocator.plugins import PluginMeasure; import sys\n"
    program += (
        "t.check_measure(PluginMeasure('drawn', ('pd',), lambda pd: pd)); print('pytest' in sys.modules)"
    )
    assert run(environment / "python", "-c", program, folder=tmp_path) == "False\n"


def test_it_solves_verifies_and_says_what_it_lacks(environment: Path, tmp_path: Path) -> None:
    command = environment / "allocator"
    run(command, "init", "here", folder=tmp_path)
    scenario = "here/scenarios/sme-302.yaml"
    assert "194 of 302 borrowers funded" in run(command, "solve", scenario, "--out", "run", folder=tmp_path)
    assert "verified from its inputs alone" in run(command, "verify", "run", folder=tmp_path)
    run(command, "synth", "--borrowers", "500", "--out", "borrowers.parquet", folder=tmp_path)
    shutil.copy(tmp_path / "borrowers.parquet", tmp_path / "here" / "scenarios")
    parquet = ("--set", "portfolio={source: borrowers.parquet}")
    run(command, "solve", scenario, *parquet, "--out", "second", folder=tmp_path)
    run(command, "verify", "second", folder=tmp_path)
    for asks, extra in (
        (["synth", "--borrowers", "9", "--out", "made.xlsx"], "excel"),
        (["frontier", scenario, "--limit", "budget", "--plot", "made.png"], "pdf"),
    ):
        done = subprocess.run(
            [str(command), *asks], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert f'-> pip install "allocator[{extra}]"' in done.stderr
