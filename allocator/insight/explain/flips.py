"""Flip points: how far one figure must move for a borrower's best response to turn, at fixed prices.

Every offer's reduced value is linear in the figure, v_k + s_k t; no offer is worth 0. So the borrower is
declined exactly where all lines are <= 0: an interval whose ends are the largest root of the falling
lines and the smallest root of the rising ones. In the figure, not only in a sample of it, that is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from allocator.insight.explain.offers import Offers, offers_to, stakes_of
from allocator.insight.explain.position import Position
from allocator.records.portfolio import Floats
from allocator.records.scenario import BUDGET, Policy

NOTHING = 1e-10
"""A reduced value this small, a unit of the amount, is 0 with a price's rounding."""

Unit = Literal["fraction", "money", "factor", "rate", "price"]


@dataclass(frozen=True)
class Flip:
    """Where the best response to the prices turns from offer to no offer, or back."""

    figure: str
    """pd, lgd, funding_rate, ..., or `price of LIMIT`."""
    unit: Unit
    now: float
    at: float
    turns: Literal["refused", "offered"]
    """What the answer is beyond `at`, seen from `now`."""
    slope: float
    """Change of the best offer's reduced value per unit of the figure, between now and `at`."""
    room: float | None = None
    """For a limit: its right-hand side at which it would have that price, the other prices held."""
    room_now: float | None = None


@dataclass(frozen=True)
class BorrowerFigure:
    """A figure of one borrower that may be another."""

    name: str
    unit: Unit
    now: float
    low: float
    high: float
    reduced_values: Callable[[float], Floats]
    """Figure -> (M,) reduced values of the offers."""


def flips_of(position: Position, i: int) -> list[Flip]:
    """Every figure's flip points for borrower `i`; none for who may get no offer, or must get one."""
    offers = offers_to(position, i)
    if len(offers) == 0 or position.terms.pinned[i]:
        return []
    negligible = NOTHING * float(np.max(offers.amount))
    return [flip for figure in _figures_of(position, i, offers) for flip in _flips_along(figure, negligible)]


def _flips_along(figure: BorrowerFigure, negligible: float = 0.0) -> Iterator[Flip]:
    """The nearest flip below `now` and the nearest above; reduced values up to `negligible` are none.

    Where the best offer keeps no more than that, `now` is itself an end: a tie, from which nothing turns.
    """
    here = figure.reduced_values(figure.now)
    here = np.where(np.abs(here) <= negligible, 0.0, here)
    low, high, slope = _declined_between(figure, here)
    declined = bool(np.all(here <= 0.0))
    ends = [low, high] if declined else [high] if figure.now > high else [low]
    for end in ends:
        if end != figure.now and np.isfinite(end) and figure.low <= end <= figure.high and low <= high:
            best = int(np.argmax(figure.reduced_values(end)))
            turns: Literal["refused", "offered"] = "offered" if declined else "refused"
            yield Flip(figure.name, figure.unit, figure.now, float(end), turns, float(slope[best]))


def _declined_between(figure: BorrowerFigure, here: Floats) -> tuple[float, float, Floats]:
    """The interval in which every line is <= 0 (low > high: there is none), and the lines' slopes (M,)."""
    finite = np.isfinite(figure.high) and figure.high != figure.now
    other = figure.high if finite else figure.now + max(abs(figure.now), 1.0)
    slope = (figure.reduced_values(other) - here) / (other - figure.now)
    dust = 1e-13 * np.max(np.abs(here), initial=0.0) / abs(other - figure.now)
    slope = np.where(np.abs(slope) <= dust, 0.0, slope)
    if np.any((slope == 0.0) & (here > 0.0)):
        return np.inf, -np.inf, slope
    with np.errstate(divide="ignore", invalid="ignore"):
        root = figure.now - here / slope
    return (
        float(np.max(root[slope < 0.0], initial=-np.inf)),
        float(np.min(root[slope > 0.0], initial=np.inf)),
        slope,
    )


def _figures_of(position: Position, i: int, offers: Offers) -> Iterator[BorrowerFigure]:
    """The figures that may turn the decision, each with its reach."""
    most = 1.0 / max(float(np.max(offers.take_up)), 1e-300)
    yield from _own_figures(position, i, offers)
    yield BorrowerFigure(
        "take_up", "factor", 1.0, 0.0, most, lambda t: _with_scaled_take_up(offers, t).reduced
    )
    yield BorrowerFigure(
        "rate", "rate", 0.0, -float(np.min(offers.rate)), 1.0, lambda d: _at_shifted_rates(offers, d).reduced
    )
    yield from _policy_figures(position, i, offers)
    yield from _amounts(offers)
    yield from _prices(offers)


