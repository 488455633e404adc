"""What the clock stopped is marked, in tables and in JSON; the clock itself is left out of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from allocator import pipeline
from allocator.errors import NoAllocationError
from allocator.report.plain import STOPPED_NOTE
from tests.cli.conftest import Allocator

optimise = pipeline.optimise


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search ends as if its time were up, with what it has found."""
    monkeypatch.setattr(pipeline, "optimise", lambda *given: replace(optimise(*given), stop="time_limit"))


COMMANDS = {
    "frontier": ("frontier scenario.yaml --limit budget --points 2", lambda found: found["points"]),
    "stress": ("stress scenario.yaml --only mild", lambda found: found["stresses"]),
    "compare": ("compare scenario.yaml --strategies optimal,greedy", lambda found: found["compared"]),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("hurried")
def test_what_was_stopped_is_marked(case: Path, allocator: Allocator, command: str) -> None:
    line, rows = COMMANDS[command]
    page = allocator(*line.split()).out
    assert STOPPED_NOTE in page
    marked = [row for row in page.splitlines() if " *" in row]
    found = rows(allocator(*line.split(), "--json").json)
    assert [row["stopped"] for row in found] == [True] * len(found)
    assert len(marked) == len(found)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_came_to_its_end_is_not(case: Path, allocator: Allocator, command: str) -> None:
    line, rows = COMMANDS[command]
    assert "*" not in allocator(*line.split()).out
    found = rows(allocator(*line.split(), "--json").json)
    assert [row["stopped"] for row in found] == [False] * len(found)


def test_a_point_without_an_allocation_in_time_is_marked(
    case: Path, allocator: Allocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(offers: Any, limits: Any, *given: Any) -> Any:
        if limits.rows[0].rhs > 2_000_000:
            raise NoAllocationError("none within the time limit")
        return optimise(offers, limits, *given)

    monkeypatch.setattr(pipeline, "optimise", none)
    line = "frontier scenario.yaml --limit budget --from 1e6 --to 3e6 --points 2"
    page = allocator(*line.split()).out
    assert "none in time *" in page
    assert STOPPED_NOTE in page
    found = allocator(*line.split(), "--json").json["points"]
    assert [(point["status"], point["stopped"]) for point in found] == [
        ("optimal", False), ("no_allocation", True),
    ]  # fmt: skip
