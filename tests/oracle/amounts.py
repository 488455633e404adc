"""Whole lots for offers that are chosen: near the optimum of the amounts as real numbers, row by row exactly.

The real optimum is approached by linear programs around the last point, each a millionth as wide as the
one before and with what is left of every row counted exactly; so that money of any size ends within a
few lots. There the amounts are whole numbers of a small program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from tests.oracle.arrays import Arrays, Line, Model, maximise, scaled, whole
from tests.oracle.feasibility import Offer, faults
from tests.oracle.program import Program

WIDTHS = (300, 10_000)
"""Lots that an amount may move from the real optimum."""


def best_amounts(
    program: Program, arrays: Arrays, chosen: Sequence[int], guess: Sequence[int] | None
) -> list[Offer] | None:
    """The offers `chosen` (indices of options) with the best amounts found; None where there are none."""
    if guess is not None or not chosen:
        offers = offers_at(program, arrays, chosen, guess or [])
        if not faults(program, offers):
            return offers
        if not chosen:
            return None
    lines = [_of_chosen(line, chosen) for line in arrays.lines]
    if any(line.exact and line.right.denominator != 1 for line in lines):
        return None
    room = [arrays.room[o] for o in chosen]
    cost = [arrays.unit[o] for o in chosen]
    centre = list(guess) if guess is not None else _real(lines, room, cost)
    if centre is None:
        return None
    for width in WIDTHS:
        for tight in (False, True):
            moved = _moved(lines, room, cost, centre, width, tight, integer=True)
            if moved is not None:
                offers = offers_at(program, arrays, chosen, moved)
                if not faults(program, offers):
                    return offers
    return None


def offers_at(program: Program, arrays: Arrays, chosen: Sequence[int], above: Sequence[int]) -> list[Offer]:
    """All offers, pinned ones among them; `above` are lots above the smallest loan."""
    pinned = [Offer(t.options[0], t.pinned) for t in program.terms if t.pinned is not None]
    free = [
        Offer(arrays.options[o], (arrays.low[o] + n) * program.lot)
        for o, n in zip(chosen, above, strict=True)
    ]
    return [*pinned, *free]


def _of_chosen(line: Line, chosen: Sequence[int]) -> Line:
    """The row over the chosen offers' amounts alone."""
    made = sum((line.made[o] for o in chosen), Fraction(0))
    kept = replace(line, lots=tuple(line.lots[o] for o in chosen), made=(), right=line.right - made)
    return whole(kept) if line.exact else kept


def _real(lines: list[Line], room: list[int], cost: list[Fraction]) -> list[int] | None:
    centre, width = [0] * len(room), max(room, default=0)
    while width > WIDTHS[0]:
        moved = _moved(lines, room, cost, centre, width, False, integer=False)
        if moved is None:
            return None
        centre, width = moved, width // 10**6
    return centre


def _moved(
    lines: list[Line],
    room: list[int],
    cost: list[Fraction],
    centre: list[int],
    width: int,
    tight: bool,
    integer: bool,
) -> list[int] | None:
    """The best point within `width` lots of `centre`; inequalities by one unit stricter where `tight`."""
    n, per = len(centre), 1 if integer else max(width, 1)
    left = [_left(line, centre, tight and line.exact) for line in lines]
    ends = [(max(-c, -width), min(b - c, width)) for b, c in zip(room, centre, strict=True)]
    spans = np.full(n, float(width or 1) / per)
    rows, below, above = scaled(left, [[c * per for c in line.lots] for line in left], spans, integer)
    top = max((abs(c) for c in cost), default=Fraction(0)) or Fraction(1)
    model = Model(
        np.array([float(c / top) for c in cost]),
        np.array([a / per for a, _ in ends], dtype=float),
        np.array([b / per for _, b in ends], dtype=float),
        rows,
        below,
        above,
        np.full(n, integer),
    )
    _, point, _ = maximise(model, 1_000)
    if point is None:
        return None
    return [
        min(max(c + round(Fraction(float(d)) * per), 0), b)
        for c, d, b in zip(centre, point, room, strict=True)
    ]


def _left(line: Line, centre: list[int], tight: bool) -> Line:
    """What the row leaves beyond `centre`."""
    right = line.right - sum((c * n for c, n in zip(line.lots, centre, strict=True)), Fraction(0))
    by = {"at_most": -1, "at_least": 1, "exactly": 0}[line.sense] if tight else 0
    return replace(line, right=right + by)
