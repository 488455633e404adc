"""The rules of a run read once more, borrower by borrower in plain Python: what checks measure against.

Nothing here imports a stage of the allocator, NumPy's arithmetic included.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

from allocator.records.conditions import Condition
from allocator.records.plugins import PluginMeasure
from allocator.records.portfolio import Portfolio
from allocator.testing.amounts import amounts_up_to
from allocator.testing.cases import Case
from allocator.testing.former import formerly
from allocator.testing.risk import requirement, tail_loss


@dataclass(frozen=True)
class Offer:
    amount: float
    rate: float
    take_up: float


@dataclass(frozen=True)
class Terms:
    """Smallest and largest loan, and the rates with their take-up."""

    low: float
    high: float
    rates: tuple[tuple[float, float], ...]
    pinned: bool


def interpolated(x: float, xs: list[float], ys: list[float]) -> float:
    if x <= xs[0]:
        return ys[0]
    for (x0, y0), (x1, y1) in zip(zip(xs, ys, strict=True), list(zip(xs, ys, strict=True))[1:], strict=False):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return ys[-1]


@cache
def pooled(values: tuple[float, ...]) -> list[float]:
    """Isotonic regression by its min-max formula: y_k = max over i <= k of min over j >= k of mean(i..j)."""
    means = [
        [sum(values[i : j + 1]) / (j + 1 - i) if j >= i else math.inf for j in range(len(values))]
        for i in range(len(values))
    ]
    return [max(min(means[i][k:]) for i in range(k + 1)) for k in range(len(values))]


def _rates_of(case: Case, grade: str) -> list[float]:
    """The rates that the grade's band allows."""
    if case.policy.by_contract:
        return []
    low, high = case.policy.rates[grade]
    step = case.policy.rate_step
    if step is None:
        return [r for r in case.table.rates.tolist() if low - 1e-12 <= r <= high + 1e-12]
    grid = [low + k * step for k in range(int((high - low) / step + 1e-9) + 1)]
    return grid if high - grid[-1] <= 1e-12 else [*grid, high]


def segment_of(case: Case, grade: str, i: int | None) -> str:
    """The name of the segment of borrower i, of that grade; where none is given, of the grade alone."""
    posting = case.policy.posting
    if posting is None or posting.column is None or i is None:
        return grade
    column = case.portfolio.text(posting.column)
    value = posting.groups.get(own := column.values[column.codes[i]], own)
    return f"{grade} / {value}" if posting.by_grade else value


def price_lists(case: Case) -> Iterator[dict[str, float]]:
    """Every list that the policy may post: a rate of each segment that has one."""
    posting = case.policy.posting
    assert posting is not None, "the policy posts no rates"
    may_post: dict[str, set[float]] = {}
    some = range(len(case.portfolio)) if posting.column is not None else (None,)
    for i, grade in product(some, case.policy.rates):
        if rates := _rates_of(case, grade):
            may_post.setdefault(segment_of(case, grade, i), set()).update(rates)
    for posted in product(*map(sorted, may_post.values())):
        named = dict(zip(may_post, posted, strict=True))
        rows = ([named[n] for g in case.policy.rates if (n := segment_of(case, g, i)) in named] for i in some)
        if not posting.rising or all(row == sorted(row) for row in rows):
            yield named


def take_up(case: Case, grade: str, rate: float) -> float:
    churn = case.table.churn[grade].tolist()
    churn = pooled(tuple(churn)) if case.smoothing == "isotonic" else churn
    return 1.0 - interpolated(rate, case.table.rates.tolist(), churn)


def terms(case: Case, i: int) -> Terms | None:
    """What borrower i may be offered; None where nothing."""
    p, policy = case.portfolio, case.policy
    grade = p.grade.values[p.grade.codes[i]]
    if not math.isnan(p.fixed_amount[i]):
        amount, rate = float(p.fixed_amount[i]), float(p.fixed_rate[i])
        return Terms(amount, amount, ((rate, take_up(case, grade, rate)),), pinned=True)
    if p.exclude[i] or grade not in policy.rates:
        return None
    least = -math.inf if math.isnan(p.min_rate[i]) else float(p.min_rate[i])
    most = math.inf if math.isnan(p.max_rate[i]) else float(p.max_rate[i])
    posted = policy.posted
    open_to = [
        r for r in _rates_of(case, grade) if posted is None or r == posted.get(segment_of(case, grade, i))
    ]
    listed = [r for r in open_to if least - 1e-12 <= r <= most + 1e-12]
    if not math.isnan(p.rate[i]):
        low, high = policy.rates[grade]
        listed = [float(p.rate[i])] if low - 1e-12 <= p.rate[i] <= high + 1e-12 else []
    rates = tuple((r, take_up(case, grade, r)) for r in listed)
    low, high = max(p.min_amount[i], policy.ticket.min), min(p.max_amount[i], policy.ticket.max)
    return Terms(float(low), float(high), rates, pinned=False) if rates and low <= high else None


