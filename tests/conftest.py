"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data: ALLOCATOR_DATA, else ../shared/data beside the project."""
    folder = Path(os.environ.get("ALLOCATOR_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "churn_curve.csv").is_file():
        pytest.skip(f"no real data at {folder}: set ALLOCATOR_DATA to its folder")
    return folder


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis draws the same examples in every run; how many, `strategies.random_cases` says."""
    for name in ("share", "full"):
        settings.register_profile(
            name, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
    settings.load_profile("full" if "full" in config.option.markexpr else "share")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `full` run only where -m asks for them (make check-full)."""
    if "full" in config.option.markexpr:
        return
    kept = [item for item in items if item.get_closest_marker("full") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
