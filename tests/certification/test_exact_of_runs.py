"""Bounds and values of random runs, written and read again, in rational numbers: trees among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator import allocate, load_scenario
from allocator.errors import AllocatorError
from allocator.store import read_run
from allocator.verification import verify_run
from tests.oracle.generator import draw

ALL, SHARE, BLOCK = 200, 20, 10


def confirmed(seeds: range, folder: Path) -> list[bool]:
    """Whether each run of a book that has an allocation rests on a tree; raises where one does not hold."""
    found = []
    for seed in seeds:
        scenario = load_scenario(draw(seed).write(folder / str(seed)))
        try:
            run = allocate(scenario)
        except AllocatorError:
            continue
        written = folder / str(seed) / "run"
        run.save(written)
        verify_run(read_run(written), exact=True)
        found.append(run.certificate.tree is not None)
    return found


def test_bounds_and_values_of_random_runs_are_confirmed(tmp_path: Path) -> None:
    trees = confirmed(range(SHARE), tmp_path)
    assert len(trees) >= SHARE // 2
    assert any(trees)


def test_a_book_of_idle_money_alone_is_proved_to_the_checker_too(tmp_path: Path) -> None:
    """All of its bound is what idle money earns, whose error both count in as many operations."""
    assert confirmed(range(1_214, 1_215), tmp_path) == [False]


@pytest.mark.full
@pytest.mark.parametrize("first", range(1_000, 1_000 + ALL + ALL // 2, BLOCK))
def test_bounds_and_values_of_two_hundred_runs_are_confirmed(first: int, tmp_path: Path) -> None:
    """Of books without an allocation there is nothing to confirm: so there are half as many more."""
    assert confirmed(range(first, first + BLOCK), tmp_path)
