"""`allocator levers`: what would raise a run's value most."""

from __future__ import annotations

from typing import Annotated

import typer

from allocator.cli.options import AsJson, Force, Plot, RunFolder, Verbose
from allocator.cli.output import print_json, print_page, progress
from allocator.errors import Fault, InputError

EXAMPLE = "Example: allocator levers runs/sme --size 5%"


def levers(
    folder: RunFolder,
    size: Annotated[
        str, typer.Option(metavar="SHARE", help="How far each thing moves, of itself; below 50%.")
    ] = "1%",
    quick: Annotated[
        bool, typer.Option("--quick", help="Solve nothing again: ranges by the run's prices alone.")
    ] = False,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Rank what would raise a run's value: more budget, looser limits, cheaper funds, less churn, ..."""
    from allocator.report.charts import ENDINGS
    from allocator.store import read_run
    from allocator.store.file import require_file

    if plot is not None:
        require_file(plot, ENDINGS, force=force)
    share = _size(size)
    with progress(verbose) as tell:
        tell("reading the run")
        stored = read_run(folder)
        from allocator.insight.levers import price_levers
        from allocator.pipeline import prepare
        from allocator.report import levers as pages
        from allocator.verification import recheck_run

        tell("recomputing it from its inputs")
        run = recheck_run(stored)
        found = price_levers(run, prepare(run.scenario, run.inputs), share, quick, tell)
        if plot is not None:
            from allocator.report.charts import chart_text
            from allocator.store.file import write_file

            write_file(plot, chart_text(pages.levers_chart(found.worths, run), plot))
    if as_json:
        print_json(pages.levers_figures(found, run))
    else:
        print_page(pages.levers_page(found, run))


def _size(written: str) -> float:
    from allocator.scenario.quantities import fraction, stated

    share = stated(fraction, written, "--size")
    if not 0 < share < 0.5:
        fault = Fault(f"{written} lies outside 0% to 50%", "write a share, as 1%", field="--size")
        raise InputError.of([fault], "command line")
    return share


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Rank what would raise a run's value.")(levers)
