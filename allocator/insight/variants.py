"""A scenario with something changed, on the same borrowers: what a what-if solves, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from allocator.errors import InfeasibleError, NoAllocationError
from allocator.limits import compile_limits
from allocator.pipeline import decide, judge, prepare
from allocator.records.case import Case
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress
from allocator.records.run import relative_gap
from allocator.records.scenario import Policy
from allocator.records.strategy import Strategy

_OPTIMAL = Strategy()


def optimally(case: Case) -> Case:
    """`case` decided by the optimal strategy, whatever its own."""
    return replace(case, scenario=replace(case.scenario, strategy=_OPTIMAL))


def in_brief(case: Case) -> Case:
    """`case` solved no longer than to the first proof tree of a small book."""
    solver = replace(case.scenario.solver, briefly=True)
    return replace(case, scenario=replace(case.scenario, solver=solver))


def answer(
    case: Case, start: Mapping[str, float] | None = None, progress: Progress = lambda _: None
) -> Outcome:
    """The best allocation of `case`, whatever its strategy, begun from the prices `start`, with its recheck.

    Raises what the pipeline's `decide` and `judge` raise.
    """
    case = optimally(case)
    return judge(case, decide(case, progress, start))


@dataclass(frozen=True)
class BestKnown:
    """What is known of the best value of a case, in money."""

    value: float
    """It is no less; -inf where no allocation that keeps the limits is known."""
    bound: float
    """It is no more."""

    @property
    def gap(self) -> float:
        """Relative, as a certificate's."""
        return relative_gap(self.bound, self.value)

    def less_than(
        self, changed: BestKnown, name: str, change: str, *, loosens: bool, solved: bool
    ) -> AddedValue:
        """What the change adds of which `changed` is known; nothing is lost by one that only loosens."""
        least = max(changed.value - self.bound, 0.0 if loosens else -np.inf)
        return AddedValue(name, change, least, changed.bound - self.value, solved)


@dataclass(frozen=True)
class AddedValue:
    """What a change of a case would add to its best value, at least and at most."""

    name: str
    change: str
    low: float
    """-inf where the run's allocation does not pass under the change and none was solved for."""
    high: float
    """inf where too little is known of the best value, as things are or with the change."""
    solved: bool
    """Whether the changed case was solved; else prices alone say it."""


def best_of(run: Outcome, case: Case, progress: Progress | None = None) -> BestKnown:
    """What `run` shows of its own case: its value counts where it breaks nothing.

    With `progress`, a run of another strategy than the optimal is solved for the optimum too.
    """
    own = run.certificate
    best = BestKnown(-np.inf if run.broken else own.value, own.bound)
    if progress is None or run.optimal:
        return best
    progress("solving for the optimum")
    try:
        optimum = answer(case, own.prices, progress).certificate
    except (InfeasibleError, NoAllocationError):
        return best
    return BestKnown(max(best.value, optimum.value), min(best.bound, optimum.bound))


def with_policy(case: Case, policy: Policy) -> Case:
    """`case` under another policy; offers are priced anew only where the policy prices them otherwise."""
    scenario = replace(case.scenario, policy=policy)
    own = case.scenario.policy
    if replace(own, budget=policy.budget, limits=policy.limits) != policy:
        return prepare(scenario, case.inputs)
    return Case(scenario, case.inputs, case.offers, compile_limits(policy, case.inputs.portfolio))


def without_limit(case: Case, name: str) -> Case:
    """`case` with the limit `name` dropped; the budget is then as large as all requests."""
    return with_policy(case, case.scenario.policy.without(name, float(np.sum(case.offers.high))))
