"""`allocator distil`: a run as a handful of rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.columns import further_columns
from allocator.cli.options import AsJson, Force, Plot, RunFolder, Verbose, several
from allocator.cli.runs import rechecked
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
        several("--text", metavar="COLUMN", help="Let rules use this text column too; may be repeated."),
    ],
    numbers: Annotated[
        list[str],
        several("--number", metavar="COLUMN", help="Let rules use this number column too; may be repeated."),
    ],
    out: Annotated[
        list[Path],
        several(metavar="FILE", help="Write the rules (.txt, .sql, .csv, .xlsx); may be repeated."),
    ],
    rules: Annotated[int, typer.Option("--rules", metavar="N", help="Rules at most.", min=1, max=12)] = 12,
    quick: Annotated[
        bool, typer.Option("--quick", help="Prune one tree, with less work: better rules may be missed.")
    ] = False,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Find a few rules that keep every limit and come near a run's optimum."""
    further = further_columns(texts, numbers, "--text")
    _require_each_once(out)

    def ask(tell: Progress) -> View:
        run = rechecked(folder, tell, further)
        _require_unstressed(run.scenario, out)
        from allocator.insight.distil import distil as distilled_from
        from allocator.report.rules import rules_view

        return rules_view(distilled_from(run, rules, tell, quick=quick), out)

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
