"""Which choices are likely near the optimum: the Gibbs measure of the knapsack, and its temperature.

Weigh every choice x of items by exp(value / T), and every slack s >= 0 of a capacity with it, and ask that
the capacities hold on average. The measure that does is a product: item k of class i has probability
exp((value_k - weights_k'p) / T) / Z_i, the slack of row j is exponential with mean T / p_j, and the
prices p minimise the smooth convex

    U_T(p) = capacities'p + T sum_i log Z_i(p) - T sum_j log p_j,

the entropic dual with a log barrier; as T falls, p tends to the LP's prices. A Gaussian around that
measure (the saddle point of the generating function; Daniels 1954, and for integer points Barvinok and
Hartigan 2010) counts the choices of a value or better that fit. The temperature at which that count is one
is where the optimum is to be expected: no parameter is left to tune.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.knapsack.lagrangian import evaluate
from allocator.knapsack.problem import Knapsack
from allocator.records.portfolio import Floats

_STEPS = 60
"""Newton steps at most; fifteen are usual."""
_CEILING = 1e6
"""Times what a unit of a capacity is worth; the price of one that leaves no room would grow without end."""
RIDGE = 1e-9
"""Share added to a diagonal: capacities that no choice can undercut together make singular matrices."""
_HALVINGS = 14
"""Bisections of the temperature's range; a few per cent more or less change nothing."""


@dataclass(frozen=True)
class GibbsMeasure:
    """The Gibbs measure at one temperature."""

    temperature: float
    """In units of value."""
    prices: Floats
    """(m,), above 0."""
    probability: Floats
    """(N,) sums to 1 in each class."""
    mean: Floats
    """(n, m) mean weights of each class."""
    loss: Floats
    """(N,) what each item loses at `prices`."""
    bound: float
    """U(prices), unsmoothed."""
    log_partition: float
    """sum_i log Z_i."""

    @property
    def slack(self) -> Floats:
        """(m,) mean, and spread, of each capacity's slack."""
        return self.temperature / self.prices


def measure(problem: Knapsack, temperature: float, start: Floats) -> GibbsMeasure:
    """The measure at `temperature`, by damped Newton from prices `start` (m,) > 0.

    Prices are rounded to 24 bits, so that the last bits of a linear system's solution, which may change with
    the number of threads from some hundred capacities on, reach nothing that is decided later.
    """
    prices, ceiling = start, _CEILING * _worth(problem)
    for _ in range(_STEPS):
        state = _state(problem, temperature, prices)
        gradient = problem.capacities - state.mean.sum(axis=0) - state.slack
        away = problem.weights - state.mean[problem.owner]
        curvature = _second_moments(away, state.probability) / temperature
        diagonal = np.diag_indices(len(prices))
        curvature[diagonal] = (1.0 + RIDGE) * curvature[diagonal] + temperature / prices**2
        step = -np.linalg.solve(curvature, gradient)
        decrease = -float(gradient @ step)
        if not decrease > 1e-9 * temperature:
            break
        prices = np.minimum(_along(problem, temperature, prices, step, decrease), ceiling)
    mantissa, exponent = np.frexp(prices)
    return _state(problem, temperature, np.ldexp(np.round(mantissa * 2.0**24), exponent - 24))


def _second_moments(away: Floats, probability: Floats) -> Floats:
    """(c, c) sum of the outer squares of the rows of `away` (N, c), each with its probability.

    Never through a matrix product, whose sums may run in another order with more threads.
    """
    moments: Floats = np.einsum("na,nb->ab", away * probability[:, None], away)
    return moments


def _along(problem: Knapsack, temperature: float, prices: Floats, step: Floats, decrease: float) -> Floats:
    """`prices` moved along `step` as far as Armijo's rule and the barrier allow."""
    down = step < 0
    length = min(1.0, 0.95 * float(np.min(-prices[down] / step[down], initial=np.inf)))
    here = _dual(problem, temperature, prices)
    while (
        length > 1e-9 and _dual(problem, temperature, prices + length * step) > here - 0.1 * length * decrease
    ):
        length *= 0.5
    return prices + length * step


def _state(problem: Knapsack, temperature: float, prices: Floats) -> GibbsMeasure:
    priced = evaluate(problem, prices)
    first = problem.start[:-1]
    mass = np.exp(-priced.loss / temperature)
    total = np.add.reduceat(mass, first)
    probability = mass / total[problem.owner]
    best = (priced.bound - float(problem.capacities @ prices)) / temperature
    return GibbsMeasure(
        temperature=temperature,
        prices=prices,
        probability=probability,
        mean=np.add.reduceat(probability[:, None] * problem.weights, first, axis=0),
        loss=priced.loss,
        bound=priced.bound,
        log_partition=best + float(np.sum(np.log(total))),
    )


def _dual(problem: Knapsack, temperature: float, prices: Floats) -> float:
    """U_T(prices)."""
    priced = evaluate(problem, prices)
    total = np.add.reduceat(np.exp(-priced.loss / temperature), problem.start[:-1])
    return priced.bound + temperature * float(np.sum(np.log(total)) - np.sum(np.log(prices)))


def find_measure(problem: Knapsack, start: Floats) -> GibbsMeasure:
    """The measure at the temperature where one choice is expected to be as good and to fit."""
    prices = positive(problem, start)
    spread = float(np.max(evaluate(problem, prices).loss, initial=0.0)) or 1.0
    low, high = 1e-5 * spread, spread
    expected = measure(problem, high, prices)
    for _ in range(_HALVINGS):
        middle = float(np.sqrt(low * high))
        at_middle = measure(problem, middle, prices)
        if _log_count(problem, at_middle) > 0:
            high, expected = middle, at_middle
        else:
            low = middle
        prices = at_middle.prices
        if high < 1.05 * low:
            break
    return expected


def positive(problem: Knapsack, prices: Floats) -> Floats:
    """`prices` (m,) with zeros raised to a small share of what a capacity's unit is worth on average."""
    return np.maximum(prices, 1e-3 * _worth(problem) / len(problem))


def _worth(problem: Knapsack) -> Floats:
    """(m,) what a unit of a capacity is worth: all the difference in value for the largest weight."""
    size = np.max(np.abs(problem.weights), axis=0)
    return (float(np.ptp(problem.values)) or 1.0) / np.where(size > 0, size, 1.0)


def _log_count(problem: Knapsack, state: GibbsMeasure) -> float:
    """Logarithm of the expected number of choices that fit and are worth the mean value less T, or more.

    The transform of a half-line's indicator adds T for the value and T / p_j for each slack.
    """
    owner, first = problem.owner, problem.start[:-1]
    mean_value = np.add.reduceat(state.probability * problem.values, first)
    both = np.column_stack([problem.values - mean_value[owner], state.mean[owner] - problem.weights])
    tilt = state.prices / state.temperature
    least = float(np.sum(mean_value)) - state.temperature
    exponent = state.log_partition + float(tilt @ problem.capacities) - least / state.temperature
    exponent += float(np.log(state.temperature) - np.sum(np.log(tilt)))
    spread = _second_moments(both, state.probability)
    spread[np.diag_indices(len(spread))] += np.concatenate([[state.temperature**2], state.slack**2])
    log_determinant = float(np.linalg.slogdet(2.0 * np.pi * spread)[1])
    return exponent - 0.5 * log_determinant
