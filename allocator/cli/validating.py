"""`allocator validate`: a scorecard judged on loans whose outcomes are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from allocator.cli.options import AsJson, Verbose
from allocator.cli.shell import answer
from allocator.records.progress import Progress

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from allocator.report.view import View
    from allocator.scoring.appraisal import Appraisal

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
        from allocator.report.drawing.paper import svg_of
        from allocator.report.pictures.reliability import reliability_chart
        from allocator.report.view import View
        from allocator.scoring.appraisal import appraisal_of_files

        found = appraisal_of_files(file, scorecard, outcome, by or ())
        files: dict[Path, str | pd.DataFrame] = {}
        if plot is not None:
            files[plot] = svg_of(reliability_chart(found.tables["Reliability"], "Reliability"))
        return View(lambda: tuple(_page(found)), lambda: _document(found), files=files)

    files = [] if plot is None else [plot]
    answer(ask, as_json=as_json, verbose=verbose, out=files, endings=(".svg",), force=force)


def _document(appraisal: Appraisal) -> dict[str, Any]:
    """Figures with their intervals, verdicts, tables as rows."""
    from allocator.cli.fitting import table_rows
    from allocator.records.estimate import Estimate

    whole = {"loans": appraisal.n, "defaults": appraisal.defaults, "mean_pd": appraisal.mean_pd}
    figures = {
        name: vars(value) if isinstance(value, Estimate) else value
        for name, value in appraisal.figures.items()
    }
    return (
        whole
        | figures
        | {"verdicts": [vars(one) for one in appraisal.verdicts]}
        | table_rows(appraisal.tables)
    )


def _page(appraisal: Appraisal) -> Iterator[RenderableType]:
    from allocator.records.estimate import Estimate
    from allocator.report.frame import frame_table
    from allocator.report.plain import Text

    counted = f"{appraisal.n:,} loans, {appraisal.defaults:,} defaults"
    yield f"{counted}: {appraisal.defaults / appraisal.n:.2%}, foreseen {appraisal.mean_pd:.2%}"
    for name, value in appraisal.figures.items():
        yield Text(f"{name.replace('_', ' ')}: {value if isinstance(value, Estimate) else f'{value:.4f}'}")
    yield ""
    for verdict in appraisal.verdicts:
        yield Text(f"{verdict.light:<5}  {verdict.figure.replace('_', ' ')} {verdict.value:.4g}")
    yield ""
    yield from (Text(source) for source in dict.fromkeys(one.source for one in appraisal.verdicts))
    for title, table in appraisal.tables.items():
        yield ""
        yield frame_table(title, table)
