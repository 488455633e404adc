"""`allocator stress`: what an allocation is worth in worse worlds, and how much worse they may get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from allocator.cli.options import AsJson, Force, Plot, ScenarioFile, Sets, Verbose
from allocator.cli.output import print_json, print_page, progress
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.insight.reverse import Crossing
    from allocator.insight.stress import Base, Progress
    from allocator.records.stress import Stress, StressSource

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
    """Judge the allocation in stressed worlds: as it stands, and decided anew."""
    if along is not None and reverse is None:
        raise _misuse("--along", "says nothing without --reverse", "give --reverse QUANTITY=LINE too")
    with progress(verbose) as tell:
        from allocator.scenario import load_scenario

        scenario = load_scenario(file, sets)
        tell("starting the engine")
        from allocator.insight.stress import chosen, read_base, try_stresses
        from allocator.report import stress as pages
        from allocator.report.charts import ENDINGS, chart_text
        from allocator.store.file import require_file, write_file

        if plot is not None:
            require_file(plot, ENDINGS, force=force)
        stresses = chosen(scenario, only, shock)
        if reverse is None:
            trials = try_stresses(read_base(scenario, stresses, tell), stresses, tell)
            document: dict[str, Any] = {"stresses": pages.stress_figures(trials)}
            page = pages.stress_page(scenario, trials)
            chart = pages.stress_chart(scenario, trials)
        else:
            name, factors, crossings = _reverse(scenario, stresses, reverse, along, tell)
            found = [pages.crossing_figures(crossing, factors) for crossing in crossings]
            document = {"along": name, "reverse": found}
            page = pages.reverse_page(scenario, name, factors, crossings)
            chart = pages.reverse_chart(scenario, name, crossings)
        if plot is not None:
            tell("drawing")
            write_file(plot, chart_text(chart, plot))
    if as_json:
        about = {"name": scenario.name, "currency": scenario.policy.currency}
        print_json({**about, "strategy": scenario.strategy.name, **document})
    else:
        print_page(page)


def _reverse(
    scenario: Any, stresses: dict[str, StressSource], line: str, along: str | None, tell: Progress
) -> tuple[str, Stress, list[Crossing]]:
    """The stress gone along, what it does, and where either allocation crosses the line."""
    from allocator.borrowers import stress_of
    from allocator.insight.reverse import reverse_stress, target_of
    from allocator.insight.stress import read_base

    target = target_of(line)
    name = along or (next(iter(stresses)) if len(stresses) == 1 else SEVERE)
    if name not in stresses:
        raise _misuse("--along", f"no stress is named {name!r}", f"the stresses are {', '.join(stresses)}")
    factors = stress_of(stresses[name])
    base: Base = read_base(scenario, {name: stresses[name]}, tell)
    return (
        name,
        factors,
        [
            reverse_stress(base, factors, target, "frozen", tell),
            reverse_stress(base, factors, target, "reoptimised", tell),
        ],
    )


def _misuse(option: str, problem: str, remedy: str) -> InputError:
    return InputError.of([Fault(problem, remedy, field=option)], "stress")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Judge an allocation in stressed worlds.")(stress)
