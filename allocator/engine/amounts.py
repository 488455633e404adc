"""Amounts once the options are chosen: an LP, then whole lots inside feasibility.

At a vertex of that LP at most as many amounts as there are limits lie strictly between their ends;
only these can be off the lot (a step, or the cent). A small integer program moves them, and a few more
where rows must be met exactly, by whole lots. It sees what is left of the whole rows, as integers, so
that its numbers are small whatever the amounts are, and rows that leave no slack as a lattice
(lattice.py): their sums are met by construction. Nothing is rounded afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np
from scipy import sparse

from allocator.engine.kernel.columns import Answers, Columns
from allocator.engine.lattice import Solutions, solve_whole
from allocator.engine.options import Options, Uses
from allocator.engine.program import Effort, Program, relief_of, row_bounds, side_by_side
from allocator.engine.solving import solve
from allocator.engine.verdicts import TOLERANCE, references
from allocator.engine.whole import WholeRows
from allocator.records.limits import Limits
from allocator.records.lots import CENT, lots_to_money, money_to_lots
from allocator.records.portfolio import Booleans, Floats, Integers

_GAP = 1e-11
"""Part of what the offers are worth that is not worth a search for better lots."""
_REACH = 200
"""How far an amount may be moved, in lots, where no lattice asks for more."""
_NODES = 1_000
"""Nodes of the integer program's tree."""
_FEASIBILITY = 1e-7
_INWARD = 10 * _FEASIBILITY
"""What whole rows of large numbers, as of a share of 33.333333333 %, are tightened by where the solver's
tolerance broke one; in their largest use of a lot."""
_MOST = 400
"""Amounts that may move at once."""


@dataclass(frozen=True)
class FrozenOffers(Answers):
    """Offers that stand, and what they use."""

    usage: Floats
    """(m,)"""


@dataclass(frozen=True)
class ChosenOffers:
    """nc offers whose options are settled and whose amounts are not."""

    position: Integers
    """(nc,) their borrowers."""
    value: Floats
    """(nc,) worth per unit of money, beside leaving it idle."""
    use: Floats
    """(m, nc) use of each row per unit of money."""
    low: Floats
    high: Floats
    senses: tuple[str, ...]
    rhs: Floats
    """(m,) what the amounts may use: everything fixed is taken off."""
    tolerance: Floats
    """(m,) by how much rows that are not whole may be broken; inf of soft ones."""
    whole: WholeRows
    room: list[Fraction]
    """(R,) what the amounts may use of the whole rows."""
    equal: frozenset[int]
    """Of the whole rows those that leave no slack."""
    lot: Floats
    """(nc,)"""
    limits: Limits

    def relief(self, norm: Floats, unit: float) -> tuple[np.ndarray, Floats]:
        """The columns (m, s) of what soft rows are missed by, counted in `norm`, and their costs (s,)."""
        return relief_of(self.limits, norm, unit)


def chosen_of(
    columns: Columns,
    options: Options,
    uses: Uses,
    lines: Integers,
    frozen: FrozenOffers,
    ends: tuple[Floats, ...] | None = None,
) -> ChosenOffers:
    """The options at `lines`, beside the offers that stand.

    `ends`: (nc,) smallest and largest amounts, and their lots, where they are not the options' own.
    """
    limits, whole = columns.limits, columns.whole
    position = options.position[lines]
    low, high, lot = options.low[lines], options.high[lines], options.lot[lines]
    if ends is not None:
        (low, high), lot = ends[:2], lot if len(ends) == 2 else ends[2]
    use = uses.unit[:, lines]
    standing, loans = whole.count(frozen.option, frozen.amount)
    made = np.bincount(whole.group[position], minlength=whole.groups).tolist()
    size = np.maximum(limits.sizes, references(columns, frozen.option, frozen.amount))
    size = np.maximum(size, np.max(np.abs(use) * low, axis=1, initial=0.0))
    idle = limits.idle_rate * use[0] if limits.idle_room > 0 else 0.0
    return ChosenOffers(
        position=position,
        value=options.margin[lines] - idle,
        use=use,
        low=low,
        high=high,
        senses=limits.senses,
        rhs=limits.rhs - frozen.usage - uses.loan[:, lines].sum(axis=1),
        tolerance=np.where(np.isfinite(limits.penalties), np.inf, TOLERANCE * size),
        whole=whole,
        room=whole.room((standing, [a + b for a, b in zip(loans, made, strict=True)])),
        equal=columns.equal,
        lot=lot,
        limits=limits,
    )


