"""Infeasible books of 302 to 100,000 borrowers against an LP of their own: conflicts and least changes.

Nobody walks away, so that what is drawn is what is offered and one amount a borrower says all. The LP is
written here from the limits as typed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

from allocator.errors import InfeasibleError, Relaxation
from allocator.insight.whatif.relaxations import explain
from allocator.pipeline import decide
from allocator.records.scenario import BUDGET, Limit
from allocator.records.strategy import SolverSettings
from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import prepared

LOW, HIGH = 100_000.0, 1_000_000.0
TABLE = churn_table([0.08], A=[0.0])
RATES = {"A": (0.08, 0.08)}
SECTORS = [f"s{k}" for k in range(6)]
EPS = 1e-9


def draw(n: int, seed: int, conflicts: int) -> Case:
    """`conflicts` of four kinds among `n` firms, no two with a limit in common, and limits that hold."""
    random = np.random.default_rng([n, seed])
    sector = random.integers(0, len(SECTORS), n)
    most = np.round(random.uniform(LOW, HIGH, n), -3)
    pd, lgd = random.uniform(0.002, 0.08, n), random.uniform(0.3, 0.6, n)
    book = portfolio(
        ["A"] * n,
        pd=pd,
        lgd=lgd,
        max_amount=most,
        min_amount=LOW,
        texts={"sector": [SECTORS[k] for k in sector]},
    )
    rows = [limit(f"cap {name}", "offered", "at_most", 0.9 * most.sum()) for name in ("one", "two")]
    for kind, k in zip(random.permutation(3)[:conflicts], random.permutation(6), strict=False):
        asked, own = most[sector == k], {"where": {"sector": [SECTORS[k]]}}
        factor = float(random.uniform(1.1, 2.0))
        if kind == 0:
            rows.append(limit("floor", "offered", "at_least", round(factor * asked.sum()), **own))
        elif kind == 1:
            loans = max(len(asked) // 2, 2)
            rows.append(limit("loans", "loans", "at_least", float(loans), **own))
            rows.append(limit("cap", "offered", "at_most", round(loans * LOW / factor), **own))
        else:
            order = np.argsort(pd * lgd, kind="stable")
            order = order[sector[order] == k]
            half = np.cumsum(most[order]) <= 0.5 * asked.sum()
            loss = float(np.sum((pd * lgd * most)[order][half]))
            rows.append(limit("volume", "drawn", "at_least", round(0.6 * asked.sum()), **own))
            rows.append(limit("loss", "expected_loss", "at_most", round(loss / factor), **own))
    names = random.permutation(len(rows))
    terms = policy(0.95 * round(most.sum()), *(rows[j] for j in names), rates=RATES, ticket=(LOW, HIGH))
    return Case(book, TABLE, terms, settings=SolverSettings(time_limit=3_600.0))


@dataclass(frozen=True)
class Plain:
    """The relaxation of a case, with one column a borrower.

    A part y of a loan is anything from LOW y to y times the largest. Where loans are counted, of one sector,
    that is y a borrower and what the sector has of money: between LOW and the largest of all its parts.
    Elsewhere it is the money alone, as a part of the largest: anything from 0 to 1. Rows are parts of their
    bounds, as a solver's tolerances are absolute.
    """

    case: Case

    def least(self, hard: set[str], loose: set[str]) -> float | None:
        """The least sum of changes of bounds `loose`, each relative to itself; None where none is enough.

        Only the limits of `hard` and `loose` count.
        """
        book, terms = self.case.portfolio, self.case.policy
        n = len(book.grade.codes)
        whole = limit(BUDGET, "offered", "at_most", terms.budget.amount)
        entries = [entry for entry in (whole, *terms.limits) if entry.name in hard | loose]
        counted = np.zeros(n, dtype=bool)
        for entry in terms.limits:
            counted |= self._inside(entry) & (entry.measure == "loans")
        matrix, most = [], []
        for entry in entries:
            sign = 1.0 if entry.sense == "at_most" else -1.0
            moved = [-1.0 if other.name == entry.name in loose else 0.0 for other in entries]
            use = sign * self._use(entry, counted) / entry.bound
            matrix.append(np.concatenate([use, moved]))
            most.append(sign)
        money = np.concatenate([np.zeros(n), [1.0], np.zeros(len(entries))])
        for per_part, sign in ((book.max_amount, 1.0), (np.full(n, LOW), -1.0)):
            parts = np.concatenate([np.where(counted, per_part / HIGH, 0.0), np.zeros(1 + len(entries))])
            matrix.append(sign * (money - parts))
            most.append(0.0)
        cost = np.concatenate([np.zeros(n + 1), np.ones(len(entries))])
        bounds = [(0.0, 1.0)] * n + [(0.0, None)] * (1 + len(entries))
        found = linprog(cost, sparse.csr_array(np.array(matrix)), most, bounds=bounds)
        assert found.status in (0, 2)
        return float(found.fun) if found.status == 0 else None

    def _inside(self, entry: Limit) -> np.ndarray:
        book = self.case.portfolio
        inside = np.ones(len(book.pd), dtype=bool)
        for condition in entry.where:
            column = book.texts[condition.column]
            inside &= np.isin(column.codes, [column.code_of(value) for value in condition.values])
        return inside

    def _use(self, entry: Limit, counted: np.ndarray) -> np.ndarray:
        """Of each borrower's column, and of a unit of HIGH of the counted sector's money."""
        book, inside = self.case.portfolio, self._inside(entry)
        if entry.measure == "loans":
            return np.append(inside.astype(float), 0.0)
        losses = entry.measure == "expected_loss"
        assert not (losses and np.any(inside & counted))
        per_unit = book.pd * book.lgd if losses else 1.0
        all_counted = bool(np.any(inside & counted))
        return np.append((inside & ~counted) * per_unit * book.max_amount, HIGH * all_counted)


def check(n: int, seed: int) -> None:
    conflicts = 1 + seed % 2
    case = draw(n, seed, conflicts)
    ready, plain = prepared(case), Plain(case)
    with pytest.raises(InfeasibleError) as caught:
        decide(ready)
    error = explain(ready.scenario, ready, caught.value, lambda _: None)
    every = {BUDGET, *(entry.name for entry in case.policy.limits)}

    assert len(error.conflicts) == conflicts
    for names in map(set, error.conflicts):
        assert plain.least(names, set()) is None
        assert all(plain.least(names - {name}, set()) is not None for name in names)
    assert error.relaxations
    for relaxation in error.relaxations:
        moved = {bound.limit for bound in relaxation.bounds}
        least = plain.least(every - moved, moved)
        assert least is not None
        assert least * (1 - EPS) <= relaxation.change <= 1.01 * least + whole_loans(relaxation)
    least = plain.least(set(), every)
    assert least is not None
    assert error.relaxations[0].change <= 1.01 * least + whole_loans(error.relaxations[0])


def whole_loans(relaxation: Relaxation) -> float:
    """The LP lends parts of loans; a bound on their number is a whole one."""
    return sum(1.0 / bound.was for bound in relaxation.bounds if bound.limit == "loans")


@pytest.mark.parametrize("seed", range(4))
def test_conflicts_and_least_changes_are_those_of_an_lp(seed: int) -> None:
    check(302, seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("n", [302, 3_000, 30_000, 100_000])
def test_conflicts_and_least_changes_of_larger_books(n: int, seed: int) -> None:
    check(n, seed)
