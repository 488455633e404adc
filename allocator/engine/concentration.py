"""Limits on the Herfindahl index, by outer cuts: solve, cut where the index is too large, solve again.

A cut at X is the row of the direction X / ||X||, the tangent of the cone  ||X|| <= sqrt(h) total  there
(Kelley, 1960). The first cuts are those of the relaxation's own points, so that few whole solves are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from allocator.engine.allowance import Allowance, now
from allocator.engine.chosen import chosen_of_solution, only
from allocator.engine.cone import ConicPoint, best_and_whole, best_in_cones
from allocator.engine.convex import Convex, CutsSoFar, Groups, Largest, point_of
from allocator.engine.cut_proofs import Compiled, as_written, proved, with_used_cuts
from allocator.engine.kernel.columns import Columns
from allocator.engine.largest import best_of_largest
from allocator.engine.optimise import optimise
from allocator.engine.prices import fits_one_table, relaxation_prices, relaxed_point
from allocator.engine.solving import OutOfTimeError
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.cuts import Cut
from allocator.records.limits import Limits
from allocator.records.lots import CENT, lots_to_money
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Floats
from allocator.records.progress import Progress
from allocator.records.solution import CUT_SHORT, Solution, Stop
from allocator.records.strategy import SolverSettings

_ROUNDS, _RELAXATIONS = 60, 100
"""Rounds of whole solves, and of the relaxation."""
_ROUND = 0.5
"""Part of the time left that a round may take: the first would leave nothing to what cuts it off."""
_PATIENT = 10
"""Rounds, or two thirds of the time, after which bounds are tightened by what is left of an excess: what that
costs shows in the gap. At once where not even the relaxation keeps the index: hundreds of groups."""
_RELAXED = 1e-7
"""Relative excess of ||X|| at which the relaxation's point is good enough."""
_ROUGH_GAP, _ROUGHLY = 1e-5, 1e-6
"""Gap of solves whose point is only cut, and the excess below which they must be exact."""
_HAIR, _LARGEST_HAIR = 1e-10, 0.3
"""What bounds are tightened by, relatively, so that whole cents keep them in real numbers."""
_TOLERATED = 4e-9
"""Excess that the tolerance of the cuts' rows may leave."""
_NEAR = -1e-6
"""Excess from which on the limits beside one that is broken are cut too."""
_AMOUNTS, _LAST, _TRIES = 1e-9, 12, 40
"""Excess at which amounts are good enough, how many of their cuts are kept, and rounds that
they get."""
_MANY_GROUPS = 8
"""Groups beyond which the cones themselves are asked before their cuts, which take many rounds: of 20 names
they left nothing in 20 seconds."""
_CONES_ALONE = 100
"""Groups beyond which the cuts would not end."""
_POOR = 1e-3
"""Gap beyond which another way to an allocation is tried."""
_WIDE_HAIR = 4e-7
"""What bounds are tightened by, relatively, where amounts end within a lot of those of the relaxation."""


def optimise_with_cuts(
    offers: OfferBook,
    compiled: Compiled,
    groups: Sequence[Convex],
    known: Sequence[Cut],
    settings: SolverSettings,
    progress: Progress,
    start: Mapping[str, float] | None,
) -> Solution:
    """The best allocation that keeps the limits on the index too, with the cuts that its prices stand on.

    Begins with the cuts that are `known` of another run. Raises what `optimise` raises.
    """
    allowance, small = Allowance(settings), fits_one_table(Columns(offers, compiled((), 0.0)))
    cones = [own for own in groups if isinstance(own, Groups)]
    most = max((len(own.labels) for own in cones), default=0)
    largest = [own for own in groups if isinstance(own, Largest)]
    if len(largest) == len(groups) and small:
        return best_of_largest(offers, compiled, largest, known, settings, progress)
    near = None
    if small and most > _MANY_GROUPS and len(cones) == len(groups):
        near = _near(offers, compiled, cones, settings, progress)
        if near is not None and (near.stop == "gap" or most > _CONES_ALONE):
            return near
    rest = allowance.rest()
    try:
        solution = _by_cuts(
            offers, compiled, CutsSoFar(groups, list(known)), rest, progress, start, small=small
        )
    except NoAllocationError:
        if near is None:
            raise
        solution = near
    return solution if near is None or solution.value >= near.value else near


