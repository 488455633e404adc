"""Losses in years that stand for all, where sectors have factors too (docs/formulation.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.records.portfolio import Floats, Portfolio
from allocator.records.risk import PLACES, WEIGHT_PLACES, Sectors, TailRule
from allocator.risk.arithmetic import DOUBLES, Arithmetic, rounded


def most_weights(rule: TailRule, sectors: Sectors) -> NDArray[np.int64]:
    """(J,) the largest weight of each year among the worst, in units of 10^-7.

    The j-th year stands for a share (j^4 - (j - 1)^4) / J^4 of all.
    """
    rare, nodes = 1 - Fraction(repr(rule.confidence)), sectors.nodes
    shares = (Fraction(j**4 - (j - 1) ** 4, nodes**4) for j in range(1, nodes + 1))
    return np.array([round(min(share / rare, Fraction(1)) * 10**WEIGHT_PLACES) for share in shares])


def losses(rule: TailRule, portfolio: Portfolio, years: Sequence[int]) -> Iterator[Floats]:
    """(n,) what a unit drawn of each borrower loses in each of `years`, counted from 0, in units of 10^-8.

    L N((G(p) - m) / (1 - rho)^1/2), m what moves the borrower's sector in that year.
    """
    assert rule.sectors is not None
    assert rule.correlation is not None
    column = portfolio.text(rule.sectors.column)
    moved = _moves(rule.sectors, rule.correlation, len(column.values))
    with np.errstate(divide="ignore"):
        near = DOUBLES.normal_inverse(portfolio.pd)

    def formula(arithmetic: Arithmetic, pd: Any, lgd: Any, move: Any, quantile: Any) -> Any:
        own = quantile if arithmetic is DOUBLES else arithmetic.normal_inverse(pd)
        return lgd * arithmetic.normal(
            (own - move) / arithmetic.sqrt(1 - arithmetic.number(rule.correlation))
        )

    for year in years:
        places = rounded(formula, portfolio.pd, portfolio.lgd, moved[year][column.codes], near)
        yield np.rint(places * 10.0**PLACES)


@cache
def _moves(sectors: Sectors, correlation: float, count: int) -> Floats:
    """(J, S) what moves the assets of each sector in each year, to 8 places: the mean of all sectors' by its
    quantile, and what each has of its own by points of Halton (1960) in a basis of Helmert's."""
    nodes = sectors.nodes
    mean = np.array([(2 * j - 1) ** 4 / (2 * nodes) ** 4 for j in range(1, nodes + 1)])
    inverses = [[_inverse(j, prime) for j in range(1, nodes + 1)] for prime in _primes(count - 1)]
    points = [mean, *map(np.array, inverses)]
    moved = np.empty((nodes, count))
    for sector in range(1, count + 1):

        def formula(arithmetic: Arithmetic, mean: Any, *own: Any, s: int = sector) -> Any:
            z = [arithmetic.normal_inverse(point) for point in own]
            apart = sum(
                (z[t - 1] / arithmetic.sqrt(arithmetic.number(t * (t + 1))) for t in range(s, count)),
                start=0 * arithmetic.number(0),
            )
            if s > 1:
                apart = apart - arithmetic.sqrt(arithmetic.number(s - 1) / arithmetic.number(s)) * z[s - 2]
            beta, within = (
                arithmetic.number(sectors.between),
                arithmetic.number(correlation) - arithmetic.number(sectors.between),
            )
            return (
                arithmetic.sqrt(beta + within / count) * arithmetic.normal_inverse(mean)
                + arithmetic.sqrt(within) * apart
            )

        moved[:, sector - 1] = rounded(formula, *points)
    return moved


def _inverse(number: int, base: int) -> float:
    """The radical inverse: the digits of a number behind the point, the last one first."""
    above, under = 0, 1
    while number:
        number, digit = divmod(number, base)
        above, under = above * base + digit, under * base
    return above / under


def _primes(count: int) -> list[int]:
    primes: list[int] = []
    number = 2
    while len(primes) < count:
        if all(number % prime for prime in primes):
            primes.append(number)
        number += 1
    return primes
