"""The allocation that is worth the most in the worst of several stresses, and a bound on any there.

What an allocation is worth in the worst is at most the mean of what it is worth in all, at any weights; the
largest mean has a bound of its own (`stress.mean_of`), so that the least such bound over the weights is one
of the largest floor. The weights are found by cuts: each allocation that is best for some weights is one. The
floor is then raised towards the bound, as a limit on the value in each stress.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from allocator.borrowers import FurtherColumns, read_inputs, stressed
from allocator.certification import recheck
from allocator.errors import Fault, InfeasibleError, InputError, NoAllocationError
from allocator.insight.variants import answer
from allocator.pipeline import prepare
from allocator.records.case import Case
from allocator.records.columns import VALUE
from allocator.records.cuts import HHI
from allocator.records.filters import mean_over
from allocator.records.outcome import Outcome
from allocator.records.portfolio import Floats
from allocator.records.progress import Progress
from allocator.records.run import Decisions, relative_gap
from allocator.records.scenario import Limit, Policy, Scenario
from allocator.records.stress import BASE, Stress, StressSource

_CUTS, _RAISES = 12, 6
"""Solves that look for the weights, and for a higher floor, at most."""
_SAME = 1e-9
"""Relative difference at which the weights are as good as any."""


@dataclass(frozen=True)
class WorstOf:
    """What is best in the worst of some stresses."""

    scenario: Scenario
    names: tuple[str, ...]
    weights: tuple[float, ...]
    """Of the mean whose bound is the least found."""
    values: tuple[float, ...]
    """What the allocation is worth in each stress."""
    bound: float
    """No allocation that keeps the limits is worth more in the worst."""
    outcome: Outcome
    """The allocation, in the mean of these weights."""
    in_base: float
    """What it is worth in the scenario as it stands."""

    @property
    def floor(self) -> float:
        """What it is worth in the worst."""
        return min(self.values)

    @property
    def gap(self) -> float:
        return relative_gap(self.bound, self.floor)


def worst_of(scenario: Scenario, names: Sequence[str], progress: Progress = lambda _: None) -> WorstOf:
    """The best allocation in the worst of the stresses `names`, base among them or not.

    Raises InputError for names, stresses and scenarios that have none; else as `allocate` does.
    """
    stresses = _chosen(scenario, names)
    progress("reading the borrowers")
    inputs = read_inputs(scenario, FurtherColumns.of(stresses))
    worlds = _Worlds(prepare(scenario, inputs), tuple(names), tuple(stresses))
    return _Search(worlds, progress).run()


def _chosen(scenario: Scenario, names: Sequence[str]) -> list[Stress]:
    """The stresses of these names. Raises InputError for what has no worst of several stresses."""
    known = {BASE: StressSource(), **scenario.stresses}
    faults = [
        Fault(f"no stress is named {name!r}", f"the stresses are {', '.join(known)}", field="--worst-of")
        for name in dict.fromkeys(names)
        if name not in known
    ]
    if len(set(names)) < max(len(names), 2):
        faults.append(Fault("expected two or more, each once", "name another stress", field="--worst-of"))
    chosen = [known[name] for name in names if name in known]
    for name, source in zip(names, chosen, strict=False):
        if source.file is not None or source.factors != Stress(pd=source.factors.pd, lgd=source.factors.lgd):
            problem = f"{name} has factors of more than pd and lgd"
            faults.append(Fault(problem, "keep to pd and lgd, or leave it out", field="--worst-of"))
    policy = scenario.policy
    if scenario.stress.mean:
        problem = "the scenario is a mean over stresses already"
        faults.append(Fault(problem, "leave stress.mean_of out", field="stress.mean_of"))
    if policy.capital.cost is not None:
        problem = "what capital costs is no mean over stresses: it is no sum of losses"
        faults.append(Fault(problem, "leave policy.capital.cost out", field="policy.capital.cost"))
    if any(limit.by is not None and limit.measure != HHI for limit in policy.limits):
        problem = "the tail loss of several sectors does not yet go with the worst of several stresses"
        faults.append(Fault(problem, "leave policy.tail.sectors out", field="policy.tail.sectors"))
    if faults:
        raise InputError.of(faults, scenario.name)
    return [source.factors for source in chosen]


@dataclass(frozen=True)
class _Worlds:
    """A case in the mean of its stresses at any weights; its limits hold in the scenario as it stands."""

    case: Case
    names: tuple[str, ...]
    stresses: tuple[Stress, ...]

    def at(self, weights: Sequence[float], floor: float | None = None) -> Case:
        """The mean; with `floor` as what it must be worth in each stress of a weight, or none."""
        inputs = self.case.inputs
        own = [
            stressed(inputs.portfolio, inputs.churn, stress, StressSource(stress))[0]
            for stress in self.stresses
        ]
        portfolio = mean_over(weights, own, inputs.portfolio)
        policy = _as_it_stands(self.case.scenario.policy)
        if floor is not None:
            policy = replace(policy, limits=(*policy.limits, *self._floors(policy, floor)))
        scenario = replace(self.case.scenario, policy=policy)
        return prepare(scenario, replace(inputs, portfolio=portfolio))

    def _floors(self, policy: Policy, floor: float) -> list[Limit]:
        """A limit for each stress on all that the book is worth there, what idle money earns aside."""
        taken = {limit.name for limit in policy.limits}
        names = (f"worst in {name}" + " sought" * (f"worst in {name}" in taken) for name in self.names)
        limits = zip(names, self.stresses, strict=True)
        return [Limit(name, VALUE, "at_least", floor, stress=stress) for name, stress in limits]

    def values(self, decisions: Decisions) -> tuple[float, ...]:
        """(s,) what decisions are worth in each stress."""
        ones = np.eye(len(self.stresses)).tolist()
        return tuple(self._value(self.at(one), decisions) for one in ones)

    def _value(self, case: Case, decisions: Decisions) -> float:
        prices = {row.name: 0.0 for row in case.limits.rows}
        return recheck(case.scenario, case.inputs, decisions, prices).value

    def in_base(self, decisions: Decisions) -> float:
        return self._value(self.case, decisions)


def _as_it_stands(policy: Policy) -> Policy:
    """The policy whose limits read PD and LGD as they are apart from any mean."""
    limits = (own if own.by or own.stress else replace(own, stress=Stress()) for own in policy.limits)
    return replace(policy, limits=tuple(limits))


class _Search:
    """Weights of the least bound, then an allocation of the highest floor."""

    def __init__(self, worlds: _Worlds, progress: Progress) -> None:
        self.worlds, self.progress = worlds, progress
        self.weights = np.full(len(worlds.names), 1.0 / len(worlds.names))
        self.bound, self.found = np.inf, list[tuple[tuple[float, ...], Outcome]]()

    def run(self) -> WorstOf:
        sought = self.weights
        for number in range(_CUTS):
            self.progress(f"weights {number + 1} of {_CUTS} at most")
            outcome = answer(self.worlds.at(sought.tolist()))
            if outcome.bound < self.bound:
                self.bound, self.weights = outcome.bound, sought
            self.found.append((self.worlds.values(outcome.decisions), outcome))
            sought, reach = _weights_of([values for values, _ in self.found])
            if reach >= self.bound - _SAME * max(abs(self.bound), 1.0):
                break
        self._raise_floor()
        values, outcome = self._best
        names, weights = self.worlds.names, tuple(self.weights.tolist())
        in_base = self.worlds.in_base(outcome.decisions)
        return WorstOf(self.worlds.case.scenario, names, weights, values, self.bound, outcome, in_base)

    @property
    def _best(self) -> tuple[tuple[float, ...], Outcome]:
        return max(self.found, key=lambda own: min(own[0]))

    def _raise_floor(self) -> None:
        """Halves what lies between the floor and the bound, by floors as limits."""
        high = self.bound
        for number in range(_RAISES):
            low = min(self._best[0])
            if high - low <= _SAME * max(abs(high), 1.0):
                return
            self.progress(f"floor {number + 1} of {_RAISES} at most")
            aim = low + (high - low) / 2.0
            try:
                outcome = answer(self.worlds.at(self.weights.tolist(), aim))
            except (InfeasibleError, NoAllocationError):
                high = aim
                continue
            self.found.append((self.worlds.values(outcome.decisions), outcome))


def _weights_of(found: list[tuple[float, ...]]) -> tuple[Floats, float]:
    """The weights at which the best mean of those `found` is the least, and that mean."""
    from scipy.optimize import linprog

    values = np.array(found)
    size = max(float(np.max(np.abs(values))), 1.0)
    count, stresses = values.shape
    best = linprog(
        np.append(np.zeros(stresses), 1.0),
        A_ub=np.column_stack([values / size, -np.ones(count)]),
        b_ub=np.zeros(count),
        A_eq=[[*np.ones(stresses), 0.0]],
        b_eq=[1.0],
        bounds=[*[(0.0, 1.0)] * stresses, (None, None)],
    )
    weights = np.round(np.clip(np.asarray(best.x)[:-1], 0.0, 1.0), 6)
    weights[int(np.argmax(weights))] += 1.0 - weights.sum()
    return weights, float(np.max(values @ weights))