def in_band(
    columns: Columns, position: Integers, near: Floats, low: Floats, high: Floats
) -> tuple[Floats, Floats, Floats]:
    """(nc,) ends and lots of the bands of the borrowers at `position` that hold the amounts `near`."""
    offers = columns.offers
    if offers.bands is None:
        return low, high, offers.lots(position)
    own = offers.bands.take(position)
    first, last, lot = own.around(np.clip(near, low, high))
    fixed = offers.must[position] | (np.maximum(first, low) > np.minimum(last, high))
    return np.where(fixed, low, np.maximum(first, low)), np.where(fixed, low, np.minimum(last, high)), lot


def best_amounts(chosen: ChosenOffers) -> Floats | None:
    """(nc,) amounts in whole lots that meet every row and are worth most; None where there are none."""
    if len(chosen.value) == 0:
        return np.zeros(0) if meets_rows(chosen, np.zeros(0)) else None
    relaxed = _continuous(chosen)
    return None if relaxed is None else _in_lots(chosen, relaxed)


def meets_rows(chosen: ChosenOffers, amounts: Floats) -> bool:
    """Whether amounts (nc,) in whole lots meet every row."""
    lower, upper = row_bounds(chosen.senses, chosen.rhs)
    used = chosen.use @ amounts
    tolerance = np.maximum(
        chosen.tolerance, TOLERANCE * np.max(np.abs(chosen.use) * amounts, axis=1, initial=0.0)
    )
    tolerance[chosen.whole.row] = np.inf
    if np.any(used > upper + tolerance) or np.any(used < lower - tolerance):
        return False
    senses = chosen.whole.senses
    return all(
        (room >= 0 or sense == "at_least") and (room <= 0 or sense == "at_most")
        for room, sense in zip(_left(chosen, amounts), senses, strict=True)
    )


def _left(chosen: ChosenOffers, amounts: Floats) -> list[Fraction]:
    """(R,) what amounts leave of the whole rows; those of loans know nothing of amounts."""
    grains = chosen.whole.count_of(chosen.position, amounts)[0]
    used = chosen.whole.used((grains, [0] * len(grains)))
    return [room - use for room, use in zip(chosen.room, used, strict=True)]


def _continuous(chosen: ChosenOffers) -> Floats | None:
    """The LP over amounts alone, each in its own largest."""
    use = chosen.use * chosen.high
    norm = np.max(np.abs(use), axis=1, initial=0.0)
    norm[norm == 0.0] = 1.0
    lower, upper = row_bounds(chosen.senses, chosen.rhs / norm)
    worth = chosen.value * chosen.high
    unit = np.max(np.abs(worth), initial=0.0) or 1.0
    relief, penalty = chosen.relief(norm, unit)
    program = Program(
        cost=np.concatenate([worth / unit, -penalty]),
        matrix=side_by_side(use / norm[:, None], relief),
        row_lower=lower,
        row_upper=upper,
        column_lower=np.concatenate([chosen.low / chosen.high, np.zeros(len(penalty))]),
        column_upper=np.concatenate([np.ones(len(worth)), np.full(len(penalty), np.inf)]),
        integer=np.zeros(len(worth) + len(penalty), dtype=bool),
    )
    for feasibility in (1e-9, 1e-7):
        answer = solve(program, Effort(presolve=False, feasibility=feasibility))
        if answer.point is not None and answer.stop == "optimal":
            return np.clip(answer.point[: len(worth)] * chosen.high, chosen.low, chosen.high)
    return None


def _in_lots(chosen: ChosenOffers, relaxed: Floats) -> Floats | None:
    """`relaxed` moved to whole lots by a small integer program over the amounts that are loose."""
    near = 1e-4 * chosen.lot + 1e-15 * chosen.high
    near_low, near_high = relaxed - chosen.low <= near, chosen.high - relaxed <= near
    down = lots_to_money(np.floor((relaxed + near) / chosen.lot), chosen.lot)
    base = np.where(near_low, chosen.low, np.where(near_high, chosen.high, np.maximum(down, chosen.low)))
    interior = ~near_low & ~near_high
    if not interior.any() and meets_rows(chosen, base):
        return base
    for loose in _loose(chosen, interior):
        for inward in (0.0, _INWARD):
            moved = _move(chosen, base, loose, inward)
            if moved is not None and meets_rows(chosen, moved):
                return moved
            if moved is None:
                break
    return None


