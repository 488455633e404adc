"""`allocator validate`: a scorecard judged on loans whose outcomes are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.misuse import misused
from allocator.cli.options import AsJson, Verbose
from allocator.cli.shell import answer, require_files
from allocator.errors import Fault, gathering
from allocator.records.progress import Progress

if TYPE_CHECKING:
    from allocator.report.view import View

EXAMPLE = "Example: allocator validate loans.csv --scorecard models/scorecards/sme-v1.json --outcome default"


def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Loans (csv, parquet, xlsx) with outcomes.")],
    scorecard: Annotated[Path, typer.Option(metavar="JSON", help="A file that fit wrote.")],
    outcome: Annotated[str, typer.Option(metavar="COLUMN", help="1 for a default, 0 for none.")],
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Judge each period or segment too; may be repeated."),
    ] = None,
    owed: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Of an LGD: money owed at default.")
    ] = None,
    lost: Annotated[str | None, typer.Option(metavar="COLUMN", help="Of an LGD: money lost.")] = None,
    weights: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="How much each loan counts, above 0; its scale is free."),
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
        from allocator.api.scorecards import appraisal_view, lgd_view
        from allocator.report.drawing.paper import svg_of
        from allocator.scoring.appraisal import appraisal_of_files

        faults = misused() + _money_faults(owed, lost, others=bool(by) or plot is not None)
        with gathering(faults):
            require_files(None, [] if plot is None else [plot], (".svg",), force=force)
        if owed is not None and lost is not None:
            from allocator.scoring.fitting_lgd import lgd_appraisal_of_files

            return lgd_view(lgd_appraisal_of_files(file, scorecard, outcome, owed, lost, weights, faults))
        view = appraisal_view(appraisal_of_files(file, scorecard, outcome, by or (), weights, faults))
        drawn = {} if plot is None or view.chart is None else {plot: svg_of(view.chart())}
        return replace(view, files=drawn)

    answer(ask, as_json=as_json, verbose=verbose)


def _money_faults(owed: str | None, lost: str | None, *, others: bool) -> list[Fault]:
    """Where one column of money is named, or what an LGD does not have."""
    faults = []
    if (owed is None) != (lost is None):
        missing = "--owed" if owed is None else "--lost"
        faults.append(Fault("is missing", "an LGD needs both columns", field=missing))
    if owed is not None and others:
        faults.append(Fault("are of PDs", "leave them out of an LGD", field="--by, --plot"))
    return faults