def alternatives(case: Case, i: int) -> list[Offer | None]:
    """Everything that borrower i may get, amounts on the step; None is a refusal."""
    own = terms(case, i)
    if own is None:
        return [None]
    if own.pinned:
        return [Offer(own.low, *own.rates[0])]
    amounts = [amount for amount in amounts_up_to(case, i, own.high) if amount >= own.low]
    return [None, *(Offer(amount, *rate) for rate in own.rates for amount in amounts)]


def worth(case: Case, i: int, offer: Offer | None) -> float:
    """docs/formulation.md, section 1."""
    if offer is None:
        return 0.0
    p, policy = case.portfolio, case.policy
    a, walks = offer.take_up, 1.0 - offer.take_up
    capital = policy.capital.cost * requirement(case, i) if policy.capital.cost else 0.0
    loss, held = a * p.pd[i] * p.lgd[i], a * (policy.funding_rate + capital) * p.term[i]
    margin = a * offer.rate * p.term[i] * (1.0 - p.pd[i]) - loss - held - walks * policy.churn_cost_rate
    kept = (policy.decline_churn - walks) * p.relationship_value[i]
    return float(margin * offer.amount + kept - a * policy.processing_cost)


def measured(case: Case, measure: str, i: int, offer: Offer | None) -> float:
    """What one offer adds to a measure, its weight aside."""
    if offer is None:
        return 0.0
    p = case.portfolio
    drawn = offer.take_up * offer.amount
    gross = drawn * offer.rate * p.term[i]
    brought = _brought(case, measure)
    if brought is not None:
        basis = {"offered": offer.amount, "drawn": drawn, "interest": gross}[brought.basis]
        return float(basis * _weight_alone(p, brought, i))
    return float(
        {
            "offered": offer.amount,
            "drawn": drawn,
            "expected_loss": drawn * p.pd[i] * p.lgd[i],
            "gross_interest": gross,
            "interest": gross * (1.0 - p.pd[i]),
            "capital": drawn * (requirement(case, i) if measure == "capital" else 0.0),
            "tail_loss": drawn * (tail_loss(case, i) if measure == "tail_loss" else 0.0),
            "loans": 1.0,
            "value": worth(case, i, offer),
            "clients_changed": -1.0 if formerly(p, i) else 1.0,
            "money_moved": abs(offer.amount - formerly(p, i)) - formerly(p, i),
        }[measure]
    )


def _brought(case: Case, measure: str) -> PluginMeasure | None:
    """The measure of another package that some limit of the case is by."""
    limits = case.policy.limits
    return next((limit.plugin.thing for limit in limits if limit.plugin and limit.measure == measure), None)


def _weight_alone(p: Portfolio, measure: PluginMeasure, i: int) -> float:
    """The weight of borrower i as if there were no other."""
    if measure.weight is None:
        return 1.0
    return float(measure.weight(*(p.number(column)[i : i + 1].copy() for column in measure.columns))[0])


def counts_exposure(case: Case, measure: str) -> bool:
    """Whether what is already lent counts."""
    brought = _brought(case, measure)
    ours = ("offered", "drawn", "expected_loss", "capital", "tail_loss")
    return measure in ours if brought is None else brought.counts_exposure


def lent(case: Case, measure: str, i: int) -> float:
    """What borrower i's existing exposure adds to a measure: it is drawn in full and earns nothing."""
    p, brought = case.portfolio, _brought(case, measure)
    if measure == "clients_changed":
        return 1.0 if formerly(p, i) else 0.0
    if measure == "money_moved":
        return formerly(p, i)
    if brought is not None:
        return float(p.exposure[i]) * _weight_alone(p, brought, i) if brought.counts_exposure else 0.0
    if measure == "expected_loss":
        return float(p.exposure[i] * p.pd[i] * p.lgd[i])
    if measure == "capital":
        return float(p.exposure[i] * requirement(case, i))
    if measure == "tail_loss":
        return float(p.exposure[i] * tail_loss(case, i))
    return float(p.exposure[i]) if measure in ("offered", "drawn") else 0.0


def passes(condition: Condition, p: Portfolio, i: int) -> bool:
    if condition.values:
        return text_of(p, condition.column, i) in condition.values
    value = float(p.number(condition.column)[i])
    return (
        (condition.above is None or value > condition.above)
        and (condition.at_least is None or value >= condition.at_least)
        and (condition.below is None or value < condition.below)
        and (condition.at_most is None or value <= condition.at_most)
    )


def text_of(p: Portfolio, column: str, i: int) -> str:
    if column == "borrower_id":
        return str(p.borrower_id[i])
    values = p.text(column)
    return str(values.values[values.codes[i]])
