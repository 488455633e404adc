"""Amounts once the options are chosen: an LP, then whole cents inside feasibility.

At a vertex of that LP at most as many amounts as there are limits lie strictly between their ends;
only these can be off the cent. A small integer program moves them (and, for limits that must be met
exactly, a few more) by whole cents, so that nothing is rounded afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.engine.program import Effort, Program, beside, row_bounds
from allocator.engine.solving import solve
from allocator.records.portfolio import Floats, Integers

CENT = 0.01
"""The smallest part of an amount."""
_CENTS = 100
"""Cents in a unit of money."""
_ROUNDING = 1e-14
"""A row full to its last cent may look this much fuller, relative to its scale, by the order of its sum."""
_GAP = 1e-11
"""Part of what the offers are worth that is not worth a search for better cents."""
_REACH = 200
"""How far an amount may be moved, in cents."""


@dataclass(frozen=True)
class Chosen:
    """nc offers whose options are settled and whose amounts are not."""

    value: Floats
    """(nc,) worth a unit of money."""
    use: Floats
    """(m, nc) use of each row a unit of money."""
    low: Floats
    high: Floats
    senses: tuple[str, ...]
    rhs: Floats
    """(m,) what the amounts may use: everything fixed is taken off."""
    scale: Floats
    """(m,) money that a row's violation is measured against."""
    idle_rate: float
    idle_room: float


def best_amounts(chosen: Chosen, unit: float) -> Floats | None:
    """(nc,) amounts in whole cents that meet every row and are worth most; None where there are none."""
    if len(chosen.value) == 0:
        return np.zeros(0) if _holds(chosen, np.zeros(0)) else None
    relaxed = _continuous(chosen, unit)
    if relaxed is None:
        return None
    return _in_cents(chosen, relaxed)


def _holds(chosen: Chosen, amounts: Floats) -> bool:
    lower, upper = row_bounds(chosen.senses, chosen.rhs)
    used = chosen.use @ amounts
    slack = 1e-9 * chosen.scale
    return bool(np.all(used <= upper + slack) and np.all(used >= lower - slack))


def _continuous(chosen: Chosen, unit: float) -> Floats | None:
    """The LP over amounts alone, in units of `unit`."""
    scale = chosen.scale
    lower, upper = row_bounds(chosen.senses, chosen.rhs / scale)
    idle = np.zeros((len(scale), 1))
    idle[0, 0] = unit / scale[0]
    program = Program(
        cost=np.append(chosen.value, chosen.idle_rate),
        matrix=beside(chosen.use * (unit / scale)[:, None], idle),
        row_lower=lower,
        row_upper=upper,
        column_lower=np.append(chosen.low / unit, 0.0),
        column_upper=np.append(chosen.high / unit, chosen.idle_room / unit),
        integer=np.zeros(len(chosen.value) + 1, dtype=bool),
    )
    answer = solve(program, Effort(presolve=False))
    if answer.point is None or answer.stop != "optimal":
        return None
    return np.clip(answer.point[:-1] * unit, chosen.low, chosen.high)


def _in_cents(chosen: Chosen, relaxed: Floats) -> Floats | None:
    """`relaxed` moved to whole cents by a small integer program over the amounts that are loose."""
    near_low = np.abs(relaxed - chosen.low) <= 1e-6
    near_high = np.abs(relaxed - chosen.high) <= 1e-6
    base = np.where(near_low, chosen.low, np.where(near_high, chosen.high, relaxed))
    interior = ~near_low & ~near_high
    base[interior] = np.floor(base[interior] * _CENTS + 1e-6) / _CENTS
    if not interior.any() and _holds(chosen, base):
        return base
    loose = _loose(chosen, relaxed, interior)
    moved = _move(chosen, base, loose)
    return moved if moved is not None and _holds(chosen, moved) else None


def _loose(chosen: Chosen, relaxed: Floats, interior: np.ndarray) -> Integers:
    """The interior amounts, with the roomiest others beside them where a row must be met exactly."""
    if "exactly" not in chosen.senses:
        return np.flatnonzero(interior)
    room = np.where(interior, np.inf, chosen.high - chosen.low)
    extra = 3 * len(chosen.senses) + int(interior.sum())
    order = np.argsort(-room, kind="stable")[:extra]
    return np.sort(order[room[order] > 0])


def _move(chosen: Chosen, base: Floats, loose: Integers) -> Floats | None:
    use = chosen.use[:, loose]
    left = (chosen.rhs - chosen.use @ base) * _CENTS
    exact = np.array([sense == "exactly" for sense in chosen.senses])
    rounding = np.maximum(1e-6, _ROUNDING * chosen.scale * _CENTS)
    slack = np.where(exact, np.minimum(5e-10 * chosen.scale, 0.0025) * _CENTS, rounding)
    lower, upper = row_bounds(chosen.senses, left)
    idle = np.zeros((len(left), 1))
    idle[0, 0] = 1.0
    program = Program(
        cost=np.append(chosen.value[loose], chosen.idle_rate),
        matrix=beside(use, idle),
        row_lower=lower - slack,
        row_upper=upper + slack,
        column_lower=np.append(np.maximum((chosen.low - base)[loose] * _CENTS, -_REACH).round(), 0.0),
        column_upper=np.append(
            np.minimum((chosen.high - base)[loose] * _CENTS, _REACH).round(), chosen.idle_room * _CENTS
        ),
        integer=np.append(np.ones(len(loose), dtype=bool), False),
    )
    enough = _GAP * abs(float(chosen.value @ base)) * _CENTS
    answer = solve(program, Effort(distance=enough, time_limit=2.0, feasibility=1e-7))
    if answer.point is None:
        return None
    moved = base.copy()
    moved[loose] = np.round(base[loose] * _CENTS + np.round(answer.point[:-1])) / _CENTS
    return moved
