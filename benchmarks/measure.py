"""Starts measuring processes one after the other and keeps what they say as JSON.

One process a measurement, so that its peak memory is its own; nothing runs beside it. A process that
outlasts its time is ended, and the record says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from benchmarks.machine import load, machine

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"


def child(arguments: Sequence[str], limit: float) -> dict[str, Any]:
    """What `python ARGUMENTS` prints as JSON, with its wall seconds, peak memory and the load before it."""
    before = load()
    started = perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=out, stderr=err)
        status, usage, ended = _wait(process, started + limit)
        out.seek(0)
        err.seek(0)
        said, words = out.read(), err.read().decode(errors="replace")
    record: dict[str, Any] = {}
    if ended:
        record["failed"] = f"ended after {limit:,.0f} seconds"
    elif status != 0:
        record["failed"] = (words.strip().splitlines() or [f"exit status {status}"])[-1]
    else:
        record.update(json.loads(said[said.index(b"{") :]))  # HiGHS may have said hello first
    peak = usage.ru_maxrss / 1024
    return {**record, "wall": perf_counter() - started, "peak_memory_mb": round(peak), "load": before}


def _wait(process: subprocess.Popen[bytes], until: float) -> tuple[int, Any, bool]:
    """Exit status, resources used, and whether the process had to be ended."""
    ended = False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage, ended
        if perf_counter() > until and not ended:
            process.kill()
            ended = True
        sleep(0.01)


def medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each phase, over the runs that had it; a total's median is of the totals."""
    phases = list(dict.fromkeys(phase for run in runs for phase in run))
    return {phase: median(run[phase] for run in runs if phase in run) for phase in phases}


def keep(name: str, content: dict[str, Any]) -> Path:
    """Write results/NAME.json with the machine and the day."""
    RESULTS.mkdir(exist_ok=True)
    document = {"name": name, "day": datetime.now(UTC).date().isoformat(), "machine": machine(), **content}
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return path


def results() -> dict[str, dict[str, Any]]:
    """Every kept result by its name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("*.json"))}


def measure_case(case: str, size: int, repeats: int, gap: float, limit: float) -> dict[str, Any]:
    """One case at one size, in a process of its own."""
    record = child(["-m", "benchmarks.worker", "case", case, str(size), str(repeats), str(gap)], limit)
    if "runs" in record:
        record["seconds"] = medians(record["runs"])
    return {"case": case, "size": size, **record}
