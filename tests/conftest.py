"""Fixtures that every test may use."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from allocator.errors import CertificateError, InputError

SEEN_BY_VERIFY = {"scenario.json", "scenario.yaml"}
"""What a checker without YAML cannot compare."""

ROOT = Path(__file__).resolve().parents[1]
os.environ.pop("COLUMNS", None)  # pages are as wide as a test says, not as whoever starts it


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data: ALLOCATOR_DATA, else ../shared/data beside the project."""
    folder = Path(os.environ.get("ALLOCATOR_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "churn_curve.csv").is_file():
        pytest.skip(f"no real data at {folder}: set ALLOCATOR_DATA to its folder")
    return folder


MOST_CHECKED = 20_000
"""Borrowers up to which a run that a test rechecks is checked by the stand-alone checker too."""


@pytest.fixture(scope="session", autouse=True)
def _both_agree() -> Iterator[None]:
    """Whatever run a test rechecks, `allocator/checker.py` comes to the same verdict."""
    from allocator import checker, verification

    original = verification.recheck_run

    def verdict(stored: Any, rest: Any) -> list[str] | None:
        """The faults that the checker finds; None where it does not look."""
        if rest or len(stored.allocation) > MOST_CHECKED:  # whoever asks for further columns may ask for none
            return None
        if stored.document is None:  # of an earlier version: the checker reads no YAML
            return None
        try:
            return checker.check(str(stored.folder))
        except checker.Missing as missing:
            return [f"missing: {missing}"]

    def recheck_run(stored: Any, *rest: Any) -> Any:
        faults, wrong = verdict(stored, rest), None
        try:
            return original(stored, *rest)
        except (CertificateError, InputError) as error:
            wrong = error
            raise
        finally:
            if faults is not None and (wrong is None) != (faults == []):
                seen = wrong is not None and any(
                    Path(fault.file or "").name in SEEN_BY_VERIFY for fault in wrong.faults
                )
                if not seen:
                    pytest.fail(f"{stored.folder}: verify says {wrong or 'it holds'}, the checker {faults}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification, "recheck_run", recheck_run)
        yield


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis draws the same examples in every run; how many, `strategies.random_cases` says."""
    for name in ("share", "full"):
        settings.register_profile(
            name, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
    settings.load_profile("full" if _asks_for_all(config) else "share")


def _asks_for_all(config: pytest.Config) -> bool:
    """Whether -m names `full`, and not to leave it out."""
    return re.search(r"(?<!not )\bfull\b", config.option.markexpr) is not None


UNCOUNTED = {
    ROOT / "tests" / room
    for room in (
        "benchmarks",
        *(f"certification/test_{name}.py" for name in ("bound", "reported", "terms", "tree")),
        *(
            f"cli/test_{name}.py"
            for name in (
                *("check", "counted", "databases", "documentation", "explain", "judged", "levers", "main"),
                *("malformed", "malformed_scoring", "scorecards", "stopped", "teardown", "verify", "visible"),
            )
        ),
        *(
            f"engine/test_{name}.py"
            for name in (
                *("changes", "concentration", "conflict", "elastic", "greedy", "methods", "optimise"),
                *("options", "pairs", "reasons", "soft", "tree"),
            )
        ),
        "forgery",
        "insight",
        "knapsack",
        *(f"limits/test_{name}.py" for name in ("compile", "families")),
        "oracle",
        "properties",
        "report/test_rules.py",
        "report/test_workbook.py",
        "reported",
        "risk/test_limits.py",
        "rules",
        "scenario/test_loading.py",
        "scenarios",
        *(f"scoring/test_{name}.py" for name in ("indicators", "levels", "rating", "scorecard")),
        "test_docs.py",
        "test_extras.py",
        "test_notebooks.py",
        "test_published.py",
        "test_recipes.py",
        "test_verification.py",
    )
}
"""Tests that run what others run too, long enough for the counting of lines to be half as long again.

Without them all 1 % fewer of the lines and branches are counted.
"""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """What is set up for a test whose lines are not counted is not counted either."""
    counting = getattr(item.config.pluginmanager.getplugin("_cov"), "cov_controller", None)
    if counting is None or item.get_closest_marker("no_cover") is None:
        yield
        return
    counting.pause()
    yield
    counting.resume()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `full` run only where -m asks for them (make check-full)."""
    for item in items:
        if UNCOUNTED.intersection((item.path, *item.path.parents)):
            item.add_marker("no_cover")
    if _asks_for_all(config):
        return
    kept = [item for item in items if item.get_closest_marker("full") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
