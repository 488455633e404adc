"""`allocator distil`: a run as a handful of rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.columns import further_columns
from allocator.cli.options import AsJson, Force, Plot, RunFolder, Verbose
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.records.scenario import Scenario
    from allocator.report.view import View

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
    further = further_columns(texts, numbers, "--text")
    _require_each_once(out)

    def ask(tell: Progress) -> View:
        from allocator.store import read_run

        tell("rechecking the run")
        stored = read_run(folder)
        from allocator.insight.distil import distil as distilled_from
        from allocator.pipeline import prepare
        from allocator.report.rules import rules_view
        from allocator.verification import recheck_run

        run = recheck_run(stored, further)
        _require_unstressed(run.scenario, out)
        case = prepare(run.scenario, run.inputs)
        return rules_view(distilled_from(case, run.certificate, rules, tell), case, run, out)

    answer(ask, plot=plot, out=out, endings=ENDINGS, force=force, as_json=as_json, verbose=verbose)


def _require_each_once(out: list[Path]) -> None:
    faults = [
        Fault("stands twice", "name it once", file=str(path), field="--out")
        for path in dict.fromkeys(out)
        if out.count(path) > 1
    ]
    if faults:
        raise InputError.of(faults, "output")


def _require_unstressed(scenario: Scenario, out: list[Path]) -> None:
    """A query reads the lender's table as it stands, where no figure is stressed."""
    queries = [path for path in out if path.suffix.lower() == ".sql"]
    if scenario.stress and queries:
        problem = "the run's borrowers are stressed, those of a table are not"
        remedy = "write .txt, .csv or .xlsx, or distil a run without stress"
        raise InputError.of([Fault(problem, remedy, file=str(path)) for path in queries], "output")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Turn a run into a few rules that keep every limit.")(distil)
