"""Limits on the n groups that use most: whole offers, whole amounts, and the cuts that bound them.

The columns of their own are in lifted.py, the mathematics in docs/formulation.md, section 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from allocator.engine.allowance import Allowance, now
from allocator.engine.chosen import chosen_of_solution, only
from allocator.engine.convex import CutsSoFar, Largest, point_of
from allocator.engine.cores import COUNTED_BORROWERS
from allocator.engine.cut_proofs import Compiled, proved, with_used_cuts
from allocator.engine.kernel.columns import Columns
from allocator.engine.lifted import LargestPoint, Lifted
from allocator.engine.optimise import optimise
from allocator.engine.prices import relaxation_prices
from allocator.engine.program import Effort
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.cuts import Cut
from allocator.records.limits import Limits
from allocator.records.lots import CENT, down_to_lots
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Booleans, Floats
from allocator.records.progress import Progress
from allocator.records.solution import Solution
from allocator.records.strategy import SolverSettings

_ROUNDS = 40
_ENOUGH = 1e-7
"""Gap that whole cents may leave, which no more cuts close."""
_WHOLE_PART, _LOTS_PART = 0.3, 0.2
"""Parts of the time that searches for whole offers, and for whole lots, get."""
_LATE = 0.01
"""Seconds that are none."""
_HAIRS = (0.0, 1e-8, 1e-6, 1e-4)
"""What the bounds are tightened by, relatively, so that whole cents keep them."""
_LEAST = 1e-9
"""Share of a direction that is none."""


def best_of_largest(
    offers: OfferBook,
    compiled: Compiled,
    groups: Sequence[Largest],
    known: Sequence[Cut],
    settings: SolverSettings,
    progress: Progress,
) -> Solution:
    """The best allocation of a small book that keeps the limits on the largest too, with its cuts.

    Where the best offers in columns of their own are not worth as much as the cuts prove, each round solves
    under the cuts so far, and finds the best amounts of the offers made, with the cuts that prove these best
    (Duran and Grossmann, 1986), until both are worth the same.
    """
    allowance, made = Allowance(settings), CutsSoFar(groups, list(known))
    progress("pricing the limits on the largest")
    best = _in_own_columns(offers, compiled, made, allowance.rest(), progress)
    small = len(offers) <= COUNTED_BORROWERS
    if best is None or (small and not _closed(best, max(settings.gap, _ENOUGH))):
        best = _in_rounds(offers, compiled, made, best, allowance, progress)
    if best.proof == "solver" or not _closed(best, max(settings.gap, _ENOUGH)):
        best = proved(best, offers, compiled, made, settings, lambda: allowance.left)
    return replace(best, stop="gap" if _closed(best, settings.gap) else "exhausted")


def _in_own_columns(
    offers: OfferBook, compiled: Compiled, made: CutsSoFar, settings: SolverSettings, progress: Progress
) -> Solution | None:
    """The best whole offers in columns of their own, with the cuts that bound them; None: none were found."""
    groups = [own for own in made.groups if isinstance(own, Largest)]
    began, lifted = now(), Lifted.of(Columns(offers, compiled(made.cuts, 0.0)), groups)
    point = lifted.best()
    _add(made, () if point is None else point.directions)
    if point is None or not point.keeps:
        return None
    limits = compiled(made.cuts, 0.0)
    columns = Columns(offers, limits)
    priced = relaxation_prices(columns, progress)
    at_price = now()
    worth = max(abs(priced.bound), 1.0)
    effort = Effort(
        distance=0.3 * settings.gap * worth / columns.money_unit, time_limit=_WHOLE_PART * settings.time_limit
    )
    option, bound = lifted.whole(effort)
    if option is None:
        return None
    within, _ = _amounts(only(offers, option), offers.must, compiled, made, settings)
    if within is None:
        return None
    bound = min(priced.bound, max(bound, within.value))
    solution = replace(
        within,
        prices=priced.prices,
        bound=bound,
        stop="exhausted",
        tree=None,
        method="exact" if settings.method != "reduced" else "reduced",
        seconds={"price": at_price - began, "solve": now() - at_price},
    )
    told = with_used_cuts(solution, limits, made.cuts, compiled)
    return replace(told, proof="solver" if bound < priced.bound else "prices")


def _in_rounds(
    offers: OfferBook,
    compiled: Compiled,
    made: CutsSoFar,
    best: Solution | None,
    allowance: Allowance,
    progress: Progress,
) -> Solution:
    """The best allocation by more and more cuts; `best` where none is better.

    Raises NoAllocationError where there is none in the time.
    """
    settings = allowance.settings
    bound = np.inf if best is None else best.bound
    for _ in range(_ROUNDS):
        limits = compiled(made.cuts, 0.0)
        solution = optimise(offers, limits, allowance.rest(), progress)
        point = point_of(offers, solution)
        within: Solution | None = solution
        directions: tuple[Floats | None, ...] = ()
        if not all(own.keeps(point) for own in made.groups):
            chosen = chosen_of_solution(offers, solution)
            within, directions = _amounts(chosen, offers.must, compiled, made, allowance.rest())
        if within is not None and (best is None or within.value >= best.value):
            best = within
        bound = min(bound, solution.bound)
        if best is not None:
            best = _proved_by(best, solution, bound, limits, made, compiled)
        if (
            within is solution
            or allowance.left <= _LATE
            or (best and _closed(best, max(settings.gap, _ENOUGH)))
        ):
            break
        _add(made, directions)
        made.add(point, 0.0)
        progress(f"{' or '.join(own.limit for own in made.groups)}: {len(made.cuts):,} cuts")
    if best is None:
        names = " and ".join(own.limit for own in made.groups)
        raise allowance.ran_out(f"no allocation that keeps {names}", "time_limit")
    return best


def _proved_by(
    best: Solution, solution: Solution, bound: float, limits: Limits, made: CutsSoFar, compiled: Compiled
) -> Solution:
    """`best` with the prices and cuts of a round's `solution`, and the tightest `bound` so far."""
    own = replace(solution, amount=best.amount, rate=best.rate, value=best.value)
    told = with_used_cuts(own, limits, made.cuts, compiled)
    proof = "solver" if bound < solution.bound else solution.proof
    return replace(told, bound=max(bound, best.value), proof=proof)


