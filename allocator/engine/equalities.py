"""Whole rows that leave no slack, found before anything is solved and proved in fractions.

Shares of the total that add up to all of it, two floors that fill the budget, a floor and a cap that meet:
such rows hold with equality in every allocation, though none is written so. A linear program over the
sums of amounts and loans of each group finds the most slack that all rows can have together. Where that is
nothing, its dual names rows whose sum reads 0 <= 0 (or 0 <= -1: they cannot all hold), which is checked
in fractions (Farkas' lemma). What doubles say is only where to look.

Sums of whole lots and of fixed requests lie on a lattice: rows to be met exactly may miss it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, gcd

import numpy as np
from scipy import sparse

from allocator.engine.lattice import solve_whole
from allocator.engine.program import Effort, Program
from allocator.engine.reach import ANY, common_spans, loans_of, steps_into
from allocator.engine.solving import solve
from allocator.engine.whole import WholeRows
from allocator.records.portfolio import Floats

_LARGEST = 200_000
"""Whole rows times groups up to which slack is looked for, and lattices are solved."""
_SLACK = 1e-7
"""Share of each row's size: with this much slack in every row none is met exactly."""
_DUAL = 1e-7
_ROUNDED_UP_TO = 60
"""Groups up to which rows with slack are rounded to what lots can meet."""


@dataclass(frozen=True)
class UnreachableRows:
    """Rows to be met exactly that lie beside every sum of whole lots and fixed requests."""

    places: tuple[int, ...]
    """Places of these rows among the whole rows."""
    requests: bool
    """Whether requests that leave no range of amounts have a part in it."""
    unit: Fraction | None
    """What the offers of one row add up to multiples of, in the row's own unit."""
    tickets: bool = False
    """Sums of whole lots would do, but no loans between the smallest and the largest come to them."""


@dataclass(frozen=True)
class Equalities:
    """What the whole rows say together."""

    equal: frozenset[int]
    """Places (among the whole rows) of those that every allocation meets exactly."""
    conflict: tuple[int, ...] | None = None
    """Places of rows that cannot hold together, whatever the amounts."""
    missed: UnreachableRows | None = None
    rounded: Mapping[int, int] = field(default_factory=dict)
    """Place -> right-hand side of a row with slack, where only every so many whole lots can be met."""
    total: tuple[int, int] | None = None
    """Grains that all who are free may get together: this many, and any times that many more; None: any."""


@dataclass(frozen=True)
class _Sums:
    """What the offers of each of G groups may add up to, in grains and loans."""

    pinned: list[int]
    highest: list[int]
    pins: list[int]
    loans: list[int]
    smallest: list[int]
    """The smallest loan of those who are free."""
    largest: list[int]
    unit: list[int]
    """What every sum is a whole number of beyond `pinned`: the lot, or more where requests are fixed."""


@dataclass(frozen=True, eq=False)
class _Line:
    """sum_v of[v] x_v <= right; `place`: the whole row that it is, or -1. Equal to itself alone."""

    of: dict[int, int]
    right: Fraction
    place: int


def _sums_of(whole: WholeRows) -> _Sums:
    """The sums of every group."""
    offers, size = whole.offers, whole.groups
    able, must = offers.menu >= 0, offers.must
    free = np.flatnonzero(able & ~must)
    pinned, pins = whole.count_of(np.flatnonzero(able & must), offers.high[able & must])
    low, high = whole.grains(free, offers.low[free]), whole.grains(free, offers.high[free])
    group = whole.group[free]
    highest, loans = whole.summed(group, high)
    smallest, largest = np.full(size, np.inf), np.zeros(size)
    np.minimum.at(smallest, group, low)
    np.maximum.at(largest, group, high)
    unit = np.zeros(size, dtype=np.int64)
    fixed = low == high
    np.gcd.at(unit, group[fixed], low[fixed].astype(np.int64))
    ranging = np.flatnonzero(np.bincount(group[~fixed], minlength=size))
    unit[ranging] = np.gcd(unit[ranging], whole.lot)
    return _Sums(
        pinned=pinned,
        highest=[a + b for a, b in zip(pinned, highest, strict=True)],
        pins=pins,
        loans=[a + b for a, b in zip(pins, loans, strict=True)],
        smallest=[int(x) if np.isfinite(x) else 0 for x in smallest],
        largest=[int(x) for x in largest],
        unit=unit.tolist(),
    )


