"""Near-optimal allocations: for a value that is given up, the least, or the most, of something else.

An alternative is the optimum under one limit more. With fixed prices the bound U is linear in that limit's
right-hand side b, so that every solve proves a tangent: no allocation worth the floor F lies on the far side
of b - (U(b) - F) / price. Steps to these points close in on the answer from the side where nothing reaches
the floor; what is found on the other side is an allocation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, isfinite
from time import perf_counter
from typing import Literal

from allocator.certification import recheck
from allocator.errors import Fault, InfeasibleError, InputError, NoAllocationError
from allocator.insight.variants import answer, optimally, with_policy
from allocator.insight.whatif.tracks import track_of
from allocator.pipeline import with_cuts
from allocator.records.case import Case
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress
from allocator.records.scenario import COUNTED, Limit, Measure, Policy
from allocator.records.stress import Stress
from allocator.scenario.quantities import fraction, stated

WITHIN = 0.005
"""Part of the value that is given up at most, unless told otherwise."""
_SOLVES = 12
"""Of one aim, at most; together they have the time of one solve."""
_FINE = 1e-3
"""Part of what the optimum uses within which an answer in money is good enough."""
_TELLING = 0.1
"""Of the part given up, the gap at which a search tells what is worth the floor from what is not."""
_ROUNDING, _WHOLE = 1e-9, 1e-6


@dataclass(frozen=True)
class Aim:
    """What there shall be least of, or most."""

    name: str
    measure: Measure
    sense: Literal["at_most", "at_least"]
    """Of the limit that says it: at_most where there shall be least."""

    def limit(self, bound: float, policy: Policy) -> Limit:
        """The limit that asks for it."""
        taken = {limit.name for limit in policy.limits}
        return Limit(self.name + " sought" * (self.name in taken), self.measure, self.sense, bound)


AIMS = (
    Aim("fewest clients changed", "clients_changed", "at_most"),
    Aim("most firms served", "loans", "at_least"),
    Aim("fewest loans", "loans", "at_most"),
    Aim("least expected loss", "expected_loss", "at_most"),
)


@dataclass(frozen=True)
class Alternative:
    """The best allocation found under the limit that an aim comes to."""

    aim: Aim
    optimum: float
    """What the optimum has of the aim's measure."""
    reached: float
    """What the alternative has."""
    reach: float
    """No allocation that is worth the floor has less, or where there shall be most, more; certified."""
    outcome: Outcome
    stopped: bool
    """Whether the clock ended a search."""

    @property
    def proved(self) -> bool:
        """Whether nothing better is possible."""
        return self.reached == self.reach


@dataclass(frozen=True)
class Alternatives:
    """Those of one scenario, with its optimum."""

    optimum: Outcome
    within: float
    floor: float
    """What every alternative is worth at least."""
    alternatives: tuple[Alternative, ...]


def alternatives(
    case: Case, within: float = WITHIN, aims: Sequence[Aim] = AIMS, progress: Progress = lambda _: None
) -> Alternatives:
    """The alternatives of the case's optimum that are worth at least all but `within` of its value.

    Raises what the pipeline's `decide` and `judge` raise of the optimum.
    """
    case = optimally(case)
    progress("solving for the optimum")
    optimum = answer(case)
    solver = replace(case.scenario.solver, gap=max(case.scenario.solver.gap, _TELLING * within))
    case = replace(case, scenario=replace(case.scenario, solver=solver))
    floor = optimum.value - within * abs(optimum.value)
    changed = case.scenario.former is not None
    wanted = [aim for aim in aims if changed or aim.measure != "clients_changed"]
    ways = [_Search(case, optimum, floor, aim, progress).run() for aim in wanted]
    return Alternatives(optimum, within, floor, tuple(ways))


def share_of(written: float | str, field: str) -> float:
    """The part of the value that may be given up, as people write it. Raises InputError for another."""
    share = stated(fraction, written, field)
    if not 0 < share < 0.5:
        fault = Fault(f"{written} lies outside 0% to 50%", "write a share, as 0.5%", field=field)
        raise InputError.of([fault], "command line")
    return share


def aims_named(names: Sequence[str], field: str = "--aim") -> tuple[Aim, ...]:
    """The aims of these names, all where none is named. Raises InputError for another."""
    known = {aim.name: aim for aim in AIMS}
    unknown = [name for name in names if name not in known]
    if unknown:
        fault = Fault(f"{unknown[0]!r} is no aim", f"name one of {', '.join(known)}", field=field)
        raise InputError.of([fault], "command line")
    return tuple(known[name] for name in names) or AIMS


