"""Infeasible books of 302 to 100,000 borrowers against an LP of their own: conflicts and least changes.

Nobody walks away, so that what is drawn is what is offered and one amount a borrower says all. The LP has
an amount and a part of a loan for each; it is written here from the limits as typed.
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
    return Case(book, TABLE, terms)


@dataclass(frozen=True)
class Plain:
    """The relaxation of a case: an amount x, as a part of his largest, and a part y of a loan a borrower.

    Rows are parts of their bounds too: a solver's tolerances are absolute.
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
        matrix, most = [], []
        for entry in entries:
            sign = 1.0 if entry.sense == "at_most" else -1.0
            moved = [-1.0 if other.name == entry.name in loose else 0.0 for other in entries]
            matrix.append(np.concatenate([sign * self._use(entry) / entry.bound, moved]))
            most.append(sign)
        moves = sparse.csr_array((n, len(entries)))
        eye = sparse.eye_array(n)
        held = sparse.vstack(
            [
                sparse.hstack([-eye, sparse.diags_array(LOW / book.max_amount), moves]),
                sparse.hstack([eye, -eye, moves]),
                sparse.csr_array(np.reshape(matrix, (len(entries), 2 * n + len(entries)))),
            ]
        )
        cost = np.concatenate([np.zeros(2 * n), np.ones(len(entries))])
        bounds = [(0.0, None)] * n + [(0.0, 1.0)] * n + [(0.0, None)] * len(entries)
        found = linprog(cost, held.tocsr(), np.concatenate([np.zeros(2 * n), most]), bounds=bounds)
        assert found.status in (0, 2)
        return float(found.fun) if found.status == 0 else None

    def _use(self, entry: Limit) -> np.ndarray:
        book = self.case.portfolio
        inside = np.ones(len(book.pd), dtype=bool)
        for condition in entry.where:
            column = book.texts[condition.column]
            inside &= np.isin(column.codes, [column.code_of(value) for value in condition.values])
        per_unit = {"expected_loss": book.pd * book.lgd, "loans": np.zeros(len(book.pd))}
        amount = inside * per_unit.get(entry.measure, np.ones(len(book.pd))) * book.max_amount
        return np.concatenate([amount, inside * (entry.measure == "loans")])


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
