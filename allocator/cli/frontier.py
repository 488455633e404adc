"""`allocator frontier`: what a scenario's value is as a limit, or two, move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, Force, Plot, ScenarioFile, Sets, Verbose
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.records.portfolio import Portfolio
    from allocator.records.progress import Progress
    from allocator.records.scenario import Scenario
    from allocator.report.view import View

EXAMPLE = "Example: allocator frontier sme.yaml --limit budget --from 5e7 --to 2e8 --plot frontier.svg"
GAP = 1e-6
_MOST = 1_000
_SPAN = (0.5, 1.5)


def frontier(
    file: ScenarioFile,
    sets: Sets,
    limit: Annotated[
        list[str],
        typer.Option(
            "--limit",
            metavar="NAME",
            help="budget or a limit's name; twice for a pair.",
            default_factory=list,
            show_default=False,
        ),
    ],
    start: Annotated[
        list[str],
        typer.Option(
            "--from",
            metavar="BOUND",
            help="Lowest bound, as 5e7 or 40%; once a limit.",
            default_factory=list,
            show_default=False,
        ),
    ],
    end: Annotated[
        list[str],
        typer.Option(
            "--to",
            metavar="BOUND",
            help="Highest bound; once a limit.",
            default_factory=list,
            show_default=False,
        ),
    ],
    points: Annotated[int, typer.Option(metavar="N", help="How many, along each limit.")] = 15,
    gap: Annotated[float, typer.Option(metavar="SHARE", help="Gap at which a point is good enough.")] = GAP,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Follow the value as a limit moves: certified points, more where it bends, slopes, breakpoints."""
    from allocator.scenario import load_scenario

    _require_sense(limit, start, end, points, gap)
    scenario = load_scenario(file, sets)
    asked = scenario.policy.budget.of is not None
    spans = [] if asked else _spans(scenario, file, sets, limit, start, end)
    scenario = replace(scenario, solver=replace(scenario.solver, gap=max(gap, scenario.solver.gap)))

    def ask(tell: Progress) -> View:
        tell("starting the engine")
        from allocator.borrowers import read_inputs
        from allocator.insight.whatif.frontier import frontier as follow
        from allocator.insight.whatif.tracks import track_of
        from allocator.pipeline import prepare
        from allocator.report.frontier import frontier_view

        tell("reading the borrowers")
        case = prepare(scenario, read_inputs(scenario))
        # A budget is money once it is known what is asked for.
        own = _spans(case.scenario, file, sets, limit, start, end, case.inputs.portfolio) if asked else spans
        return frontier_view(follow(track_of(case, tuple(limit)), own, points, tell))

    answer(ask, plot=plot, force=force, as_json=as_json, verbose=verbose)


def _require_sense(
    limits: Sequence[str], start: Sequence[str], end: Sequence[str], points: int, gap: float
) -> None:
    """Raise InputError with all that is wrong with the options, whatever the scenario."""
    faults = []
    if not 1 <= len(limits) <= 2:
        problem = "is not given" if not limits else f"is given {len(limits)} times"
        faults.append(Fault(problem, "name one limit, or two", field="--limit"))
    elif len(set(limits)) < len(limits):
        faults.append(Fault(f"{limits[0]} is named twice", "name two limits, or one", field="--limit"))
    for option, given in (("--from", start), ("--to", end)):
        if given and len(given) != len(limits):
            faults.append(
                Fault(
                    f"is given {len(given)} times for {len(limits)} limits", "give one a limit", field=option
                )
            )
    most = _MOST if len(limits) < 2 else 40
    if not 2 <= points <= most:
        faults.append(Fault(f"{points} lies outside 2 to {most}", "ask for fewer, or more", field="--points"))
    if not 0 < gap < 1:
        faults.append(Fault(f"{gap:g} lies outside 0 to 1", "write a share, as 1e-6", field="--gap"))
    if faults:
        raise InputError.of(faults, "command line")


def _spans(
    scenario: Scenario,
    file: Path,
    sets: Sequence[str],
    limits: Sequence[str],
    start: Sequence[str],
    end: Sequence[str],
    portfolio: Portfolio | None = None,
) -> list[tuple[float, float]]:
    """The bounds to go from and to; where not given, half and one and a half times those of the scenario."""
    from allocator.insight.variants import bound_of, find_limit

    spans = []
    for at, name in enumerate(limits):
        limit = find_limit(scenario.policy, name, "--limit")
        now = bound_of(scenario.policy, name)
        ends = [factor * now for factor in _SPAN]
        if limit is not None and limit.of is not None and limit.weight is None:
            ends = [min(bound, 1.0) for bound in ends]
        if limit is not None and limit.measure == "loans":
            ends = [float(round(bound)) for bound in ends]
        for place, (option, given) in enumerate((("--from", start), ("--to", end))):
            if given:
                ends[place] = _read(scenario, file, sets, name, given[at], option, portfolio)
        if not ends[0] < ends[1]:
            problem = f"{name} would go from {ends[0]:,.10g} to {ends[1]:,.10g}"
            raise InputError.of([Fault(problem, "let --from lie below --to", field="--from")], "command line")
        spans.append((ends[0], ends[1]))
    return spans


def _read(
    scenario: Scenario,
    file: Path,
    sets: Sequence[str],
    name: str,
    written: str,
    option: str,
    portfolio: Portfolio | None,
) -> float:
    """A bound as the scenario's own key would read it; a share of what `portfolio` asks for as money."""
    from allocator.insight.variants import bound_of, find_limit
    from allocator.scenario import load_scenario
    from allocator.scenario.demand import in_money

    limit = find_limit(scenario.policy, name, "--limit")
    key = "policy.budget.amount" if limit is None else f"policy.limits[{name}].{limit.sense}"
    try:
        stated = load_scenario(file, [*sets, f"{key}={written}"])
        return bound_of((stated if portfolio is None else in_money(stated, portfolio)).policy, name)
    except InputError as error:
        faults = [replace(fault, file=None, line=None, field=option) for fault in error.faults]
        raise InputError.of(faults, "command line") from error


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Follow the value as a limit, or two, move.")(frontier)
