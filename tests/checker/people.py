"""Borrowers, policies and rows in memory, for tests of single functions of the checker."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from allocator import checker
from allocator.checker import Facts

POLICY = {"budget": {"amount": 1000}, "ticket": {"min": 1, "max": 500}, "rates": {"A": [0.1, 0.3]}}


def borrowers(n: int, numbers: dict[str, Sequence[float]] | None = None, **texts: Sequence[Any]) -> Any:
    """n borrowers of grade A with the usual figures, others where they are given."""
    cells = {"borrower_id": [f"b{k}" for k in range(n)], "grade": ["A"] * n, **texts}
    people = checker.Borrowers({name: [*own] for name, own in cells.items()}, ".", {})
    usual = {"pd": 0.25, "lgd": 0.5, "term_years": 1.0, "min_amount": 0.0, "max_amount": 400.0}
    usual |= {"relationship_value": 0.0, "exposure": 0.0}
    usual |= dict.fromkeys(("min_rate", "max_rate", "rate", "fixed_amount", "fixed_rate"), math.nan)
    people.numbers = {name: np.full(n, own) for name, own in usual.items()}
    people.numbers |= {name: np.array(own, dtype=float) for name, own in (numbers or {}).items()}
    return people


def policy(*limits: dict[str, Any], stress: dict[str, Any] | None = None, **own: Any) -> Facts:
    document = {"policy": {**POLICY, "limits": [*limits], **own}}
    return checker.stressed_policy(document, [stress or {}])


def rows(rules: Facts, people: Any, **own: Any) -> list[Facts]:
    """The rows of a policy, the budget first."""
    n = people.n
    figures = Facts(
        ids=[str(k) for k in range(n)], pd=people.numbers["pd"], lgd=people.numbers["lgd"],
        term=people.numbers["term_years"], worth=people.numbers["relationship_value"],
        exposure=people.numbers["exposure"], served=np.zeros(n, dtype=bool), then=np.zeros(n),
        rises=np.ones(n, dtype=bool), **own,
    )  # fmt: skip
    checker.measure_risk(figures, rules, people)
    return checker.rows_of(rules, people, figures)
