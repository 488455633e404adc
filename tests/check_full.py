"""Every case, and what came of each test in tests/full_results.json (`make check-full`).

    python -m tests.check_full [PYTEST ARGUMENTS]

Arguments narrow down which tests run; what is known of the others stays.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).with_name("full_results.json")
LIBRARIES = ("allocator", "highspy", "hypothesis", "numpy", "pyomo", "scipy")
ALL = ("-m", "full or random", "-n", "2", "--dist", "worksteal")

Results = dict[str, dict[str, Any]]
"""Test -> outcome, seconds and what it ran with."""


class Record:
    """Collects the outcome and the seconds of each test."""

    def __init__(self) -> None:
        self.tests: Results = {}
        libraries = (f"{name} {version(name)}" for name in LIBRARIES)
        self.environment = ", ".join([f"Python {platform.python_version()}", *libraries])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            seconds = round(report.duration, 2)
            found = {"outcome": report.outcome, "seconds": seconds, "ran_with": self.environment}
            self.tests[report.nodeid] = found


def read(path: Path) -> Results:
    """What the file says by test; nothing where there is none."""
    if not path.exists():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    environments = document["environments"]
    return {
        name: {**result, "ran_with": environments[result["ran_with"]]}
        for name, result in document["tests"].items()
    }


def write(path: Path, tests: Results) -> None:
    """One line a test; what it ran with is named once for all that ran with it."""
    environments = sorted({result["ran_with"] for result in tests.values()})
    numbered = {name: {**one, "ran_with": environments.index(one["ran_with"])} for name, one in tests.items()}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(numbered[name])}" for name in sorted(numbered))
    text = f'{{"environments": {json.dumps(environments, indent=1)},\n"tests": {{\n{lines}\n}}}}\n'
    path.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    record = Record()
    status = int(pytest.main([*ALL, *arguments], plugins=[record]))
    write(RESULTS, {**(read(RESULTS) if arguments else {}), **record.tests})
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
