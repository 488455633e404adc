"""What each borrower may be offered, from the policy, the churn table and the borrower's row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from allocator.certification.bands import Grid, grid_of
from allocator.certification.curves import smoothed
from allocator.certification.lots import Lot
from allocator.records.curves import Response
from allocator.records.portfolio import Booleans, ChurnTable, Codes, Floats, Portfolio, Text
from allocator.records.scenario import Policy

SAME_RATE = 1e-12
"""Two rates closer than this are one."""


@dataclass(frozen=True)
class Tariff:
    """The rates that a grade's band allows and the take-up at each, shape (K,)."""

    rates: Floats
    take_up: Floats

    def among(self, rates: Floats) -> Tariff:
        """What of it is one of `rates`, which ascend."""
        place = np.searchsorted(rates, self.rates - SAME_RATE)
        kept = np.append(rates, np.inf)[place] <= self.rates + SAME_RATE
        return Tariff(self.rates[kept], self.take_up[kept])


@dataclass(frozen=True)
class Tariffs:
    """What does not depend on the borrowers."""

    tariffs: dict[str, Tariff]
    """By grade."""
    curve: dict[str, Floats]
    """Smoothed churn by grade at the table's rates."""
    table_rates: Floats
    left: Mapping[str, Floats] | None
    """The rates that price lists leave each segment; None where they leave every rate of every grade."""

    def leaving(self, left: Mapping[str, Floats]) -> Tariffs:
        """The tariffs under lists that leave each segment those rates."""
        return Tariffs(self.tariffs, self.curve, self.table_rates, left)

    @property
    def highest(self) -> float:
        """The highest rate of any tariff, whatever its sign."""
        rates = (tariff.rates for tariff in self.tariffs.values())
        open_to = rates if self.left is None else self.left.values()
        return max((float(np.max(np.abs(own), initial=0.0)) for own in open_to), default=0.0)


@dataclass(frozen=True)
class Terms(Tariffs):
    """Who may be offered what; arrays of shape (n,)."""

    lendable: Booleans
    """Some offer is allowed, as far as grade, exclusion and amounts go."""
    low: Floats
    high: Floats
    pinned: Booleans
    single: Booleans
    """Who may get one rate only: that of a pinned offer, or of the contract."""
    rate: Floats
    """That rate; NaN where it may not be offered, and where the tariff is open."""
    segment: Codes
    """The place in `left` of the segment; -1 where it is in none."""
    grid: Grid | None = None
    """The amounts from `low` to `high`, where these are not the multiples of one step."""

    def of_grades(self, portfolio: Portfolio) -> Iterator[tuple[str, Booleans, Tariff]]:
        """Each grade of the policy, who (n,) of `portfolio`, whose terms these are, has it, and their tariff.

        Under price lists a grade comes once for each segment.
        """
        for grade, tariff in self.tariffs.items():
            member = portfolio.grade.codes == portfolio.grade.code_of(grade)
            if self.left is None:
                yield grade, member, tariff
                continue
            lists = [*self.left.values(), np.zeros(0)]
            for place in np.unique(self.segment[member]).tolist():
                yield grade, member & (self.segment == place), tariff.among(lists[place])


OF_BORROWERS = ("lendable", "low", "high", "pinned", "single", "rate", "segment")
"""The fields of `Terms` that are arrays of shape (n,)."""


def terms_of(portfolio: Portfolio, table: ChurnTable, response: Response, policy: Policy) -> Terms:
    """The terms as docs/formulation.md, section 1 has them."""
    return allowed_terms(portfolio, tariffs_of(table, response, policy), policy)


def tariffs_of(table: ChurnTable, response: Response, policy: Policy) -> Tariffs:
    """The tariff of every grade that the policy names."""
    curve = {grade: smoothed(churn, response.smoothing) for grade, churn in table.churn.items()}
    tariffs = {
        grade: Tariff(np.zeros(0), np.zeros(0))
        if policy.by_contract
        else _tariff(table.rates, curve[grade], band, policy.rate_step)
        for grade, band in policy.rates.items()
    }
    posted = policy.posted
    left = None if posted is None else {segment: np.array([rate]) for segment, rate in posted.items()}
    return Tariffs(tariffs, curve, table.rates, left)


