"""From borrowers, a churn curve and a policy to the offer book.

Every fault of the three together (a band without a churn column, a pinned rate outside the curve)
is reported at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.errors import Fault, InputError, in_rows
from allocator.pricing.amounts import bands_of, step_faults
from allocator.pricing.churn import rate_menu, smooth
from allocator.pricing.segments import cells_of, segments_of
from allocator.records.curves import Response
from allocator.records.former import FORMER_AMOUNT
from allocator.records.lots import CENT, Bands, lots_for, lots_to_money, lots_within
from allocator.records.offers import SAME_RATE, Menu, OfferBook, PostedSegments
from allocator.records.portfolio import Booleans, ChurnTable, Codes, Floats, Integers, Portfolio, Text
from allocator.records.reasons import NO_OFFER
from allocator.records.scenario import Policy

_PART = 32_768
"""Borrowers at a time: their temporaries stay in a core's cache."""

(
    _OFF_CONTRACT, _EXCLUDED, _NO_STEP, _NO_RATE, _NO_LOWER, _NO_NEAR, _NO_GRADE, _NOT_POSTED, _SMALL, _LARGE
) = range(len(NO_OFFER))  # fmt: skip


@dataclass(frozen=True)
class _MenuOfBorrowers:
    menus: tuple[Menu, ...]
    menu: Codes
    segment: Codes
    """The segment of each menu; -1 where its one rate is the borrower's own."""
    no_rate: Codes
    """(n,) why no rate of the grade is open to the borrower; -1 where one is."""


def price_offers(portfolio: Portfolio, table: ChurnTable, response: Response, policy: Policy) -> OfferBook:
    """The offer book of `portfolio` under `policy` (docs/formulation.md, section 1).

    Raises InputError with every fault where the policy, the curve and the borrowers do not fit.
    """
    curve = smooth(table, response.smoothing)
    pinned = ~np.isnan(portfolio.fixed_amount)
    by_grade = _grade_menus(curve, policy)
    _check_pinned(portfolio, curve, policy, pinned)
    segments, bands = segments_of(portfolio, by_grade, policy), bands_of(portfolio, policy)
    menus = _borrower_menus(portfolio, curve, by_grade, policy, segments)
    n, held = len(portfolio), policy.posted is not None
    low, high, income, cost = (np.empty(n) for _ in range(4))
    no_offer = np.empty(n, dtype=np.int32)
    for begin in range(0, n, _PART):
        span = slice(begin, begin + _PART)
        own, menu = portfolio.take(span), menus.menu[span]
        least, most = _amounts(own, policy, pinned[span], None if bands is None else bands.take(span))
        codes = _no_offer_reasons(own, policy, menus.no_rate[span], least, most)
        possible = codes < 0
        menu[~possible] = -1
        low[span] = np.where(possible, least, 0.0)
        high[span] = np.where(possible, most, 0.0)
        income[span] = own.term * (1.0 - own.pd)
        cost[span] = _cost(own, policy)
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
        step=_step(policy) if bands is None else bands.grain,
        bands=bands,
        posted=None if segments is None or held else replace(segments, segment=menus.segment),
    )


def _cost(portfolio: Portfolio, policy: Policy) -> Floats:
    """(n,) expected loss, funding and cost of capital of a unit drawn."""
    cost = portfolio.pd * portfolio.lgd + policy.funding_rate * portfolio.term
    if policy.capital.cost is not None:
        cost += policy.capital.cost * portfolio.tied_up * portfolio.term
    return cost


def own_rates(portfolio: Portfolio, policy: Policy) -> tuple[str, ...]:
    """A note where some loans have their contract's rate and the others the grade's."""
    contracted = np.isfinite(portfolio.rate) & np.isnan(portfolio.fixed_amount)
    if policy.by_contract or not contracted.any():
        return ()
    many = "1 loan has" if (count := int(np.count_nonzero(contracted))) == 1 else f"{count:,} loans have"
    return (f"{many} a contract rate (column rate) and may be offered no other",)


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
            menus[grade] = rate_menu(curve, grade, band, policy.rate_step, by_contract=policy.by_contract)
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError.of(faults, "rates and churn curve")
    return menus


