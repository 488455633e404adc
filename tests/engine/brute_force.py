"""The best of all allocations, by trying every one of them."""

from __future__ import annotations

import math

import pytest

from allocator.errors import InfeasibleError
from allocator.testing import limit_rows
from allocator.testing import plain as naive
from tests.builders import Case
from tests.stages import Solved, solve


def solved_to(case: Case, best: float | None) -> Solved | None:
    """The case solved, its value and bounds held to the best of all allocations; None where there is none."""
    if best is None:
        with pytest.raises(InfeasibleError):
            solve(case)
        return None
    solved = solve(case)
    tolerance = 1e-7 * max(abs(best), 1.0)
    assert solved.value == pytest.approx(best, rel=1e-7, abs=1e-7)
    assert solved.bound >= best - tolerance
    assert solved.solution.bound >= best - tolerance
    return solved


def best_value(case: Case) -> float | None:
    """The largest value of any allocation that meets every row that must hold; None where none does.

    Sums are carried along borrower by borrower, so that a case of 20,000 allocations takes a moment.
    """
    rows = limit_rows.rows(case)
    budget = case.policy.budget
    earns = case.policy.idle_rate if budget.spend == "at_most" else 0.0
    choices = [_lines(case, rows, i) for i in range(len(case.portfolio))]
    width = 2 * len(rows)
    partial: list[tuple[float, ...]] = [(0.0,) * (1 + width)]
    for lines in choices:
        partial = [
            tuple(a + b for a, b in zip(sums, line, strict=True)) for sums in partial for line in lines
        ]
    best = None
    for value, *sides in partial:
        both = [(row.lent + sides[2 * j], _right(row, sides[2 * j + 1])) for j, row in enumerate(rows)]
        met = all(
            row.penalty < math.inf or limit_rows.holds(case, row, *own)
            for row, own in zip(rows, both, strict=True)
        )
        total = value + earns * (budget.amount - sides[0])
        total -= sum(_paid(row, *own) for row, own in zip(rows, both, strict=True))
        if met and (best is None or total > best):
            best = total
    return best


def _paid(row: limit_rows.Row, left: float, right: float) -> float:
    """What the row costs where it may be missed."""
    over = right - left if row.sense == "at_least" else left - right
    return row.penalty * max(over, 0.0) if row.penalty < math.inf else 0.0


def _right(row: limit_rows.Row, reference: float) -> float:
    return row.bound if row.share is None else row.share * (reference + row.reference_lent)


def _lines(case: Case, rows: list[limit_rows.Row], i: int) -> list[tuple[float, ...]]:
    """What each alternative of borrower i adds: its value, then each row's left side and reference."""
    lines = []
    for offer in naive.alternatives(case, i):
        line = [naive.worth(case, i, offer)]
        for row in rows:
            used = row.weight[i] * naive.measured(case, row.measure, i, offer) if i in row.members else 0.0
            counted = row.reference and (row.base is None or i in row.base)
            reference = naive.measured(case, row.reference, i, offer) if counted else 0.0
            line += [used, reference]
        lines.append(tuple(line))
    return lines
