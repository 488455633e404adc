"""Versions at both ends of what pyproject.toml allows, for `make test-oldest` and `make test-newest`.

    python -m tests.bounds oldest     each library at its lower bound, a requirement a line
    python -m tests.bounds newest     each as pyproject.toml has it: pip takes the newest

The tools that run the tests are those of requirements.lock.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("editables", "hatchling", "hypothesis", "pytest", "pytest-xdist", "scikit-learn")
"""What the tests need beside the package."""
_AT_LEAST = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)(,<[\w.]+)?")


def requirements(end: str) -> list[str]:
    """One line a library: `numpy==2.4` at the oldest end, `numpy>=2.4` at the newest."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [str(line) for line in project["dependencies"]]
    if end == "newest":
        return wanted
    found = [_AT_LEAST.fullmatch(line) for line in wanted]
    assert all(found), "every library has a lower bound"
    return [f"{match[1]}=={match[2]}" for match in found if match]


def tools() -> list[str]:
    """The tests' tools as they are locked."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0].lower() in TOOLS]


if __name__ == "__main__":
    print("\n".join([*requirements(sys.argv[1]), *tools()]))