def _closed(best: Solution, gap: float) -> bool:
    return best.bound <= best.value + gap * max(abs(best.bound), 1.0)


def _add(made: CutsSoFar, directions: Sequence[Floats | None]) -> None:
    """The cuts of directions, one a limit."""
    for own, direction in zip(made.groups, directions, strict=False):
        if direction is not None and isinstance(own, Largest):
            number = 1 + max((cut.number for cut in made.cuts if cut.limit == own.limit), default=0)
            made.cuts.append(own.cut_along(direction, number))


def _amounts(
    chosen: OfferBook, must: Booleans, compiled: Compiled, made: CutsSoFar, settings: SolverSettings
) -> tuple[Solution | None, tuple[Floats | None, ...]]:
    """The offers of a book at their best amounts within the limits, and the directions that prove it."""
    groups = [own for own in made.groups if isinstance(own, Largest)]
    columns = Columns(chosen, compiled((), 0.0))
    point = Lifted.of(columns, groups).best()
    if point is None or not point.keeps:
        return None, () if point is None else point.directions
    for low, high, cuts in _boxes(chosen, columns, groups, point, settings):
        with suppress(InfeasibleError, NoAllocationError):
            book = replace(chosen, low=np.clip(low, chosen.low, high), high=np.clip(high, low, chosen.high))
            within = optimise(replace(book, must=must), compiled(cuts, 0.0), settings)
            if all(own.keeps(point_of(chosen, within)) for own in groups):
                return within, point.directions
    return None, point.directions


def _boxes(
    chosen: OfferBook,
    columns: Columns,
    groups: Sequence[Largest],
    point: LargestPoint,
    settings: SolverSettings,
) -> Iterator[tuple[Floats, Floats, list[Cut]]]:
    """Ranges (n,) in which to look for whole amounts, one after the other, and the cuts that hold there.

    In steps the best amounts themselves. In cents those of groups that the limits hold back are rounded down.
    """
    if chosen.bands is not None:  # each borrower's own amounts, rounded down
        amount = np.maximum(chosen.down(slice(None), point.amount), chosen.low)
        yield amount, amount, []
        return
    if chosen.step is not None:
        effort = Effort(
            distance=0.3 * settings.gap * max(float(np.sum(point.amount)), 1.0) / columns.money_unit,
            time_limit=_LOTS_PART * settings.time_limit,
        )
        in_lots = Lifted.of(columns, groups).in_lots(chosen.step, effort)
        if in_lots is not None:
            yield in_lots, in_lots, []
        return
    for hair in _HAIRS:
        inner = point
        if hair:
            tight = [replace(own, bound=own.bound * (1.0 - hair)) for own in groups]
            inner = Lifted.of(columns, tight).best() or point
        amount, high = down_to_lots(inner.amount, CENT), chosen.high.copy()
        held, cuts = np.zeros(len(chosen), dtype=bool), list[Cut]()
        for own, direction, edge in zip(groups, inner.directions, inner.edges, strict=True):
            if direction is not None:
                share = np.append(direction, 0.0)[own.codes]
                held |= (share > _LEAST) & (share < 1.0 - _LEAST)
                cuts.append(own.cut_along(direction, 1))
                alone = (own.codes >= 0) & (share <= _LEAST) & (own.weight > 0) & (own.row == 0)
                room = down_to_lots(edge / np.where(alone, own.weight, 1.0) - own.exposure, CENT)
                high = np.where(alone, np.minimum(high, np.maximum(room, amount)), high)
        yield np.where(held, amount, chosen.low), np.where(held, amount, high), cuts
        yield amount, amount, []
