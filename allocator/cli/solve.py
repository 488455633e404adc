"""`allocator solve`: a scenario becomes a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.columns import columns_named
from allocator.cli.options import AsJson, Columns, JoinedTable, Plot, ScenarioFile, Sets, Verbose
from allocator.cli.output import progress
from allocator.cli.shell import require_files, show, write_what
from allocator.errors import Fault, InputError, OutputError, concerning

if TYPE_CHECKING:
    from allocator.cli.report import Files
    from allocator.records.progress import Progress
    from allocator.records.run import Run
    from allocator.report.view import View

_FILES = (
    *(".csv", ".gz", ".html", ".json", ".md", ".parquet", ".svg", ".tsv", ".txt", ".xls", ".xlsx"),
    *(".yaml", ".yml", ".zip"),
)
"""Endings that name a file."""
EXAMPLE = 'Example: allocator solve sme.yaml --out runs/sme --set "policy.limits[A line].at_most=60%"'


def solve(
    file: ScenarioFile,
    sets: Sets,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the run goes; runs/NAME-DIGEST if not given.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace DIR if it is a run.")] = False,
    relax: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="If the scenario is infeasible: solve under the Nth of the relaxations that solve lists.",
        ),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Write a page for a committee too, DIR/report.html.")
    ] = False,
    xlsx: Annotated[
        Path | None,
        typer.Option(metavar="FILE.xlsx", help="Write a workbook with live formulas too (docs/workbook.md)."),
    ] = None,
    table: JoinedTable = None,
    columns: Columns = None,
    plot: Plot = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Allocate the budget of a scenario, certify the result and write the run."""
    from allocator.cli.report import NAME, Files
    from allocator.scenario import dump_scenario, load_scenario
    from allocator.store import default_folder, require_free, require_writable, write_run

    if out is not None:
        _require_folder_name(out)
    files = Files(None, xlsx, table, columns_named(columns))
    files.require(force)
    require_files(plot, force=force)
    scenario = load_scenario(file, sets)
    if out is None:
        require_writable(Path("runs") / scenario.name)
    else:
        require_free(out, force, scenario)
    with progress(verbose) as tell:
        tell("starting the engine")
        from allocator.insight.whatif.relaxations import allocate_or_explain

        run, _ = allocate_or_explain(scenario, relax, tell)
        tell("writing the run")
        folder = out or default_folder(run)
        require_free(folder, force, scenario)
        text = dump_scenario(run.scenario, folder.resolve())
        written = write_run(run, folder, scenario_text=text, force=force)
        view = _view(run, folder, written, {"workbook": xlsx, "table": table, "picture": plot})
        if report:
            files = replace(files, page=written / NAME)
        if files.page or files.book or files.table:
            _write_report(written, files, tell)
        if plot is not None:
            with concerning(f"the run is whole in {folder}, its picture is not written"):
                write_what(view, plot, tell)
    try:
        show(view, as_json)
    except OutputError as error:
        raise OutputError(f"{error.message}; the run is whole in {folder}") from error


def _view(run: Run, folder: Path, written: Path, more: Mapping[str, Path | None]) -> View:
    """What a `written` run shows; `folder`: as it was named; `more`: word and path of what else there is."""
    from allocator.report.table import result_page, run_view
    from allocator.report.view import View

    summary = json.loads((written / "summary.json").read_text("utf-8"))
    paths = {word: str(path) for word, path in more.items() if path is not None}
    lines = [f"{word.capitalize()} written to {path}" for word, path in paths.items()]
    return View(
        page=lambda: (result_page(run, folder), *lines),
        document=lambda: {**summary, "folder": str(written), **paths},
        chart=run_view(run).chart,
    )


def _write_report(folder: Path, files: Files, tell: Progress) -> None:
    """What else is wanted of the run that stands in `folder`."""
    from allocator.cli.report import view_of

    with concerning(f"the run is whole in {folder}, its report is not written"):
        write_what(view_of(folder, files, False, tell), None, tell)


def _require_folder_name(out: Path) -> None:
    """Raise InputError where `out` is named as a file is: a run is a folder of several files."""
    if out.suffix.lower() in _FILES and not out.is_dir():
        remedy = f"write --out {out.with_suffix('')}; amounts and rates are then in its allocation.csv"
        fault = Fault(f"a run is a folder, and {out.name} is a file's name", remedy, field="--out")
        raise InputError.of([fault], "command line")
