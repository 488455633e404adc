"""Questions about a scenario: what if a limit moves, under stress, against other strategies, in hindsight."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

from allocator.api.results import Result
from allocator.api.runs import Progress, Run, Solved, is_stored, outcome_of, silent
from allocator.api.scenarios import Over, Scenario, Sets, Source, Table, scenario_of
from allocator.api.words import asked
from allocator.borrowers import FurtherColumns, read_inputs
from allocator.errors import Fault, InputError
from allocator.insight.backtest.backtest import Backtest
from allocator.insight.backtest.backtest import backtest as backtested
from allocator.insight.backtest.history import History
from allocator.insight.backtest.told import check_told
from allocator.insight.compare import compare as compared
from allocator.insight.compare.compare import Comparison
from allocator.insight.compare.sides import scenario_side, strategy_sides
from allocator.insight.whatif.frontier import Frontier
from allocator.insight.whatif.frontier import frontier as followed
from allocator.insight.whatif.reverse import ReverseStress, reverse_stress
from allocator.insight.whatif.stress import StressTest, stress_test
from allocator.pipeline import prepare
from allocator.records import scenario as records
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Portfolio
from allocator.report.backtest import backtest_view
from allocator.report.comparison import comparison_view
from allocator.report.frontier import frontier_view
from allocator.report.stress import reverse_view, stress_view
from allocator.scenario.demand import with_budget_in_money
from allocator.scenario.overrides import Setting
from allocator.scenario.quantities import fraction, positive, stated
from allocator.strategies import USUAL, with_lines

Bound = float | str
"""Of a limit, as its own key takes it: 5e7, 0.4 or "40%"."""
Subject = Solved | Source
"""A run, the folder of one, or a scenario."""
_GAP = 1e-6


@asked()
def frontier(
    scenario: Source | Run,
    limits: str | Sequence[str] = "budget",
    *,
    low: Bound | Sequence[Bound | None] | None = None,
    high: Bound | Sequence[Bound | None] | None = None,
    points: int = 15,
    gap: float = _GAP,
    borrowers: Table = None,
    churn: Table = None,
    sets: Sets = None,
    progress: Progress | None = None,
) -> Result[Frontier]:
    """What a scenario's value is as a limit, or two, move: `allocator frontier`.

    scenario   as `allocate` takes it, or a Run, whose scenario is taken
    limits     "budget" or a limit's name; two of them for a pair
    low, high  from where to where, as the limit's own key takes it, one per limit; if not given half and one
               and a half times the bound as it is
    points     how many, along each limit: 2 to 1,000, of a pair to 40
    gap        relative gap at which a point is good enough
    borrowers, churn, sets    laid over the scenario, as `allocate` takes them

    The table has a row per point: at.LIMIT, value and bound (currency units), slopes.LIMIT (value per unit
    more of the bound), funded. The method is that of docs/frontier.md. Raises InputError for a limit that
    there is not and for ends that run backwards, else as `allocate`.

    >>> from allocator import frontier
    >>> frontier("scenarios/sme-302.yaml", "budget", low=5e7, high=1e8, points=2).table["at.budget"].tolist()
    [50000000.0, 100000000.0]
    """
    base = _base(scenario, Over(borrowers, churn, None, sets))
    names = (limits,) if isinstance(limits, str) else tuple(limits)
    ends = [_ends(low, len(names), "low"), _ends(high, len(names), "high")]
    _require(names, points, gap)
    stating = [
        (_stating(base, name, start, "low"), _stating(base, name, end, "high"))
        for name, start, end in zip(names, *ends, strict=True)
    ]
    base = Scenario.of(replace(base, solver=replace(base.solver, gap=max(gap, base.solver.gap))))
    case = prepare(base, read_inputs(base))
    portfolio = case.inputs.portfolio
    spans = [
        (_bound(start, name, portfolio), _bound(end, name, portfolio))
        for name, (start, end) in zip(names, stating, strict=True)
    ]
    found = followed(case, names, spans, points, progress or silent)
    return Result(found, frontier_view(found), lambda document: document["points"])


def _base(scenario: Source | Run, over: Over) -> Scenario:
    return scenario_of(scenario.scenario if isinstance(scenario, Run) else scenario, over)


def _ends(given: Any, count: int, field: str) -> Sequence[Bound | None]:
    """One end a limit, None where none is given."""
    if given is None:
        return [None] * count
    ends = [given] if isinstance(given, int | float | str) else list(given)
    if len(ends) != count:
        fault = Fault(f"has {len(ends)} bounds for {count} limits", "give one per limit", field=field)
        raise InputError.of([fault], "frontier")
    return ends


def _require(limits: Sequence[str], points: int, gap: float) -> None:
    faults = []
    if not 1 <= len(set(limits)) == len(limits) <= 2:
        faults.append(Fault(f"{len(limits)} limits are named", "name one, or two different", field="limits"))
    most = 1_000 if len(limits) < 2 else 40
    if not 2 <= points <= most:
        faults.append(Fault(f"{points} lies outside 2 to {most}", "ask for fewer, or more", field="points"))
    if not 0 < gap < 1:
        faults.append(Fault(f"{gap:g} lies outside 0 to 1", "write a fraction, as 1e-6", field="gap"))
    if faults:
        raise InputError.of(faults, "frontier")


def _stating(base: Scenario, name: str, bound: Bound | None, field: str) -> Scenario | None:
    """The scenario with a bound of the limit as its own key reads it; None where none is given."""
    limit = base.policy.entry(name, "limits")
    if bound is None:
        return None
    steps = ("policy", "budget", "amount") if limit is None else ("policy", "limits", name, limit.sense)
    try:
        return scenario_of(base, Over(more=[Setting(steps, bound)]))
    except InputError as error:
        faults = [replace(fault, file=None, line=None, field=field) for fault in error.faults]
        raise InputError.of(faults, "frontier") from error


def _bound(stating: Scenario | None, name: str, portfolio: Portfolio) -> float | None:
    """The bound that is stated; a budget is money once it is known what `portfolio` asks for."""
    return None if stating is None else with_budget_in_money(stating, portfolio).policy.bound_of(name)


@overload
def stress(
    scenario: Source | Run,
    only: str | Sequence[str] = ...,
    *,
    shock: str | os.PathLike[str] | None = ...,
    reverse: None = None,
    borrowers: Table = ...,
    churn: Table = ...,
    sets: Sets = ...,
    progress: Progress | None = ...,
) -> Result[StressTest]: ...


@overload
def stress(
    scenario: Source | Run,
    only: str | Sequence[str] = ...,
    *,
    shock: str | os.PathLike[str] | None = ...,
    reverse: str,
    along: str | None = ...,
    borrowers: Table = ...,
    churn: Table = ...,
    sets: Sets = ...,
    progress: Progress | None = ...,
) -> Result[ReverseStress]: ...


@asked()
def stress(
    scenario: Source | Run,
    only: str | Sequence[str] = (),
    *,
    shock: str | os.PathLike[str] | None = None,
    reverse: str | None = None,
    along: str | None = None,
    borrowers: Table = None,
    churn: Table = None,
    sets: Sets = None,
    progress: Progress | None = None,
) -> Result[StressTest] | Result[ReverseStress]:
    """What an allocation is worth under stress, frozen and re-optimised: `allocator stress`.

    scenario  as `allocate` takes it, or a Run, whose scenario is taken
    only      names of stresses; all of the scenario's `stresses`, else "mild" and "severe", if not given
    shock     a CSV of factors by a column of the borrowers, tried too
    reverse   find the least stress that crosses a line: "value=0", "loss_rate=2%", "limits[NAME]=100%"
    along     of reverse: the stress whose factors are scaled
    borrowers, churn, sets    laid over the scenario, as `allocate` takes them

    The table has a row a stress: frozen.value, reoptimised.value, hindsight and others in currency units,
    rates as fractions; of reverse a row an allocation: scale at which it crosses. The method is that of
    docs/stress.md. Raises InputError for a stress that there is not, else as `allocate`.

    >>> from allocator import stress
    >>> stress("scenarios/sme-302.yaml").table["name"].tolist()
    ['base', 'mild', 'severe']
    """
    if along is not None and reverse is None:
        fault = Fault("says nothing without reverse", 'give reverse="value=0" too', field="along")
        raise InputError.of([fault], "stress")
    base = _base(scenario, Over(borrowers, churn, None, sets))
    names = (only,) if isinstance(only, str) else tuple(only)
    file = None if shock is None else Path(shock)
    tell = progress or silent
    if reverse is None:
        test = stress_test(base, names, file, tell)
        return Result(test, stress_view(test), lambda document: document["stresses"])
    crossing = reverse_stress(base, reverse, along, names, file, tell)
    return Result(crossing, reverse_view(crossing), lambda document: document["reverse"])


@asked()
def compare(
    *subjects: Subject | Mapping[str, Subject],
    strategies: Sequence[str] | Mapping[str, Any] | None = None,
    by: str = "grade",
    exact: bool = True,
    years: int = 0,
    seed: int = 0,
    top: int = 10,
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

    The table has a row a subject: value, bound, less_than_first (currency units), shares as fractions. The
    method is that of docs/compare.md. Raises InputError for what cannot be compared, else as `allocate` and
    `verify`, with the subject's name.

    >>> from allocator import compare
    >>> compare("scenarios/sme-302.yaml", strategies=["optimal", "equal"]).table["name"].tolist()
    ['optimal', 'equal']
    """
    named = _named(subjects)
    tell = progress or silent
    further = FurtherColumns.named((by,), (), "by")
    over = Over(borrowers, churn, None, sets)
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
    found = compared(sides, by, tell, exact=exact, years=years, seed=seed)
    return Result(found, comparison_view(found, top, notes), lambda document: document["compared"])


