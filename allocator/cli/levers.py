"""`allocator levers`: what would raise a run's value most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, Force, Plot, RunFolder, Verbose
from allocator.cli.runs import rechecked
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.report.view import View

EXAMPLE = "Example: allocator levers runs/sme --size 5%"


def levers(
    folder: RunFolder,
    size: Annotated[
        str, typer.Option(metavar="SHARE", help="Relative change of each lever; below 50%.")
    ] = "1%",
    quick: Annotated[
        bool, typer.Option("--quick", help="Solve nothing again: ranges by the run's prices alone.")
    ] = False,
    first: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Solve the first alone, in brief; price the others, which add no more."
        ),
    ] = None,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Rank what would raise a run's value: more budget, looser limits, cheaper funds, less churn, ..."""
    share = _size(size)

    def ask(tell: Progress) -> View:
        run = rechecked(folder, tell)
        from allocator.insight.whatif.levers import price_levers
        from allocator.report.levers import levers_view

        return levers_view(price_levers(run, share, quick=quick, first=first, progress=tell))

    answer(ask, plot=plot, force=force, as_json=as_json, verbose=verbose)


def _size(written: str) -> float:
    from allocator.scenario.quantities import fraction, stated

    share = stated(fraction, written, "--size")
    if not 0 < share < 0.5:
        fault = Fault(f"{written} lies outside 0% to 50%", "write a share, as 1%", field="--size")
        raise InputError.of([fault], "command line")
    return share
