"""The mean loss of the worst years where sectors have factors of their own (docs/certificate.md, section 6).

J years stand for all. Every number here is a decimal: losses and movements of 8 places, weights of 7. So what
a cut counts of a unit drawn has 15 places, and doubles hold it as a whole number of units without rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from allocator.certification.capital import Functions, in_parts
from allocator.certification.lots import decimal
from allocator.certification.members import inside_of
from allocator.certification.normal import quantile
from allocator.errors import Fault
from allocator.records.cuts import Cut
from allocator.records.portfolio import Floats, Integers, Portfolio
from allocator.records.risk import Sectors, TailRule
from allocator.records.scenario import Limit

_LOSS, _WEIGHT = 10**8, 10**7
"""Units of a loss, and of a weight."""


def rule_of(limit: Limit) -> tuple[TailRule, Sectors]:
    """The rule of a limit on the mean loss with factors of sectors."""
    rule = limit.rule
    assert isinstance(rule, TailRule)
    assert rule.sectors is not None
    return rule, rule.sectors


def cut_faults(cut: Cut, limit: Limit) -> Iterator[Fault]:
    """Weights that years do not have, each or together."""
    place, most = f"cut {cut.name}", _caps(*rule_of(limit))
    units = {year: decimal(weight) * _WEIGHT for year, weight in cut.direction.items()}
    known = {str(j): cap for j, cap in enumerate(most, 1)}
    for year, own in units.items():
        if year not in known:
            yield Fault(f"weighs year {year!r}, there are {len(most)}", "solve again", field=place)
        elif own.denominator != 1 or not 0 <= own <= known[year]:
            least = f"0 to {known[year] / _WEIGHT:.7f}, a decimal of 7 places"
            problem = f"weighs year {year} by {float(own / _WEIGHT)!r}, expected {least}"
            yield Fault(problem, "solve again", field=place)
    if sum(units.values()) > _WEIGHT:
        whole = float(sum(units.values(), Fraction(0)) / _WEIGHT)
        yield Fault(f"has weights of {whole:.9g} in all, above 1", "solve again", field=place)


def weights_of_cut(cut: Cut, limit: Limit, portfolio: Portfolio) -> Floats:
    """(n,) what a unit drawn counts."""
    shares = {int(year): float(round(weight * _WEIGHT)) for year, weight in cut.direction.items()}
    return _weighed(limit, portfolio, shares)


def _weighed(limit: Limit, portfolio: Portfolio, shares: Mapping[int, float]) -> Floats:
    """(n,) what a unit loses on average in years of `shares` in units of a weight."""
    total = np.zeros(len(portfolio))
    for year, losses in _losses(limit, portfolio, shares):
        total += shares[year] * losses
    return total / (_LOSS * _WEIGHT)


def right_side(bound: float) -> float:
    """A hair above the bound: what counts of a cut as doubles is a hair more than as decimals."""
    return bound * (1.0 + 2.0**-50)


def worst_mean(limit: Limit, portfolio: Portfolio, drawn: Floats) -> float:
    """The mean loss of the worst years on `drawn` (n,) and on what is lent already, of who counts."""
    _, years = _yearly(limit, portfolio, drawn)
    return float(_mean(years, _caps(*rule_of(limit)))) / _LOSS


def worst_weights(limit: Limit, portfolio: Portfolio, drawn: Floats) -> Floats:
    """(n,) what a unit owed loses on average in the years that `worst_mean` is the mean of; 0 of who owes
    nothing, or does not count."""
    few, years = _yearly(limit, portfolio, drawn)
    shares = {year: float(own) for year, own in _shares(years, _caps(*rule_of(limit))) if own}
    weights = np.zeros(len(portfolio))
    weights[few] = _weighed(limit, portfolio.take(few), shares)
    return weights


def _yearly(limit: Limit, portfolio: Portfolio, drawn: Floats) -> tuple[Integers, dict[int, float]]:
    """Who owes something, and what each year loses on it, in units of a loss."""
    owed = np.where(inside_of(limit.where, portfolio), drawn + portfolio.exposure, 0.0)
    few = np.flatnonzero(owed)
    there, money = portfolio.take(few), owed[few]
    return few, {year: float(losses @ money) for year, losses in _losses(limit, there, _all_years(limit))}


def worst_mean_above(limit: Limit, portfolio: Portfolio, drawn: Mapping[int, Fraction]) -> Fraction:
    """As `worst_mean`, of money drawn by borrower in rational numbers, each rounded up to 10^-15 units."""
    inside = inside_of(limit.where, portfolio)
    owed = {i: decimal(float(portfolio.exposure[i])) for i in np.flatnonzero(portfolio.exposure).tolist()}
    for i, money in drawn.items():
        owed[i] = owed.get(i, Fraction(0)) + money
    few = [i for i in owed if inside[i]]
    units = [-(-owed[i].numerator * 10**15 // owed[i].denominator) for i in few]
    there = portfolio.take(np.array(few, dtype=np.int64))
    years = {
        year: sum(int(loss) * money for loss, money in zip(losses.tolist(), units, strict=True))
        for year, losses in _losses(limit, there, _all_years(limit))
    }
    return Fraction(_mean(years, _caps(*rule_of(limit)))) / (_LOSS * 10**15)


def _mean(years: Mapping[int, Any], caps: tuple[int, ...]) -> Any:
    """The largest mean of what years lose."""
    return sum((own * Fraction(years[year]) for year, own in _shares(years, caps)), Fraction(0)) / _WEIGHT


def _shares(years: Mapping[int, Any], caps: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Years with the units that they weigh in that mean, none more than it may: the worst first."""
    left = _WEIGHT
    for year in sorted(years, key=lambda j: (-years[j], j)):
        yield year, min(caps[year - 1], left)
        left -= min(caps[year - 1], left)


