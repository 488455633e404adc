"""Value against a limit, or two: certified at every point, with more points where the curve bends.

Each point's prices bound every other point, so a point's bound is the least of them all. Where U is linear in
the limit's bound that makes the bounds a lower envelope of lines: concave by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.passes import prepare
from allocator.engine.posted import under
from allocator.errors import Fault, InfeasibleError, InputError, NoAllocationError
from allocator.insight.explain.ranges import TIGHT, range_along, ties_of
from allocator.insight.variants import answer
from allocator.insight.whatif.tracks import Track, track_of
from allocator.pipeline import at_weights
from allocator.records.case import Case
from allocator.records.ledger import NOBODY, Account
from allocator.records.limits import is_percentage
from allocator.records.outcome import Outcome
from allocator.records.progress import Progress
from allocator.records.run import relative_gap
from allocator.records.scenario import COUNTED, Policy

Bounds = tuple[float, ...]
Status = Literal["optimal", "feasible", "infeasible", "no_allocation"]

_SPAN = (0.5, 1.5)
"""Factors of the bound as it is: the ends between which a limit moves unless others are given."""
FIRST = 5
"""Points evenly spread before the curve tells where more are worth it."""
_EDGE = 4
"""Points spent at most on where the scenario becomes infeasible."""
_SAME = 1e-12
_APART = 1e-9
"""Part of the span within which two points are one."""


@dataclass(frozen=True)
class FrontierPoint:
    """One setting of the limits, solved."""

    at: Bounds
    status: Status
    value: float = np.nan
    own_bound: float = np.nan
    """U at the point's own prices."""
    envelope: float = np.nan
    """The least U here at the prices of any point: concave along the frontier where no limit bends."""
    bound: float = np.nan
    """The tightest certified: the envelope, or a proof tree's where that is less."""
    slopes: Bounds = ()
    """dU/dbound at the point's prices, one per limit: the price of a unit of the bound."""
    low: float = np.nan
    """The first limit's bound from which its slope holds, the others as they are; NaN: not known."""
    high: float = np.nan
    """The first limit's bound up to which its slope holds."""
    prices: Mapping[str, float] | None = None
    account: Account = NOBODY
    conflict: tuple[str, ...] = ()
    """The limits that cannot hold together where the point is infeasible."""
    stopped: bool = False
    """Whether the clock ended the search."""

    @property
    def solved(self) -> bool:
        return self.prices is not None

    @property
    def gap(self) -> float:
        return relative_gap(self.bound, self.value)


@dataclass(frozen=True)
class Breakpoint:
    """Where the optimum's basis, and with it the slope, changes."""

    at: float
    before: float | None
    """The slope below; None: of a segment without a point."""
    after: float | None


@dataclass(frozen=True)
class Frontier:
    """The points in ascending order of their bounds."""

    name: str
    currency: str
    strategy: str
    """The scenario's; the points are optimal whatever it is."""
    limits: tuple[str, ...]
    shares: tuple[bool, ...]
    """Which of the bounds are fractions."""
    percentages: tuple[bool, ...]
    """Which of them read as percentages: not an average of a column beyond 1, as of turnover."""
    now: Bounds
    points: tuple[FrontierPoint, ...]
    breakpoints: tuple[Breakpoint, ...]
    """Known ones, of one limit; between two known ones there may be more."""
    concave: bool
    """Whether the bounds are concave by construction: no limit is a share of what is lent."""
    notes: tuple[str, ...] = ()
    """What was set over the scenario and changes nothing."""


def frontier(
    case: Case,
    limits: Sequence[str],
    ends: Sequence[tuple[float | None, float | None]] = (),
    points: int = 15,
    progress: Progress = lambda _: None,
) -> Frontier:
    """The frontier along one limit, at `points` that follow the curve, or along two over an even grid.

    Each limit goes from one of its `ends` to the other; an end that is None, and every one where none are
    given, lies at half or one and a half times the bound as it is. Raises InputError for a limit that the
    policy has not, and for ends that run backwards.
    """
    track, policy = track_of(case, tuple(limits)), case.scenario.policy
    spans = [
        _span(policy, *given) for given in zip(limits, ends or [(None, None)] * len(limits), strict=True)
    ]
    walk = _Walk(track, progress, points ** len(spans))
    if len(spans) == 1:
        _follow(walk, spans[0], points)
    else:
        grids = [np.linspace(low, high, points).tolist() for low, high in spans]
        for row, second in enumerate(grids[1]):
            for first in grids[0] if row % 2 == 0 else reversed(grids[0]):
                walk.visit((first, second))
    visited = walk.tightened()
    moved = [policy.entry(name) for name in limits]
    return Frontier(
        name=case.scenario.name,
        currency=policy.currency,
        strategy=case.scenario.strategy.name,
        limits=track.names,
        shares=tuple(limit is not None and limit.of is not None for limit in moved),
        percentages=tuple(
            limit is not None and limit.of is not None and is_percentage(limit) for limit in moved
        ),
        now=track.now,
        points=tuple(visited),
        breakpoints=tuple(breakpoints_of(visited)) if len(spans) == 1 else (),
        concave=not any(track.bends),
        notes=case.scenario.notes,
    )


