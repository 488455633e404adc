"""A run for a test alone, of a module that solves it once."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest


@pytest.fixture
def run(solved: Path, tmp_path: Path) -> Path:
    """The run beside its inputs, for the test alone."""
    return copytree(solved, tmp_path, dirs_exist_ok=True) / "run"
