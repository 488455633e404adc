"""`allocator stress`: what an allocation is worth under stress, and how much stress it bears."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, Force, Plot, ScenarioFile, Sets, Verbose
from allocator.cli.shell import answer
from allocator.errors import Fault, InputError
from allocator.records.stress import BASE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from allocator.records.progress import Progress
    from allocator.records.scenario import Scenario
    from allocator.records.stress import StressSource
    from allocator.report.view import View

EXAMPLE = (
    "Example: allocator stress sme.yaml --shock models/shocks/covid-2020q1-invented.csv --plot stress.svg"
)
SEVERE = "severe"


def stress(
    file: ScenarioFile,
    sets: Sets,
    only: Annotated[
        list[str],
        typer.Option(
            "--only",
            metavar="NAME",
            help="Try this stress only; may be repeated.",
            default_factory=list,
            show_default=False,
        ),
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
        str | None, typer.Option(metavar="NAME", help="The stress whose factors --reverse scales; severe.")
    ] = None,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Judge the allocation under stresses: frozen, and re-optimised."""
    if along is not None and reverse is None:
        raise _misuse("--along", "says nothing without --reverse", "give --reverse QUANTITY=LINE too")

    def ask(tell: Progress) -> View:
        from allocator.scenario import load_scenario

        scenario = load_scenario(file, sets)
        tell("starting the engine")
        from allocator.insight.whatif.stress import chosen

        stresses = chosen(scenario, only, shock)
        if reverse is None:
            return _tried(scenario, stresses, tell)
        return _reversed(scenario, stresses, reverse, _way(stresses, along), tell)

    answer(ask, plot=plot, force=force, as_json=as_json, verbose=verbose)


def _tried(scenario: Scenario, stresses: Mapping[str, StressSource], tell: Progress) -> View:
    """Every stress in turn."""
    from allocator.insight.whatif.stress import notes_of, read_base, try_stresses
    from allocator.report.stress import stress_view

    base = read_base(scenario, stresses, tell)
    return stress_view(scenario, try_stresses(base, stresses, tell), notes_of(base, stresses))


def _reversed(
    scenario: Scenario, stresses: Mapping[str, StressSource], line: str, along: str, tell: Progress
) -> View:
    """Where the allocations cross the line on the way along one stress."""
    from allocator.borrowers import stress_of
    from allocator.insight.whatif.reverse import kinds_of, reverse_stress, target_of
    from allocator.insight.whatif.stress import notes_of, read_base
    from allocator.report.stress import reverse_view

    target, tried = target_of(line), {along: stresses[along]}
    factors = stress_of(stresses[along])
    base = read_base(scenario, tried, tell)
    crossings = [reverse_stress(base, factors, target, kind, tell) for kind in kinds_of(target)]
    return reverse_view(scenario, along, factors, crossings, notes_of(base, tried))


def _way(stresses: Collection[str], along: str | None) -> str:
    """The stress gone along: the one named, else the only one, else the severe one."""
    name = along if along is not None else next(iter(stresses)) if len(stresses) == 1 else SEVERE
    known = ", ".join(stresses)
    if name in stresses:
        return name
    if along is not None:
        raise _misuse("--along", f"no stress is named {name!r}", f"the stresses are {known}")
    if not stresses:
        raise _misuse("--reverse", f"there is no stress beside {BASE}", "leave --only out")
    remedy = f"name the stress to go along: --along NAME (one of {known})"
    raise _misuse("--reverse", "there is more than one stress", remedy)


def _misuse(option: str, problem: str, remedy: str) -> InputError:
    return InputError.of([Fault(problem, remedy, field=option)], "stress")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Judge an allocation under stresses.")(stress)
