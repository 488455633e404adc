"""What a measuring process runs: one case, peer or knapsack, alone, so that its peak memory is its own.

`python -m benchmarks.worker case NAME SIZE REPEATS` (or `peer NAME CASE SIZE GAP SECONDS`, or
`mmkp NAME SECONDS`) prints one JSON object. benchmarks.measure starts it; nobody else needs to.
"""

from __future__ import annotations

import gc
import json
import sys
from time import perf_counter
from typing import Any

from allocator.errors import AllocatorError
from allocator.records.scenario import SolverSettings
from benchmarks.phases import Finished, figures, run_phases
from benchmarks.registry import CASES

GAP = 1e-9
TIME_LIMIT = 60.0
"""Seconds, as a scenario has them unless it says otherwise."""
_WARMING = 30_000
"""Borrowers of the run that loads compiled code before anything is timed."""


def measure_case(name: str, size: int, repeats: int) -> dict[str, Any]:
    """The phases of `repeats` runs on one book, after a run of another that warms the caches."""
    case, settings = CASES[name], SolverSettings(gap=GAP, time_limit=TIME_LIMIT)
    run_phases(CASES["central"].book(_WARMING), settings)
    started = perf_counter()
    book = case.book(size)
    building = perf_counter() - started
    record: dict[str, Any] = {"case": name, "size": size, "seed": case.seed, "build": building}
    runs: list[dict[str, float]] = []
    found: Finished | None = None
    for _ in range(repeats):
        found = None
        gc.collect()
        try:
            found = run_phases(book, settings)
        except AllocatorError as error:
            return {**record, "failed": str(error)}
        runs.append(found.seconds)
    assert found is not None
    return {**record, **figures(book, found), "runs": runs}


def main(arguments: list[str]) -> None:
    kind, *rest = arguments
    if kind == "case":
        record = measure_case(rest[0], int(rest[1]), int(rest[2]))
    elif kind == "mmkp":
        from benchmarks.mmkp import measure_instance

        record = measure_instance(rest[0], float(rest[1]))
    else:
        from benchmarks.peers import measure_peer

        record = measure_peer(rest[0], rest[1], int(rest[2]), float(rest[3]), float(rest[4]))
    json.dump(record, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