def equalities_of(whole: WholeRows) -> Equalities:
    """The whole rows without slack."""
    written = frozenset(r for r, sense in enumerate(whole.senses) if sense == "exactly")
    if not _may_bind(whole):
        return Equalities(written)
    sums = _sums_of(whole)
    missed = _missed_rows(whole, sums, sorted(written), {})
    if missed is not None or len(whole) * whole.groups > _LARGEST:
        return Equalities(written, missed=missed)
    idle = [g for g in range(whole.groups) if sums.loans[g] == sums.pins[g]]
    given = {*idle, *(whole.groups + g for g in idle)}
    held, conflict = _without_slack(_lines(whole, sums), 2 * whole.groups, given)
    equal = written | {line.place for line in held if line.place >= 0}
    if conflict:
        return Equalities(equal, conflict=tuple(sorted({line.place for line in conflict if line.place >= 0})))
    settled = _settled_groups(held, sums)
    missed = _missed_rows(whole, sums, sorted(equal), settled) or _out_of_reach(whole, sums, equal, settled)
    if missed is not None:
        return Equalities(equal, missed=missed)
    rounded, total = _rounded_rhs(whole, sums, equal, settled)
    return Equalities(equal, rounded=rounded, total=total)


def _may_bind(whole: WholeRows) -> bool:
    """Caps alone, which the empty book keeps with room, leave slack."""
    plain = all(sense == "at_most" for sense in whole.senses) and not any(whole.share)
    return not (plain and all(right > 0 for right in whole.rhs) and not np.any(whole.offers.must))


def _lines(whole: WholeRows, sums: _Sums) -> list[_Line]:
    """Every row, bound and ticket as `<=`; group g's grains are variable g, its loans G + g."""
    groups, lines = whole.groups, []
    for r in range(len(whole)):
        shift = groups if whole.on_loans[r] else 0
        of = {shift + g: use for g, use in enumerate(whole.uses(r)) if use}
        if whole.senses[r] != "at_least":
            lines.append(_Line(of, whole.rhs[r], r))
        if whole.senses[r] != "at_most":
            lines.append(_Line({v: -use for v, use in of.items()}, -whole.rhs[r], r))
    for g in range(groups):
        ends = ((sums.pinned[g], sums.highest[g]), (sums.pins[g], sums.loans[g]))
        if sums.loans[g] == sums.pins[g]:  # nobody is free: no choice, and no slack to look for
            lines += [
                _Line({g: 1}, Fraction(ends[0][0]), -1),
                _Line({groups + g: 1}, Fraction(ends[1][0]), -1),
            ]
            continue
        for v, (least, most) in zip((g, groups + g), ends, strict=True):
            lines += [_Line({v: 1}, Fraction(most), -1), _Line({v: -1}, Fraction(-least), -1)]
        for sign, size in ((-1, sums.smallest[g]), (1, sums.largest[g])):
            right = Fraction(sign * (sums.pinned[g] - size * sums.pins[g]))
            lines.append(_Line({g: sign, groups + g: -sign * size}, right, -1))
    return lines


def _without_slack(lines: list[_Line], variables: int, given: set[int]) -> tuple[list[_Line], list[_Line]]:
    """The lines that no point leaves slack, and lines that no point meets together.

    `given`: variables whose one line is no bound but their value.
    """
    held = [line for line in lines if line.place < 0 and line.of.keys() <= given]
    lines = [line for line in lines if line not in held]
    alone = [line for line in lines if not line.of and line.right < 0]
    if alone:
        return [], alone[:1]
    lines = [line for line in lines if line.of]
    for _ in range(len(lines)):
        weights = _dual_of_most_slack(lines, held, variables)
        if weights is None:
            return held, []
        large = np.abs(weights) > _DUAL
        support = [line for line, weighs in zip([*lines, *held], large, strict=True) if weighs]
        free = int(np.count_nonzero(large[: len(lines)]))
        exact = _combination(support, free)
        if exact is None or not free:
            return held, []
        right = sum((weight * line.right for weight, line in zip(exact, support, strict=True)), Fraction(0))
        if right < 0:
            return held, support
        if right > 0:
            return held, []
        new = [line for line, weight in zip(support[:free], exact, strict=False) if weight]
        held += new
        lines = [line for line in lines if line not in new]
    return held, []


