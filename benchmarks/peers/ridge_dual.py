"""A first-order dual method of the DuaLip kind (Ramanath, Keerthi et al., 2021), written for this comparison.

max value'z - gamma/2 |z|^2 over limits and, for every borrower, the simplex of his options at their
larger amount; dualised over the limits, smooth, so that accelerated gradient steps (Nesterov 1983) with
an adaptive Lipschitz estimate and rows scaled to one norm lower it. gamma falls by stages. The prices
found prove a bound by the unsmoothed dual; whole offers come from everybody's best answer to them,
the densest first while the limits leave room.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from allocator.records.portfolio import Floats, Integers
from benchmarks.peers.problem import UNIT, Answer, Effort, NotApplicable, Problem

STAGES = (1e-1, 1e-2, 1e-3, 1e-4)
"""gamma, as a share of the median value of an option."""
ITERATIONS = 10_000
"""In all stages together, as DuaLip's published runs have."""
PATIENCE = 100
"""Steps in a row without a gain that end a stage."""
FILLING = 0.1
"""Part of the time kept for the allocation."""


@dataclass(frozen=True)
class Smooth:
    """The dual with rows scaled to norm 1; every borrower has K options."""

    value: Floats
    """(n, K)"""
    use: Floats
    """(m, n * K)"""
    right: Floats

    def evaluate(self, prices: Floats, gamma: float) -> tuple[float, Floats]:
        """The smoothed dual and its gradient at `prices`."""
        reduced = self.value - (prices @ self.use).reshape(self.value.shape)
        share = onto_simplex(reduced / gamma)
        worth = float(np.sum(share * reduced)) - gamma / 2 * float(np.sum(share**2))
        return float(self.right @ prices) + worth, self.right - self.use @ share.ravel()


def onto_simplex(points: Floats) -> Floats:
    """(n, K) the nearest points with entries of at least 0 and a sum of at most 1 (Duchi et al., 2008)."""
    clipped = np.maximum(points, 0.0)
    outside = np.flatnonzero(clipped.sum(axis=1) > 1.0)
    own = -np.sort(-points[outside], axis=1)
    rank = np.arange(1, points.shape[1] + 1)
    above = (np.cumsum(own, axis=1) - 1.0) / rank
    last = np.count_nonzero(own > above, axis=1) - 1
    clipped[outside] = np.maximum(points[outside] - above[np.arange(len(outside)), last][:, None], 0.0)
    return clipped


def solve(problem: Problem, effort: Effort) -> Answer:
    if np.isfinite(problem.lower).any():
        raise NotApplicable("its filling of the limits knows caps only")
    started = perf_counter()
    rates = len(problem.options) // problem.borrowers
    use = (problem.use_unit * problem.high[None, :] + problem.use_loan).tocsr()
    norm = np.sqrt(np.asarray(use.multiply(use).sum(axis=1)).ravel())
    norm[norm == 0.0] = 1.0
    scaled = use.multiply(1.0 / norm[:, None]).tocsr()
    value = (problem.margin * problem.high + problem.fixed).reshape(-1, rates)
    smooth = Smooth(value, scaled, problem.upper / norm)
    at_built = perf_counter()
    until = started + effort.seconds * (1.0 - FILLING)
    prices, steps = descend(smooth, until, effort.gap)
    at_priced = perf_counter()
    line, amount = fill(problem, prices / norm)
    seconds = {"build": at_built - started, "solve": at_priced - at_built, "fill": perf_counter() - at_priced}
    return Answer(line, amount, np.inf, f"{steps:,} steps", seconds, prices / norm)


def descend(smooth: Smooth, until: float, gap: float) -> tuple[Floats, int]:
    """Prices (m,) of the scaled rows after all stages, and how many steps that took."""
    prices = np.zeros(len(smooth.right))
    typical = float(np.median(np.abs(smooth.value)))
    steps = 0
    for stage, share in enumerate(STAGES):
        most = ITERATIONS * (stage + 1) // len(STAGES)
        before, momentum, gamma = prices, 1.0, share * typical
        at = prices
        best, gradient = smooth.evaluate(at, gamma)
        lipschitz = 0.0
        quiet = 0
        while steps < most and perf_counter() < until and quiet < PATIENCE:
            steps += 1
            ahead = (
                np.maximum(at - gradient / lipschitz, 0.0) if lipschitz > 1e-6 else first_step(at, gradient)
            )
            following = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
            probe = np.maximum(ahead + (momentum - 1.0) / following * (ahead - before), 0.0)
            found, slope = smooth.evaluate(probe, gamma)
            moved = float(np.linalg.norm(probe - at))
            if moved > 0.0:
                lipschitz = max(lipschitz * 0.95, float(np.linalg.norm(slope - gradient)) / moved)
            restart = float(slope @ (ahead - before)) > 0.0  # O'Donoghue and Candes (2015)
            before, momentum = ahead, 1.0 if restart else following
            at, gradient = probe, slope
            quiet = quiet + 1 if best - found <= gap * abs(best) else 0
            if found < best:
                best, prices = found, probe
    return prices, steps


def first_step(at: Floats, gradient: Floats) -> Floats:
    """A short step, to learn how steep the gradient turns."""
    return np.maximum(at - 1e-4 * gradient / max(float(np.linalg.norm(gradient)), 1e-12), 0.0)


def fill(problem: Problem, prices: Floats) -> tuple[Integers, Floats]:
    """Everybody's best answer to `prices`, the one most worth a unit of money first, while there is room."""
    rates = len(problem.options) // problem.borrowers
    per_unit = problem.margin - prices @ problem.use_unit
    reduced = per_unit * problem.high + problem.fixed - prices @ problem.use_loan
    table = reduced.reshape(-1, rates)
    best = np.arange(len(table)) * rates + table.argmax(axis=1)
    best = best[reduced[best] > -1e-3 * np.abs(problem.margin[best] * problem.high[best])]
    order = best[np.argsort(-reduced[best] / problem.high[best], kind="stable")]
    use, loan = problem.use_unit[:, order].toarray(), problem.use_loan[:, order].toarray()
    left = problem.upper.copy()
    line: list[int] = []
    amount: list[float] = []
    for k, option in enumerate(order.tolist()):
        room = left - loan[:, k]
        with np.errstate(divide="ignore", invalid="ignore"):
            most = float(np.min(np.where(use[:, k] > 0, room / use[:, k], np.inf)))
        x = min(float(np.floor(most * UNIT * 100.0) / 100.0 / UNIT), problem.high[option])
        if x >= problem.low[option]:
            left = room - use[:, k] * x
            line.append(option)
            amount.append(x)
    return np.array(line, dtype=np.int64), np.array(amount)
