"""Between which ends a frontier is followed, as commands and Python are told them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest

from allocator.borrowers import read_inputs
from allocator.errors import Fault, InputError
from allocator.insight.whatif.frontier import Frontier, frontier
from allocator.pipeline import prepare
from allocator.records.portfolio import Portfolio
from allocator.records.progress import Progress
from allocator.records.scenario import Scenario
from allocator.scenario.demand import with_budget_in_money
from allocator.scenario.overrides import Setting

RangeEnd = float | str | None
"""A bound of a limit as its own key takes it: 5e7, 0.4 or "40%"; None: half or one and a half times now's."""
_MOST, _MOST_OF_TWO = 1_000, 40
"""Points along one limit, and along each of two."""


def check_options(
    limits: Sequence[str], low: Sequence[RangeEnd], high: Sequence[RangeEnd], points: int, gap: float
) -> None:
    """Raises InputError, in terms of the command's options, with all that holds of no scenario."""
    faults = []
    if not 1 <= len(limits) <= 2:
        problem = "is not given" if not limits else f"is given {len(limits)} times"
        faults.append(Fault(problem, "name one limit, or two", field="--limit"))
    elif len(set(limits)) < len(limits):
        faults.append(Fault(f"{limits[0]} is named twice", "name two limits, or one", field="--limit"))
    for option, given in (("--from", low), ("--to", high)):
        if given and len(given) != len(limits):
            problem = f"is given {len(given)} times for {len(limits)} limits"
            faults.append(Fault(problem, "give one per limit", field=option))
    most = _MOST if len(limits) < 2 else _MOST_OF_TWO
    if not 2 <= points <= most:
        faults.append(Fault(f"{points} lies outside 2 to {most}", "ask for fewer, or more", field="--points"))
    if not 0 < gap < 1:
        faults.append(Fault(f"{gap:g} lies outside 0 to 1", "write a share, as 1e-6", field="--gap"))
    if faults:
        raise InputError.of(faults, "command line")


def follow(
    scenario: Scenario,
    stating: Callable[[Setting], Scenario],
    limits: Sequence[str],
    low: Sequence[RangeEnd],
    high: Sequence[RangeEnd],
    points: int,
    gap: float,
    progress: Progress = lambda _: None,
) -> Frontier:
    """The frontier of `scenario` between `low` and `high`, one end per limit or none at all.

    `stating` lays a bound over the scenario. Raises InputError for an end that the limit's own key refuses,
    else what `frontier` raises and the stages before it.
    """
    stated = [
        (
            _scenario_at(scenario, stating, name, start, "--from"),
            _scenario_at(scenario, stating, name, end, "--to"),
        )
        for name, start, end in zip_longest(limits, low, high)
    ]
    solver = replace(scenario.solver, gap=max(gap, scenario.solver.gap))
    progress("reading the borrowers")
    case = prepare(replace(scenario, solver=solver), read_inputs(scenario))
    spans = [
        (_bound(start, name, case.inputs.portfolio), _bound(end, name, case.inputs.portfolio))
        for name, (start, end) in zip(limits, stated, strict=True)
    ]
    return frontier(case, limits, spans, points, progress)


def _scenario_at(
    scenario: Scenario, stating: Callable[[Setting], Scenario], name: str, end: RangeEnd, option: str
) -> Scenario | None:
    """The scenario with a bound of the limit as its own key reads it; None where none is given."""
    limit = scenario.policy.entry(name, "--limit")
    if end is None:
        return None
    steps = ("policy", "budget", "amount") if limit is None else ("policy", "limits", name, limit.sense)
    try:
        return stating(Setting(steps, end))
    except InputError as error:
        faults = [replace(fault, file=None, line=None, field=option) for fault in error.faults]
        raise InputError.of(faults, "command line") from error


def _bound(stated: Scenario | None, name: str, portfolio: Portfolio) -> float | None:
    """The bound that is stated; a budget is money once it is known what `portfolio` asks for."""
    return None if stated is None else with_budget_in_money(stated, portfolio).policy.bound_of(name)
