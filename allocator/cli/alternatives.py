"""`allocator alternatives`: what else could be had for a little of the value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, Force, ScenarioFile, Sets, Verbose, several
from allocator.cli.shell import answer

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.report.view import View

EXAMPLE = 'Example: allocator alternatives sme.yaml --within 1% --aim "fewest loans"'


def alternatives(
    file: ScenarioFile,
    sets: Sets,
    aim: Annotated[
        list[str],
        several("--aim", metavar="NAME", help="What is sought, as fewest loans; all if none is named."),
    ],
    within: Annotated[
        str, typer.Option(metavar="SHARE", help="Part of the value that may be given up; below 50%.")
    ] = "0.5%",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what each offers: a .csv, .parquet or .xlsx."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Find near-optimal allocations: fewest clients changed, most firms, fewest loans, least loss."""
    from allocator.insight.whatif.alternatives import share_of

    share = share_of(within, "--within")

    def ask(tell: Progress) -> View:
        from allocator.borrowers import read_inputs
        from allocator.insight.whatif.alternatives import aims_named, alternatives
        from allocator.pipeline import prepare
        from allocator.report.alternatives import alternatives_view
        from allocator.scenario import load_scenario

        aims = aims_named(aim)
        scenario = load_scenario(file, sets)
        tell("reading the borrowers")
        record = alternatives(prepare(scenario, read_inputs(scenario)), share, aims, tell)
        return alternatives_view(record, out)

    answer(ask, out=() if out is None else (out,), force=force, as_json=as_json, verbose=verbose)
