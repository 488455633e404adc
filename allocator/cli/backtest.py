"""`allocator backtest`: decide with what was known, score by what happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.options import AsJson, Force, Plot, ScenarioFile, Sets, Verbose, require_names
from allocator.cli.shell import answer
from allocator.cli.strategies import DEFAULT, under_each
from allocator.errors import Fault, InputError

if TYPE_CHECKING:
    from allocator.insight.backtest.backtest import Observed
    from allocator.insight.backtest.periods import Timeline
    from allocator.records.case import Inputs
    from allocator.records.progress import Progress
    from allocator.records.scenario import Scenario
    from allocator.report.view import View

FOLDS = 5
EXAMPLE = "Example: allocator backtest loans.yaml --outcome default --period year --variables vars.json"


def backtest(
    file: ScenarioFile,
    sets: Sets,
    outcome: Annotated[str, typer.Option(metavar="COLUMN", help="1 where the borrower defaulted, else 0.")],
    period: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="When each was decided; without it: fold by fold.")
    ] = None,
    lost: Annotated[str | None, typer.Option(metavar="COLUMN", help="Money lost on defaults.")] = None,
    owed: Annotated[str | None, typer.Option(metavar="COLUMN", help="Money lent, beside --lost.")] = None,
    variables: Annotated[
        Path | None,
        typer.Option(metavar="JSON", help="PDs by a logit of these that has not seen the borrower."),
    ] = None,
    known: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The period in which a default became known.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(metavar="N", help=f"Folds, where there is no period; {FOLDS}.", min=2)
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="S", help="Seed of the folds; 0.", min=0)] = None,
    strategies: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help=f"The first is compared with the others. {DEFAULT}"),
    ] = None,
    budget_share: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE", help="Each period's budget as a part of what is asked for; else the scenario's."
        ),
    ] = None,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Decide period by period with what was known, and score strategies by what happened."""
    _require(period, lost, owed, variables, known)
    require_names(strategies)
    _require_folds(period, {"--folds": folds, "--seed": seed})
    share = None if budget_share is None else _share(budget_share)

    def ask(tell: Progress) -> View:
        tell("starting the engine")
        from allocator.insight.backtest.backtest import backtest as tested
        from allocator.report.backtest import backtest_view

        chosen = under_each(file, strategies, sets)
        first = chosen.scenarios[0]
        tell("reading the borrowers")
        inputs, time, observed = _read(
            first, outcome, period, (owed, lost), variables, known, folds or FOLDS, seed or 0
        )
        found = tested(chosen.scenarios, inputs, time, observed, share, tell)
        _require_some(found.hindsight, found.skipped)
        return backtest_view(first.name, found, first.policy.currency, chosen.notes)

    answer(ask, plot=plot, force=force, as_json=as_json, verbose=verbose)


def _require(
    period: str | None, lost: str | None, owed: str | None, variables: Path | None, known: str | None
) -> None:
    faults = []
    if (lost is None) != (owed is None):
        faults.append(Fault("money lost is a part of money lent", "give both", field="--lost, --owed"))
    if period is None and variables is None:
        remedy = "give --period, or --variables to hold out fold by fold"
        faults.append(Fault("nothing says what was known when", remedy, field="--period"))
    if known is not None and (period is None or variables is None):
        faults.append(Fault("has nothing to hold back", "give --period and --variables too", field="--known"))
    if faults:
        raise InputError.of(faults, "command line")


def _require_folds(period: str | None, given: dict[str, int | None]) -> None:
    """Raises InputError where options of folds are given though periods tell what was known."""
    faults = [
        Fault("says nothing beside --period", "leave out one of the two", field=option)
        for option, number in given.items()
        if number is not None and period is not None
    ]
    if faults:
        raise InputError.of(faults, "command line")


def _share(written: str) -> float:
    from allocator.scenario.quantities import fraction, positive, stated

    return stated(positive(fraction), written, "--budget-share")


def _require_some(hindsight: dict[str, float | None], skipped: dict[str, str]) -> None:
    if hindsight:
        return
    faults = [
        Fault(why, "give earlier borrowers, or looser limits", field=name) for name, why in skipped.items()
    ]
    raise InputError.of(faults, "backtest: no period could be decided")


def _read(
    scenario: Scenario,
    outcome: str,
    period: str | None,
    money: tuple[str | None, str | None],
    variables: Path | None,
    known: str | None,
    folds: int,
    seed: int,
) -> tuple[Inputs, Timeline, Observed]:
    """Borrowers with the PDs that could be known, when they were decided, and what happened."""
    from allocator.borrowers import FurtherColumns, read_inputs
    from allocator.insight.backtest.backtest import observed_in
    from allocator.insight.backtest.periods import timeline

    owed, lost = money
    numbers = frozenset(name for name in (outcome, owed, lost) if name is not None)
    texts = frozenset(name for name in (period, known) if name is not None)
    inputs = read_inputs(scenario, FurtherColumns(texts, numbers))
    observed = observed_in(inputs.portfolio, outcome, owed, lost)
    time = None if period is None else timeline(inputs.portfolio, period, known, observed.defaulted)
    if variables is not None:
        told = [outcome, *(name for name in (lost, known) if name is not None)]
        inputs, time = _foreseen(scenario, inputs, time, told, variables, folds, seed)
    assert time is not None
    return inputs, time, observed


def _foreseen(
    scenario: Scenario,
    inputs: Inputs,
    time: Timeline | None,
    told: list[str],
    variables: Path,
    folds: int,
    seed: int,
) -> tuple[Inputs, Timeline]:
    """Borrowers with PDs by a logit that has not seen them; without a time the folds take its place.

    `told` are columns that what came after has filled, the outcome first: no variable may read them.
    """
    from dataclasses import replace

    from allocator.insight.backtest.periods import by_fold, in_rows
    from allocator.scoring.fitting import foreseen_pd

    if scenario.portfolio.path is None:
        fault = Fault("variables are read from a file of borrowers", "name a csv, parquet or xlsx source")
        raise InputError.of([fault], "--variables")
    portfolio = inputs.portfolio
    when, known = (None, None) if time is None else in_rows(time, portfolio)
    outcome, *later = told
    source = scenario.portfolio.path
    found = foreseen_pd(
        source, variables, outcome, later=later, when=when, known=known, folds=folds, seed=seed
    )
    rows = portfolio.row - 1
    inputs = replace(inputs, portfolio=replace(portfolio, pd=found.pd[rows]))
    if time is None:
        assert found.fold is not None
        time = by_fold(found.fold[rows], folds)
    return inputs, time


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog=EXAMPLE, short_help="Score strategies by what happened.")(backtest)