def _named(subjects: Sequence[Any]) -> dict[str, Any]:
    """The subjects by name: a file's or folder's, a scenario's, numbered where two have the same."""
    if len(subjects) == 1 and isinstance(subjects[0], Mapping) and "policy" not in subjects[0]:
        return dict(subjects[0])
    if not subjects:
        fault = Fault("nothing is given", "give runs, folders of runs or scenarios", field="subjects")
        raise InputError.of([fault], "compare")
    named: dict[str, Any] = {}
    for subject in subjects:
        name = _name_of(subject)
        count = sum(one == name or one.startswith(f"{name} #") for one in named)
        named[f"{name} #{count + 1}" if count else name] = subject
    return named


def _name_of(subject: Any) -> str:
    if isinstance(subject, Run):
        return str(subject.summary["name"])
    if isinstance(subject, records.Scenario):
        return subject.name
    if isinstance(subject, str | os.PathLike):
        path = Path(subject)
        return path.name if path.is_dir() else path.stem
    return str(subject.get("name", "scenario")) if isinstance(subject, Mapping) else type(subject).__name__


def _side(name: str, subject: Any, over: Over, tell: Progress, further: FurtherColumns) -> Outcome:
    if is_stored(subject):
        return replace(outcome_of(subject, further), name=name)
    return scenario_side(scenario_of(subject, over), name, tell, further)


