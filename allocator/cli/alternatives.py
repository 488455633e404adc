"""`allocator alternatives`: what else could be had for a little of the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, ScenarioFile, Sets, Verbose, several
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.report.view import View

EXAMPLE = 'Example: allocator alternatives sme.yaml --within 1% --aim "fewest loans"'


def alternatives(
    file: ScenarioFile,
    sets: Sets,
    aim: Annotated[
        list[str],
        several("--aim", metavar="NAME", help="What is sought, as fewest loans; all if none is named."),
    ],
    within: Annotated[
        str, typer.Option(metavar="SHARE", help="Part of the value that may be given up; below 50%.")
    ] = "0.5%",
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Find near-optimal allocations: fewest clients changed, most firms, fewest loans, least loss."""
    share = _share(within)

    def ask(tell: Progress) -> View:
        from allocator.borrowers import read_inputs
        from allocator.insight.whatif.alternatives import aims_named, alternatives
        from allocator.pipeline import prepare
        from allocator.report.alternatives import alternatives_view
        from allocator.scenario import load_scenario

        aims = aims_named(aim)
        scenario = load_scenario(file, sets)
        tell("reading the borrowers")
        return alternatives_view(alternatives(prepare(scenario, read_inputs(scenario)), share, aims, tell))

    answer(ask, as_json=as_json, verbose=verbose)


def _share(written: str) -> float:
    from allocator.scenario.quantities import fraction, stated

    share = stated(fraction, written, "--within")
    if not 0 < share < 0.5:
        fault = Fault(f"{written} lies outside 0% to 50%", "write a share, as 0.5%", field="--within")
        raise InputError.of([fault], "command line")
    return share
