"""The rules of a run read once more, borrower by borrower in plain Python: what checks measure against.

Nothing here imports a stage of the allocator, NumPy's arithmetic included.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

from allocator.records.conditions import Condition
from allocator.records.plugins import PluginMeasure
from allocator.records.portfolio import Portfolio
from allocator.records.scenario import Group, Limit
from allocator.records.stress import Shock, Stress
from allocator.testing.amounts import amounts_up_to
from allocator.testing.cases import Case
from allocator.testing.former import formerly, formerly_counted
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


@dataclass(frozen=True)
class Row:
    """sum_i use(i, offer_i) + lent  {<=, >=, =}  bound, or share x (reference + reference_lent)."""

    name: str
    sense: str
    measure: str
    members: frozenset[int]
    weight: tuple[float, ...]
    lent: float
    bound: float
    share: float | None = None
    reference: str = ""
    reference_lent: float = 0.0
    base: frozenset[int] | None = None
    """Whom the reference counts; None: everybody."""
    limit: float = 0.0
    """The bound as the policy writes it: a figure, or a share of `amount`."""
    amount: float = 1.0
    largest: float = 0.0
    """The most that one offer to a member uses."""
    finest: float = math.inf
    """Of rows of loans the smallest weight that is not 0."""
    stress: Stress | None = None
    """What it is counted under."""
    penalty: float = math.inf
    """What a unit of excess costs; inf: the row must hold."""


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
    return next((one.plugin.thing for one in limits if one.plugin and one.measure == measure), None)


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


def rows(case: Case) -> list[Row]:
    """The budget, then the limits in their order, one row a value of `each`; those only reported aside."""
    n, budget = len(case.portfolio), case.policy.budget
    largest = max((_largest(case, budget.basis, i) for i in range(n)), default=0.0)
    first = Row(
        "budget", budget.spend, budget.basis, frozenset(range(n)), (1.0,) * n, 0.0, budget.amount,
        limit=budget.amount, largest=largest,
    )  # fmt: skip
    entries = (entry for limit in case.policy.enforced for entry in limit.in_stresses())
    return [first, *(row for entry in entries for row in rows_of(case, entry))]


def seen_by(case: Case, stress: Stress | None) -> Case:
    """The case with PD and LGD after a stress."""
    if stress is None:
        return case
    p = case.portfolio

    def after(own: Any, shock: Shock, i: int) -> float:
        met = (c.factor for c in shock.cases if all(passes(test, p, i) for test in c.where))
        return min(float(own[i]) * math.prod(met, start=shock.all), 1.0)

    some = range(len(p))
    return case.with_risk(
        [after(p.pd, stress.pd, i) for i in some], [after(p.lgd, stress.lgd, i) for i in some]
    )


def rows_of(case: Case, entry: Limit) -> Iterator[Row]:
    case = seen_by(case, entry.stress)
    p = case.portfolio
    inside = [i for i in range(len(p)) if all(passes(condition, p, i) for condition in entry.where)]
    weight = tuple(1.0 if entry.weight is None else float(w) for w in _weights(p, entry.weight))
    groups = {entry.name: inside}
    if entry.each is not None:
        labels = sorted({text_of(p, entry.each, i) for i in inside})
        groups = {
            f"{entry.name}[{label}]": [i for i in inside if text_of(p, entry.each, i) == label]
            for label in labels
        }
    for name, members in groups.items():
        shared: dict[str, Any] = {
            "name": name,
            "sense": entry.sense,
            "measure": entry.measure,
            "members": frozenset(members),
            "weight": weight,
            "lent": sum(weight[i] * lent(case, entry.measure, i) for i in members),
            "largest": max((abs(weight[i]) * _largest(case, entry.measure, i) for i in members), default=0.0),
            "finest": math.inf,
            "penalty": entry.penalty,
            "stress": entry.stress,
        }
        if entry.measure in ("loans", "clients_changed"):
            shared["finest"] = min((abs(weight[i]) for i in members if weight[i]), default=math.inf)
        amounts = {None: 1.0, "budget": case.policy.budget.amount, "own_funds": case.policy.own_funds}
        amounts["former"] = sum(weight[i] * formerly_counted(p, entry.measure, i) for i in members)
        if not isinstance(entry.of, Group) and entry.of in amounts:
            amount = amounts[entry.of] or 0.0
            yield Row(**shared, bound=entry.bound * amount, limit=entry.bound, amount=amount)
        else:
            reference, base = "offered" if entry.of == "total" else str(entry.of), None
            if isinstance(entry.of, Group):
                reference, tests = entry.of.basis, entry.of.where
                base = frozenset(i for i in range(len(p)) if all(passes(test, p, i) for test in tests))
            # A measure that exposure adds nothing to is compared with what is newly lent only.
            counts = counts_exposure(case, entry.measure)
            whose = range(len(p)) if base is None else sorted(base)
            total = sum(lent(case, reference, i) for i in whose) if counts else 0.0
            shared |= {"share": entry.bound, "reference": reference, "base": base}
            yield Row(**shared, bound=0.0, reference_lent=total)


def _weights(p: Portfolio, column: str | None) -> list[float]:
    return [1.0] * len(p) if column is None else [float(w) for w in p.number(column)]


def left_side(case: Case, row: Row, offers: list[Offer | None]) -> float:
    """What the row's members use, existing exposure included."""
    case = seen_by(case, row.stress)
    return row.lent + sum(row.weight[i] * measured(case, row.measure, i, offers[i]) for i in row.members)


