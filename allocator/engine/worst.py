"""The most in the worst of several stresses: weights of the mean whose bound is the least, then the floor.

What an allocation is worth in the worst is at most the mean of what it is worth in all, at any weights, so
that the bound of a mean is one of the largest floor, convex in the weights. Each allocation that is best for
some weights is a cut (Kelley, 1960). The floor is then raised towards the bound, as a limit in each stress.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from allocator.engine.allowance import Allowance
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.portfolio import Floats
from allocator.records.progress import Progress
from allocator.records.run import relative_gap
from allocator.records.solution import Solution, Stop
from allocator.records.strategy import SolverSettings
from allocator.records.stress import whole_weights

Weights = tuple[float, ...]

_CUTS, _RAISES = 20, 8
"""Solves that look for the weights, and for a higher floor, at most."""
_LIFTED = 1e-7
"""Gap that the last lots leave of floors which the solver lifted: halves would find no more."""
_PART = 0.5
"""Part of the time left that one of them may take."""
_SAME = 1e-9
"""Relative difference at which the weights are as good as any."""


class WorstSearch:
    """Weights of the least bound, then an allocation of the highest floor.

    `solve` answers the mean at some weights, where a floor is given with as much in each stress as a limit;
    `values` says what its answer at these weights is worth in each. `solve` raises what `optimise` raises.
    """

    def __init__(
        self,
        solve: Callable[[Weights, float | None, SolverSettings], Solution],
        lift: Callable[[Weights, Solution, Solution, float, SolverSettings], tuple[Solution | None, float]],
        values: Callable[[Weights, Solution], Floats],
        settings: SolverSettings,
        progress: Progress,
    ) -> None:
        self.solve, self.lift, self.values = solve, lift, values
        self.settings, self.progress = settings, progress
        self.allowance = Allowance(settings)
        self.found = list[tuple[Floats, Solution]]()
        self.proofs = list[tuple[Weights, Solution]]()
        self.high = np.inf
        """How high the floor can be, by the solver's word."""
        self.stop: Stop = "exhausted"

    def run(self, weights: Weights) -> Solution:
        """The answer that begins from `weights`, with the prices and the proof of the least bound."""
        self._find_weights(weights)
        if not self._lift() and self._add(self._tightest[0], None):
            self._raise_floor()
        weights, proof = self._tightest
        values, best = self._best
        met = self._gap <= self.settings.gap
        return replace(
            proof,
            bound=self._bound,
            proof="solver" if self.high < proof.bound else proof.proof,
            amount=best.amount,
            rate=best.rate,
            value=float(np.dot(weights, values)),
            weights=weights,
            stop="gap" if met else self.stop,
            method=best.method,
            seconds=self._seconds,
        )

    def _find_weights(self, sought: Weights) -> None:
        tried = set[Weights]()
        for number in range(_CUTS):
            self.progress(f"weights of the stresses, {number + 1} of {_CUTS} at most")
            tried.add(sought)
            if not self._add(sought, None, briefly=len(sought) > 1):
                return
            sought, reach = _weights_of([values for values, _ in self.found])
            bound = self._tightest[1].bound
            near = max(_SAME, self.settings.gap / 10) * max(abs(bound), 1.0)
            if sought in tried or reach >= bound - near or self._gap <= self.settings.gap:
                return

    def _lift(self) -> bool:
        """Has the solver lift all floors of a small book at once; whether nothing more is to be found."""
        weights, proof = self._tightest
        if len(weights) == 1 or self._gap <= self.settings.gap or self.allowance.left <= 0:
            return True
        self.progress("lifting the worst of the stresses")
        values, best = self._best
        candidate, bound = self.lift(weights, proof, best, float(min(values)), self.allowance.rest(_PART))
        if candidate is not None:
            self.found.append((self.values(weights, candidate), candidate))
        bound = max(bound, float(min(self._best[0])))
        if bound < proof.bound - _SAME * max(abs(bound), 1.0):
            self.high = bound
        return candidate is not None and self._gap <= max(_LIFTED, self.settings.gap)

    def _raise_floor(self) -> None:
        """Halves what lies between the floor and the bound, by floors as limits."""
        weights, _ = self._tightest
        high = self._bound
        for number in range(_RAISES):
            low = min(self._best[0])
            if self._gap <= self.settings.gap or high - low <= _SAME * max(abs(high), 1.0):
                return
            self.progress(f"the worst of the stresses, {number + 1} of {_RAISES} at most")
            aim = low + (high - low) / 2.0
            if not self._add(weights, aim):
                if self.stop != "exhausted":
                    return
                high = aim

    def _add(self, weights: Weights, floor: float | None, *, briefly: bool = False) -> bool:
        """Whether an allocation was found; the first must be."""
        if self.found and self.allowance.left <= 0:
            self.stop = self.allowance.cut_short
            return False
        settings = self.allowance.rest(_PART)
        settings = replace(settings, briefly=briefly or settings.briefly)
        if floor is not None:  # anything above it will do
            settings = replace(settings, briefly=True, gap=max(settings.gap, self._gap))
        try:
            answer = self.solve(weights, floor, settings)
        except InfeasibleError:
            if floor is None:
                raise
            return False
        except NoAllocationError:
            if not self.found:
                raise
            if self.allowance.left <= 0:
                self.stop = self.allowance.cut_short
            return False
        self.found.append((self.values(weights, answer), answer))
        if floor is None:
            self.proofs.append((weights, answer))
        return True

    @property
    def _best(self) -> tuple[Floats, Solution]:
        return max(self.found, key=lambda own: float(min(own[0])))

    @property
    def _tightest(self) -> tuple[Weights, Solution]:
        return min(self.proofs, key=lambda own: own[1].bound)

    @property
    def _bound(self) -> float:
        return min(self.high, self._tightest[1].bound)

    @property
    def _gap(self) -> float:
        return relative_gap(self._bound, float(min(self._best[0])))

    @property
    def _seconds(self) -> dict[str, float]:
        spent = [answer.seconds for _, answer in self.found]
        return {stage: sum(own.get(stage, 0.0) for own in spent) for stage in spent[0]}


def _weights_of(values_of_each: Sequence[Floats]) -> tuple[Weights, float]:
    """The weights at which the best mean of `values_of_each` is the least, and that mean."""
    from scipy.optimize import linprog

    values = np.array(values_of_each)
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
    weights = whole_weights(np.clip(np.asarray(best.x)[:-1], 0.0, 1.0).tolist())
    return weights, float(np.max(values @ np.array(weights)))
