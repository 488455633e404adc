"""Every public name has a docstring, and its examples show what they print."""

from __future__ import annotations

import doctest
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import allocator

ROOT = Path(__file__).resolve().parents[2]
FINDER = doctest.DocTestFinder(exclude_empty=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the shipped scenarios and models."""
    folder = tmp_path_factory.mktemp("examples")
    for part in ("scenarios", "models"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


@pytest.mark.parametrize("name", sorted(set(allocator.__all__) - {"__version__"}))
def test_examples_show_what_they_print(name: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    thing = getattr(allocator, name)
    examples = [test for test in FINDER.find(thing, name, module=False) if test.examples]
    assert examples, "it has no example"
    runner = doctest.DocTestRunner()
    for test in examples:
        report: list[str] = []
        runner.run(test, out=report.append)
        assert not report, "".join(report)


@pytest.mark.parametrize("name", sorted(set(allocator.__all__) - {"__version__"}))
def test_every_public_name_says_what_it_is_and_what_it_raises(name: str) -> None:
    thing = getattr(allocator, name)
    text = inspect.getdoc(thing)
    assert text
    if inspect.isfunction(thing):
        assert "Raises" in text
        for parameter in inspect.signature(thing).parameters:
            assert parameter in text or parameter == "progress", f"says nothing of {parameter}"


def test_what_is_public_is_what_completion_shows() -> None:
    assert dir(allocator) == list(allocator.__all__) == sorted(allocator.__all__)
    with pytest.raises(AttributeError, match="no attribute 'solve'"):
        _ = allocator.solve  # type: ignore[attr-defined]


def test_importing_it_imports_nothing_heavy() -> None:
    script = "import sys, allocator; dir(allocator); print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "allocator" in loaded, done.stderr
    assert not loaded & {"numpy", "pandas", "pyarrow", "pydantic", "rich", "typer", "scipy", "typst"}
    assert not loaded & {"asyncio", "dataclasses", "json", "inspect", "logging", "pathlib"}