def _span(policy: Policy, name: str, ends: tuple[float | None, float | None]) -> tuple[float, float]:
    """The ends between which the limit moves: as given, else a share up to 1 and loans by whole ones."""
    limit, now = policy.entry(name), policy.bound_of(name)
    low, high = (factor * now for factor in _SPAN)
    if limit is not None:
        low, high = min(low, limit.most), min(high, limit.most)
    if limit is not None and limit.measure in COUNTED and limit.of is None:
        low, high = float(round(low)), float(round(high))
    low, high = (given if given is not None else end for given, end in zip(ends, (low, high), strict=True))
    if not low < high:
        problem = f"{name} would go from {low:,.10g} to {high:,.10g}"
        raise InputError.of([Fault(problem, "let --from lie below --to", field="--from")], "command line")
    return low, high


def _bound_in_words(amount: float) -> str:
    """An amount in words, a share as it is: `60.96 million`."""
    return f"{amount / 1e6:,.2f} million" if abs(amount) >= 1e6 else f"{amount:,.6g}"


class _Walk:
    """The points visited so far, each begun from the nearest one's prices."""

    def __init__(self, track: Track, progress: Progress, most: int) -> None:
        self.track = track
        self.progress = progress
        self.most = most
        """Points that are asked for."""
        self.points: dict[Bounds, FrontierPoint] = {}

    def visit(self, bounds: Bounds) -> None:
        whole = zip(bounds, self.track.counted, strict=True)
        bounds = tuple(float(round(bound)) if counted else bound for bound, counted in whole)
        if bounds in self.points:
            return
        told = f"point {len(self.points) + 1} of {self.most}"
        self.progress(
            f"{told}: {' and '.join(f'{name} {_bound_in_words(to)}' for name, to in self._named(bounds))}"
        )
        start = self._nearest(bounds)
        case = self.track.case_with(bounds)
        try:
            outcome = answer(case, start)
        except InfeasibleError as error:
            self.points[bounds] = FrontierPoint(bounds, "infeasible", conflict=error.conflict)
        except NoAllocationError:
            self.points[bounds] = FrontierPoint(bounds, "no_allocation", stopped=True)
        else:
            self.points[bounds] = self._point(bounds, case, outcome)
            self.progress(f"{told}: value {_bound_in_words(outcome.value)}")

    def _named(self, bounds: Bounds) -> Iterable[tuple[str, float]]:
        return zip(self.track.names, bounds, strict=True)

    def _nearest(self, bounds: Bounds) -> Mapping[str, float] | None:
        solved = [point for point in self.points.values() if point.solved]
        scale = [max(abs(bound), 1e-300) for bound in bounds]

        def distance(point: FrontierPoint) -> float:
            return sum(abs(a - b) / s for a, b, s in zip(point.at, bounds, scale, strict=True))

        return min(solved, key=distance).prices if solved else None

    def _point(self, bounds: Bounds, case: Case, outcome: Outcome) -> FrontierPoint:
        certificate = outcome.certificate
        case = at_weights(case, tuple(certificate.weights.values()))
        own = certificate.bound
        if certificate.proved_by_nodes:
            here = replace(case, scenario=outcome.scenario)  # with the cuts that the prices are of
            at_prices = self.track.bound_of(here, outcome.prices)
            own = at_prices if np.isfinite(at_prices) else own
        low, high = self._stands(bounds, case, outcome, own)
        return FrontierPoint(
            at=bounds,
            status="optimal" if certificate.gap <= case.scenario.solver.gap else "feasible",
            value=certificate.value,
            own_bound=own,
            envelope=own,
            bound=certificate.bound,
            slopes=self.track.slopes(bounds, outcome),
            low=low,
            high=high,
            prices=outcome.prices,
            account=outcome.account,
            stopped=outcome.stopped,
        )

    def _stands(self, bounds: Bounds, case: Case, outcome: Outcome, own: float) -> tuple[float, float]:
        """Over which bounds of the first limit the prices stay tight."""
        if self.track.bends[0]:
            return np.nan, np.nan
        columns, posted = Columns(case.offers, case.limits), outcome.certificate.posted
        columns = columns if posted is None else under(columns, posted)
        prices = np.array([outcome.prices[row.name] for row in case.limits.rows])
        delta = TIGHT * max(abs(own), 1.0)
        ties = ties_of(prepare(columns, case.scenario.solver.threads), prices, delta)
        stands = range_along(columns, ties, prices, self.track.direction(0, bounds), delta)
        return (np.nan, np.nan) if stands is None else (bounds[0] + stands.low, bounds[0] + stands.high)

    def sorted(self) -> list[FrontierPoint]:
        return [self.points[bounds] for bounds in sorted(self.points)]

    def tightened(self) -> list[FrontierPoint]:
        """The points with the least bound that any point's prices prove."""
        points = self.sorted()
        if any(self.track.bends):
            return self._tightened_by_neighbours(points)
        lines = [point for point in points if point.solved]
        return [
            _tighter(point, [line_at(line, point.at) for line in lines]) if point.solved else point
            for point in points
        ]

    def _tightened_by_neighbours(self, points: list[FrontierPoint]) -> list[FrontierPoint]:
        """A share of what is lent: U is no line, so the prices of the two points beside are tried."""
        self.progress("trying every point's prices on its neighbours")
        out = []
        for number, point in enumerate(points):
            beside = (*points[max(number - 1, 0) : number], *points[number + 1 : number + 2])
            bounds = [self.track.bound(point.at, p.prices) for p in beside if point.solved and p.prices]
            out.append(_tighter(point, bounds) if point.solved else point)
        return out


