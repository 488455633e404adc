"""`allocator stress`: what an allocation is worth under stress, and how much stress it bears."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from allocator.cli.options import AsJson, Force, Plot, ScenarioFile, Sets, Verbose
from allocator.cli.output import print_json, print_page, progress
from allocator.errors import Fault, InputError
from allocator.records.stress import BASE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rich.console import RenderableType

    from allocator.records.progress import Progress
    from allocator.records.scenario import Scenario
    from allocator.records.stress import StressSource
    from allocator.report.charts import Chart

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
    with progress(verbose) as tell:
        from allocator.scenario import load_scenario

        scenario = load_scenario(file, sets)
        tell("starting the engine")
        from allocator.insight.stress import chosen
        from allocator.report.charts import ENDINGS, chart_text
        from allocator.store.file import require_file, write_file

        if plot is not None:
            require_file(plot, ENDINGS, force=force)
        stresses = chosen(scenario, only, shock)
        if reverse is None:
            found = _tried(scenario, stresses, tell)
        else:
            found = _reversed(scenario, stresses, reverse, _way(stresses, along), tell)
        if plot is not None:
            tell("drawing")
            write_file(plot, chart_text(found.chart, plot))
    if as_json:
        about = {"name": scenario.name, "currency": scenario.policy.currency}
        print_json({**about, "strategy": scenario.strategy.name, **found.document})
    else:
        print_page(found.page)


class _Shown(NamedTuple):
    document: dict[str, Any]
    page: RenderableType
    chart: Chart


def _tried(scenario: Scenario, stresses: Mapping[str, StressSource], tell: Progress) -> _Shown:
    """Every stress in turn."""
    from allocator.insight.stress import notes_of, read_base, try_stresses
    from allocator.report import stress as pages

    base = read_base(scenario, stresses, tell)
    trials, notes = try_stresses(base, stresses, tell), notes_of(base, stresses)
    return _Shown(
        {"stresses": pages.stress_figures(trials), "notes": notes},
        pages.stress_page(scenario, trials, notes),
        pages.stress_chart(scenario, trials),
    )


def _reversed(
    scenario: Scenario, stresses: Mapping[str, StressSource], line: str, along: str, tell: Progress
) -> _Shown:
    """Where the allocations cross the line on the way along one stress."""
    from allocator.borrowers import stress_of
    from allocator.insight.reverse import kinds_of, reverse_stress, target_of
    from allocator.insight.stress import notes_of, read_base
    from allocator.report import stress as pages

    target, tried = target_of(line), {along: stresses[along]}
    factors = stress_of(stresses[along])
    base = read_base(scenario, tried, tell)
    crossings = [reverse_stress(base, factors, target, kind, tell) for kind in kinds_of(target)]
    found, notes = [pages.crossing_figures(one, factors) for one in crossings], notes_of(base, tried)
    return _Shown(
        {"along": along, "reverse": found, "notes": notes},
        pages.reverse_page(scenario, along, factors, crossings, notes),
        pages.reverse_chart(scenario, along, crossings),
    )


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
