"""The standard normal distribution: of arrays in doubles, and in decimals.

In doubles `below` is wrong by 4e-15 at most, and `quantile` by 3e-15 of itself, or by 1e-16 about 0: what is
rounded to 8 places of them stays far within the 1e-13 at which decimals decide (`certification.capital`).
"""

from __future__ import annotations

from decimal import Decimal
from math import erfc
from statistics import NormalDist
from typing import Any

import numpy as np

from allocator.records.portfolio import Floats

ROOT = Decimal(
    "2.506628274631000502415765284811045253006986740609938316629923576342293654607841974946595838378057266"
)
"""The square root of 2 pi."""
_STEPS, _END = 64, 9
"""Points of a table of N a unit, and where it ends: beyond, N is 0 or 1 to 2e-19."""
_POINTS = np.arange(-_STEPS * _END, _STEPS * _END + 1) / _STEPS
_TABLE = np.array([erfc(-x / 2.0**0.5) / 2.0 for x in _POINTS.tolist()])
_DENSITY = np.exp(-_POINTS * _POINTS / 2.0) / float(ROOT)
_LEAST = 1e-300

_MIDDLE = (
    "2509.0809287301226727 33430.575583588128105 67265.770927008700853 45921.953931549871457 "
    "13731.693765509461125 1971.5909503065514427 133.14166789178437745 3.387132872796366608",
    "5226.495278852854561 28729.085735721942674 39307.89580009271061 21213.794301586595867 "
    "5394.1960214247511077 687.1870074920579083 42.313330701600911252 1",
)
_TAIL = (
    "7.7454501427834140764e-4 0.0227238449892691845833 0.24178072517745061177 1.27045825245236838258 "
    "3.64784832476320460504 5.7694972214606914055 4.6303378461565452959 1.42343711074968357734",
    "1.05075007164441684324e-9 5.475938084995344946e-4 0.0151986665636164571966 0.14810397642748007459 "
    "0.68976733498510000455 1.6763848301838038494 2.05319162663775882187 1",
)
_FAR_TAIL = (
    "2.01033439929228813265e-7 2.71155556874348757815e-5 0.0012426609473880784386 0.026532189526576123093 "
    "0.29656057182850489123 1.7848265399172913358 5.4637849111641143699 6.6579046435011037772",
    "2.04426310338993978564e-15 1.4215117583164458887e-7 1.8463183175100546818e-5 7.868691311456132591e-4 "
    "0.0148753612908506148525 0.13692988092273580531 0.59983220655588793769 1",
)
"""Numerators and denominators of algorithm AS 241 (Wichura 1988), the highest power first."""


def below(x: Any) -> Any:
    """N(x): how likely a standard normal number is at most x.

    Taylor's series about the nearest point of a table. What it leaves out from h^6 on is at most
    1.09 (5!)^1/2 h^6 / (6! (2 pi)^1/2), which is 2e-15 at h = 1 / 128 (Cramer's bound of Hermite functions).
    """
    inside = np.clip(x, -_END, _END)
    place = np.rint(inside * _STEPS)
    point = place / _STEPS
    h, square = inside - point, point * point
    series = point * (3.0 - square) + h / 5.0 * (square * (square - 6.0) + 3.0)
    series = 1.0 + h / 2.0 * (h / 3.0 * (square - 1.0 + h / 4.0 * series) - point)
    known = np.asarray(place, dtype=np.int64) + _STEPS * _END
    return _TABLE[known] + _DENSITY[known] * h * series


def quantile(p: Any) -> Any:
    """The x of N(x) = p, of p from 1e-300 on; inf from 1 on."""
    whole = np.atleast_1d(np.asarray(p, dtype=np.float64))
    middle = whole - 0.5
    out = middle * _ratio(_MIDDLE, 0.180625 - middle * middle)
    outside = np.flatnonzero(np.abs(middle) > 0.425)
    rare = np.maximum(np.minimum(whole[outside], 1.0 - whole[outside]), _LEAST)
    depth = np.sqrt(-np.log(rare))
    size = np.where(depth <= 5.0, _ratio(_TAIL, depth - 1.6), _ratio(_FAR_TAIL, depth - 5.0))
    out[outside] = np.copysign(size, middle[outside])
    return np.where(whole < 1.0, out, np.inf).reshape(np.shape(p))


def _ratio(polynomials: tuple[str, str], r: Floats) -> Floats:
    above, under = (np.polyval([float(digits) for digits in own.split()], r) for own in polynomials)
    return np.asarray(above / under)


def below_in_decimals(x: Decimal) -> Decimal:
    """By the alternating series of the error function, which 50 digits outlast below 6."""
    if not x.is_finite():
        return Decimal(int(x > 0))
    square, power, total, k = x * x / 2, x, x, 0
    while abs(power) > Decimal("1e-60"):
        k += 1
        power = -power * square / k
        total += power / (2 * k + 1)
    return Decimal("0.5") + total / ROOT


def quantile_in_decimals(p: Decimal) -> Decimal:
    """By Halley's steps from the double's, each of which has three times as many digits."""
    if p >= 1:
        return Decimal("Infinity")
    x = Decimal(NormalDist().inv_cdf(float(p)))
    for _ in range(2):
        step = (below_in_decimals(x) - p) * ROOT * (x * x / 2).exp()
        x -= step / (1 + x * step / 2)
    return x
