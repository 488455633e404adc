"""`allocator recalibrate`: a scorecard brought to another level of defaults, as a new version."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.misuse import misused
from allocator.cli.options import AsJson, Verbose
from allocator.cli.output import progress
from allocator.errors import gathering

EXAMPLE = (
    "Example: allocator recalibrate models/scorecards/sme-v1.json --on loans.csv --outcome default "
    '--why "defaults of 2022"'
)


def recalibrate(
    scorecard: Annotated[Path, typer.Argument(metavar="JSON", help="A file that fit logit wrote.")],
    on: Annotated[Path, typer.Option(metavar="FILE", help="Borrowers (csv, parquet, xlsx) to hold it to.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason, kept in the new version.")],
    outcome: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="1 for a default, 0 for none: to what happened.")
    ] = None,
    to: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="To this mean PD, such as 0.04, without outcomes."),
    ] = None,
    keep_slope: Annotated[bool, typer.Option("--keep-slope", help="Change the intercept alone.")] = False,
    isotonic: Annotated[
        bool, typer.Option("--isotonic", help="By rising steps in place of slope and intercept.")
    ] = False,
    margin: Annotated[
        float, typer.Option(help="Margin of conservatism: 0.1 raises the mean PD by a tenth.", min=0)
    ] = 0.0,
    weights: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="How much each row counts, above 0; its scale is free."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the new version goes; else beside the old one.")
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """A new version of a scorecard that ranks as before, at the level of what happened or of a rate."""
    with progress(verbose) as tell:
        tell("recalibrating")
        from allocator.cli.finishing import finish
        from allocator.scoring.recalibration import order_of, recalibrated_from_files

        faults, order = misused(), None
        with gathering(faults):
            order = order_of(why, outcome, to, margin, keep_slope=keep_slope, isotonic=isotonic)
        fit = recalibrated_from_files(scorecard, on, outcome, order, faults, weights)
    name = re.sub(r"-v\d+$", "", scorecard.stem)
    finish(fit, scorecard.parent if out is None else out, name, as_json)