def _all_years(limit: Limit) -> range:
    return range(1, rule_of(limit)[1].nodes + 1)


@cache
def _caps(rule: TailRule, sectors: Sectors) -> tuple[int, ...]:
    """(J,) the most that each year weighs, in units: the share of all years that it stands for, over that of
    the worst ones."""
    years, rare = sectors.nodes, 1 - decimal(rule.confidence)
    until = [Fraction(j, years) ** 4 for j in range(years + 1)]
    shares = (until[j] - until[j - 1] for j in range(1, years + 1))
    return tuple(round(_WEIGHT * min(Fraction(1), share / rare)) for share in shares)


def _losses(limit: Limit, portfolio: Portfolio, years: Iterable[int]) -> Iterator[tuple[int, Floats]]:
    """Each of `years` with what a unit drawn of each borrower loses in it (n,), in units."""
    rule, sectors = rule_of(limit)
    column = portfolio.text(sectors.column)
    moves = _movements(sectors, float(rule.correlation or 0.0), len(column.values))
    alone = 1 - Fraction(rule.correlation or 0.0)
    with np.errstate(divide="ignore"):
        ease = quantile(portfolio.pd)

    def loss(of: Functions, pd: Any, lgd: Any, move: Any, known: Any) -> Any:
        start = known if of.number is float else of.quantile(pd)
        return lgd * of.below((start - move) / of.number(alone) ** of.number(Fraction(1, 2)))

    for year in years:
        move = moves[year - 1][column.codes]
        yield year, np.rint(in_parts(loss, [portfolio.pd, portfolio.lgd, move, ease]) * _LOSS)


@cache
def _movements(sectors: Sectors, correlation: float, groups: int) -> Floats:
    """(J, S) by how much each sector's assets are better than usual in each year."""
    years, between = sectors.nodes, Fraction(sectors.between)
    within = Fraction(correlation) - between
    common = [float(Fraction(2 * j - 1, 2 * years) ** 4) for j in range(1, years + 1)]
    places = [[float(_reversed(j, base)) for j in range(1, years + 1)] for base in _primes(groups - 1)]
    columns = [np.array(own) for own in (common, *places)]
    moves = []
    for sector in range(1, groups + 1):
        squares = [Fraction(0)] * (sector - 2)  # of a row of Helmert's matrix
        if sector > 1:
            squares.append(Fraction(sector - 1, sector))
        squares += [Fraction(1, t * (t + 1)) for t in range(sector, groups)]

        def move(of: Functions, mean: Any, *own: Any, s: int = sector, rows: list[Fraction] = squares) -> Any:
            half = of.number(Fraction(1, 2))
            total = of.number(between + within / groups) ** half * of.quantile(mean)
            for t, (square, place) in enumerate(zip(rows, own, strict=True), 1):
                apart = of.number(within * square) ** half * of.quantile(place)
                total = total - apart if t == s - 1 else total + apart
            return total

        moves.append(in_parts(move, columns))
    return np.column_stack(moves)


def _reversed(number: int, base: int) -> Fraction:
    """The number whose digits behind the point are those of `number` from its last on."""
    mirrored, place = Fraction(0), Fraction(1)
    while number > 0:
        place /= base
        mirrored += place * (number % base)
        number //= base
    return mirrored


def _primes(many: int) -> list[int]:
    known, number = [2], 3
    while len(known) < many:
        if all(number % prime for prime in known):
            known.append(number)
        number += 2
    return known[:many]