@dataclass
class _Aim:
    """How the next round of cuts is solved; each round sets it anew."""

    hair: float
    """What bounds are tightened by, relatively."""
    gap: float
    prices: Mapping[str, float] | None
    """Of the rows by name, from which the round begins."""

    def solve(
        self,
        offers: OfferBook,
        compiled: Compiled,
        cuts: Sequence[Cut],
        settings: SolverSettings,
        progress: Progress,
    ) -> tuple[Solution, Limits]:
        """The best allocation within the cuts, and the rows that it keeps."""
        settings = replace(settings, gap=max(self.gap, settings.gap))
        limits = compiled(cuts, self.hair)
        names = [row.name for row in limits.rows]
        own = None if self.prices is None else np.array([self.prices.get(name, 0.0) for name in names])
        try:
            solution = optimise(offers, limits, settings, progress, own)
        except InfeasibleError:  # of bounds that were tightened, which may be all that does not fit
            self.hair, limits = 0.0, compiled(cuts, 0.0)
            solution = optimise(offers, limits, settings, progress, own)
        self.prices = dict(zip(names, solution.prices.tolist(), strict=True))
        return solution, limits

    def tighten(self, excess: float, gap: float, *, hurried: bool) -> None:
        """For a limit that was too large by `excess`, where `gap` is asked for in the end."""
        if hurried:
            self.hair = min(max(4.0 * self.hair, 1.2 * excess), _LARGEST_HAIR)
        elif excess <= _TOLERATED:
            self.hair = max(4.0 * self.hair, _HAIR)
        self.gap = gap if excess <= _ROUGHLY else _ROUGH_GAP


def _by_cuts(
    offers: OfferBook,
    compiled: Compiled,
    made: CutsSoFar,
    settings: SolverSettings,
    progress: Progress,
    start: Mapping[str, float] | None,
    *,
    small: bool,
) -> Solution:
    """The best allocation by more and more cuts, until all limits on the index are kept."""
    allowance, groups = Allowance(settings), made.groups

    def going() -> bool:
        return allowance.left > 0.75 * settings.time_limit

    settled = not small or _cut_relaxation(offers, compiled, made, going, progress)
    stop: Stop = "exhausted"
    aim = _Aim(_HAIR, settings.gap if small and settled else _ROUGH_GAP, start)
    for number in range(_ROUNDS):
        try:
            solution, limits = aim.solve(offers, compiled, made.cuts, allowance.rest(_ROUND), progress)
        except NoAllocationError as error:
            if error.stop not in CUT_SHORT:
                raise
            stop = error.stop
            break
        hurried = not settled or number >= _PATIENT or allowance.left < settings.time_limit / 3
        point = point_of(offers, solution)
        if all(own.keeps(point) for own in groups):
            if aim.gap <= settings.gap or hurried:
                solution = with_used_cuts(solution, limits, made.cuts, compiled)
                solution = (
                    as_written(solution, offers, compiled) if small and aim.hair > _TOLERATED else solution
                )
                return proved(solution, offers, compiled, made, settings, lambda: allowance.left)
            aim.gap = settings.gap
            continue
        if allowance.left <= 0:
            stop = allowance.cut_short
            break
        excess = made.add(point, _NEAR)
        broken = " or ".join(own.limit for own in groups)
        progress(f"{broken} is {excess:.1e} too large: {len(made.cuts):,} cuts")
        if not hurried:
            _cut_amounts(chosen_of_solution(offers, solution), compiled, made, aim.hair)
        aim.tighten(excess, settings.gap, hurried=hurried)
    what = f"no allocation that keeps {' and '.join(own.limit for own in groups)}"
    if stop in CUT_SHORT:
        raise allowance.ran_out(what, stop)
    raise NoAllocationError(f"{what} was found in {_ROUNDS} rounds of cuts; raise the bound")


