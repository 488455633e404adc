"""From borrowers, a churn curve and a policy to the offer book.

Every fault of the three together (a band without a churn column, a pinned rate outside the curve)
is reported at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.errors import Fault, InputError, in_rows
from allocator.pricing.churn import rate_menu, smooth
from allocator.records.lots import CENT, lots_for, lots_to_money, lots_within
from allocator.records.offers import SAME_RATE, Menu, OfferBook
from allocator.records.portfolio import Booleans, ChurnTable, Codes, Floats, Integers, Portfolio, Text
from allocator.records.reasons import NO_OFFER
from allocator.records.scenario import Policy, Response

_PART = 16_384
"""Borrowers at a time: their temporaries stay in a core's cache."""

_EXCLUDED, _NO_STEP, _NO_RATE, _NO_GRADE, _SMALL, _LARGE = range(len(NO_OFFER))


@dataclass(frozen=True)
class _MenuOfBorrowers:
    menus: tuple[Menu, ...]
    menu: Codes


def price_offers(portfolio: Portfolio, table: ChurnTable, response: Response, policy: Policy) -> OfferBook:
    """The offer book of `portfolio` under `policy` (docs/formulation.md, section 1).

    Raises InputError with every fault where the policy, the curve and the borrowers do not fit.
    """
    curve = smooth(table, response.smoothing)
    pinned = ~np.isnan(portfolio.fixed_amount)
    by_grade = _grade_menus(curve, policy)
    _check_pinned(portfolio, curve, policy, pinned)
    menus = _borrower_menus(portfolio, curve, by_grade, pinned)
    n = len(portfolio)
    low, high, income, cost = (np.empty(n) for _ in range(4))
    no_offer = np.empty(n, dtype=np.int32)
    for begin in range(0, n, _PART):
        span = slice(begin, begin + _PART)
        own, menu = portfolio.take(span), menus.menu[span]
        least, most = _amounts(own, policy, pinned[span])
        codes = _no_offer_reasons(own, policy, menu, least, most)
        possible = codes < 0
        menu[~possible] = -1
        low[span] = np.where(possible, least, 0.0)
        high[span] = np.where(possible, most, 0.0)
        income[span] = own.term * (1.0 - own.pd)
        cost[span] = own.pd * own.lgd + policy.funding_rate * own.term
        no_offer[span] = codes
    return OfferBook(
        menus=menus.menus,
        menu=menus.menu,
        low=low,
        high=high,
        income=income,
        cost=cost,
        relationship=portfolio.relationship_value,
        term=portfolio.term,
        must=pinned,
        no_offer=Text(no_offer, NO_OFFER),
        churn_cost=policy.churn_cost_rate,
        decline_churn=policy.decline_churn,
        processing_cost=policy.processing_cost,
        step=None if policy.ticket.step == CENT else policy.ticket.step,
    )


def outside_terms(portfolio: Portfolio, policy: Policy) -> tuple[str, ...]:
    """One note for each way in which pinned offers, which are made as they are, lie outside the terms."""
    no_rates = (np.nan, np.nan)
    bands = np.array([policy.rates.get(grade, no_rates) for grade in portfolio.grade.values] or [no_rates])
    band, rate, amount = bands[portfolio.grade.codes], portfolio.fixed_rate, portfolio.fixed_amount
    smallest = np.maximum(portfolio.min_amount, policy.ticket.min)
    largest = np.minimum(portfolio.max_amount, policy.ticket.max)
    kinds = {
        "amount outside the borrower's smallest and largest loan": (amount < smallest) | (amount > largest),
        "rate outside the band of the grade": (rate < band[:, 0] - SAME_RATE)
        | (rate > band[:, 1] + SAME_RATE),
        "rate below the borrower's minimum": rate < portfolio.min_rate - SAME_RATE,
    }
    return tuple(
        f"pinned {what}: {_first_in_words(portfolio, np.flatnonzero(outside))}; made as it is"
        for what, outside in kinds.items()
        if np.any(outside)
    )


def _first_in_words(portfolio: Portfolio, who: Integers) -> str:
    """The first borrower of some, by row, and how many more there are."""
    first = who[np.argmin(portfolio.row[who])]
    more = f" and {len(who) - 1:,} more" if len(who) > 1 else ""
    return f"{portfolio.borrower_id[first]} (row {portfolio.row[first]}){more}"


def _grade_menus(curve: ChurnTable, policy: Policy) -> dict[str, Menu]:
    """One menu a grade that the policy names; every grade's fault at once."""
    menus: dict[str, Menu] = {}
    faults: list[Fault] = []
    for grade, band in sorted(policy.rates.items()):
        try:
            menus[grade] = rate_menu(curve, grade, band, policy.rate_step)
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError.of(faults, "rates and churn curve")
    return menus


