"""The limits of a run read once more, row by row in plain Python: what checks measure against."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from allocator.records.conditions import Condition
from allocator.records.portfolio import Portfolio
from allocator.records.scenario import Group, Limit
from allocator.records.stress import Shock, Stress
from allocator.testing.cases import Case
from allocator.testing.former import formerly_counted
from allocator.testing.plain import Offer, counts_exposure, lent, measured, passes, terms, text_of


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
    inside = _passing(p, entry.where)
    weight = tuple(1.0 if entry.weight is None else float(w) for w in _weights(p, entry.weight))
    groups = {entry.name: inside}
    if entry.each is not None:
        labels = sorted({text_of(p, entry.each, i) for i in inside})
        groups = {
            f"{entry.name}[{label}]": [i for i in inside if text_of(p, entry.each, i) == label]
            for label in labels
        }
    for name, members in groups.items():
        left = _left_of(case, entry, name, members, weight)
        yield Row(**left, **_right_of(case, entry, members, weight))


def _passing(p: Portfolio, tests: Iterable[Condition]) -> list[int]:
    return [i for i in range(len(p)) if all(passes(test, p, i) for test in tests)]


def _left_of(
    case: Case, entry: Limit, name: str, members: Sequence[int], weight: Sequence[float]
) -> dict[str, Any]:
    """What a row says of those that it counts."""
    finest = math.inf
    if entry.measure in ("loans", "clients_changed"):
        finest = min((abs(weight[i]) for i in members if weight[i]), default=math.inf)
    return {
        "name": name,
        "sense": entry.sense,
        "measure": entry.measure,
        "members": frozenset(members),
        "weight": weight,
        "lent": sum(weight[i] * lent(case, entry.measure, i) for i in members),
        "largest": max((abs(weight[i]) * _largest(case, entry.measure, i) for i in members), default=0.0),
        "finest": finest,
        "penalty": entry.penalty,
        "stress": entry.stress,
    }


def _right_of(case: Case, entry: Limit, members: Sequence[int], weight: Sequence[float]) -> dict[str, Any]:
    """A row's bound: money, or a share of money that is known or of what is decided."""
    p = case.portfolio
    amounts = {None: 1.0, "budget": case.policy.budget.amount, "own_funds": case.policy.own_funds}
    amounts["former"] = sum(weight[i] * formerly_counted(p, entry.measure, i) for i in members)
    if not isinstance(entry.of, Group) and entry.of in amounts:
        amount = amounts[entry.of] or 0.0
        return {"bound": entry.bound * amount, "limit": entry.bound, "amount": amount}
    reference, base = "offered" if entry.of == "total" else str(entry.of), None
    if isinstance(entry.of, Group):
        reference, base = entry.of.basis, frozenset(_passing(p, entry.of.where))
    # A measure that exposure adds nothing to is compared with what is newly lent only.
    whose = range(len(p)) if base is None else sorted(base)
    counts = counts_exposure(case, entry.measure)
    total = sum(lent(case, reference, i) for i in whose) if counts else 0.0
    return {
        "share": entry.bound,
        "reference": reference,
        "base": base,
        "bound": 0.0,
        "reference_lent": total,
    }


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


def kept(case: Case, row: Row, offers: list[Offer | None]) -> bool:
    """Whether the offers meet the row."""
    return holds(case, row, left_side(case, row, offers), right_side(case, row, offers))


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