def _near(
    offers: OfferBook,
    compiled: Compiled,
    groups: Sequence[Groups],
    settings: SolverSettings,
    progress: Progress,
) -> Solution | None:
    """An allocation near the best point of the relaxation within the cones, and the bound of that point.

    None where none is found, or the cones bind nothing there: then cuts have to.
    """
    allowance, limits = Allowance(settings), compiled((), 0.0)
    progress("pricing the limits on the Herfindahl index")
    point, whole = best_and_whole(Columns(offers, limits), groups, settings.time_limit / 2)
    if point is None or not any(direction is not None for direction in point.directions):
        return None
    cuts = [own.cut_along(d, 1) for own, d in zip(groups, point.directions, strict=True) if d is not None]
    priced = relaxation_prices(Columns(offers, compiled(cuts, 0.0)), progress)
    at_price = now()
    rest = allowance.rest()
    bound = priced.bound if whole is None else min(priced.bound, whole.bound)
    best = None
    for own in (whole, point):
        if own is not None and (best is None or best.value < bound - _POOR * max(abs(bound), 1.0)):
            other = _rounded(offers, limits, groups, own, rest, progress)
            best = best if other is None or (best and best.value >= other.value) else other
    if best is None:
        return None
    bound = max(bound, best.value)
    gap = (bound - best.value) / max(abs(bound), 1.0)
    return replace(
        best,
        prices=priced.prices,
        bound=bound,
        proof="solver" if bound < priced.bound else "prices",
        stop="gap" if gap <= settings.gap else allowance.cut_short if allowance.left <= 0 else "exhausted",
        tree=None,
        cuts=tuple(cuts),
        seconds={"price": at_price - allowance.started, "solve": now() - at_price},
    )


def _rounded(
    offers: OfferBook,
    limits: Limits,
    groups: Sequence[Groups],
    point: ConicPoint,
    settings: SolverSettings,
    progress: Progress,
) -> Solution | None:
    """The offers that are made at a point, at their best amounts within the cones; None: there are none."""
    chosen, must = only(offers, np.where(point.share >= 0.5, point.option, -1)), offers.must
    hair = _WIDE_HAIR
    while hair < _LARGEST_HAIR:
        tight = [replace(own, bound=own.bound * (1.0 - 2.0 * hair)) for own in groups]
        inner = best_in_cones(Columns(chosen, limits), tight)
        if inner is None or np.any(chosen.menu >= 0) > np.any(inner.option >= 0):  # no amounts will do
            break
        with suppress(InfeasibleError, NoAllocationError):
            solution = optimise(replace(_boxed(chosen, inner.amount), must=must), limits, settings, progress)
            if all(own.keeps(point_of(chosen, solution)) for own in groups):
                return solution
        hair *= 4.0
    return None


def _boxed(chosen: OfferBook, amount: Floats) -> OfferBook:
    """The offers with amounts of no more than a lot away from `amount`."""
    lot = chosen.step or CENT
    low, high = (lots_to_money(np.floor(amount / lot) + away, lot) for away in (-1, 1))
    if chosen.bands is not None:
        low, high = chosen.bands.down(amount), chosen.bands.up(amount + lot)
    return replace(
        chosen, low=np.clip(low, chosen.low, chosen.high), high=np.clip(high, chosen.low, chosen.high)
    )


def _cut_relaxation(
    offers: OfferBook, compiled: Compiled, made: CutsSoFar, going: Callable[[], bool], progress: Progress
) -> bool:
    """Cuts off the points of the relaxation of a book that is one LP, and cuts at their running mean.

    The mean settles where the optimum is, where the points swing about it. Returns whether they keep the
    index.
    """
    mean: Floats | None = None
    for _ in range(_RELAXATIONS):
        columns = Columns(offers, compiled(made.cuts, 0.0))
        if not going():
            return False
        try:
            point = relaxed_point(columns, progress)
        except OutOfTimeError:
            return False
        if made.add(point, _RELAXED) <= _RELAXED:
            made.thin(point)
            return True
        mean = point if mean is None else (mean + point) / 2.0
        made.add(mean, _NEAR)
    return False


def _cut_amounts(chosen: OfferBook, compiled: Compiled, made: CutsSoFar, hair: float) -> None:
    """Cuts off the best amounts of the offers chosen, until they keep the index (Duran and Grossmann, 1986).

    The last few cuts, which are near these amounts, are kept.
    """
    before = len(made.cuts)
    try:
        for _ in range(_TRIES):
            columns = Columns(chosen, compiled(made.cuts, hair))
            if not fits_one_table(columns) or made.add(relaxed_point(columns, _say_nothing), 0.0) <= _AMOUNTS:
                break
    except (InfeasibleError, OutOfTimeError):  # these offers cannot keep it, whatever their amounts
        pass
    del made.cuts[before : max(before, len(made.cuts) - _LAST)]


def _say_nothing(_step: str) -> None:
    pass