def _check_pinned(portfolio: Portfolio, curve: ChurnTable, policy: Policy, pinned: Booleans) -> None:
    """A pinned offer needs a grade that is lent to, a rate inside the curve, and no exclusion."""
    low, high = float(curve.rates[0]), float(curve.rates[-1])
    rate = portfolio.fixed_rate
    faults = _pinned_fault(
        portfolio,
        pinned & portfolio.exclude,
        "a pinned offer for an excluded borrower",
        "clear exclude or the fixed amount and rate",
        "fixed_amount",
    )
    for grade in sorted(set(portfolio.grade.values) - set(policy.rates)):
        faults += _pinned_fault(
            portfolio,
            pinned & (portfolio.grade.codes == portfolio.grade.code_of(grade)),
            f"a pinned offer for grade {grade}, which policy.rates does not name",
            "give the grade a band or clear the fixed amount and rate",
            "fixed_rate",
        )
    outside = pinned & ~((rate >= low) & (rate <= high))
    if np.any(outside):
        values = np.unique(rate[outside])
        which = f"{values[0]:g} lies" if len(values) == 1 else "rates lie"
        faults += _pinned_fault(
            portfolio,
            outside,
            f"{which} outside the churn curve, {low:g} to {high:g}",
            "pin a rate that the curve covers, as a fraction",
            "fixed_rate",
        )
    if faults:
        raise InputError.of(sorted(faults, key=lambda fault: fault.row or 0), "pinned offers")


def _pinned_fault(portfolio: Portfolio, who: Booleans, problem: str, remedy: str, field: str) -> list[Fault]:
    """One fault for all of `who` (n,), none for nobody."""
    rows = np.sort(portfolio.row[who]).tolist()
    if not rows:
        return []
    return [Fault(f"{problem}{in_rows(rows)}", remedy, file=portfolio.source, row=rows[0], field=field)]


def _amounts(portfolio: Portfolio, policy: Policy, pinned: Booleans) -> tuple[Floats, Floats]:
    """Smallest and largest loan, on the lattice of amounts; what was pinned stays as it is."""
    lot = policy.ticket.step or CENT
    low = lots_to_money(lots_for(np.maximum(portfolio.min_amount, policy.ticket.min), lot), lot)
    high = lots_to_money(lots_within(np.minimum(portfolio.max_amount, policy.ticket.max), lot), lot)
    fixed = np.where(pinned, portfolio.fixed_amount, 0.0)
    return np.where(pinned, fixed, low), np.where(pinned, fixed, high)


def _borrower_menus(
    portfolio: Portfolio, curve: ChurnTable, by_grade: dict[str, Menu], pinned: Booleans
) -> _MenuOfBorrowers:
    """Each borrower's menu: the grade's, cut off below the borrower's own minimum, or the one rate pinned."""
    menus: list[Menu] = []
    menu = np.full(len(portfolio), -1, dtype=np.int32)
    asking = ~np.isnan(portfolio.min_rate) & ~pinned
    special = asking | pinned
    for grade, full in by_grade.items():
        members = portfolio.grade.codes == portfolio.grade.code_of(grade)
        plain = members & ~special
        if len(full.rates) and plain.any():
            menu[plain] = len(menus)
            menus.append(full)
        askers = np.flatnonzero(members & asking)
        first = np.searchsorted(full.rates, portfolio.min_rate[askers] - SAME_RATE)
        for start in np.unique(first):
            if start < len(full.rates):
                menu[askers[first == start]] = len(menus)
                menus.append(Menu(full.rates[start:], full.take_up[start:]))
        for rate in np.unique(portfolio.fixed_rate[members & pinned]):
            churn = np.interp(rate, curve.rates, curve.churn[grade])
            menu[members & pinned & (portfolio.fixed_rate == rate)] = len(menus)
            menus.append(Menu(np.array([rate]), np.array([1.0 - churn])))
    return _MenuOfBorrowers(tuple(menus), menu)


def _no_offer_reasons(portfolio: Portfolio, policy: Policy, menu: Codes, low: Floats, high: Floats) -> Codes:
    """Why no offer is possible, the first reason that applies; -1 where one is."""
    lendable = np.array([grade in policy.rates for grade in portfolio.grade.values] + [False])
    wanted = np.maximum(portfolio.min_amount, policy.ticket.min)
    open_to = ~np.isfinite(portfolio.fixed_amount)
    request = portfolio.max_amount
    codes = np.select(
        [
            portfolio.exclude,
            ~lendable[portfolio.grade.codes],
            menu < 0,
            open_to & (request < wanted),
            open_to & (portfolio.min_amount > policy.ticket.max),
            low > high,
        ],
        [_EXCLUDED, _NO_GRADE, _NO_RATE, _SMALL, _LARGE, _NO_STEP],
        default=-1,
    )
    return codes.astype(np.int32)