def right_side(case: Case, row: Row, offers: list[Offer | None]) -> float:
    if row.share is None:
        return row.bound
    whose = range(len(offers)) if row.base is None else sorted(row.base)
    total = sum(measured(case, row.reference, i, offers[i]) for i in whose)
    return row.share * (total + row.reference_lent)


def holds(case: Case, row: Row, left: float, right: float) -> bool:
    """Whether the row is met: exactly, where cents or loans are added up; else up to a part of its scale."""
    sides = _in_whole_numbers(case, row, left, right)
    slack: float | Fraction = 0
    if sides is None:
        scale = max(abs(right), row.largest)
        slack = max(min(1e-9 * scale, row.finest / 2), 4 * 2.0**-53 * scale)
        sides = Fraction(left), Fraction(right)
    over = sides[0] - sides[1]
    return (row.sense == "at_least" or over <= slack) and (row.sense == "at_most" or -over <= slack)


def _in_whole_numbers(case: Case, row: Row, left: float, right: float) -> tuple[Fraction, Fraction] | None:
    """Both sides as decimals; None where the row adds up something else, or by several weights."""
    weights = {row.weight[i] for i in row.members}
    other = row.measure not in ("offered", "loans") or row.reference not in ("", "offered")
    if other or row.base is not None:
        return None
    if len(weights) > 1 or 0.0 in weights:
        return None
    unit, weight = 100 if row.measure == "offered" else 1, weights.pop() if weights else 1.0
    count = left / weight * unit
    if abs(count - round(count)) > 1e-4:
        return None
    exact = Fraction(round(count), unit) * Fraction(repr(weight))
    if row.share is None:
        return exact, Fraction(repr(row.limit)) * Fraction(repr(row.amount))
    total = Fraction(round(100 * right / row.share), 100) if row.share else Fraction(0)
    return exact, Fraction(repr(row.share)) * total


def _largest(case: Case, measure: str, i: int) -> float:
    """The most that one offer to borrower i adds to a measure."""
    own = terms(case, i)
    ends = () if own is None else {own.low, own.high}
    offers = [] if own is None else [Offer(end, *rate) for rate in own.rates for end in ends]
    return max((abs(measured(case, measure, i, offer)) for offer in offers), default=0.0)
