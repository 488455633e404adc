"""Questions that set things side by side: runs, scenarios or strategies, by price or in hindsight."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

from allocator.api.arguments import Folds, Seed, Within
from allocator.api.results import Result
from allocator.api.runs import Progress, Run, Solved, base_of, is_stored, outcome_of, silent
from allocator.api.scenarios import Document, Overlay, Sets, Source, Table, declarations, scenario_of
from allocator.api.words import public_function
from allocator.borrowers import FurtherColumns
from allocator.errors import Fault, InputError
from allocator.insight.backtest.backtest import Backtest
from allocator.insight.backtest.backtest import backtest as backtested
from allocator.insight.backtest.history import History
from allocator.insight.backtest.options import check_options
from allocator.insight.compare import compare as compared
from allocator.insight.compare.compare import Comparison
from allocator.insight.compare.sides import scenario_side, strategy_sides
from allocator.records import scenario as records
from allocator.records.outcome import Outcome
from allocator.report.backtest import backtest_view
from allocator.report.comparison import comparison_view
from allocator.scenario.quantities import fraction, positive, stated
from allocator.strategies import USUAL, with_lines

Subject = Solved | Source
"""A run, the folder of one, or a scenario."""
Strategies = str | Sequence[Any] | Mapping[str, Any] | None
"""Rules by name, or by names of one's own; a text is a list of names with commas."""


@public_function
def compare(
    *subjects: Subject | Mapping[str, Subject],
    strategies: Strategies = None,
    by: str = "grade",
    exact: bool = True,
    years: Annotated[int, Within(0, 1_000_000)] = 0,
    seed: Seed = 0,
    top: Annotated[int, Within(0)] = 10,
    borrowers: Table = None,
    churn: Table = None,
    sets: Sets = None,
    progress: Progress | None = None,
) -> Result[Comparison]:
    """Runs, scenarios or strategies side by side, each with the first: `allocator compare`.

    subjects    runs, folders of runs and scenarios, or one mapping of names to these; of one scenario alone
                its strategies are compared
    strategies  rules by name, or a mapping of names to what `load_scenario` takes as a strategy: frames of
                offers (borrower_id, amount, rate) too; the usual rules if not given
    by          column of texts to sum by
    exact       solve again for what each difference of two scenarios costs; else by prices
    years       simulate so many years, the same for all; `seed` is theirs
    top         borrowers listed on the page, of those swapped
    borrowers, churn, sets    laid over the scenario, as `allocate` takes them

    The table has a row per subject: value, bound, less_than_first (currency units), shares as fractions. The
    method is that of docs/compare.md. Raises InputError for what cannot be compared, else as `allocate` and
    `verify`, with the subject's name.

    >>> from allocator import compare
    >>> compare("scenarios/sme-302.yaml", strategies=["optimal", "equal"]).table["name"].tolist()
    ['optimal', 'equal']
    """
    named = _subjects_by_name(subjects)
    tell = progress or silent
    further = FurtherColumns.named((by,), (), "by")
    over = Overlay(borrowers, churn, None, sets)
    notes: tuple[str, ...] = ()
    if len(named) == 1:
        ((_, subject),) = named.items()
        if is_stored(subject):
            remedy = "give a second one, or its scenario, whose strategies are compared"
            fault = Fault("one run has nothing to be compared with", remedy, field="subjects")
            raise InputError.of([fault], "compare")
        scenarios, notes = _under_each(subject, strategies, over)
        sides = strategy_sides(scenarios, tell, further)
        if isinstance(strategies, Mapping):
            sides = [replace(side, name=name) for side, name in zip(sides, strategies, strict=True)]
    elif strategies is not None:
        fault = Fault("are those of one scenario", "give one alone, or leave them out", field="strategies")
        raise InputError.of([fault], "compare")
    else:
        sides = [_side(name, subject, over, tell, further) for name, subject in named.items()]
    record = compared(sides, by, tell, exact=exact, years=years, seed=seed)
    return Result(record, partial(comparison_view, record, top, notes), itemgetter("compared"))


def _subjects_by_name(subjects: Sequence[Any]) -> dict[str, Any]:
    """The subjects by name: a file's or folder's, a scenario's, numbered where two have the same."""
    only = subjects[0] if len(subjects) == 1 else None
    if isinstance(only, Mapping) and only and "policy" not in only:
        return {str(name): subject for name, subject in only.items()}
    if isinstance(only, list | tuple) or (isinstance(only, Mapping) and not only):
        subjects = list(only)
    if not subjects:
        fault = Fault("nothing is given", "give runs, folders of runs or scenarios", field="subjects")
        raise InputError.of([fault], "compare")
    named: dict[str, Any] = {}
    for subject in subjects:
        name = _name_of(subject)
        count = sum(other == name or other.startswith(f"{name} #") for other in named)
        named[f"{name} #{count + 1}" if count else name] = subject
    return named


