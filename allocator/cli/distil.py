"""`allocator distil`: a run as a handful of rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.columns import further_columns
from allocator.cli.options import AsJson, Force, Plot, RunFolder, Verbose
from allocator.cli.output import print_json, print_page, progress

if TYPE_CHECKING:
    from allocator.insight.distillation import Distilled
    from allocator.records.case import Case

EXAMPLE = "Example: allocator distil runs/sme --rules 8 --out rules.sql --out rules.xlsx"
ENDINGS = (".txt", ".sql", ".csv", ".xlsx")


def distil(
    folder: RunFolder,
    texts: Annotated[
        list[str],
        typer.Option(
            "--text",
            metavar="COLUMN",
            help="Let rules use this text column too; may be repeated.",
            default_factory=list,
            show_default=False,
        ),
    ],
    numbers: Annotated[
        list[str],
        typer.Option(
            "--number",
            metavar="COLUMN",
            help="Let rules use this number column too; may be repeated.",
            default_factory=list,
            show_default=False,
        ),
    ],
    out: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Write the rules (.txt, .sql, .csv, .xlsx); may be repeated.",
            default_factory=list,
            show_default=False,
        ),
    ],
    rules: Annotated[int, typer.Option("--rules", metavar="N", help="Rules at most.", min=1, max=12)] = 12,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Find a few rules that keep every limit and come near a run's optimum."""
    from allocator.report.charts import ENDINGS as PICTURES
    from allocator.report.charts import chart_text
    from allocator.store import read_run
    from allocator.store.file import require_file, write_file

    further = further_columns(texts, numbers, "--text")
    if plot is not None:
        require_file(plot, PICTURES, force=force)
    for path in out:
        require_file(path, ENDINGS, force=force)
    with progress(verbose) as tell:
        tell("rechecking the run")
        stored = read_run(folder)
        from allocator.insight.distillation import distil as distilled_from
        from allocator.insight.standing import standing_of
        from allocator.pipeline import prepare
        from allocator.report import rules as pages
        from allocator.verification import recheck_run

        found = recheck_run(stored, further)
        case = prepare(found.scenario, found.inputs)
        run = standing_of(found)
        distilled = distilled_from(case, found.finding.certificate, rules, tell)
        for path in out:
            _write(distilled, case, path)
        if plot is not None:
            write_file(plot, chart_text(pages.rules_chart(distilled, run), plot))
    if as_json:
        print_json({**pages.rules_figures(distilled, run), "files": [str(path) for path in out]})
    else:
        print_page(pages.rules_page(distilled, run))


def _write(distilled: Distilled, case: Case, path: Path) -> None:
    from allocator.report.rules import rules_frame, rules_sql, rules_text
    from allocator.store.file import write_file
    from allocator.store.tables import write_frame

    match path.suffix.lower():
        case ".sql":
            write_file(path, rules_sql(distilled.rules, case))
        case ".txt":
            write_file(path, rules_text(distilled))
        case _:
            write_frame(rules_frame(distilled), path, force=True)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Turn a run into a few rules that keep every limit.")(distil)
