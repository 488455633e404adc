"""Prices of large books: damped Newton on the dual, from a sample up to the whole book.

U(prices) is convex and, for many borrowers, nearly smooth: its gradient is b - usage, and its
curvature comes from the borrowers within delta of a switch. Each step minimises the quadratic
picture of U within the signs that the rows want, damped after Levenberg (1944) and Marquardt (1963)
by the ratio of actual to predicted decrease. Ten times as many borrowers a level, each started from
the level before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.passes import Pass, Sums, prepare
from allocator.engine.options import on_hull, options_of, uses_of
from allocator.engine.program import Effort
from allocator.engine.relaxation import prices_of, relax
from allocator.engine.solving import solve
from allocator.records.limits import Limits
from allocator.records.portfolio import Floats

_SEED = 400
"""Borrowers of the sample whose relaxation HiGHS solves, for prices to start from."""
_FIRST = 10_000
"""Borrowers in the first sample for Newton."""
_STEPS = 60
"""Most steps a level."""
_WIDEST = 0.003
"""First delta: money a unit of money."""


@dataclass(frozen=True)
class Box:
    """Where prices may lie."""

    low: Floats
    high: Floats

    @classmethod
    def of(cls, limits: Limits) -> Box:
        """At most: not negative; at least: not positive; exactly: free; an idle unit is worth its rate."""
        low = np.array([0.0 if sense == "at_most" else -np.inf for sense in limits.senses])
        high = np.array([0.0 if sense == "at_least" else np.inf for sense in limits.senses])
        if limits.idle_room > 0:
            low[0] = limits.idle_rate
        return cls(low, high)


def newton_prices(
    columns: Columns,
    threads: int,
    start: Floats | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Floats:
    """(m,) prices close to the minimum of the bound; from `start` (a former run's) where given."""
    box = Box.of(columns.limits)
    prices = np.clip(_first_prices(columns) if start is None else start, box.low, box.high)
    delta = _WIDEST
    for size in _levels(len(columns)):
        progress(f"pricing the limits on {size:,} of {len(columns):,} borrowers")
        whole = size == len(columns)
        book = columns if whole else sample(columns, size)
        tolerance = 1e-10 if whole else 1e-2 / size
        prices, delta = _descend(prepare(book, threads), box, prices, delta, tolerance)
    return prices


def _first_prices(columns: Columns) -> Floats:
    """Exact prices of a small sample; 0 where the sample cannot meet its share of the limits."""
    few = sample(columns, min(_SEED, len(columns)))
    options = options_of(few, np.flatnonzero(few.offers.menu >= 0))
    options = options.keep(on_hull(few, options))
    relaxation = relax(few, options, uses_of(few, options))
    answer = solve(relaxation.program, Effort())
    if answer.stop != "optimal":
        return np.zeros(len(columns.limits))
    return prices_of(few, relaxation, answer)


def _levels(borrowers: int) -> list[int]:
    sizes = []
    size = _FIRST
    while size * 3 <= borrowers:
        sizes.append(size)
        size *= 10
    return [*sizes, borrowers]


def _descend(book: Pass, box: Box, prices: Floats, delta: float, tolerance: float) -> tuple[Floats, float]:
    """Newton steps until neither a step nor a sharper delta lowers U by more than `tolerance` of it."""
    limits = book.columns.limits
    damping = 1e-3
    enough = 4 * len(limits)
    here = book.sweep(prices, delta)
    for _ in range(_STEPS):
        gradient = limits.rhs - here.usage
        step = _step(gradient, _damped(here.curvature, limits.scale, damping), prices, box)
        predicted = -float(gradient @ step + 0.5 * step @ here.curvature @ step)
        if predicted <= tolerance * abs(here.bound):
            if here.near <= enough or delta < 1e-9:
                break
            delta *= max(0.1, enough / here.near)
            damping = 1e-3
            here = book.sweep(prices, delta)
            continue
        there = book.sweep(prices + step, delta)
        ratio = (here.bound - there.bound) / predicted
        if there.bound < here.bound:
            prices, here = prices + step, there
        damping, delta = _adapt(ratio, damping, delta, here, enough)
        if damping > 1e8:
            break
    return prices, delta


def _adapt(ratio: float, damping: float, delta: float, here: Sums, enough: int) -> tuple[float, float]:
    """More damping where the picture was wrong, less where it was right; a window fit for what is near."""
    if ratio < 0.25:
        damping = max(damping * 8.0, 1e-4)
    elif ratio > 0.75:
        damping = damping / 8.0
    if here.near > 40 * enough and ratio > 0.5:
        delta *= 0.3
    return max(damping, 1e-12), delta


def _damped(curvature: Floats, scale: Floats, damping: float) -> Floats:
    """Curvature plus Marquardt's diagonal; a row without curvature gets that of the flattest scale."""
    diagonal = np.diag(curvature)
    largest = float(np.max(diagonal / scale**2, initial=0.0)) or 1.0
    floor = np.maximum(diagonal, 1e-6 * largest * scale**2)
    return np.asarray(curvature + np.diag(damping * floor + 1e-12 * largest * scale**2))


def _step(gradient: Floats, curvature: Floats, prices: Floats, box: Box) -> Floats:
    """The minimiser of the quadratic picture inside the box: prices that would leave it stop at its edge."""
    room_low, room_high = box.low - prices, box.high - prices
    fixed = ((room_low >= 0) & (gradient > 0)) | ((room_high <= 0) & (gradient < 0))
    step = np.zeros(len(prices))
    for _ in range(len(prices)):
        free = ~fixed
        if not free.any():
            break
        right = gradient[free] + curvature[np.ix_(free, fixed)] @ step[fixed]
        norm = np.sqrt(np.diag(curvature)[free])
        scaled = curvature[np.ix_(free, free)] / norm[:, None] / norm
        step[free] = -np.linalg.lstsq(scaled, right / norm, rcond=1e-14)[0] / norm
        out = free & ((step < room_low) | (step > room_high))
        if not out.any():
            break
        step[out] = np.clip(step, room_low, room_high)[out]
        fixed |= out
    return step


def sample(columns: Columns, size: int) -> Columns:
    """Every (n / size)-th borrower in order of cell, with limits scaled to their share."""
    cell = columns.limits.cell
    narrow = cell.astype(np.int16) if columns.limits.cells < 2**15 else cell
    order = np.argsort(narrow, kind="stable")
    picks = np.sort(order[((np.arange(size) + 0.5) * (len(columns) / size)).astype(np.int64)])
    return columns.subset(picks, size / len(columns))
