"""`allocator validate`: a scorecard judged on loans whose outcomes are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, Verbose
from allocator.cli.shell import answer
from allocator.records.progress import Progress

if TYPE_CHECKING:
    from allocator.report.view import View

EXAMPLE = "Example: allocator validate loans.csv --scorecard models/scorecards/sme-v1.json --outcome default"


def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Loans (csv, parquet, xlsx) with outcomes.")],
    scorecard: Annotated[Path, typer.Option(metavar="JSON", help="A file that fit logit or rating wrote.")],
    outcome: Annotated[str, typer.Option(metavar="COLUMN", help="1 for a default, 0 for none.")],
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Judge each period or segment too; may be repeated."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw foreseen against observed defaults (svg).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --plot.")] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Discrimination, calibration and drift of a scorecard, with a verdict on each."""

    def ask(tell: Progress) -> View:
        tell("scoring and judging")
        from allocator.api.scorecards import appraisal_view
        from allocator.report.drawing.paper import svg_of
        from allocator.scoring.appraisal import appraisal_of_files

        view = appraisal_view(appraisal_of_files(file, scorecard, outcome, by or ()))
        drawn = {} if plot is None or view.chart is None else {plot: svg_of(view.chart())}
        return replace(view, files=drawn)

    files = [] if plot is None else [plot]
    answer(ask, as_json=as_json, verbose=verbose, out=files, endings=(".svg",), force=force)
