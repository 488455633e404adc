"""Limits on the Herfindahl index as the rows that they imply (docs/formulation.md, section 2).

With X_g what group g is offered and has already, HHI = sum X_g^2 / total^2 <= h says ||X|| <= sqrt(h) total:
of every direction s >= 0 with ||s|| <= 1 the row  sum_g s_g X_g <= sqrt(h) total.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

import numpy as np

from allocator.records.cuts import HHI, Cut
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.scenario import Limit, Policy


def with_cuts(policy: Policy, portfolio: Portfolio) -> tuple[Policy, Portfolio]:
    """The policy with every row's limit: those in named stresses, and the cuts of each limit on the index.

    The borrowers have the weights of the cuts. The limit on the index itself stays as a row of nobody, whose
    price is 0.
    """
    policy = policy.in_stresses()
    if not policy.convex:
        return policy, portfolio
    numbers = dict(portfolio.numbers)
    for limit in policy.convex:
        for cut in _cuts_of(policy, limit):
            numbers[cut.column(portfolio.numbers)] = _weights(cut, limit, portfolio)
    limits = (row for limit in policy.limits for row in _rows(policy, limit, portfolio))
    return replace(policy, limits=tuple(limits), cuts=()), replace(portfolio, numbers=numbers)


def _rows(policy: Policy, limit: Limit, portfolio: Portfolio) -> Iterator[Limit]:
    if limit.measure != HHI:
        yield limit
        return
    yield replace(limit, of=None)
    for cut in _cuts_of(policy, limit):
        column = cut.column(portfolio.numbers)
        yield Limit(cut.name, "offered", "at_most", sqrt(limit.bound), limit.of, weight=column)


def _cuts_of(policy: Policy, limit: Limit) -> list[Cut]:
    return [cut for cut in policy.cuts if cut.limit == limit.name]


def _weights(cut: Cut, limit: Limit, portfolio: Portfolio) -> Floats:
    """(n,) s of each borrower's group."""
    column = portfolio.text(limit.by or "")
    own = np.array([cut.direction.get(value, 0.0) for value in column.values])
    return own[column.codes]