def _tighter(point: FrontierPoint, bounds: Sequence[float]) -> FrontierPoint:
    """The point with what other prices prove of it; no valid bound lies below the value, but by rounding."""
    envelope = min([point.envelope, *bounds])
    return replace(point, envelope=envelope, bound=max(min(point.bound, envelope), point.value))


def line_at(point: FrontierPoint, bounds: Bounds) -> float:
    """U at the point's prices where the limits have these `bounds`; only where none of them bends."""
    moves = zip(point.slopes, bounds, point.at, strict=True)
    return point.own_bound + sum(slope * (there - here) for slope, there, here in moves)


def _follow(walk: _Walk, span: tuple[float, float], points: int) -> None:
    """Even points first, then where tangents leave most room above the chord, then where nothing is near."""
    low, high = span
    for bound in np.linspace(low, high, min(points, FIRST)).tolist():
        walk.visit((bound,))
    now = walk.track.now
    apart = min((abs(bound[0] - now[0]) for bound in walk.points), default=0.0)
    if low <= now[0] <= high and apart > _APART * (high - low) and len(walk.points) < points:
        walk.visit(now)
    edges = 0
    while len(walk.points) < points:
        least = 1.0 if walk.track.counted[0] else 0.0
        bound, edge = _next_point(walk.sorted(), span, any(walk.track.bends), edges < _EDGE, least)
        if bound is None:
            return
        edges += edge
        walk.visit((bound,))


def _next_point(
    points: Sequence[FrontierPoint], span: tuple[float, float], bends: bool, edges: bool, least: float
) -> tuple[float | None, bool]:
    """The next point to visit, `least` from its neighbours, and whether it looks for feasibility's edge."""
    width = span[1] - span[0]
    best: tuple[float, float, float, bool] | None = None
    for a, c in pairwise(points):
        part = (c.at[0] - a.at[0]) / width if width > 0 else 0.0
        if part <= _APART or c.at[0] - a.at[0] < 2 * least:
            continue
        middle = (a.at[0] + c.at[0]) / 2
        if a.solved != c.solved:
            key, bound, edge = ((2.0, part), middle, True) if edges else ((-1.0, part), middle, False)
        elif not a.solved:
            continue
        else:
            bound, excess = _bend(a, c, middle)
            tight = TIGHT * max(abs(a.own_bound), abs(c.own_bound), 1.0)
            key, edge = ((1.0, excess) if excess > tight and not bends else (0.0, part)), False
            bound = bound if key[0] == 1.0 else middle
        bound = min(max(bound, a.at[0] + least), c.at[0] - least)
        if best is None or key > best[:2]:
            best = (*key, bound, edge)
    return (None, False) if best is None else (best[2], best[3])


def _bend(a: FrontierPoint, c: FrontierPoint, middle: float) -> tuple[float, float]:
    """Where the tangents at `a` and `c` meet, and how far that is above the chord between them."""
    width = c.at[0] - a.at[0]
    if a.slopes[0] - c.slopes[0] <= _SAME * max(abs(a.slopes[0]), abs(c.slopes[0])):
        return middle, 0.0
    meet = (c.own_bound - a.own_bound + a.slopes[0] * a.at[0] - c.slopes[0] * c.at[0]) / (
        a.slopes[0] - c.slopes[0]
    )
    if not a.at[0] + 1e-6 * width < meet < c.at[0] - 1e-6 * width:
        return middle, 0.0
    part = (meet - a.at[0]) / width
    chord = (1 - part) * a.own_bound + part * c.own_bound
    return meet, line_at(a, (meet,)) - chord


def breakpoints_of(points: Sequence[FrontierPoint]) -> list[Breakpoint]:
    """The ends of the segments that have a point, each once; neighbours that meet share one."""
    breakpoints: list[Breakpoint] = []
    solved = [point for point in points if point.solved and np.isfinite(point.slopes[0])]
    for a, c in pairwise(solved):
        near = 1e-6 * (c.at[0] - a.at[0])
        if not (np.isfinite(a.high) and np.isfinite(c.low)) or a.high >= c.at[0] - near:
            continue  # one segment holds both
        if c.low <= a.at[0] + near:
            continue
        if c.low <= a.high + near:
            breakpoints.append(Breakpoint((a.high + c.low) / 2, a.slopes[0], c.slopes[0]))
        else:
            breakpoints += [Breakpoint(a.high, a.slopes[0], None), Breakpoint(c.low, None, c.slopes[0])]
    return breakpoints
