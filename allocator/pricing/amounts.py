"""The amounts that a borrower may be offered, where they go by more than one step."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from allocator.errors import Fault, in_rows
from allocator.records.lots import CENT, Bands, lots_within
from allocator.records.portfolio import Booleans, Floats, Integers, Portfolio
from allocator.records.scenario import LARGEST_LOAN, Policy
from allocator.records.ticket import Choices, OwnSteps, SizedSteps

_LONG = 2**63
"""Whole numbers below this are held in 64 bits."""


def bands_of(portfolio: Portfolio, policy: Policy) -> Bands | None:
    """The bands of the borrowers' amounts (docs/formulation.md, section 1); None: one step for all."""
    grid, most = policy.ticket.grid, float(lots_within(np.array(policy.ticket.max), CENT))
    if isinstance(grid, OwnSteps):
        step = _cents(portfolio.number(grid.column))[None]
        return Bands(np.maximum(step, 1.0), np.where(step > 0, most, 0.0), np.maximum(step, 1.0))
    if isinstance(grid, SizedSteps):
        ends, steps = (np.array(column) for column in zip(*grid.steps, strict=True))
        last = np.minimum(_cents(np.append(ends[:-1], CENT)) - 1.0, most)
        last[-1] = most
        return Bands(np.append(1.0, last[:-1] + 1.0)[:, None], last[:, None], _cents(steps)[:, None])
    if isinstance(grid, Choices):
        points = (
            _shares(grid, portfolio.asked) if grid.of_request else _cents(np.array(grid.amounts))[:, None]
        )
        held = points > 0
        points = np.maximum(points, 1.0)
        return Bands(points, np.where(held, np.minimum(points, most), 0.0), points)
    return None


def _cents(amounts: Floats) -> Floats:
    """Whole cents; 0 where there is no number."""
    return np.nan_to_num(np.rint(amounts * 100.0), nan=0.0, posinf=0.0)


def _shares(grid: Choices, request: Floats) -> Floats:
    """(B, n) shares of the requests as decimals, rounded down to cents; 0 where there is no request."""
    cents = np.where(
        np.isfinite(request), lots_within(np.where(np.isfinite(request), request, 0.0), CENT), 0.0
    )
    return np.array([_share(cents.astype(np.int64), Fraction(repr(share))) for share in grid.amounts])


def _share(cents: Integers, part: Fraction) -> Floats:
    """(n,) whole cents times `part`, rounded down: what doubles would round is counted in whole numbers."""
    short = part.numerator * int(np.max(cents, initial=0)) < _LONG and part.denominator < _LONG
    counted = cents if short else cents.astype(object)
    return np.asarray(counted * part.numerator // part.denominator, dtype=np.float64)


def step_faults(portfolio: Portfolio, policy: Policy, wanted: Booleans) -> list[Fault]:
    """Steps that are none, of those (n,) who may be offered something."""
    grid = policy.ticket.grid
    if not isinstance(grid, OwnSteps):
        return []
    step = portfolio.number(grid.column)
    with np.errstate(invalid="ignore"):
        cents = step * 100.0
        good = (np.abs(np.rint(cents) - cents) <= 1e-6) & (step >= CENT) & (step <= LARGEST_LOAN)
    kinds = {
        "no step": (np.isnan(step), "give every borrower a step, as 10_000"),
        "a step that is no whole number of cents above 0": (
            ~np.isnan(step) & ~good, f"write an amount of 0.01 to {LARGEST_LOAN:g}, in whole cents",
        ),
    }  # fmt: skip
    return [
        Fault(f"{what}{in_rows(rows)}", remedy, file=portfolio.source, row=rows[0], field=grid.column)
        for what, (where, remedy) in kinds.items()
        if (rows := np.sort(portfolio.row[where & wanted]).tolist())
    ]
