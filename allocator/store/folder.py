"""A run as a folder: written whole or not at all, and recognised."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.document import seen_from, value_at
from allocator.records.run import Run
from allocator.records.scenario import Scenario
from allocator.store.certificate import certificate_to_json
from allocator.store.placing import placed_whole, require_writable, resolved
from allocator.store.text import to_json

SUMMARY = "summary.json"
CERTIFICATE = "certificate.json"
SCENARIO = "scenario.yaml"
RESOLVED = "scenario.json"
"""The same as JSON, which has one reading."""
_LOG = "solver.log"
BORROWERS = "borrowers.csv"
"""The borrowers before the stress, where a checker could not read their source."""
ALLOCATION_CSV = "allocation.csv"
ALLOCATION_PARQUET = "allocation.parquet"
TEXTS = ("borrower_id", "grade", "reason")
"""Columns of the allocation that are text; the others are numbers."""
PARQUET_FROM = 100_000
"""Borrowers from which the allocation is written as Parquet."""


def write_run(run: Run, folder: Path, *, scenario_text: str, force: bool) -> Path:
    """Write `run` as `folder` and return it without links, absolute.

    An existing folder is replaced, all of it, only if it is a run and `force` is given. Of two
    writers to one folder the later waits for the earlier and then finds the folder taken. Raises
    InputError where nothing may be written, OutputError where the folder is taken or the disk full;
    the folder is then as it was before.
    """
    with placed_whole(folder, lambda: _occupied_faults(resolved(folder), force)) as fresh:
        started = perf_counter()
        _write_allocation(run.allocation, fresh)
        _write_text(fresh / SCENARIO, scenario_text)
        scenario = run.scenario
        _write_text(fresh / RESOLVED, to_json(seen_from(scenario.document, scenario.paths, resolved(folder))))
        _write_text(fresh / _LOG, run.log)
        for frame in scenario.frames.values():
            (fresh / frame.name).write_bytes(frame.content)
        if run.borrowers is not None:
            (fresh / BORROWERS).write_bytes(run.borrowers)
        _write_text(fresh / CERTIFICATE, to_json(certificate_to_json(run.certificate)))
        _write_text(fresh / SUMMARY, to_json(_with_write_seconds(run.summary, perf_counter() - started)))
    return resolved(folder)


def require_free(folder: Path, force: bool, scenario: Scenario | None = None) -> None:
    """Raise InputError now if `write_run` to `folder` would be refused later, or would replace what
    the scenario reads."""
    fault = _occupied_faults(resolved(folder), force)
    faults = [] if fault is None else [fault]
    faults += [] if scenario is None else _read_from(resolved(folder), scenario)
    if faults:
        raise InputError.of(faults, "output")
    require_writable(folder)


def _read_from(folder: Path, scenario: Scenario) -> list[Fault]:
    """The inputs of the scenario that would go with `folder`."""
    named = ((place, value_at(scenario.document, place)) for place in scenario.paths)
    read = [".".join(place) for place, path in named if resolved(Path(path)).is_relative_to(folder)]
    remedy = "name another folder: it would be replaced"
    return [Fault(f"holds what the scenario reads as {key}", remedy, file=str(folder)) for key in read]


def is_run(folder: Path) -> bool:
    """Whether `folder` holds what marks a run: its summary and its certificate."""
    return all(os.path.isfile(folder / name) for name in (SUMMARY, CERTIFICATE))


def default_folder(run: Run) -> Path:
    """runs/NAME-DIGEST: the scenario's name, made fit for a file system, and what it was run on."""
    name = re.sub(r"[^\w.-]+", "-", run.scenario.name).strip(".-") or "run"
    digest = str(run.summary["digest"]).rpartition(":")[2]
    return Path("runs") / f"{name}-{digest[:12]}"


def _occupied_faults(folder: Path, force: bool) -> Fault | None:
    """Why `folder` may not be written: it is there, and not ours to replace."""
    if not os.path.exists(folder):  # unlike Path.exists, quiet about names that are too long
        return None
    if not is_run(folder):
        kind = "folder that is not a run" if folder.is_dir() else "file"
        return Fault(f"stands for a {kind}", "name a folder that does not exist yet", file=str(folder))
    if not force:
        return Fault("holds a run already", "give --force to replace it, or name another", file=str(folder))
    return None


def _with_write_seconds(summary: Mapping[str, Any], writing: float) -> dict[str, Any]:
    """The summary with the seconds that writing took."""
    seconds = summary.get("seconds", {})
    return {
        **summary,
        "seconds": {**seconds, "write": writing, "total": seconds.get("total", 0.0) + writing},
    }


def _write_allocation(allocation: pd.DataFrame, folder: Path) -> None:
    """CSV, or Parquet from `PARQUET_FROM` rows; CSV numbers have the digits to be read back exactly."""
    if len(allocation) >= PARQUET_FROM:
        with (folder / ALLOCATION_PARQUET).open("wb") as file:
            allocation.to_parquet(file, index=False)
        return
    # Without quotes a lone carriage return inside a text would read as the end of a row.
    returns = any("\r" in text for column in TEXTS for text in allocation[column].dropna().unique())
    quoting: Literal[0, 2] = csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL
    with (folder / ALLOCATION_CSV).open("w", encoding="utf-8", newline="") as file:
        allocation.to_csv(file, index=False, lineterminator="\n", quoting=quoting)


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