def _dual_of_most_slack(lines: list[_Line], held: list[_Line], variables: int) -> Floats | None:
    """The multipliers of `lines` and `held` (met exactly) at the most common slack; None: there is some."""
    size = np.ones(variables)
    for line in lines:
        if len(line.of) == 1:
            ((v, use),) = line.of.items()
            size[v] = max(size[v], float(abs(line.right / use)))
    both = [*lines, *held]
    matrix = np.zeros((len(both), variables + 1))
    right = np.array([float(line.right) for line in both])
    for row, line in enumerate(both):
        for v, use in line.of.items():
            matrix[row, v] = float(use) * size[v]
    norm = np.maximum(np.max(np.abs(matrix), axis=1), 1e-300)
    matrix, right = matrix / norm[:, None], right / norm
    matrix[: len(lines), -1] = 1.0
    program = Program(
        cost=np.append(np.zeros(variables), 1.0),
        matrix=sparse.csc_array(matrix),
        row_lower=np.concatenate([np.full(len(lines), -np.inf), right[len(lines) :]]),
        row_upper=right,
        column_lower=np.full(variables + 1, -np.inf),
        column_upper=np.append(np.full(variables, np.inf), 1.0),
        integer=np.zeros(variables + 1, dtype=bool),
    )
    answer = solve(program, Effort(presolve=False))
    if answer.stop != "optimal" or answer.value > _SLACK or not len(answer.row_prices):
        return None
    return answer.row_prices


def _combination(lines: list[_Line], free: int) -> list[Fraction] | None:
    """The one way (up to its size) in which the lines add up to nothing on the left, in fractions.

    The first `free` lines are met with slack or without: their multipliers must not be below 0.
    """
    used = sorted({v for line in lines for v in line.of})
    rows = [[Fraction(line.of.get(v, 0)) for line in lines] for v in used]
    count, pivots, rank = len(lines), [], 0
    for column in range(count):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        lead = rows[rank][column]
        rows[rank] = [x / lead for x in rows[rank]]
        for i, row in enumerate(rows):
            if i != rank and row[column]:
                times = row[column]
                rows[i] = [x - times * y for x, y in zip(row, rows[rank], strict=True)]
        pivots.append(column)
        rank += 1
    open_columns = [column for column in range(count) if column not in pivots]
    if len(open_columns) != 1:
        return None
    weights = [Fraction(0)] * count
    weights[open_columns[0]] = Fraction(1)
    for i, column in enumerate(pivots):
        weights[column] = -rows[i][open_columns[0]]
    if all(weight <= 0 for weight in weights[:free]):
        weights = [-weight for weight in weights]
    return weights if all(weight >= 0 for weight in weights[:free]) else None


def _settled_groups(held: list[_Line], sums: _Sums) -> dict[int, int]:
    """Groups whose sum is one of its bounds in every allocation."""
    groups = len(sums.pinned)
    settled = {}
    for line in held:
        if line.place < 0 and len(line.of) == 1:
            ((v, use),) = line.of.items()
            if v < groups:
                settled[v] = int(line.right / use)
    return settled


def _missed_rows(
    whole: WholeRows, sums: _Sums, equal: list[int], settled: dict[int, int]
) -> UnreachableRows | None:
    """Rows to be met exactly that no whole lots meet: some alone, else all of them together."""
    matrix, right, alone, units = [], [], [], []
    for r in equal:
        if whole.on_loans[r]:
            if (whole.rhs[r] / whole.weight[r]).denominator != 1:
                alone.append(r)
                units.append(whole.weight[r])
            continue
        uses = whole.uses(r)
        given = [settled.get(g, sums.pinned[g]) for g in range(whole.groups)]
        left = whole.rhs[r] - sum(use * total for use, total in zip(uses, given, strict=True))
        line = [0 if g in settled else use * sums.unit[g] for g, use in enumerate(uses)]
        unit = gcd(*line)
        if unit == 0:
            if 0 < abs(left) < abs(whole.weight[r]):
                alone.append(r)
                units.append(unit)
            continue  # nobody can use it: a matter of lots only where less than one is missed
        if left.denominator != 1 or int(left) % unit:
            alone.append(r)
            units.append(unit)
        matrix.append(line)
        right.append(floor(left))
    coarse = any(unit and unit != whole.lot for unit in sums.unit)
    if alone:
        return UnreachableRows(tuple(alone), coarse, Fraction(units[0]) if len(alone) == 1 else None)
    together = len(matrix) > 1 and len(matrix) * whole.groups <= _LARGEST // 10
    if together and solve_whole(matrix, right, whole.groups) is None:
        return UnreachableRows(tuple(r for r in equal if not whole.on_loans[r]), coarse, None)
    return None


