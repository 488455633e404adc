"""The best cut of ordered items into runs whose rates keep a shape: an exact dynamic program.

Over (start, end) of the last run, so that its rate is known to the next; of a shape that turns, also over the
side of the turn on which it lies. Neighbouring runs have strictly different rates.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from allocator.records.portfolio import Floats, Integers

Shape = Literal["rising", "falling", "monotone", "peak", "valley", "free"]
DIRECTIONS: dict[Shape, tuple[tuple[int, ...], ...]] = {
    "rising": ((1,),),
    "falling": ((-1,),),
    "monotone": ((1,), (-1,)),
    "peak": ((1, -1),),
    "valley": ((-1, 1),),
    "free": ((0,),),
}
"""The ways to keep a shape; each is the directions in which rates go, one after the other."""


def best_cuts(rate: Floats, gain: Floats, most: int, shape: Shape) -> dict[int, tuple[float, list[int]]]:
    """Number of runs, up to `most`, to the largest sum of gains of that many, and where they end.

    `rate` and `gain` (points, points) are of the run from one point to another, gain -inf where there may be
    none. The ends are points, from the first to the last; a number that cannot be had is left out.
    """
    by_number: dict[int, tuple[float, list[int]]] = {}
    for directions in DIRECTIONS[shape]:
        for number, cut in _by_number(rate, gain, most, directions).items():
            if number not in by_number or cut[0] > by_number[number][0]:
                by_number[number] = cut
    return by_number


def _by_number(
    rate: Floats, gain: Floats, most: int, directions: tuple[int, ...]
) -> dict[int, tuple[float, list[int]]]:
    points = len(rate)
    best = np.full((len(directions), points, points), -np.inf)
    best[:, 0] = gain[0]
    origins: list[Integers] = []
    by_number = {}
    for number in range(1, most + 1):
        if number > 1:
            following = np.full_like(best, -np.inf)
            origins.append(np.full(best.shape, -1, dtype=np.int64))
            for start in range(1, points - 1):
                for side, direction in enumerate(directions):
                    _extend(start, side, direction, best, rate, gain, following, origins[-1])
            best = following
        value = float(best[:, :, -1].max())
        if np.isfinite(value):
            by_number[number] = (value, _traced(best, origins))
    return by_number


def _extend(
    start: int,
    side: int,
    direction: int,
    best: Floats,
    rate: Floats,
    gain: Floats,
    following: Floats,
    origin: Integers,
) -> None:
    """Runs from `start` to every later point, after the best run that ends at `start` with a fitting rate."""
    earlier = best[max(side - 1, 0) : side + 1, :start, start]
    values, from_side = earlier.max(axis=0), earlier.argmax(axis=0) + max(side - 1, 0)
    before = np.flatnonzero(np.isfinite(values))
    after = start + 1 + np.flatnonzero(np.isfinite(gain[start, start + 1 :]))
    if len(before) == 0 or len(after) == 0:
        return
    rank = direction * rate
    before = before[np.argsort(rank[before, start], kind="stable")]
    highest = np.maximum.accumulate(values[before])
    leader = np.maximum.accumulate(np.where(values[before] == highest, np.arange(len(before)), 0))
    side_of_equal: Literal["left", "right"] = "left" if direction else "right"
    fitting = np.searchsorted(rank[before, start], rank[start, after], side=side_of_equal)
    allowed = fitting > 0
    ends, place = after[allowed], fitting[allowed] - 1
    following[side, start, ends] = highest[place] + gain[start, ends]
    chosen = before[leader[place]]
    origin[side, start, ends] = from_side[chosen] * len(rate) + chosen


def _traced(best: Floats, origins: list[Integers]) -> list[int]:
    """The points between the runs of the best cut."""
    points = best.shape[1]
    side, start = divmod(int(np.argmax(best[:, :, -1])), points)
    ends = [points - 1]
    for origin in reversed(origins):
        ends.append(start)
        side, start = divmod(int(origin[side, start, ends[-2]]), points)
    return [start, *reversed(ends)]
