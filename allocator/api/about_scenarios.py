"""Questions about a scenario: what if a limit moves, or the world turns worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Annotated, Any, overload

from allocator.api.arguments import Within
from allocator.api.results import Result
from allocator.api.runs import Progress, Run, base_of, silent
from allocator.api.scenarios import (
    Over,
    Scenario,
    Sets,
    Source,
    Table,
    file_of,
    scenario_of,
)
from allocator.api.words import asked
from allocator.borrowers import read_inputs
from allocator.errors import Fault, InputError
from allocator.insight.whatif.frontier import Frontier
from allocator.insight.whatif.frontier import frontier as followed
from allocator.insight.whatif.reverse import ReverseStress, reverse_stress
from allocator.insight.whatif.stress import StressTest, stress_test
from allocator.pipeline import prepare
from allocator.records.portfolio import Portfolio
from allocator.report.frontier import frontier_view
from allocator.report.stress import reverse_view, stress_view
from allocator.scenario.demand import with_budget_in_money
from allocator.scenario.overrides import Setting

Bound = float | str
"""Of a limit, as its own key takes it: 5e7, 0.4 or "40%"."""
_GAP = 1e-6


@asked
def frontier(
    scenario: Source | Run,
    limits: str | Sequence[str] = "budget",
    *,
    low: Bound | Sequence[Bound | None] | None = None,
    high: Bound | Sequence[Bound | None] | None = None,
    points: Annotated[int, Within(2, 1_000)] = 15,
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
    base = base_of(scenario, Over(borrowers, churn, None, sets))
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
    return Result(found, partial(frontier_view, found), itemgetter("points"))


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
    if len(limits) > 1 and points > 40:
        faults.append(Fault(f"{points} lies outside 2 to 40", "ask for fewer of a pair", field="points"))
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
    shock: Table = ...,
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
    shock: Table = ...,
    reverse: str,
    along: str | None = ...,
    borrowers: Table = ...,
    churn: Table = ...,
    sets: Sets = ...,
    progress: Progress | None = ...,
) -> Result[ReverseStress]: ...


@asked
def stress(
    scenario: Source | Run,
    only: str | Sequence[str] = (),
    *,
    shock: Table = None,
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
    shock     factors by a column of the borrowers, tried too: a DataFrame (then called shock) or a CSV's path
    reverse   find the least stress that crosses a line: "value=0", "loss_rate=2%", "limits[NAME]=100%"
    along     of reverse: the stress whose factors are scaled
    borrowers, churn, sets    laid over the scenario, as `allocate` takes them

    The table has a row per stress: frozen.value, reoptimised.value, hindsight and others in currency units,
    rates as fractions; of reverse a row an allocation: scale at which it crosses. The method is that of
    docs/stress.md. Raises InputError for a stress that there is not, else as `allocate`.

    >>> from allocator import stress
    >>> stress("scenarios/sme-302.yaml").table["name"].tolist()
    ['base', 'mild', 'severe']
    """
    if along is not None and reverse is None:
        fault = Fault("says nothing without reverse", 'give reverse="value=0" too', field="along")
        raise InputError.of([fault], "stress")
    base = base_of(scenario, Over(borrowers, churn, None, sets))
    names = (only,) if isinstance(only, str) else tuple(only)
    file = None if shock is None else file_of(shock, "shock")
    tell = progress or silent
    if reverse is None:
        test = stress_test(base, names, file, tell)
        return Result(test, partial(stress_view, test), itemgetter("stresses"))
    crossing = reverse_stress(base, reverse, along, names, file, tell)
    return Result(crossing, partial(reverse_view, crossing), itemgetter("reverse"))