@dataclass(frozen=True)
class _System:
    """The equal rows of amounts as equations matrix x = right: group g adds up to given_g + unit_g x_g."""

    given: list[int]
    unit: list[int]
    matrix: list[list[int]]
    right: list[int]

    @classmethod
    def of(cls, whole: WholeRows, sums: _Sums, equal: frozenset[int], settled: Mapping[int, int]) -> _System:
        given = [settled.get(g, sums.pinned[g]) for g in range(whole.groups)]
        unit = [0 if g in settled else size for g, size in enumerate(sums.unit)]
        matrix, right = [], []
        for r in sorted(equal):
            if not whole.on_loans[r]:
                uses = whole.uses(r)
                matrix.append([use * size for use, size in zip(uses, unit, strict=True)])
                right.append(floor(whole.rhs[r]) - _times(uses, given))
        return cls(given, unit, matrix, right)


def _out_of_reach(
    whole: WholeRows, sums: _Sums, equal: frozenset[int], settled: Mapping[int, int]
) -> UnreachableRows | None:
    """The equal rows, where they leave the groups' sums one line of points, none of which tickets reach."""
    if whole.groups > _ROUNDED_UP_TO:
        return None
    system = _System.of(whole, sums, equal, settled)
    used = [g for g in range(whole.groups) if any(line[g] for line in system.matrix)]
    solutions = solve_whole([[line[g] for g in used] for line in system.matrix], system.right, len(used))
    if not used or solutions is None or len(solutions.steps) > 1:
        return None
    start, step = list(system.given), [0] * whole.groups
    for place, g in enumerate(used):
        start[g] += system.unit[g] * solutions.start[place]
        step[g] = system.unit[g] * solutions.steps[0][place] if solutions.steps else 0
    left = [ANY]
    for g in used:
        loans = loans_of(whole, g, sums.highest[g] - sums.pinned[g])
        left = common_spans(left, steps_into(loans, start[g] - sums.pinned[g], step[g]))
    known = {*used, *settled, *(g for g in range(whole.groups) if sums.loans[g] == sums.pins[g])}
    for r in range(len(whole)):
        uses = whole.uses(r)
        if r not in equal and not whole.on_loans[r] and all(g in known for g, use in enumerate(uses) if use):
            least, most = ceil(whole.rhs[r]), floor(whole.rhs[r])
            side = (least, ANY[1]) if whole.senses[r] == "at_least" else (ANY[0], most)
            left = common_spans(left, steps_into([side], _times(uses, start), _times(uses, step)))
    on_amounts = tuple(r for r in sorted(equal) if not whole.on_loans[r])
    return None if left else UnreachableRows(on_amounts, False, None, tickets=True)


def _rounded_rhs(
    whole: WholeRows, sums: _Sums, equal: frozenset[int], settled: Mapping[int, int]
) -> tuple[dict[int, int], tuple[int, int] | None]:
    """Right-hand sides of the other rows on the lattice that the equal ones and fixed requests leave.

    And the totals on it, as `Equalities` has them.
    """
    if whole.groups > _ROUNDED_UP_TO:
        return {}, None
    system = _System.of(whole, sums, equal, settled)
    solutions = solve_whole(system.matrix, system.right, whole.groups)
    if solutions is None:
        return {}, None
    rounded = {}
    for r in range(len(whole)):
        if r in equal or whole.on_loans[r]:
            continue
        uses = whole.uses(r)
        per = [use * size for use, size in zip(uses, system.unit, strict=True)]
        first = _times(uses, system.given) + _times(per, solutions.start)
        every = gcd(*(_times(per, step) for step in solutions.steps))
        if every > 1:
            lots = (whole.rhs[r] - first) / every
            lots = Fraction(floor(lots) if whole.senses[r] == "at_most" else ceil(lots))
            rounded[r] = first + int(lots) * every
    every = gcd(*(_times(system.unit, step) for step in solutions.steps))
    first = sum(system.given) - sum(sums.pinned) + _times(system.unit, solutions.start)
    return rounded, (first, every) if every > 1 else None


def _times(left: list[int], right: list[int]) -> int:
    return sum(x * y for x, y in zip(left, right, strict=True))
