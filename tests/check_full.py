"""Every test marked `full`, and what came of each, in tests/full_results.json (`make check-full`)."""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

RESULTS = Path(__file__).with_name("full_results.json")
LIBRARIES = ("allocator", "highspy", "hypothesis", "numpy", "pyomo", "scipy")


class Record:
    """Collects the outcome and the seconds of each test."""

    def __init__(self) -> None:
        self.tests: list[dict[str, object]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.tests.append(
                {"test": report.nodeid, "outcome": report.outcome, "seconds": round(report.duration, 2)}
            )


def main() -> int:
    record = Record()
    status = int(pytest.main(["-m", "full", *sys.argv[1:]], plugins=[record]))
    results = {
        "passed": status == 0,
        "machine": {"python": platform.python_version(), "system": platform.system()},
        "versions": {name: version(name) for name in LIBRARIES},
        "tests": record.tests,
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
