"""What a measuring process runs: one case, peer or knapsack, alone, so that its peak memory is its own.

`python -m benchmarks.worker case NAME SIZE REPEATS GAP` (or `peer NAME CASE SIZE GAP SECONDS`, or
`mmkp NAME SECONDS`) prints one JSON object. benchmarks.measure starts it; nobody else needs to.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from allocator.errors import AllocatorError
from allocator.records.strategy import SolverSettings
from benchmarks.books import Book
from benchmarks.mapped import draw, mapped_book, release
from benchmarks.phases import Finished, figures, run_phases
from benchmarks.registry import CASES, Case

TIME_LIMIT = 60.0
"""Seconds, as a scenario has them unless it says otherwise."""
MAPPED_FROM = 50_000_000
"""Borrowers from which the columns are on disk, mapped."""
_ENOUGH = 40.0
"""Seconds of runs after which none is repeated."""
_WARMING = 30_000
"""Borrowers of the run that loads compiled code before anything is timed."""


def measure_case(name: str, size: int, repeats: int, gap: float) -> dict[str, Any]:
    """The phases of `repeats` runs on one book, after a run of an easy one that warms the caches."""
    case = CASES[name]
    settings = SolverSettings(gap=gap, time_limit=TIME_LIMIT if size < MAPPED_FROM else 10 * TIME_LIMIT)
    with _book(CASES["central"], _WARMING, mapped=size >= MAPPED_FROM) as book:
        run_phases(book, settings)
    started = perf_counter()
    with _book(case, size, mapped=size >= MAPPED_FROM) as book:
        building = perf_counter() - started
        record: dict[str, Any] = {"case": name, "size": size, "seed": case.seed, "build": building}
        return {**record, **_runs(book, settings, repeats, mapped=size >= MAPPED_FROM)}


def _runs(book: Book, settings: SolverSettings, repeats: int, *, mapped: bool) -> dict[str, Any]:
    """Up to `repeats` runs; no further one when they have taken long enough."""
    runs: list[dict[str, float]] = []
    used: list[float] = []
    found: Finished | None = None
    while len(runs) < repeats and sum(run["total"] for run in runs) < _ENOUGH:
        found = None
        gc.collect()
        before = process_time()
        try:
            found = run_phases(book, settings, partial(release, book) if mapped else lambda: None)
        except AllocatorError as error:
            return {"failed": str(error)}
        runs.append(found.seconds)
        used.append(process_time() - before)
    assert found is not None
    return {**figures(book, found), "cpu_seconds": median(used), "runs": runs}


@contextmanager
def _book(case: Case, size: int, *, mapped: bool) -> Iterator[Book]:
    """The case in memory, or the central one in mapped columns."""
    if not mapped:
        yield case.book(size)
        return
    assert case.name == "central", "only the central case is drawn in parts"
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), size)
        yield mapped_book(Path(folder), size)


def main(arguments: list[str]) -> None:
    kind, *rest = arguments
    if kind == "case":
        record = measure_case(rest[0], int(rest[1]), int(rest[2]), float(rest[3]))
    elif kind == "mmkp":
        from benchmarks.mmkp import measure_instance

        record = measure_instance(rest[0], float(rest[1]))
    elif kind == "tree":
        from benchmarks.trees import measure_tree

        record = measure_tree(int(rest[0]))
    elif kind == "scenario":
        from benchmarks.trees import measure_scenario

        record = measure_scenario(rest[0])
    else:
        from benchmarks.peers import measure_peer

        record = measure_peer(rest[0], rest[1], int(rest[2]), float(rest[3]), float(rest[4]))
    json.dump(record, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