def _under_each(
    scenario: Any, strategies: Sequence[str] | Mapping[str, Any] | None, over: Over
) -> tuple[list[records.Scenario], tuple[str, ...]]:
    """The scenario under each strategy, the usual ones if none are named; with what is left out, in words."""
    wanted = {name: name for name in USUAL} if strategies is None else strategies
    if isinstance(wanted, str):
        wanted = [name.strip() for name in wanted.split(",")]
    if not isinstance(wanted, Mapping):
        wanted = {one if isinstance(one, str) else f"book {at}": one for at, one in enumerate(wanted)}
    scenarios: list[records.Scenario] = []
    faults: list[Fault] = []
    base = scenario_of(scenario, over)
    for name, strategy in wanted.items():
        try:
            scenarios.append(scenario_of(base, Over(strategy=strategy, book=name)))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError.of(list(dict.fromkeys(faults)), "strategies")
    return with_lines(scenarios) if strategies is None else (scenarios, ())


@asked()
def backtest(
    scenario: Source,
    outcome: str,
    *,
    period: str | None = None,
    known: str | None = None,
    owed: str | None = None,
    lost: str | None = None,
    variables: str | os.PathLike[str] | None = None,
    folds: int = 5,
    seed: int = 0,
    strategies: Sequence[str] | Mapping[str, Any] | None = None,
    budget_share: float | str | None = None,
    borrowers: Table = None,
    churn: Table = None,
    sets: Sets = None,
    progress: Progress | None = None,
) -> Result[Backtest]:
    """Decide period by period with what was known, score by what happened: `allocator backtest`.

    scenario      as `allocate` takes it
    outcome       column that is 1 where the borrower defaulted, else 0
    period        column of when each was decided; without it fold by fold, which needs `variables`
    known         column of the period in which a default became known
    owed, lost    columns of money lent, and of what of it was lost; both or neither
    variables     a JSON file of variables of a logit that has not seen the borrower
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
    file = None if variables is None else Path(variables)
    check_told(period, lost, owed, file, known)
    share = (
        None if budget_share is None else stated(positive(fraction), budget_share, "budget_share", "backtest")
    )
    scenarios, notes = _under_each(scenario, strategies, Over(borrowers, churn, None, sets))
    history = History(outcome, period, known, owed, lost, file, folds, seed)
    found = backtested(scenarios, history, share, progress or silent)
    return Result(found, backtest_view(found, notes), lambda document: document["periods"])