class _Search:
    """One aim, as t: its measure times a sign, so that there shall be the least t."""

    def __init__(self, case: Case, optimum: Outcome, floor: float, aim: Aim, progress: Progress) -> None:
        self.floor, self.aim, self.progress = floor, aim, progress
        self.sign = 1.0 if aim.sense == "at_most" else -1.0
        self.unit = 1.0 if aim.measure in COUNTED else 0.0
        policy = case.scenario.policy
        limit = aim.limit(0.0, policy)
        if case.scenario.stress.worst:  # limits hold in the book as it stands
            limit = replace(limit, stress=Stress())
        more = with_policy(case, replace(policy, limits=(*policy.limits, limit)))
        self.track, self.row = track_of(more, (limit.name,)), limit.name
        self.best, self.start = optimum, optimum.prices
        prices = {**optimum.prices, limit.name: 0.0}
        rows = with_cuts(more, optimum.certificate.cuts)
        self.high = self._used(recheck(rows.scenario, rows.inputs, optimum.decisions, prices))
        self.at_optimum = self.high
        self.low = 0.0 if self.sign > 0 else -float(len(case.inputs.portfolio))
        """No allocation worth the floor has less."""
        self.fine = max(self.unit, _FINE * abs(self.at_optimum))
        self.touched = self.walled = False
        """Whether the last solve's tangent ruled out more than was known; whether one found none as far."""
        self.stopped, self.ends = False, perf_counter() + case.scenario.solver.time_limit

    def run(self) -> Alternative:
        """Tangents from below, halves where they stand still, until low and high meet."""
        tried = set[float]()
        for number in range(_SOLVES):
            there = self._next(number, tried)
            if there is None:
                break
            if perf_counter() >= self.ends:
                self.stopped = True
                break
            tried.add(there)
            self.progress(f"{self.aim.name}: trying {self.sign * there:,.10g}")
            self._try(there)
        reach = self.high if self._met() and self.unit else min(self.low, self.high)
        optimum, reached, reach = (self.sign * t for t in (self.at_optimum, self.high, reach))
        return Alternative(self.aim, optimum, reached, reach, self.best, self.stopped)

    def _met(self) -> bool:
        """Whether no t below `high` is left, or none that matters."""
        return self._whole(self.low) >= self.high if self.unit else self.high - self.low <= self.fine

    def _whole(self, t: float) -> float:
        """The least t from here on that an allocation may have."""
        return float(ceil(t - _WHOLE)) if self.unit else t

    def _next(self, number: int, tried: set[float]) -> float | None:
        """The t to be tried next; None: no more."""
        if self._met():
            return None
        there = (self.low + self.high) / 2
        if self.touched:
            there = self.low + (0.0 if self.unit else 0.25 * self.fine)
        elif not self.walled:
            further = max(self.unit, 0.1 * abs(self.at_optimum)) * 2**number
            there = max(self.high - further, self.low)
        there = self._whole(there)
        if there in tried or there >= self.high:
            there = self._whole((self.low + self.high) / 2)
        return None if there in tried or there >= self.high else there

    def _try(self, t: float) -> None:
        bound, self.touched = (self.sign * t,), False
        case = self.track.case_with(bound)
        solver = case.scenario.solver.lasting(self.ends - perf_counter())
        case = replace(case, scenario=replace(case.scenario, solver=solver))
        try:
            outcome = answer(case, self.start)
        except InfeasibleError:
            self.low, self.walled = max(self.low, t + self.unit), True
            return
        except NoAllocationError:
            self.stopped = True
            return
        self.stopped |= outcome.stopped
        self.start = outcome.prices
        certificate, price = outcome.certificate, self.sign * outcome.prices[self.row]
        rows = replace(case, scenario=outcome.scenario, inputs=outcome.inputs)  # with what the prices are of
        own = certificate.bound if certificate.tree is None else self.track.bound_of(rows, outcome.prices)
        below = certificate.bound < self.floor
        if price > 0 and isfinite(own):
            touch = t - (own - self.floor) / price
            touch -= _ROUNDING * max(abs(touch), abs(own / price))
            known = max(self.low, t) if below else self.low
            self.touched = self._whole(touch) - known > 0.25 * self.fine
            self.low = max(self.low, touch)
        if below:
            self.low, self.walled = max(self.low, t + self.unit), True
        if outcome.value >= self.floor:
            self.high, self.best = min(self.high, self._used(outcome)), outcome

    def _used(self, outcome: Outcome) -> float:
        """The t of an allocation that the aim's row judges."""
        return self.sign * next(use.used for use in outcome.certificate.limits if use.name == self.row)