def _name_of(subject: Any) -> str:
    if isinstance(subject, Run):
        return str(subject.summary["name"])
    if isinstance(subject, records.Scenario):
        return subject.name
    if isinstance(subject, str | os.PathLike):
        path = Path(subject)
        return path.name if os.path.isdir(path) else path.stem
    return str(subject.get("name", "scenario")) if isinstance(subject, Mapping) else type(subject).__name__


def _side(name: str, subject: Any, over: Overlay, tell: Progress, further: FurtherColumns) -> Outcome:
    if is_stored(subject):
        return replace(outcome_of(subject, further), name=name)
    return scenario_side(scenario_of(subject, over), name, tell, further)


def _under_each(
    scenario: Any, strategies: Strategies, over: Overlay
) -> tuple[list[records.Scenario], tuple[str, ...]]:
    """The scenario under each strategy, the usual ones if none are named; with what is left out, in words."""
    wanted = {name: name for name in USUAL} if strategies is None else strategies
    if isinstance(wanted, str):
        wanted = [name.strip() for name in wanted.split(",")]
    if not isinstance(wanted, Mapping):
        wanted = {
            subject if isinstance(subject, str) else f"book {number}": subject
            for number, subject in enumerate(wanted)
        }
    if not wanted:
        fault = Fault("none is named", "name some, or leave them out for the usual ones", field="strategies")
        raise InputError.of([fault], "strategies")
    scenarios: list[records.Scenario] = []
    faults: list[Fault] = []
    base = scenario_of(scenario, over)
    for name, strategy in wanted.items():
        try:
            scenarios.append(scenario_of(base, Overlay(strategy=strategy, book=name)))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError.of(list(dict.fromkeys(faults)), "strategies")
    return with_lines(scenarios) if strategies is None else (scenarios, ())


@public_function
def backtest(
    scenario: Source | Run,
    outcome: str,
    *,
    period: str | None = None,
    known: str | None = None,
    owed: str | None = None,
    lost: str | None = None,
    variables: Document | Sequence[str | Mapping[str, Any]] | None = None,
    folds: Folds = 5,
    seed: Seed = 0,
    strategies: Strategies = None,
    budget_share: float | str | None = None,
    borrowers: Table = None,
    churn: Table = None,
    sets: Sets = None,
    progress: Progress | None = None,
) -> Result[Backtest]:
    """Decide period by period with what was known, score by what happened: `allocator backtest`.

    scenario      as `allocate` takes it, or a Run, whose scenario is taken
    outcome       column that is 1 where the borrower defaulted, else 0
    period        column of when each was decided; without it fold by fold, which needs `variables`
    known         column of the period in which a default became known
    owed, lost    columns of money lent, and of what of it was lost; both or neither
    variables     of a logit that has not seen the borrower, as `fit_logit` takes them
    folds, seed   of the folds, where there is no period
    strategies    as `compare` takes them
    budget_share  each period's budget as a fraction of what is asked for; else the scenario's
    borrowers, churn, sets    laid over the scenario, as `allocate` takes them

    The table has a row per strategy and period: happened and expected (currency units), funded, defaults. The
    method is that of docs/backtest.md. Raises InputError for columns that there are not and for outcomes that
    are neither 0 nor 1, else as `allocate`.

    >>> import pandas as pd
    >>> from allocator import backtest
    >>> firms = pd.read_csv("scenarios/data/sme-302.csv")
    >>> firms = firms.assign(year=firms.index % 2 + 2020, bad=(firms.index % 40 == 7).astype(int))
    >>> case, rules = "scenarios/sme-302.yaml", ["optimal", "equal"]
    >>> found = backtest(case, "bad", period="year", borrowers=firms, strategies=rules, budget_share=0.5)
    >>> found.table[["strategy", "period"]].values.tolist()
    [['optimal', '2020'], ['equal', '2020'], ['optimal', '2021'], ['equal', '2021']]
    """
    file = None if variables is None else declarations(variables, "variables")
    check_options(period, lost, owed, file, known)
    share = (
        None if budget_share is None else stated(positive(fraction), budget_share, "budget_share", "backtest")
    )
    scenarios, notes = _under_each(
        base_of(scenario, Overlay(borrowers, churn, None, sets)), strategies, Overlay()
    )
    history = History(outcome, period, known, owed, lost, file, folds, seed)
    record = backtested(scenarios, history, share, progress or silent)
    return Result(record, partial(backtest_view, record, notes), itemgetter("periods"))