def _own_figures(position: Position, i: int, offers: Offers) -> Iterator[BorrowerFigure]:
    """What the portfolio says of the borrower."""
    own, policy = offers.borrower, offers.policy

    def with_column(column: str, value: float) -> Floats:
        changed: dict[str, Any] = {column: np.array([value])}
        book = replace(own, **changed)
        return replace(offers, borrower=book, stakes=stakes_of(position, i, book, policy)).reduced

    capital = policy.capital
    by_risk = capital.cost is not None and capital.approach == "irb"  # K follows PD and LGD along no line
    for column in () if by_risk else ("pd", "lgd"):
        now = float(getattr(own, column)[0])
        yield BorrowerFigure(column, "fraction", now, 0.0, 1.0, partial(with_column, column))
    if own.relationship_value[0]:
        now = float(own.relationship_value[0])
        reduced_values = partial(with_column, "relationship_value")
        yield BorrowerFigure("relationship_value", "money", now, 0.0, np.inf, reduced_values)


def _policy_figures(position: Position, i: int, offers: Offers) -> Iterator[BorrowerFigure]:
    """What the policy charges every loan with."""
    own, policy, capital = offers.borrower, offers.policy, offers.policy.capital

    def under(changed: Policy) -> Floats:
        return replace(offers, policy=changed, stakes=stakes_of(position, i, own, changed)).reduced

    def at_funding(rate: float) -> Floats:
        return under(replace(policy, funding_rate=rate))

    def at_cost(cost: float) -> Floats:
        return under(replace(policy, capital=replace(capital, cost=cost)))

    def at_processing(cost: float) -> Floats:
        return under(replace(policy, processing_cost=cost))

    yield BorrowerFigure("funding_rate", "rate", policy.funding_rate, 0.0, 1.0, at_funding)
    if capital.cost is not None:
        yield BorrowerFigure("cost_of_capital", "rate", capital.cost, 0.0, 1.0, at_cost)
    if policy.processing_cost:
        cost = policy.processing_cost
        yield BorrowerFigure("processing_cost", "money", cost, 0.0, np.inf, at_processing)


def _with_scaled_take_up(offers: Offers, factor: float) -> Offers:
    """The offers as if `factor` times as many accepted, at every rate."""
    return replace(offers, take_up=factor * offers.take_up)


def _at_shifted_rates(offers: Offers, shift: float) -> Offers:
    """The offers as if every rate were higher by `shift` and as many accepted."""
    return replace(offers, rate=offers.rate + shift)


def _amounts(offers: Offers) -> Iterator[BorrowerFigure]:
    """The largest amount, which the request or the ticket sets; the smallest stays."""
    low, high = float(np.min(offers.amount)), float(np.max(offers.amount))
    largest = offers.policy.ticket.max

    def reduced_values(amount: float) -> Floats:
        grown = np.where(offers.amount == high, amount, offers.amount)
        return replace(offers, amount=grown).reduced

    if low < largest:
        floor = low if low < high else max(offers.policy.ticket.min, float(offers.borrower.min_amount[0]))
        yield BorrowerFigure("max_amount", "money", high, floor, largest, reduced_values)


def _prices(offers: Offers) -> Iterator[BorrowerFigure]:
    """The price of each limit that counts the borrower itself."""

    def reduced_values(limit: str, price: float) -> Floats:
        return offers.at_prices({limit: price}).reduced

    policy = offers.policy
    for stake in offers.stakes:
        if stake.coefficient == 0.0 and not stake.further:
            continue
        low = {"at_most": policy.idle_yield if stake.limit == BUDGET else 0.0}.get(stake.sense, -np.inf)
        high = 0.0 if stake.sense == "at_least" else np.inf
        name = stake.limit
        yield BorrowerFigure(
            f"price of {name}", "price", stake.price, low, high, partial(reduced_values, name)
        )


def turning_pd(position: Position, i: int) -> float:
    """The nearest PD at which borrower `i`'s best response to the prices turns; NaN where none is known."""
    offers = offers_to(position, i)
    if len(offers) == 0 or position.terms.pinned[i]:
        return float("nan")
    negligible = NOTHING * float(np.max(offers.amount))
    along = (figure for figure in _figures_of(position, i, offers) if figure.name == "pd")
    ends = [flip.at for figure in along for flip in _flips_along(figure, negligible)]
    now = float(offers.borrower.pd[0])
    return min(ends, key=lambda end: abs(end - now), default=float("nan"))
