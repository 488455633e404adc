"""`allocator backtest`: decide with what was known, score by what happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from allocator.cli.misuse import misused
from allocator.cli.options import AsJson, Force, Plot, ScenarioFile, Sets, Verbose, require_names
from allocator.cli.shell import answer, require_files
from allocator.cli.strategies import DEFAULT, under_each
from allocator.errors import Fault, InputError, gathering
from allocator.insight.backtest.options import check_options

if TYPE_CHECKING:
    from allocator.records.progress import Progress
    from allocator.report.view import View

_FOLDS = 5
EXAMPLE = "Example: allocator backtest loans.yaml --outcome default --period year --variables vars.json"


def backtest(
    file: ScenarioFile,
    sets: Sets,
    outcome: Annotated[str, typer.Option(metavar="COLUMN", help="1 where the borrower defaulted, else 0.")],
    period: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Period of each decision; if not given, cross-validation folds."),
    ] = None,
    lost: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Money lost on defaults; needs --owed.")
    ] = None,
    owed: Annotated[str | None, typer.Option(metavar="COLUMN", help="Money lent; needs --lost.")] = None,
    variables: Annotated[
        Path | None,
        typer.Option(
            metavar="JSON",
            help="Estimate PDs by a logit on these variables, never fitted on the borrower itself.",
        ),
    ] = None,
    known: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The period in which a default became known.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(metavar="N", help=f"Folds, where there is no period (default {_FOLDS}).", min=2),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="S", help="Seed of the folds (default 0).", min=0)
    ] = None,
    strategies: Annotated[
        str | None,
        typer.Option(metavar="NAME,...", help=f"The first is compared with the others. {DEFAULT}"),
    ] = None,
    budget_share: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Each period's budget as a share of its requests. If not given: the scenario's.",
        ),
    ] = None,
    plot: Plot = None,
    force: Force = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Decide period by period with what was known, and score strategies by what happened."""

    def ask(tell: Progress) -> View:
        tell("starting the engine")
        from allocator.insight.backtest.backtest import backtest as backtested
        from allocator.insight.backtest.history import History
        from allocator.report.backtest import backtest_view

        faults, share = misused() + _fold_faults(period, {"--folds": folds, "--seed": seed}), None
        with gathering(faults):
            require_files(plot, force=force)
        with gathering(faults):
            check_options(period, lost, owed, variables, known)
        with gathering(faults):
            share = None if budget_share is None else _share(budget_share)
        with gathering(faults):
            require_names(strategies)
        with gathering(faults):
            scenarios, notes = under_each(file, strategies, sets)
            notes += scenarios[0].notes
        if faults:
            raise InputError.of(faults, "backtest")
        history = History(outcome, period, known, owed, lost, variables, folds or _FOLDS, seed or 0)
        return backtest_view(backtested(scenarios, history, share, tell), notes)

    answer(ask, plot=plot, force=force, as_json=as_json, verbose=verbose, checked=True)


def _fold_faults(period: str | None, given: dict[str, int | None]) -> list[Fault]:
    """Where options of folds are given though periods tell what was known."""
    return [
        Fault("says nothing beside --period", "leave out one of the two", field=option)
        for option, number in given.items()
        if number is not None and period is not None
    ]


def _share(written: str) -> float:
    from allocator.scenario.quantities import fraction, positive, stated

    return stated(positive(fraction), written, "--budget-share")
