"""`allocator synth`: invented borrowers, for trying out and for measuring."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.options import AsJson
from allocator.cli.output import print_json, print_line, progress

EXAMPLE = "Example: allocator synth --borrowers 10000 --seed 1 --out borrowers.parquet"


def synth(
    borrowers: Annotated[int, typer.Option(metavar="N", help="How many borrowers.", min=1)],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A .csv, .parquet or .xlsx file.")],
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same file.", min=0)] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a portfolio of invented borrowers in the shape of real ones."""
    with progress(verbose=False) as tell:
        tell(f"inventing {borrowers:,} borrowers")
        from allocator.portfolio.synthesis import parts
        from allocator.store.tables import write_tables

        write_tables(parts(borrowers, seed), out, force=force)
    if as_json:
        print_json({"file": str(out), "borrowers": borrowers, "seed": seed})
    else:
        print_line(f"{borrowers:,} borrowers of seed {seed} written to {out}")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Write a portfolio of invented borrowers.")(synth)