def _loose(chosen: ChosenOffers, interior: Booleans) -> Iterator[Integers]:
    """More and more amounts that may move: those off their ends, the roomiest beside them, all that can."""
    count = np.count_nonzero(interior)
    if count and "exactly" not in chosen.senses and not chosen.equal:
        yield np.flatnonzero(interior)
    room = np.where(interior, np.inf, chosen.high - chosen.low)
    order = np.argsort(-room, kind="stable")
    order = order[room[order] > 0]
    group = chosen.whole.group[chosen.position[order]]
    rank = np.zeros(len(order), dtype=np.int64)
    for g in np.unique(group):
        rank[group == g] = np.arange(np.count_nonzero(group == g))
    some = (np.arange(len(order)) < 3 * len(chosen.senses) + count) | (rank < 3)
    first = np.sort(order[some][:_MOST])
    if len(first):
        yield first
    if len(order) > len(first) and len(first) < _MOST:
        yield np.sort(order[:_MOST])


@dataclass
class _Rows:
    """Rows of the integer program over D moves, the lattice's own steps, and what soft rows are missed by."""

    coefficients: list[Floats]
    lower: list[float]
    upper: list[float]

    def add(self, coefficients: Floats, lower: float, upper: float, reach: float) -> bool:
        """Takes a row in the size of its largest coefficient; False where it cannot hold."""
        norm = float(np.max(np.abs(coefficients), initial=0.0))
        if norm == 0.0:
            return lower <= 0.0 <= upper
        far = reach * float(np.sum(np.abs(coefficients)))
        lower, upper = (-np.inf if lower < -far else lower), (np.inf if upper > far else upper)
        if lower > -np.inf or upper < np.inf:
            self.take(coefficients / norm, lower / norm, upper / norm)
        return True

    def take(self, coefficients: Floats, lower: float, upper: float) -> None:
        """Takes a row as it is."""
        self.coefficients.append(coefficients)
        self.lower.append(lower)
        self.upper.append(upper)


def _grid_lots(chosen: ChosenOffers, loose: Integers) -> Floats:
    """What a lot of each of `loose` is in that which the whole rows count."""
    return np.rint(chosen.lot[loose] / (chosen.whole.offers.step or CENT))


def _soft_scale(chosen: ChosenOffers, loose: Integers) -> Floats:
    """(s,) what the excess of each soft row is counted in: the most that a lot of `loose` uses."""
    use = np.abs(chosen.use[np.ix_(chosen.limits.soft, loose)]) * chosen.lot[loose]
    largest = np.max(use, axis=1, initial=0.0)
    return np.where(largest > 0.0, largest, 1.0)


def _move(chosen: ChosenOffers, base: Floats, loose: Integers, inward: float) -> Floats | None:
    """`base` with whole lots added to or taken from the amounts of `loose`, whole rows held `inward`."""
    lattice = _lattice(chosen, base, loose)
    if lattice is None:
        return None
    groups, solutions = lattice
    missed = len(chosen.limits.soft)
    far = [2 * abs(x) for vector in (solutions.start, *solutions.steps) for x in vector]
    reach = float(max([_REACH, *far]))
    rows = _Rows([], [], [])
    if not _add_rows(chosen, base, loose, len(solutions.steps) + missed, reach, inward, rows):
        return None
    if not _add_sums(chosen, loose, groups, solutions, missed, reach * _REACH, rows):
        return None
    lot = chosen.lot[loose]
    at_base = money_to_lots(base[loose], lot)
    least = np.maximum(money_to_lots(chosen.low[loose], lot) - at_base, -reach)
    most = np.minimum(money_to_lots(chosen.high[loose], lot) - at_base, reach)
    worth = chosen.value[loose] * lot
    unit = float(np.max(np.abs(worth), initial=0.0)) or 1.0
    wide = np.full(len(solutions.steps), float(_REACH))
    penalty = chosen.limits.penalties[chosen.limits.soft] * _soft_scale(chosen, loose) / unit
    others = len(wide) + missed
    program = Program(
        cost=np.concatenate([worth / unit, np.zeros(len(wide)), -penalty]),
        matrix=sparse.csc_array(np.array(rows.coefficients).reshape(-1, len(loose) + others)),
        row_lower=np.array(rows.lower),
        row_upper=np.array(rows.upper),
        column_lower=np.concatenate([least, -wide, np.zeros(missed)]),
        column_upper=np.concatenate([most, wide, np.full(missed, np.inf)]),
        integer=np.concatenate([np.ones(len(loose) + len(wide)), np.zeros(missed)]).astype(bool),
    )
    enough = _GAP * abs(float(chosen.value @ base)) / unit
    answer = solve(program, Effort(distance=enough, nodes=_NODES, feasibility=_FEASIBILITY))
    if answer.point is None:
        return None
    moved = base.copy()
    moved[loose] = lots_to_money(at_base + np.round(answer.point[: len(loose)]), lot)
    return moved


