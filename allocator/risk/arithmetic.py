"""One formula in two arithmetics: doubles for a whole column, decimals of 50 digits for what doubles cannot
tell on which side of a half it lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from math import inf
from typing import Any

import numpy as np
from scipy import special

from allocator.records.portfolio import Floats
from allocator.records.risk import PLACES

DIGITS = 50
_UNIT = 10.0**PLACES
_CHUNK = 8_192
_UNSURE = 1e-13
"""What a figure in doubles may be wrong by, at most: some fifty times what its operations add up to."""
_LAST_STEP = Decimal(10) ** (-DIGITS // 2 - 3)
"""Newton's next step after one as small as this changes no digit."""
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


@dataclass(frozen=True)
class Arithmetic:
    """Numbers with the functions that a formula needs; `normal` is the standard normal distribution."""

    number: Callable[[Any], Any]
    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    normal: Callable[[Any], Any]
    normal_inverse: Callable[[Any], Any]


def density(x: Decimal) -> Decimal:
    """Of the standard normal distribution."""
    return (-x * x / 2).exp() / (2 * PI).sqrt()


def normal(x: Decimal) -> Decimal:
    """N(x) = 1/2 + density (x + x^3 / 3 + x^5 / (3 5) + ...)."""
    if x.is_infinite():
        return Decimal(int(x > 0))
    term, total, k = x, x, 1
    while abs(term) > abs(total) * Decimal(10) ** -DIGITS:
        k += 2
        term *= x * x / k
        total += term
    return Decimal("0.5") + density(x) * total


def normal_inverse(p: Decimal) -> Decimal:
    """The x of N(x) = p, by Newton's steps from that in doubles, each of which doubles its digits."""
    if p == 0 or p == 1:
        return Decimal(inf if p else -inf)
    x, step = Decimal(min(max(float(special.ndtri(float(p))), -38.0), 8.2)), Decimal(1)
    while abs(step) > _LAST_STEP:
        step = (normal(x) - p) / density(x)
        x -= step
    return x


DOUBLES = Arithmetic(float, np.exp, np.log, np.sqrt, special.ndtr, special.ndtri)
DECIMALS = Arithmetic(Decimal, Decimal.exp, Decimal.ln, Decimal.sqrt, normal, normal_inverse)


def rounded(formula: Callable[..., Any], *columns: Floats) -> Floats:
    """(n,) the formula's value of each row of `columns`, to the nearest of PLACES decimal places.

    `formula` takes an `Arithmetic`, then the columns; of doubles some thousand rows, which a cache holds.
    """
    starts = range(0, len(columns[0]), _CHUNK)
    parts = (_rounded(formula, [column[start : start + _CHUNK] for column in columns]) for start in starts)
    return np.concatenate([np.zeros(0), *parts])


def _rounded(formula: Callable[..., Any], columns: list[Floats]) -> Floats:
    with np.errstate(divide="ignore"):
        units = np.asarray(formula(DOUBLES, *columns)) * _UNIT
    whole = np.rint(units)
    unsure = np.flatnonzero(np.abs(np.abs(units - whole) - 0.5) <= _UNSURE * _UNIT)
    known: dict[tuple[float, ...], float] = {}
    for i in unsure.tolist():
        row = tuple(float(column[i]) for column in columns)
        if row not in known:
            known[row] = _nearest(formula, row)
        whole[i] = known[row]
    return np.asarray(whole / _UNIT)


def _nearest(formula: Callable[..., Any], row: tuple[float, ...]) -> float:
    with localcontext(prec=DIGITS):
        value: Decimal = formula(DECIMALS, *map(Decimal, row))
        return float((value * 10**PLACES).to_integral_value(ROUND_HALF_EVEN))
