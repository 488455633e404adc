"""`allocator compare`: runs, scenarios and strategies side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.columns import further_columns
from allocator.cli.options import AsJson, Force, Plot, Sets, Verbose, require_names
from allocator.cli.shell import answer
from allocator.cli.strategies import DEFAULT, under_each
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from allocator.records.progress import Progress
    from allocator.records.run import StoredRun
    from allocator.records.scenario import Scenario
    from allocator.report.view import View

EXAMPLE = "Example: allocator compare sme.yaml --strategies optimal,ahp_lines,equal,by_score,greedy"


def compare(
    subjects: Annotated[
        list[Path], typer.Argument(metavar="A B ...", help="Folders that solve wrote, or scenario files.")
    ],
    sets: Sets,
    strategies: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Strategies or files of offers to compare under one scenario; the first with all others. "
            f"{DEFAULT}",
        ),
    ] = None,
    by: Annotated[str, typer.Option(metavar="COLUMN", help="Column of texts to sum by.")] = "grade",
    top: Annotated[int, typer.Option(metavar="N", help="Borrowers listed, of those swapped.", min=0)] = 10,
    prices_only: Annotated[
        bool,
        typer.Option(
            "--prices-only", help="Cost of each difference by shadow prices, without solving again."
        ),
    ] = False,
    years: Annotated[
        int, typer.Option(metavar="N", help="Simulate N years, the same for all; 0: none.", min=0)
    ] = 0,
    seed: Annotated[
        int | None, typer.Option(metavar="S", help="Seed of the simulated years (default 0).", min=0)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write who is swapped: a .csv, .parquet or .xlsx.")
    ] = None,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Compare each with the first: inputs, results, who is swapped, what each difference costs."""
    _require_subjects(subjects, strategies, sets)
    require_names(strategies)
    if seed is not None and not years:
        fault = Fault("says nothing without --years", "give --years N too", field="--seed")
        raise InputError.of([fault], "command line")

    def ask(tell: Progress) -> View:
        tell("starting the engine")
        from allocator.insight.compare import compare as compared
        from allocator.insight.compare import read_sides, strategy_sides
        from allocator.report.comparison import comparison_view

        further = further_columns((by,), (), "--by")
        if len(subjects) == 1:
            scenarios, notes = under_each(subjects[0], strategies, sets)
            sides = strategy_sides(scenarios, tell, further)
        else:
            sides, notes = read_sides(runs_and_scenarios_by_name(subjects, sets), tell, further), ()
        comparison = compared(sides, by, tell, exact=not prices_only, years=years, seed=seed or 0)
        return comparison_view(comparison, top, notes, out)

    answer(
        ask, plot=plot, out=() if out is None else (out,), force=force, as_json=as_json,
        verbose=verbose,
    )  # fmt: skip


def _require_subjects(subjects: list[Path], strategies: str | None, sets: list[str]) -> None:
    faults = []
    if len(subjects) > 1 and strategies is not None:
        faults.append(Fault("is for one scenario", "name one file alone", field="--strategies"))
    if len(subjects) == 1 and subjects[0].is_dir():
        remedy = "name a second run, or a scenario whose strategies to compare"
        faults.append(Fault("one run has nothing to be compared with", remedy, file=str(subjects[0])))
    if sets and all(subject.is_dir() for subject in subjects):
        faults.append(Fault("runs stand as they are", "name scenario files", field="--set"))
    if faults:
        raise InputError.of(faults, "command line")


def runs_and_scenarios_by_name(
    subjects: list[Path], sets: list[str]
) -> Iterator[tuple[str, StoredRun | Scenario]]:
    """The run or scenario of each of `subjects` with its name; a file is read only when its turn comes."""
    from allocator.scenario import load_scenario
    from allocator.store import read_run

    for subject, name in zip(subjects, _names(subjects), strict=True):
        yield name, read_run(subject) if subject.is_dir() else load_scenario(subject, sets)


def _names(subjects: list[Path]) -> list[str]:
    """File or folder names, or whole paths where two have the same."""
    names = [subject.name if subject.is_dir() else subject.stem for subject in subjects]
    return [
        str(subject) if names.count(name) > 1 else name for subject, name in zip(subjects, names, strict=True)
    ]