def _add_sums(
    chosen: ChosenOffers,
    loose: Integers,
    groups: Sequence[int],
    solutions: Solutions,
    missed: int,
    reach: float,
    rows: _Rows,
) -> bool:
    """The lots that each group changes by are those that the lattice allows; False where that cannot hold."""
    steps = np.array(solutions.steps, dtype=np.float64).reshape(len(solutions.steps), len(groups)).T
    own, lots = chosen.whole.group[chosen.position[loose]], _grid_lots(chosen, loose)
    for line, g in enumerate(groups):
        sums = np.concatenate([np.where(own == g, lots, 0.0), -steps[line], np.zeros(missed)])
        begin = float(solutions.start[line])
        if not rows.add(sums, begin, begin, reach):
            return False
    return True


def _lattice(chosen: ChosenOffers, base: Floats, loose: Integers) -> tuple[list[int], Solutions] | None:
    """By how many lots the groups of `loose` may change, so that the rows without slack are met.

    None where no whole lots of theirs meet them; no groups where there are no such rows.
    """
    whole, left = chosen.whole, _left(chosen, base)
    groups = sorted(set(whole.group[chosen.position[loose]].tolist()))
    matrix, right = [], []
    for r in sorted(chosen.equal):
        if whole.on_loans[r]:
            continue
        matrix.append([use * whole.lot for use in whole.uses(r, groups)])
        if left[r].denominator != 1:
            return None
        right.append(int(left[r]))
    if not matrix:
        return [], Solutions([], [])
    solutions = solve_whole(matrix, right, len(groups))
    return None if solutions is None else (groups, solutions)


def _add_rows(
    chosen: ChosenOffers, base: Floats, loose: Integers, steps: int, reach: float, inward: float, rows: _Rows
) -> bool:
    """The limits, the rows of the lattice aside; False where one cannot hold."""
    whole, left = chosen.whole, _left(chosen, base)
    groups, own = np.unique(whole.group[chosen.position[loose]], return_inverse=True)
    no_steps = np.zeros(steps)
    for r in range(len(whole)):
        if r in chosen.equal and not whole.on_loans[r]:
            continue
        per_grain = [0] * len(groups) if whole.on_loans[r] else whole.uses(r, groups.tolist())
        uses = np.array(per_grain, dtype=np.float64)[own] * float(whole.lot) * _grid_lots(chosen, loose)
        largest = float(np.max(np.abs(uses), initial=0.0))
        away = inward * largest if largest * _FEASIBILITY > 0.1 and whole.senses[r] != "exactly" else 0.0
        lower = -np.inf if whole.senses[r] == "at_most" else float(ceil(left[r])) + away
        upper = np.inf if whole.senses[r] == "at_least" else float(floor(left[r])) - away
        if not rows.add(np.concatenate([uses, no_steps]), lower, upper, reach):
            return False
    room = chosen.rhs - chosen.use @ base
    least, most = row_bounds(chosen.senses, room)
    for s, (j, scale) in enumerate(zip(chosen.limits.soft, _soft_scale(chosen, loose), strict=True)):
        line = np.concatenate([chosen.use[j, loose] * chosen.lot[loose], no_steps]) / scale
        far = reach * float(np.sum(np.abs(line)))  # beyond, the row is missed, or kept, whatever moves
        line[len(line) - len(chosen.limits.soft) + s] = chosen.limits.relief[j]
        side = float(np.clip(room[j] / scale, -far, far))
        rows.take(line, *((-np.inf, side) if least[j] == -np.inf else (side, np.inf)))
    for j in range(len(room)):
        if j in whole.place or j in chosen.limits.soft:
            continue
        tolerance = chosen.tolerance[j] * (0.5 if chosen.senses[j] == "exactly" else 1e-2)
        uses = chosen.use[j, loose] * chosen.lot[loose]
        if not rows.add(np.concatenate([uses, no_steps]), least[j] - tolerance, most[j] + tolerance, reach):
            return False
    return True
