"""Prices of large books: damped Newton on the dual, from a sample up to the whole book.

U(prices) is convex and, for many borrowers, nearly smooth: its gradient is b - usage, and its
curvature comes from the borrowers within delta of a switch. Each step minimises the quadratic
picture of U within the signs that the rows want, damped after Levenberg (1944) and Marquardt (1963)
by the ratio of actual to predicted decrease. Ten times as many borrowers per level, each started from
the level before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from allocator.engine.farkas import prove_impossible
from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.curvature import DENSE_UP_TO, Curvature
from allocator.engine.kernel.passes import COMPILED_FROM, Pass, PassSums, prepare
from allocator.engine.options import on_hull, options_of, uses_of
from allocator.engine.program import Effort
from allocator.engine.relaxation import price_range, prices_of, relax
from allocator.engine.solving import solve
from allocator.records.limits import Limits
from allocator.records.portfolio import Floats, Integers
from allocator.records.progress import Progress

_SEED = 200
"""Borrowers of the sample whose relaxation HiGHS solves, for prices to start from."""
_FIRST = 10_000
"""Borrowers in the first sample for Newton."""
_DRAWN_FROM = 4_000_000
"""Borrowers that samples are drawn from, about."""
_MEMBERS = 10
"""Borrowers of a sample that a row must count for the sample to price it, where rows are very many."""
_STEPS = 60
"""Most steps per level."""
_NEAR = 40
"""Borrowers a row near a switch that make U smooth enough; with fewer the finish does better."""
_IDLE = 3
"""Steps in a row that may gain nothing before the window sharpens or the finish takes over."""
_FARTHEST = 0.05
"""Most that a step may change what a row charges, money per unit of money."""
_TURNS = 40
"""Changes of the active set in a step; it seldom takes six."""
_WIDEST = 0.003
"""First delta: money per unit of money."""
_SHARPEST = 1e-9
"""A window that is not made sharper."""


@dataclass(frozen=True)
class PriceBox:
    """Where prices may lie."""

    low: Floats
    high: Floats

    @classmethod
    def of(cls, limits: Limits) -> PriceBox:
        """At most: not negative; at least: not positive; exactly: free; an idle unit is worth its rate.

        No more than a unit of excess costs.
        """
        low, high = price_range(limits)
        if limits.idle_room > 0:
            low[0] = limits.idle_rate
        return cls(low, high)

    def around(self, prices: Floats, reach: Floats) -> PriceBox:
        """The part of the box within `reach` (m,) of `prices`."""
        return PriceBox(np.maximum(self.low, prices - reach), np.minimum(self.high, prices + reach))


@dataclass(frozen=True)
class LevelEnd:
    """Where a level ends."""

    gain: float
    """Share of U that a step has to promise."""
    near: int
    """Borrowers a row within delta of a switch; with fewer the window need not be sharper."""


def newton_prices(
    columns: Columns,
    threads: int,
    start: Floats | None = None,
    progress: Progress = lambda _: None,
    left: Callable[[], float] = lambda: np.inf,
) -> Floats:
    """(m,) prices close to the minimum of the bound; from `start` (a former run's) where given.

    No step begins when no seconds are `left`: any prices prove something. Nor are prices of a sample carried
    on that prove of the whole book that no allocation meets its limits.
    """
    box = PriceBox.of(columns.limits)
    by_cell = _in_order_of_cell(columns)
    prices = np.clip(_first_prices(columns, by_cell) if start is None else start, box.low, box.high)
    delta = _WIDEST
    for size in _levels(len(columns)):
        if left() <= 0:
            break
        progress(f"pricing the limits on {size:,} of {len(columns):,} borrowers")
        whole = size == len(columns)
        book = columns if whole else sample(columns, size, by_cell)
        end = LevelEnd(_last_gain(size), 10 * _NEAR) if whole else LevelEnd(1e-2 / size, _NEAR)
        ready = prepare(book, threads, compiled=len(columns) >= COMPILED_FROM)
        rows = np.arange(len(prices)) if whole else _sampled_rows(book)
        part = PriceBox(box.low[rows], box.high[rows])
        prices[rows], delta = _descend(ready.over(rows), part, prices[rows], delta, end, left)
        runs_away = bool(np.any(np.abs(prices) > _money_a_unit(columns)))
        if not whole and runs_away and prove_impossible(columns, prices):
            break
    return prices


def _last_gain(borrowers: int) -> float:
    """Share of U worth a step on the whole book, so that the finish finds few answers changed.

    What is left of U falls with the square of the prices' error, the answers that they change grow with
    it and with the book: for as many of them as in a book of a million the share falls with the square
    of the size. Below 1e-14 the sum's own rounding is larger.
    """
    return float(np.clip(1e-9 * (1e6 / borrowers) ** 2, 1e-14, 1e-6))


def _first_prices(columns: Columns, by_cell: Integers) -> Floats:
    """Exact prices of a small sample; 0 where the sample cannot meet its share of the limits."""
    few = sample(columns, min(_SEED, len(columns)), by_cell)
    rows = _sampled_rows(few)
    few = few.over(rows)
    options = options_of(few, np.flatnonzero(few.offers.menu >= 0))
    options = options.keep(on_hull(few, options))
    relaxation = relax(few, options, uses_of(few, options))
    answer = solve(relaxation.program, Effort(presolve=False))
    prices = np.zeros(len(columns.limits))
    if answer.stop == "optimal":
        prices[rows] = prices_of(few, relaxation, answer)
    return prices


def _sampled_rows(few: Columns) -> Integers:
    """The rows of a sample that enough of its borrowers share: of the others it says nothing."""
    limits = few.limits
    if len(limits) <= DENSE_UP_TO:
        return np.arange(len(limits))
    counted = limits.matrix.copy()
    counted.data = (counted.data != 0.0).astype(np.float64)
    of_cell = np.bincount(limits.cell, minlength=limits.cells).astype(np.float64)
    members = counted @ np.repeat(of_cell, len(limits.channels))
    everybody = (np.diff(limits.matrix.indptr) == 0) & (np.diff(limits.everywhere.indptr) > 0)
    return np.flatnonzero(everybody | (members >= _MEMBERS))


def _levels(borrowers: int) -> list[int]:
    sizes = []
    size = _FIRST
    while size * 3 <= borrowers:
        sizes.append(size)
        size *= 10
    return [*sizes, borrowers]


def _descend(
    book: Pass, box: PriceBox, prices: Floats, delta: float, end: LevelEnd, left: Callable[[], float]
) -> tuple[Floats, float]:
    """Newton steps until none lowers U by more than `end` wants, with delta as sharp as it wants."""
    limits = book.columns.limits
    damping = 1e-3
    enough = _NEAR * len(limits)
    money, reach = _money_a_unit(book.columns), _FARTHEST
    scale = np.maximum(limits.sizes, book.columns.typical_use * max(1.0, len(book.columns) / 1000.0))
    here = book.sweep(prices, delta)
    idle = 0
    for _ in range(_STEPS):
        if left() <= 0:
            break
        gradient = limits.rhs - here.usage
        near = box.around(prices, reach * money)
        step = _step(gradient, _damped(here.curvature, scale, damping), prices, near)
        predicted = -float(gradient @ step + 0.5 * step @ here.curvature.times(step))
        worth_it = end.gain * abs(here.bound)
        if predicted <= worth_it or idle >= _IDLE:
            there, sharper = here, delta
            while there.near > max(0.7 * here.near, end.near * len(limits)) and sharper >= _SHARPEST:
                sharper *= max(0.1, enough / here.near / 2)
                there = book.sweep(prices, sharper)
            if there.near > 0.7 * here.near:
                break  # few enough, or ties: no window makes the kink smooth
            here, delta, idle, damping = there, sharper, 0, 1e-3
            continue
        there = book.sweep(prices + step, delta)
        gain = here.bound - there.bound
        idle = 0 if gain > worth_it else idle + 1
        if gain > 0:
            prices, here = prices + step, there
        ratio = gain / predicted
        damping, delta = _adapted_damping(ratio, damping, delta, here, enough)
        reach = min(reach * 2.0, _FARTHEST) if ratio > 0.25 else reach / 4.0
    return prices, delta


def _money_a_unit(columns: Columns) -> Floats:
    """(m,) for each row the price that charges its largest users about 1 a unit of money lent."""
    used = columns.typical_use
    return np.where(used > 1e-300, columns.typical_loan / used, 1.0)


def _adapted_damping(
    ratio: float, damping: float, delta: float, here: PassSums, enough: int
) -> tuple[float, float]:
    """More damping where the picture was wrong, less where it was right; a window fit for what is near."""
    if ratio < 0.25:
        damping = max(damping * 8.0, 1e-4)
    elif ratio > 0.75:
        damping = damping / 8.0
    if here.near > 4 * enough and ratio > 0.5:
        delta *= 0.3
    return max(damping, 1e-12), delta


def _damped(curvature: Curvature, scale: Floats, damping: float) -> Curvature:
    """Curvature plus Marquardt's diagonal; a row without curvature gets that of the flattest scale."""
    diagonal = curvature.diagonal()
    used = scale > 1e-150  # a row that no offer uses has neither curvature nor scale: any will do
    largest = float(np.max(diagonal[used] / scale[used] ** 2, initial=0.0)) or 1.0
    floor = np.maximum(diagonal, 1e-6 * largest * scale**2)
    more = damping * floor + 1e-12 * largest * scale**2
    return curvature.with_diagonal(np.where(used, more, 1.0))


def _step(gradient: Floats, curvature: Curvature, prices: Floats, box: PriceBox) -> Floats:
    """The minimiser of the quadratic picture inside the box, by the primal-dual active set method.

    Hintermueller, Ito and Kunisch (2003): a price is held at an edge while the picture pushes it out,
    and let go when it pulls it in. Rows that add up to one another (sectors to the budget) leave flat
    directions, in which only the edges stop a step: which of them do must come out right.
    """
    norm = np.sqrt(curvature.diagonal())
    scaled = curvature.scaled(norm)
    slope = gradient / norm
    low, high = (box.low - prices) * norm, (box.high - prices) * norm
    step, pull = np.zeros(len(prices)), slope
    at_low, at_high = step - pull < low, step - pull > high
    for _ in range(_TURNS):
        free = ~(at_low | at_high)
        step = np.where(at_low, low, np.where(at_high, high, 0.0))
        step[free] = scaled.solve(free, -(slope + scaled.times(step))[free])
        pull = np.where(free, 0.0, slope + scaled.times(step))
        before = at_low, at_high
        at_low, at_high = step - pull < low, step - pull > high
        if np.array_equal(at_low, before[0]) and np.array_equal(at_high, before[1]):
            break
    return np.asarray(np.clip(step, low, high) / norm)


def _in_order_of_cell(columns: Columns) -> Integers:
    """Borrowers sorted by cell, those of one cell in portfolio order: all, or every k-th of very many."""
    every = max(1, len(columns) // _DRAWN_FROM)
    cell = columns.limits.cell[::every]
    narrow = cell.astype(np.int16) if columns.limits.cells < 2**15 else cell
    return every * np.argsort(narrow, kind="stable")  # of 16 bits NumPy makes a radix sort


def sample(columns: Columns, size: int, by_cell: Integers) -> Columns:
    """`size` borrowers evenly from `by_cell`, with limits scaled to their share."""
    places = ((np.arange(size) + 0.5) * (len(by_cell) / size)).astype(np.int64)
    return columns.subset(np.sort(by_cell[places]), size / len(columns))
