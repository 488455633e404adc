"""`allocator report`: a run as the page that a committee decides on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.columns import columns_named, further_columns
from allocator.cli.options import AsJson, Columns, Force, JoinedTable, Verbose
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

    from allocator.borrowers import FurtherColumns
    from allocator.records.outcome import Outcome
    from allocator.records.progress import Progress
    from allocator.records.run import StoredRun
    from allocator.report.view import View

EXAMPLE = "Example: allocator report runs/sme --out sme.html"
NAME = "report.html"
"""In the run's folder, where no other file is named."""
WORKBOOK = ".xlsx"
COMPARED = "comparison.html"
"""Where one is not named for a comparison."""


def report(
    subjects: Annotated[
        list[Path],
        typer.Argument(metavar="DIR ...", help="A run; or two and more, runs or scenarios, to be compared."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"The page: a .html, .md or .pdf. If not given: DIR/{NAME}, or {COMPARED} for a comparison.",
        ),
    ] = None,
    xlsx: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.xlsx",
            help="Write a workbook with live formulas; the page too only where --out is given.",
        ),
    ] = None,
    table: JoinedTable = None,
    columns: Columns = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Solve less: three budgets, levers by shadow prices alone.")
    ] = False,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Write a run as a page for a committee: what is decided, is it proven, what binds, what may go wrong."""
    from allocator.report.committee.view import ENDINGS

    if len(subjects) == 1:
        _require_run(subjects[0])
    else:
        _refuse_more(xlsx, table)
    files = Files(out, xlsx, table, columns_named(columns))
    files.require(force)
    if not (out or xlsx or table):
        files = replace(files, page=subjects[0] / NAME if len(subjects) == 1 else Path(COMPARED))

    def ask(tell: Progress) -> View:
        if len(subjects) == 1:
            return view_of(subjects[0], files, quick, tell)
        return _comparison_report(subjects, files.page or Path(COMPARED), quick, tell)

    places = () if files.page is None else (files.page,)
    answer(ask, out=places, endings=ENDINGS, force=force, as_json=as_json, verbose=verbose)


@dataclass(frozen=True)
class Files:
    """What is written of a run, each where it is wanted."""

    page: Path | None
    book: Path | None
    table: Path | None
    columns: FurtherColumns
    """Those of the borrowers that book and table show beside those that limits read."""

    def require(self, force: bool) -> None:
        """Raise InputError now if book or table could not be written later."""
        from allocator.report.joined import FORMATS
        from allocator.store.file import require_file

        for path, endings in ((self.book, (WORKBOOK,)), (self.table, FORMATS)):
            if path is not None:
                require_file(path, endings, force=force)


def _refuse_more(xlsx: Path | None, table: Path | None) -> None:
    """Raise InputError for what is of one run, and is asked for of several."""
    asked = {"--xlsx": (xlsx, "a workbook"), "--table": (table, "a table")}
    faults = [Fault(f"{what} is of one run", f"name one run, or leave {option} out", field=option)
              for option, (path, what) in asked.items() if path is not None]  # fmt: skip
    if faults:
        raise InputError.of(faults, "command line")


def _require_run(folder: Path) -> None:
    """Raise InputError where `folder` is none, before it is looked at as a place to write to."""
    if not folder.is_dir():
        problem = "is a file, not a run's folder" if folder.exists() else "there is no such folder"
        remedy = (
            "solve it first: allocator solve FILE --report"
            if folder.exists()
            else "name a folder that solve wrote"
        )
        raise InputError.of([Fault(problem, remedy, file=str(folder))], "run")


def _comparison_report(subjects: list[Path], path: Path, quick: bool, tell: Progress) -> View:
    """The report of a comparison; with `quick` each difference costs what prices say."""
    tell("starting the engine")
    from allocator.api.reporting import sides_report
    from allocator.cli.compare import runs_and_scenarios_by_name
    from allocator.insight.compare import compare, read_sides

    sides = read_sides(
        runs_and_scenarios_by_name(subjects, []), tell, further_columns(("grade",), (), "--by")
    )
    comparison = compare(sides, "grade", tell, exact=not quick)
    tell("writing the report")
    return sides_report(comparison, path)


def view_of(folder: Path, files: Files, quick: bool, tell: Progress) -> View:
    """What is wanted of the run in `folder`: its report, its workbook, its table."""
    from allocator.store import read_run

    tell("reading the run")
    stored = read_run(folder)
    tell("starting the engine")
    if files.page is None and files.book is None:
        return _table_alone(stored, files)
    from allocator.api.reporting import cards_of
    from allocator.cli.strategies import under_each
    from allocator.insight.dossier import dossier_of
    from allocator.report.committee.proof import Provenance
    from allocator.report.committee.view import run_view
    from allocator.scenario import load_scenario

    own = load_scenario(stored.scenario_path)
    rules, notes = under_each(stored.scenario_path, None, [])
    rules = rules if own.strategy.name in [rule.strategy.name for rule in rules] else [*rules, own]
    dossier = dossier_of(stored, rules, tell, notes=notes, quick=quick, further=files.columns)
    tell("writing the report")
    stood = Provenance(
        folder.resolve().name, stored.scenario_path.read_text("utf-8"), cards_of(dossier.run.scenario)
    )
    view = run_view(dossier, stood, files.page, files.book)
    if files.table is None:
        return view
    return replace(view, files={**view.files, files.table: _joined(stored, dossier.run)})


def _table_alone(stored: StoredRun, files: Files) -> View:
    """The decisions beside what people ask about each borrower, of a run that is rechecked for it."""
    from allocator.report.plain import Text
    from allocator.report.view import View
    from allocator.verification import recheck_run

    run, told = recheck_run(stored, files.columns), str(files.table)
    frame = _joined(stored, run)
    return View(
        page=lambda: Text(f"{len(frame):,} decisions written to {told}"),
        document=lambda: {"table": told, "rows": len(frame), "columns": [*map(str, frame.columns)]},
        files={} if files.table is None else {files.table: frame},
    )


def _joined(stored: StoredRun, run: Outcome) -> pd.DataFrame:
    from allocator.report.joined import joined_frame

    return joined_frame(run, stored.allocation.set_index("borrower_id")["reason"])
