"""`allocator frontier`: what a scenario's value is as a limit, or two, move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, Force, Plot, ScenarioFile, Sets, Verbose, several
from allocator.cli.shell import answer

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.records.scenario import Scenario
    from allocator.report.view import View
    from allocator.scenario.overrides import Setting

EXAMPLE = "Example: allocator frontier sme.yaml --limit budget --from 5e7 --to 2e8 --plot frontier.svg"
GAP = 1e-6


def frontier(
    file: ScenarioFile,
    sets: Sets,
    limit: Annotated[
        list[str],
        several("--limit", metavar="NAME", help="budget or a limit's name; twice for a pair."),
    ],
    start: Annotated[
        list[str],
        several("--from", metavar="BOUND", help="Lowest bound, as 5e7 or 40%; once per limit."),
    ],
    end: Annotated[
        list[str],
        several("--to", metavar="BOUND", help="Highest bound; once per limit."),
    ],
    points: Annotated[int, typer.Option(metavar="N", help="How many, along each limit.")] = 15,
    gap: Annotated[float, typer.Option(metavar="SHARE", help="Gap at which a point is good enough.")] = GAP,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Follow the value as a limit moves: certified points, more where it bends, slopes, breakpoints."""

    def ask(tell: Progress) -> View:
        tell("starting the engine")
        from allocator.insight.whatif.spans import check_options, follow
        from allocator.report.frontier import frontier_view
        from allocator.scenario import load_scenario

        check_options(limit, start, end, points, gap)
        scenario = load_scenario(file, sets)

        def stating(bound: Setting) -> Scenario:
            return load_scenario(file, [*sets, f"{bound.key}={bound.value}"])

        return frontier_view(follow(scenario, stating, limit, start, end, points, gap, tell))

    answer(ask, plot=plot, force=force, as_json=as_json, verbose=verbose)
