"""Kill -9 at any moment of a write leaves the old, the new or nothing, and no mixture of them."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT

ALLOWED = {"run": {"none", "new"}, "again": {"old", "new", "none"}, "files": {"whole"}}
"""Between the two renames of a replacement there is no run; the next writer puts the old one back first."""


def states(kind: str, folder: Path, moments: int) -> Counter[str]:
    command = [sys.executable, "-m", "tests.store.killed", kind, str(folder), str(moments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Counter(done.stdout.splitlines())


@pytest.mark.parametrize("kind", ALLOWED)
@pytest.mark.parametrize("moments", [12, pytest.param(200, marks=pytest.mark.full)])
def test_a_write_that_is_killed_leaves_nothing_that_looks_whole(
    kind: str, moments: int, tmp_path: Path
) -> None:
    found = states(kind, tmp_path, moments)
    assert found.total() == moments
    assert set(found) <= ALLOWED[kind]
    assert len(found) > 1 or kind == "files", "the moments lie on both sides of the renames"
