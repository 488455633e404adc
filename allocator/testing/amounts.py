"""Every amount that a borrower may be offered, one by one, in plain Python."""

from __future__ import annotations

import math
from fractions import Fraction

from allocator.records.ticket import Choices, OwnSteps, SizedSteps
from allocator.testing.cases import Case


def amounts_up_to(case: Case, i: int, most: float) -> list[float]:
    """The amounts of docs/formulation.md, section 1, up to `most`, one by one."""
    step, grid = case.policy.ticket.step, case.policy.ticket.grid
    if isinstance(grid, Choices):
        request = float(case.portfolio.asked[i]) if grid.of_request else 1.0
        if math.isinf(request):
            return []
        cents = [math.floor(Fraction(repr(part)) * Fraction(repr(request)) * 100) for part in grid.amounts]
        return [cent / 100 for cent in cents if 0 < cent <= 100 * most + 1e-6]
    if isinstance(grid, SizedSteps):
        begins, sizes = [0.0, *(end for end, _ in grid.steps)], enumerate(grid.steps)
        pieces = [
            (n * step, begins[k], end) for k, (end, step) in sizes for n in range(1, int(most / step) + 1)
        ]
        return [amount for amount, begin, end in pieces if begin <= amount < end]
    if isinstance(grid, OwnSteps):
        step = float(case.portfolio.number(grid.column)[i])
    assert step is not None, "amounts in cents cannot be tried one by one"
    return [n * step for n in range(1, math.floor(most / step + 1e-9) + 1)]
