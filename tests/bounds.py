"""Versions at both ends of what pyproject.toml allows, for `make test-oldest` and `make test-newest`.

    python -m tests.bounds oldest     each library at its lower bound, a requirement a line; extras too
    python -m tests.bounds newest     each as pyproject.toml has it: pip takes the newest
    python -m tests.bounds 3.12       each as requirements.lock has it, for another version of Python

The tools that run the tests are those of requirements.lock.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("editables", "hatchling", "hypothesis", "pytest", "pytest-xdist", "polars", "polars-runtime-32")
"""What the tests need beside the package."""
_AT_LEAST = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)(,<[\w.]+)?")


def requirements(end: str) -> list[str]:
    """One line a library: `numpy==2.4` at the oldest end, `numpy>=2.4` at the newest.

    For a version of Python it is also `numpy>=2.4`, held to what is locked.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    used = [line for extra in chosen(extras["all"]) for line in extras[extra]]
    wanted = [str(line) for line in [*project["dependencies"], *used]]
    if end != "oldest":
        return wanted if end == "newest" else [f"-c {ROOT / 'requirements.lock'}", *wanted]
    found = [_AT_LEAST.fullmatch(line) for line in wanted]
    assert all(found), "every library has a lower bound"
    return [f"{match[1]}=={match[2]}" for match in found if match]


def chosen(all_of: list[str]) -> list[str]:
    """The extras that `all` names: allocator[excel,pdf] is excel and pdf."""
    (line,) = all_of
    return line.removeprefix("allocator[").removesuffix("]").split(",")


def tools() -> list[str]:
    """The tests' tools as they are locked."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0].lower() in TOOLS]


if __name__ == "__main__":
    print("\n".join([*requirements(sys.argv[1]), *tools()]))
