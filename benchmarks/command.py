"""The whole command: Parquet in, `allocator solve`, Parquet out, on the central case."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.books import CHURN, Book
from benchmarks.measure import ROOT, child, medians
from benchmarks.registry import CASES, LENT

SCENARIO = """\
schema: 1
name: central
portfolio: {{source: borrowers.parquet}}
response: {{churn: churn.csv, smoothing: isotonic}}
policy:
  budget: {{amount: {budget}}}
  ticket: {{min: 100_000, max: 1_000_000}}
  rates: {{A: [4%, 15%], B: [4%, 15%], C: [4%, 15%]}}
  limits:
    - {{name: grades, measure: offered, where: {{grade: [A, B, C]}}, each: grade, at_most: 40%, of: budget}}
    - {{name: sectors, measure: offered, each: sector, at_most: 12%, of: budget}}
    - {{name: regions, measure: offered, each: region, at_most: 15%, of: budget}}
    - {{name: expected loss, measure: expected_loss, at_most: {loss}}}
    - {{name: capital, measure: drawn, weight: k, at_most: {capital}}}
solver: {{gap: 1.0e-9}}
"""
_COMMAND = "import sys; from allocator.cli.main import main; sys.exit(main())"
_WRITER = (
    "import sys; from pathlib import Path; from benchmarks.command import write_scenario; "
    "write_scenario(Path(sys.argv[1]), int(sys.argv[2]))"
)


def write_scenario(folder: Path, size: int) -> Path:
    """The central case of `size` borrowers as files; the path of its scenario."""
    book, budget = CASES["central"].book(size), LENT * size
    pq.write_table(as_table(book), folder / "borrowers.parquet")
    shutil.copy(CHURN, folder / "churn.csv")
    path = folder / "scenario.yaml"
    path.write_text(SCENARIO.format(budget=budget, loss=0.005 * budget, capital=0.03 * budget))
    return path


def as_table(book: Book) -> pa.Table:
    """The columns that a source would have."""
    own = book.portfolio
    texts = {"grade": own.grade, **own.texts}
    return pa.table(
        {
            "borrower_id": pa.array(own.borrower_id, pa.string()),
            "pd": own.pd,
            "lgd": own.lgd,
            "max_amount": own.max_amount,
            **own.numbers,
            **{
                name: pa.DictionaryArray.from_arrays(text.codes, list(text.values))
                for name, text in texts.items()
            },
        }
    )


def measure_command(size: int, repeats: int, limit: float) -> dict[str, Any]:
    """Medians of the command's own seconds, of its wall time and of its peak memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In a process of its own: what a book in memory takes would count as the children's peak.
        subprocess.run([sys.executable, "-c", _WRITER, name, str(size)], cwd=ROOT, check=True)
        arguments = [
            "solve",
            str(folder / "scenario.yaml"),
            "--out",
            str(folder / "run"),
            "--force",
            "--json",
        ]
        runs = [child(["-c", _COMMAND, *arguments, "--force", "--json"], limit) for _ in range(repeats)]
    failed = [run["failed"] for run in runs if "failed" in run]
    if failed:
        return {"size": size, "failed": failed[0]}
    first = runs[0]
    return {
        "size": size,
        **{key: first[key] for key in ("status", "objective", "gap", "certified_gap", "funded")},
        "walls": [run["wall"] for run in runs],
        "peak_memory_mb": max(run["peak_memory_mb"] for run in runs),
        "loads": [run["load"] for run in runs],
        "seconds": medians([{**run["seconds"], "wall": run["wall"]} for run in runs]),
    }
