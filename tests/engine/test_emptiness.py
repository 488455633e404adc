"""A budget that no ticket fits is proved to lend nothing by one cut, whatever the book's size."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from tests.builders import Case, churn_table, limit, policy, portfolio
from tests.stages import solve

TABLE = churn_table([0.05, 0.08], A=[0.1, 0.4], B=[0.1, 0.4])


def refused(budget: float, n: int = 60, idle: float = 0.0) -> Case:
    """n borrowers who ask for 100,000 to 500,000."""
    book = portfolio(
        ["A", "B"] * (n // 2),
        pd=np.linspace(0.005, 0.04, n).tolist(),
        max_amount=np.linspace(1e5, 5e5, n).tolist(),
        relationship_value=np.linspace(0.0, 500.0, n).tolist(),
    )
    rules = policy(budget, limit("half", "offered", "at_most", 0.5, of="budget", where={"grade": "A"}))
    return Case(book, TABLE, replace(rules, ticket=replace(rules.ticket, min=1e5), idle_rate=idle))


@pytest.mark.parametrize("budget", [1.0, 50_000.0, 99_999.0])
@pytest.mark.parametrize("method", ["exact", "reduced"])
def test_one_cut_proves_that_nothing_fits(budget: float, method: Literal["exact", "reduced"]) -> None:
    case = refused(budget)
    case = replace(case, settings=replace(case.settings, method=method))
    solved = solve(case)
    found = solved.outcome.certificate
    assert (found.value, found.bound) == (0.0, 0.0)
    assert found.tree is not None
    cut, leaf = found.tree["nodes"]
    assert cut["prices"].keys() == {"budget"}
    assert (leaf["prices"], leaf["bound"]) == ({}, 0.0)
    assert not solved.solution.log


def test_money_that_stays_idle_earns_what_the_bound_says() -> None:
    found = solve(refused(50_000.0, idle=0.01)).outcome.certificate
    assert found.value == pytest.approx(500.0)
    assert found.value <= found.bound <= found.value * (1 + 1e-9)


def test_what_fits_is_lent() -> None:
    found = solve(refused(200_000.0)).outcome.certificate
    assert found.value > 0.0
