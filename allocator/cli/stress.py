"""`allocator stress`: what an allocation is worth under stress, and how much stress it bears."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, Force, Plot, ScenarioFile, Sets, Verbose, several
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.report.view import View

EXAMPLE = (
    "Example: allocator stress sme.yaml --shock models/shocks/covid-2020q1-invented.csv --plot stress.svg"
)


def stress(
    file: ScenarioFile,
    sets: Sets,
    only: Annotated[
        list[str],
        several("--only", metavar="NAME", help="Try this stress only; may be repeated."),
    ],
    shock: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Try a table of factors too, by a column of the borrowers."),
    ] = None,
    reverse: Annotated[
        str | None,
        typer.Option(
            metavar="QUANTITY=LINE",
            help="Find the least stress that crosses, as value=0, loss_rate=2% or limits[NAME]=100%.",
        ),
    ] = None,
    along: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The stress whose factors --reverse scales (default severe)."),
    ] = None,
    worst_of: Annotated[
        str | None,
        typer.Option(
            "--worst-of",
            metavar="NAME,NAME,...",
            help="Find what is worth the most in the worst of these stresses, base among them or not.",
        ),
    ] = None,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Judge the allocation under stresses: frozen, and re-optimised."""
    if along is not None and reverse is None:
        fault = Fault("says nothing without --reverse", "give --reverse QUANTITY=LINE too", field="--along")
        raise InputError.of([fault], "stress")
    if worst_of is not None and (reverse is not None or shock is not None or only or plot is not None):
        problem = "does not go with --reverse, --shock, --only or --plot"
        raise InputError.of([Fault(problem, "leave the others out", field="--worst-of")], "stress")

    def ask(tell: Progress) -> View:
        from allocator.scenario import load_scenario

        asked = [] if worst_of is None else [f"stress.worst_of=[{worst_of}]"]
        scenario = load_scenario(file, [*sets, *asked])
        tell("starting the engine")
        if worst_of is not None:
            from allocator.insight.whatif.worst import best_in_the_worst
            from allocator.report.worst import worst_view

            return worst_view(best_in_the_worst(scenario, tell))
        from allocator.report.stress import reverse_view, stress_view

        if reverse is None:
            from allocator.insight.whatif.stress import stress_test

            return stress_view(stress_test(scenario, only, shock, tell))
        from allocator.insight.whatif.reverse import reverse_stress

        return reverse_view(reverse_stress(scenario, reverse, along, only, shock, tell))

    answer(ask, plot=plot, force=force, as_json=as_json, verbose=verbose)
