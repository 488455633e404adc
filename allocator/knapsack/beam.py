"""Beam search guided by the Gibbs measure: class by class, keep the partial choices that promise most.

A partial choice has lost `loss` so far at the measure's prices and leaves `room` of the capacities. What
the remaining classes and slacks will use is, under the measure, close to Gaussian with mean mu and
covariance C; T times its negative log density at `room` is what meeting exactly that room is expected to
cost. So the promise, the less the better, is

    loss + T/2 (room - mu)' C^-1 (room - mu),

early on an average over very many completions, at the end nearly exact. It costs m multiplications a
candidate after one whitening a state.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

from allocator.knapsack.gibbs import RIDGE, GibbsMeasure
from allocator.knapsack.problem import TOLERANCE, Knapsack
from allocator.records.portfolio import Floats, Integers

_WINDOW = 10.0
"""Items that lose more temperatures than this are left out: e^-10 of the best one's probability."""
_MOST_ROWS = 60
"""Rows in the quadratic term; LAPACK factors a larger matrix in an order that depends on the threads."""


@dataclass(frozen=True)
class _Stage:
    """What is known of the classes after the one decided here."""

    items: Integers
    """(K,) candidates of the class."""
    whitening: Floats
    """(r, r) W with T/2 C^-1 = W'W, over the rows that matter."""
    mean: Floats
    """(r,) expected use of what remains, slack included."""
    needed: Floats
    """(m,) the least that the later classes use."""


def beam(
    problem: Knapsack, guide: GibbsMeasure, order: Integers, width: int, beat: float, deadline: float
) -> Integers | None:
    """Choices (S, n) that fit and are worth `beat` or more; None without one, or after `deadline`.

    Classes are decided in `order` (n,); after each, `width` partial choices stay.
    """
    rows = _rows_that_matter(problem, guide)
    budget = guide.bound - beat + TOLERANCE * max(abs(guide.bound), 1.0)
    weights = np.ascontiguousarray(problem.weights.T)
    room = problem.capacities[:, None].copy()
    loss = np.zeros(1)
    parents: list[npt.NDArray[np.int32]] = []
    taken: list[npt.NDArray[np.int32]] = []
    for stage in _stages(problem, guide, order, rows):
        if perf_counter() > deadline:
            return None
        heads, items, loss, room = _extend(stage, weights, guide.loss, rows, room, loss, width, budget)
        if len(heads) == 0:
            return None
        parents.append(heads.astype(np.int32))
        taken.append(items.astype(np.int32))
    return _trace(order, parents, taken)


def _rows_that_matter(problem: Knapsack, guide: GibbsMeasure) -> Integers:
    """Rows whose slack does not dwarf all variation: the others have no say in the quadratic term."""
    weight = _variation(problem, guide) / guide.slack**2
    rows = np.argsort(-weight, kind="stable")[:_MOST_ROWS]
    return np.sort(rows[weight[rows] > 1e-4])


def _variation(problem: Knapsack, guide: GibbsMeasure) -> Floats:
    """(m,) variance of what all classes together use."""
    away = problem.weights - guide.mean[problem.owner]
    variance: Floats = np.einsum("n,nm,nm->m", guide.probability, away, away)
    return variance


def _stages(problem: Knapsack, guide: GibbsMeasure, order: Integers, rows: Integers) -> list[_Stage]:
    """Last class first: what follows it is its own slack only."""
    covariance = np.diag(guide.slack[rows] ** 2 + RIDGE * _variation(problem, guide)[rows])
    mean = guide.slack[rows].copy()
    needed = np.zeros(problem.weights.shape[1])
    near = guide.loss <= _WINDOW * guide.temperature
    stages = []
    for i in order[::-1]:
        span = np.arange(problem.start[i], problem.start[i + 1])
        items = span[near[span]]
        lower = np.linalg.cholesky(covariance)
        whitening = np.sqrt(guide.temperature / 2.0) * np.linalg.inv(lower)
        stages.append(_Stage(items, whitening, mean, needed))
        away = problem.weights[np.ix_(span, rows)] - guide.mean[i, rows]
        covariance = covariance + np.einsum("k,ka,kb->ab", guide.probability[span], away, away)
        mean = mean + guide.mean[i, rows]
        needed = needed + problem.weights[items].min(axis=0)
    return stages[::-1]


def _extend(
    stage: _Stage,
    weights: Floats,
    item_loss: Floats,
    rows: Integers,
    room: Floats,
    loss: Floats,
    width: int,
    budget: float,
) -> tuple[Integers, Integers, Floats, Floats]:
    """The `width` most promising extensions, less those that do not fit: heads, items, losses, rooms (m, S).

    Sums run row by row (einsum), never through a matrix product, so that threads change no bit.
    """
    load = weights[:, stage.items]
    heads = np.einsum("ab,bs->as", stage.whitening, room[rows] - stage.mean[:, None])
    tails = np.einsum("ab,bk->ak", stage.whitening, load[rows])
    far = loss + np.einsum("as,as->s", heads, heads)
    near = item_loss[stage.items] + np.einsum("ak,ak->k", tails, tails)
    promise = np.einsum("ak,as->ks", -2.0 * tails, heads)
    promise += far
    promise += near[:, None]
    if np.isfinite(budget):
        promise[item_loss[stage.items, None] > budget - loss] = np.inf
    best = _least(promise.ravel(), width)
    best = best[np.isfinite(promise.ravel()[best])]
    item, head = np.divmod(best, len(loss))
    left: Floats = np.subtract(room.take(head, axis=1), load.take(item, axis=1))
    tolerance = TOLERANCE * np.maximum(np.abs(stage.needed), 1.0)
    fits = np.flatnonzero(np.all(left >= (stage.needed - tolerance)[:, None], axis=0))
    if len(fits) < len(best):
        item, head, left = item[fits], head[fits], left[:, fits]
    return head, stage.items[item], loss[head] + item_loss[stage.items[item]], left


def _least(numbers: Floats, count: int) -> Integers:
    """Positions of the `count` smallest, ascending."""
    if len(numbers) <= count:
        return np.arange(len(numbers), dtype=np.int64)
    return np.sort(np.argpartition(numbers, count)[:count])


def _trace(
    order: Integers, parents: list[npt.NDArray[np.int32]], taken: list[npt.NDArray[np.int32]]
) -> Integers:
    """(S, n) the items behind every state that is left."""
    head: Integers = np.arange(len(taken[-1]), dtype=np.int64)
    choices = np.empty((len(head), len(order)), dtype=np.int64)
    for stage in range(len(order) - 1, -1, -1):
        choices[:, order[stage]] = taken[stage][head]
        head = parents[stage][head].astype(np.int64)
    return choices
