"""`allocator synth`: invented borrowers, for trying out and for measuring."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from allocator.cli.options import AsJson
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.report.view import View

EXAMPLE = "Example: allocator synth --borrowers 10000 --seed 1 --out borrowers.parquet"


def synth(
    borrowers: Annotated[int, typer.Option(metavar="N", help="How many borrowers.", min=1)],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A .csv, .parquet or .xlsx file.")],
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same file.", min=0)] = 0,
    years: Annotated[
        str | None,
        typer.Option(metavar="FIRST-LAST", help="Also when each was decided, and what became of it."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a portfolio of invented borrowers in the shape of real ones."""
    decided = None if years is None else _years(years)

    def ask(tell: Progress) -> View:
        tell(f"inventing {borrowers:,} borrowers")
        from allocator.portfolio.synthesis import parts
        from allocator.report.view import View
        from allocator.store.tables import write_tables

        write_tables(parts(borrowers, seed, decided), out, force=force)
        line = f"{borrowers:,} borrowers of seed {seed} written to {out}"
        figures: dict[str, Any] = {"file": str(out), "borrowers": borrowers, "seed": seed}
        figures |= {} if years is None else {"years": years}
        return View(page=lambda: (line,), document=lambda: figures)

    answer(ask, as_json=as_json, verbose=False)


def _years(written: str) -> range:
    span = re.fullmatch(r"([0-9]{4})-([0-9]{4})", written)
    if span is None:
        fault = Fault(f"{written!r} is no span of years", "write it as 2019-2024", field="--years")
        raise InputError.of([fault], "command line")
    return range(int(span[1]), int(span[2]) + 1)
