"""`allocator frontier`: what a scenario's value is as a limit, or two, move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, Force, Plot, ScenarioFile, Sets, Verbose, several
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
    from allocator.scenario import load_scenario

    _require_sense(limit, start, end, points, gap)
    scenario = load_scenario(file, sets)
    stated = [
        (
            _stating(scenario, file, sets, name, low, "--from"),
            _stating(scenario, file, sets, name, high, "--to"),
        )
        for name, low, high in zip_longest(limit, start, end)
    ]
    scenario = replace(scenario, solver=replace(scenario.solver, gap=max(gap, scenario.solver.gap)))

    def ask(tell: Progress) -> View:
        tell("starting the engine")
        from allocator.borrowers import read_inputs
        from allocator.insight.whatif.frontier import frontier as follow
        from allocator.pipeline import prepare
        from allocator.report.frontier import frontier_view

        tell("reading the borrowers")
        case = prepare(scenario, read_inputs(scenario))
        portfolio = case.inputs.portfolio
        ends = [
            (_bound(low, name, portfolio), _bound(high, name, portfolio))
            for name, (low, high) in zip(limit, stated, strict=True)
        ]
        return frontier_view(follow(case, limit, ends, points, tell))

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
                    f"is given {len(given)} times for {len(limits)} limits",
                    "give one per limit",
                    field=option,
                )
            )
    most = _MOST if len(limits) < 2 else 40
    if not 2 <= points <= most:
        faults.append(Fault(f"{points} lies outside 2 to {most}", "ask for fewer, or more", field="--points"))
    if not 0 < gap < 1:
        faults.append(Fault(f"{gap:g} lies outside 0 to 1", "write a share, as 1e-6", field="--gap"))
    if faults:
        raise InputError.of(faults, "command line")


def _stating(
    scenario: Scenario, file: Path, sets: Sequence[str], name: str, written: str | None, option: str
) -> Scenario | None:
    """The scenario with a bound of the limit as its own key would read it; None where none is written."""
    from allocator.scenario import load_scenario

    limit = scenario.policy.entry(name, "--limit")
    if written is None:
        return None
    key = "policy.budget.amount" if limit is None else f"policy.limits[{name}].{limit.sense}"
    try:
        return load_scenario(file, [*sets, f"{key}={written}"])
    except InputError as error:
        faults = [replace(fault, file=None, line=None, field=option) for fault in error.faults]
        raise InputError.of(faults, "command line") from error


def _bound(stated: Scenario | None, name: str, portfolio: Portfolio) -> float | None:
    """The bound that is stated; a budget is money once it is known what `portfolio` asks for."""
    from allocator.scenario.demand import with_budget_in_money

    return None if stated is None else with_budget_in_money(stated, portfolio).policy.bound_of(name)
