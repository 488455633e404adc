"""`allocator solve`: a scenario becomes a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from allocator.cli.options import AsJson, ScenarioFile, Sets, Verbose
from allocator.cli.output import print_json, print_page, progress
from allocator.errors import OutputError

EXAMPLE = 'Example: allocator solve sme.yaml --out runs/sme --set "policy.limits[A line].at_most=60%"'


def solve(
    file: ScenarioFile,
    sets: Sets,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the run goes; runs/NAME-DIGEST if not given.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace DIR if it is a run.")] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Allocate the budget of a scenario, certify the result and write the run."""
    from allocator.report.table import result_page
    from allocator.scenario import dump_scenario, load_scenario
    from allocator.store import default_folder, require_free, require_writable, write_run

    scenario = load_scenario(file, sets)
    if out is None:
        require_writable(Path("runs") / scenario.name)
    else:
        require_free(out, force)
    with progress(verbose) as tell:
        tell("starting the engine")
        from allocator.pipeline import allocate

        run = allocate(scenario, tell)
        tell("writing the run")
        folder = out or default_folder(run)
        require_free(folder, force)
        written = write_run(run, folder, scenario_text=dump_scenario(scenario, folder.resolve()), force=force)
    try:
        if as_json:
            print_json({**json.loads((written / "summary.json").read_text("utf-8")), "folder": str(written)})
        else:
            print_page(result_page(run, folder))
    except OutputError as error:
        raise OutputError(f"{error.message}; the run is whole in {folder}") from error


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Allocate a scenario's budget and write the run.")(solve)