def _check_pinned(portfolio: Portfolio, curve: ChurnTable, policy: Policy, pinned: Booleans) -> None:
    """A pinned offer needs a grade that is lent to, a rate inside the curve, and no exclusion."""
    low, high = float(curve.rates[0]), float(curve.rates[-1])
    rate, contracted = portfolio.one_rate, ~pinned & _inside_band(portfolio, policy)
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
    for who, remedy, field in (
        (pinned, "pin a rate that the curve covers, as a fraction", "fixed_rate"),
        (contracted, "extend the curve to it, or narrow the band", "rate"),
    ):
        outside = who & ~((rate >= low) & (rate <= high))
        if np.any(outside):
            values = np.unique(rate[outside])
            which = f"{values[0]:g} lies" if len(values) == 1 else "rates lie"
            problem = f"{which} outside the churn curve, {low:g} to {high:g}"
            faults += _pinned_fault(portfolio, outside, problem, remedy, field)
    lent_to = np.array([grade in policy.rates for grade in portfolio.grade.values] or [False])
    if policy.by_contract:
        without = lent_to[portfolio.grade.codes] & np.isnan(rate) & ~portfolio.exclude
        problem, remedy = "no contract rate", "give every loan one, or write another rate_grid"
        faults += _pinned_fault(portfolio, without, problem, remedy, "rate")
    faults += step_faults(portfolio, policy, lent_to[portfolio.grade.codes] & ~pinned & ~portfolio.exclude)
    if faults:
        raise InputError.of(sorted(faults, key=lambda fault: fault.row or 0), "pinned offers")


def _pinned_fault(portfolio: Portfolio, who: Booleans, problem: str, remedy: str, field: str) -> list[Fault]:
    """One fault for all of `who` (n,), none for nobody."""
    rows = np.sort(portfolio.row[who]).tolist()
    if not rows:
        return []
    return [Fault(f"{problem}{in_rows(rows)}", remedy, file=portfolio.source, row=rows[0], field=field)]


def _step(policy: Policy) -> float | None:
    return None if policy.ticket.step == CENT else policy.ticket.step


def _amounts(
    portfolio: Portfolio, policy: Policy, pinned: Booleans, bands: Bands | None
) -> tuple[Floats, Floats]:
    """Smallest and largest loan, on the lattice of amounts; what was pinned stays as it is."""
    lot = policy.ticket.step or CENT
    least = np.maximum(portfolio.min_amount, policy.ticket.min)
    most = np.minimum(portfolio.max_amount, policy.ticket.max)
    if bands is None:
        low, high = lots_to_money(lots_for(least, lot), lot), lots_to_money(lots_within(most, lot), lot)
    else:
        low, high = bands.up(least), bands.down(most)
    fixed = np.where(pinned, portfolio.fixed_amount, 0.0)
    return np.where(pinned, fixed, low), np.where(pinned, fixed, high)


