"""What happened to the borrowers of a scenario, and when: read from columns beside those that decide."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.borrowers import FurtherColumns, read_inputs
from allocator.errors import Fault, InputError, row_count
from allocator.insight.backtest.periods import Timeline, by_fold, in_rows, timeline
from allocator.records.case import Inputs
from allocator.records.frames import File
from allocator.records.portfolio import Booleans, Portfolio
from allocator.records.scenario import Scenario


@dataclass(frozen=True)
class History:
    """Columns that say what happened and when, and how PDs that have not seen it are fitted."""

    outcome: str
    """Column of 1 where the borrower defaulted, else 0."""
    period: str | None = None
    """Column of the period in which each was decided; None: fold by fold."""
    known: str | None = None
    """Column of the period in which a default became known; None: the one after its decision."""
    owed: str | None = None
    """Column of the money lent."""
    lost: str | None = None
    """Column of what was lost of the money `owed`; both are named or neither."""
    variables: File | None = None
    """A file of variables of a logit that has not seen the borrower; None: PDs are the portfolio's."""
    folds: int = 5
    seed: int = 0
    """Seed that the folds are drawn from where there is no period."""


def portfolio_with_outcomes(
    portfolio: Portfolio, outcome: str, owed: str | None = None, lost: str | None = None
) -> Portfolio:
    """The portfolio with what its number columns say in the place of what was foreseen.

    PD is the `outcome`, 1 or 0. LGD of who defaulted is the money `lost` of the money `owed`, all of it where
    more was lost; it stays where the two are not named. Raises InputError with every fault: an outcome that
    is neither, a default without its money.
    """
    values = portfolio.number(outcome)
    faults = _first(portfolio, ~np.isin(values, (0.0, 1.0)), outcome, "is no outcome", "write 1 or 0")
    lgd = portfolio.lgd
    if owed is not None and lost is not None:
        money, gone = portfolio.number(owed), portfolio.number(lost)
        bad = values == 1.0
        faults += _first(portfolio, bad & ~(money > 0), owed, "is no money lent", "give an amount above 0")
        faults += _first(
            portfolio, bad & ~(gone >= 0), lost, "is no money lost", "give an amount, 0 for none"
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            lgd = np.where(bad, np.clip(gone / money, 0.0, 1.0), 0.0)
    if faults:
        raise InputError.of(faults, portfolio.source)
    return replace(portfolio, pd=values, lgd=lgd)


def _first(portfolio: Portfolio, wrong: Booleans, column: str, what: str, remedy: str) -> list[Fault]:
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return []
    first = rows[np.argmin(portfolio.row[rows])]
    problem = f"{portfolio.number(column)[first]:g} {what} ({row_count(len(rows))})"
    return [Fault(problem, remedy, file=portfolio.source, row=int(portfolio.row[first]), field=column)]


def read_history(scenario: Scenario, history: History) -> tuple[Inputs, Timeline, Portfolio]:
    """Borrowers with the PDs that could be known, when they were decided, and the same as it happened.

    Raises InputError with every fault of the inputs, the columns and the variables, and where neither
    a period nor variables say what was known when.
    """
    outcome, period, known = history.outcome, history.period, history.known
    numbers = frozenset(name for name in (outcome, history.owed, history.lost) if name is not None)
    texts = frozenset(name for name in (period, known) if name is not None)
    inputs = read_inputs(scenario, FurtherColumns(texts, numbers))
    happened = portfolio_with_outcomes(inputs.portfolio, outcome, history.owed, history.lost)
    time = None if period is None else timeline(inputs.portfolio, period, known, happened.pd > 0)
    if history.variables is not None:
        inputs, time = _foreseen(scenario, inputs, time, history, history.variables)
    if time is None:
        remedy = "give --period, or --variables to hold out fold by fold"
        raise InputError.of([Fault("nothing says what was known when", remedy, field="--period")], "backtest")
    return inputs, time, happened


def _foreseen(
    scenario: Scenario, inputs: Inputs, time: Timeline | None, history: History, variables: File
) -> tuple[Inputs, Timeline]:
    """Borrowers with PDs by a logit that has not seen them; without a time the folds take its place.

    No variable may read a column that what came after has filled.
    """
    from allocator.scoring.foreseen import foreseen_pd

    source = scenario.portfolio.path
    if source is None:
        fault = Fault("variables are read from a file of borrowers", "name a csv, parquet or xlsx source")
        raise InputError.of([fault], "--variables")
    portfolio = inputs.portfolio
    when, known = (None, None) if time is None else in_rows(time, portfolio)
    later = [name for name in (history.lost, history.known) if name is not None]
    foreseen = foreseen_pd(
        source, variables, history.outcome, later=later, when=when, known=known,
        folds=history.folds, seed=history.seed,
    )  # fmt: skip
    rows = portfolio.row - 1
    inputs = replace(inputs, portfolio=replace(portfolio, pd=foreseen.pd[rows]))
    if time is None:
        assert foreseen.fold is not None
        time = by_fold(foreseen.fold[rows], history.folds)
    return inputs, time
