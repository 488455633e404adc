"""The whole program with nothing dropped, solved by SciPy: an oracle where amounts are not on a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from allocator.testing import limit_rows
from allocator.testing import plain as naive
from tests.builders import Case


@dataclass(frozen=True)
class Option:
    borrower: int
    terms: naive.Terms
    rate: float
    take_up: float

    def line(self, measure: Callable[[int, naive.Offer], float]) -> tuple[float, float]:
        """A measure of this option's offers: of making one, and of each unit of money."""
        nothing, million = (naive.Offer(amount, self.rate, self.take_up) for amount in (0.0, 1e6))
        made = measure(self.borrower, nothing)
        return made, (measure(self.borrower, million) - made) / 1e6


def best_value(case: Case) -> float | None:
    """The best value over amounts of any size; None where no allocation meets every row.

    The columns are the making of every option, then its amount in millions, then the idle budget.
    """
    terms = [(i, naive.terms(case, i)) for i in range(len(case.portfolio))]
    options = [Option(i, own, *rate) for i, own in terms if own is not None for rate in own.rates]
    budget = case.policy.budget
    idle = budget.amount / 1e6 if budget.spend == "at_most" else 0.0
    worth = _columns(options, lambda i, offer: naive.worth(case, i, offer))
    answer = milp(
        -np.append(worth, case.policy.idle_rate * 1e6),
        constraints=[*_offers(options), *_limits(case, options)],
        integrality=np.append(np.repeat([1, 0], len(options)), 0),
        bounds=Bounds(0.0, np.append(np.repeat([1.0, np.inf], len(options)), idle)),
        options={"mip_rel_gap": 0.0},
    )
    assert answer.status in (0, 2), answer.message
    return None if answer.status == 2 else -float(answer.fun)


def _columns(options: list[Option], measure: Callable[[int, naive.Offer], float]) -> np.ndarray:
    made, unit = np.array([option.line(measure) for option in options]).reshape(-1, 2).T
    return np.concatenate([made, unit * 1e6])


def _offers(options: list[Option]) -> list[LinearConstraint]:
    """At most one option per borrower (a pinned one for certain), and amounts inside the tickets."""
    made, rows = np.eye(len(options)), []
    for i in {option.borrower for option in options}:
        own = np.array([float(option.borrower == i) for option in options])
        pinned = any(option.terms.pinned for option in options if option.borrower == i)
        rows.append(LinearConstraint(np.concatenate([own, 0.0 * own, [0.0]]), float(pinned), 1.0))
    for k, option in enumerate(options):
        low, high = option.terms.low / 1e6, option.terms.high / 1e6
        rows.append(LinearConstraint(np.concatenate([-low * made[k], made[k], [0.0]]), 0.0, np.inf))
        rows.append(LinearConstraint(np.concatenate([-high * made[k], made[k], [0.0]]), -np.inf, 0.0))
    return rows


def _limits(case: Case, options: list[Option]) -> list[LinearConstraint]:
    rows = []
    for j, row in enumerate(limit_rows.rows(case)):

        def used(i: int, offer: naive.Offer, row: limit_rows.Row = row) -> float:
            own = row.weight[i] * naive.measured(case, row.measure, i, offer) if i in row.members else 0.0
            counts = row.share and (row.base is None or i in row.base)
            return own - (row.share * naive.measured(case, row.reference, i, offer) if counts else 0.0)

        right = row.bound if row.share is None else row.share * row.reference_lent
        idle = 1e6 if j == 0 and row.sense == "at_most" else 0.0
        scale = max(abs(right), case.policy.budget.amount / 1000)
        line = np.append(_columns(options, used), idle) / scale
        lower = -np.inf if row.sense == "at_most" else (right - row.lent) / scale
        upper = np.inf if row.sense == "at_least" else (right - row.lent) / scale
        rows.append(LinearConstraint(line, lower, upper))
    return rows