def _borrower_menus(
    portfolio: Portfolio,
    curve: ChurnTable,
    by_grade: dict[str, Menu],
    policy: Policy,
    segments: PostedSegments | None,
) -> _MenuOfBorrowers:
    """Each borrower's menu: the grade's inside the borrower's own ends, or one rate, pinned or contracted."""
    menus: list[Menu] = []
    segment: list[int] = []
    menu, no_rate = (np.full(len(portfolio), -1, dtype=np.int32) for _ in range(2))
    pinned, one_rate = ~np.isnan(portfolio.fixed_amount), portfolio.one_rate
    single = ~np.isnan(one_rate)
    off = single & ~pinned & ~_inside_band(portfolio, policy)
    no_rate[off] = _OFF_CONTRACT
    near = moves_little(portfolio, policy)
    asking = ~(np.isnan(portfolio.min_rate) & np.isnan(portfolio.max_rate)) & ~single
    for cell in cells_of(portfolio, by_grade, policy, segments):
        members, full = cell.members, cell.menu
        plain = members & ~asking & ~single
        if len(full.rates) and plain.any():
            menu[plain] = len(menus)
            menus.append(full)
        askers = np.flatnonzero(members & asking)
        least, most = portfolio.min_rate[askers], portfolio.max_rate[askers]
        first = np.searchsorted(full.rates, np.nan_to_num(least, nan=-np.inf) - SAME_RATE)
        stop = np.searchsorted(full.rates, np.nan_to_num(most, nan=np.inf) + SAME_RATE, side="right")
        outside = np.where(first < len(full.rates), _NO_LOWER, _NO_RATE)
        no_rate[askers] = np.where(first < stop, -1, np.where(near[askers], _NO_NEAR, outside))
        if not len(full.rates) and len(by_grade[cell.grade].rates):
            no_rate[members & ~single] = _NOT_POSTED
        ends, place = np.unique(np.stack([first, stop], axis=1), axis=0, return_inverse=True)
        for k, (begin, end) in enumerate(ends.tolist()):
            if begin < end:
                menu[askers[place.ravel() == k]] = len(menus)
                menus.append(Menu(full.rates[begin:end], full.take_up[begin:end]))
        segment += [cell.segment] * (len(menus) - len(segment))
        ones = np.flatnonzero(members & single & ~off)
        rates, place = np.unique(one_rate[ones], return_inverse=True)
        menu[ones] = len(menus) + place
        take_up = 1.0 - np.interp(rates, curve.rates, curve.churn[cell.grade])
        menus += [Menu(rates[k : k + 1], take_up[k : k + 1]) for k in range(len(rates))]
        segment += [-1] * len(rates)
    return _MenuOfBorrowers(tuple(menus), menu, np.array(segment, dtype=np.int32), no_rate)


def moves_little(portfolio: Portfolio, policy: Policy) -> Booleans:
    """(n,) to whom only rates near the former one may be offered."""
    if policy.changes.rate_moved is None:
        return np.zeros(len(portfolio), dtype=bool)
    return portfolio.number(FORMER_AMOUNT) > 0


def _inside_band(portfolio: Portfolio, policy: Policy) -> Booleans:
    """(n,) whose contract rate lies in the band of the grade."""
    if np.isnan(portfolio.rate).all():
        return np.zeros(len(portfolio), dtype=bool)
    nowhere = (np.inf, -np.inf)
    bands = np.array([policy.rates.get(grade, nowhere) for grade in portfolio.grade.values] or [nowhere])
    low, high = bands[portfolio.grade.codes].T
    return np.asarray((portfolio.rate >= low - SAME_RATE) & (portfolio.rate <= high + SAME_RATE))


def _no_offer_reasons(
    portfolio: Portfolio, policy: Policy, no_rate: Codes, low: Floats, high: Floats
) -> Codes:
    """Why no offer is possible, the first reason that applies; -1 where one is."""
    lendable = np.array([grade in policy.rates for grade in portfolio.grade.values] + [False])
    wanted = np.maximum(portfolio.min_amount, policy.ticket.min)
    open_to = ~np.isfinite(portfolio.fixed_amount)
    request = portfolio.max_amount
    codes = np.select(
        [
            portfolio.exclude,
            ~lendable[portfolio.grade.codes],
            no_rate >= 0,
            open_to & (request < wanted),
            open_to & (portfolio.min_amount > policy.ticket.max),
            low > high,
        ],
        [_EXCLUDED, _NO_GRADE, no_rate, _SMALL, _LARGE, _NO_STEP],
        default=-1,
    )
    return codes.astype(np.int32)