def allowed_terms(portfolio: Portfolio, known: Tariffs, policy: Policy) -> Terms:
    """Who of `portfolio` (or of a part of it) may be offered what."""
    pinned, grid = np.isfinite(portfolio.fixed_amount), grid_of(portfolio, policy)
    lot = grid or Lot.of(policy.ticket.step)
    least = lot.up(np.maximum(portfolio.min_amount, policy.ticket.min))
    most = lot.down(np.minimum(portfolio.max_amount, policy.ticket.max))
    if grid is not None:
        none = ~(least <= most)
        least[none], most[none] = 1.0, 0.0
    named = np.array([grade in known.tariffs for grade in portfolio.grade.values], dtype=bool)
    allowed = named[portfolio.grade.codes] & ~portfolio.exclude & ((least <= most) | pinned)
    return Terms(
        tariffs=known.tariffs,
        curve=known.curve,
        table_rates=known.table_rates,
        lendable=allowed,
        low=np.where(pinned, portfolio.fixed_amount, least),
        high=np.where(pinned, portfolio.fixed_amount, most),
        pinned=pinned,
        single=pinned | np.isfinite(portfolio.rate),
        rate=_one_rate(portfolio, policy, pinned),
        left=known.left,
        segment=_segments(portfolio, policy, known.left),
        grid=grid,
    )


def _segments(portfolio: Portfolio, policy: Policy, left: Mapping[str, Floats] | None) -> Codes:
    """(n,) the place of each borrower's segment in `left`, -1 where it is none of them."""
    posting, grade = policy.posting, portfolio.grade
    if left is None or posting is None:
        return np.full(len(portfolio), -1, dtype=np.int32)
    place = {name: k for k, name in enumerate(left)}
    column = Text(np.zeros_like(grade.codes), ("",))
    if posting.column is not None:
        column = portfolio.text(posting.column)
    names = [[posting.segment(label, value) for value in column.values] for label in grade.values]
    table = np.array([[place.get(name, -1) for name in row] for row in names] or [[-1]], dtype=np.int32)
    return np.asarray(table[grade.codes, column.codes])


def _one_rate(portfolio: Portfolio, policy: Policy, pinned: Booleans) -> Floats:
    """(n,) the rate of pinned offers, and of contracts whose rate is in the grade's band; else NaN."""
    no_band = (np.nan, np.nan)
    bands = np.array([policy.rates.get(grade, no_band) for grade in portfolio.grade.values] or [no_band])
    only = np.where(pinned, portfolio.fixed_rate, np.nan)
    contracts = np.flatnonzero(np.isfinite(portfolio.rate) & ~pinned)
    low, high = bands[portfolio.grade.codes[contracts]].T
    rate = portfolio.rate[contracts]
    only[contracts] = np.where((rate >= low - SAME_RATE) & (rate <= high + SAME_RATE), rate, np.nan)
    return only


def open_to(least: Floats, most: Floats, rate: Floats | float) -> Booleans:
    """(n,) whose own lowest and highest rate, NaN where there is none, leave `rate` open."""
    return np.asarray(~(rate + SAME_RATE < least) & ~(rate - SAME_RATE > most))


def _tariff(rates: Floats, churn: Floats, band: tuple[float, float], step: float | None) -> Tariff:
    low, high = band
    if step is None:
        inside = (rates >= low - SAME_RATE) & (rates <= high + SAME_RATE)
        return Tariff(rates[inside], 1.0 - churn[inside])
    count = int(np.floor((high - low) / step + 1e-9))
    grid = low + step * np.arange(count + 1, dtype=np.float64)
    if high - grid[-1] > SAME_RATE:
        grid = np.append(grid, high)
    return Tariff(grid, 1.0 - np.interp(grid, rates, churn))


def take_up_of(portfolio: Portfolio, terms: Terms, rate: Floats) -> tuple[Floats, Booleans]:
    """(n,) take-up at each borrower's `rate`, and whether that rate is one that may be offered.

    A rate of NaN is no offer: take-up 0, allowed. Where a rate may not be offered take-up is the curve's own,
    0 where the grade has no curve.
    """
    take_up = np.zeros(len(rate))
    allowed = np.isnan(rate)
    asked, listed = np.flatnonzero(~allowed), allowed.copy()
    for _, member, tariff in terms.of_grades(portfolio):
        i = asked[member[asked]]
        free, fixed = i[~terms.single[i]], i[terms.single[i]]
        if len(free) and len(tariff.rates):
            right = np.clip(np.searchsorted(tariff.rates, rate[free]), 1, max(len(tariff.rates) - 1, 1))
            left = right - 1
            right = np.minimum(right, len(tariff.rates) - 1)
            closer = np.abs(tariff.rates[right] - rate[free]) < np.abs(tariff.rates[left] - rate[free])
            k = np.where(closer, right, left)
            same = np.abs(tariff.rates[k] - rate[free]) <= SAME_RATE
            take_up[free[same]] = tariff.take_up[k[same]]
            listed[free] = same
            allowed[free] = same & open_to(portfolio.min_rate[free], portfolio.max_rate[free], rate[free])
        allowed[fixed] = rate[fixed] == terms.rate[fixed]
    others = np.flatnonzero(~listed)
    for grade, churn in terms.curve.items():
        i = others[portfolio.grade.codes[others] == portfolio.grade.code_of(grade)]
        take_up[i] = 1.0 - np.interp(rate[i], terms.table_rates, churn)
    return take_up, allowed
