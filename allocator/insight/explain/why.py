"""Reason codes: at most four for a decision, each with the money in it, in words that stand alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from allocator.insight.explain.offers import Offers
from allocator.insight.explain.position import Position
from allocator.records.offers import SAME_RATE
from allocator.records.percentages import as_percentage

MOST = 4
_BY_WHOLE_LOANS = "decided by the integer step"

Code = Literal[
    "impossible", "never_profitable", "cost", "crowded_out", "left_out", "limit", "integer_step",
    "rule", "pinned", "pays", "rate", "amount",
]  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """One reason for a decision."""

    code: Code
    text: str
    money: float | None = None
    """What it is about, in currency units; None where it is about no money."""


def why_declined(why: str, offers: Offers) -> list[Reason]:
    """The reason that the allocation states, then what takes most from the best offer before limits."""
    if len(offers) == 0:
        return [Reason("impossible", why)]
    free = offers.at_prices(dict.fromkeys((stake.limit for stake in offers.stakes), 0.0))
    k = int(np.argmax(free.reduced))
    if free.reduced[k] <= 0.0:
        return [Reason("never_profitable", why, float(free.reduced[k])), *_costs(offers, k)][:MOST]
    codes: dict[str, Code] = {
        "crowded out": "crowded_out", "left out": "left_out", _BY_WHOLE_LOANS: "integer_step"
    }  # fmt: skip
    code: Code = next((code for words, code in codes.items() if why.startswith(words)), "rule")
    reasons = [Reason(code, why, float(np.max(offers.reduced)))]
    value, rate = float(offers.ledger.value[k]), float(offers.rate[k])
    charges = {limit: float(charge[k]) for limit, charge in offers.charges.items()}
    for limit, charge in _largest_first(charges):
        words = (
            f"{_limit_in_words(limit)} charges {charge:,.2f} "
            f"where {as_percentage(rate)} would be worth {value:,.2f}"
        )
        reasons.append(Reason("limit", words, charge))
    return reasons[:MOST]


def _costs(offers: Offers, k: int) -> list[Reason]:
    interest, rate = float(offers.ledger.interest[k]), float(offers.rate[k])
    lines = (line for line in offers.ledger.lines if line.sign < 0)
    costs = {line.label: float(getattr(offers.ledger, line.name)[k]) for line in lines}
    return [
        Reason(
            "cost",
            f"{label} takes {cost:,.2f}; {as_percentage(rate)} would bring {interest:,.2f} of interest",
            cost,
        )
        for label, cost in _largest_first(costs)
    ]


def why_offered(position: Position, i: int, chosen: Offers, offers: Offers) -> list[Reason]:
    """What is left after every charge, why this rate, why this amount."""
    value, kept = float(chosen.ledger.value[0]), float(chosen.reduced[0])
    if position.terms.pinned[i]:
        return [Reason("pinned", "pinned: made whatever it is worth", kept)]
    charged = f"the limits charge {value - kept:,.2f} of the {value:,.2f} that it is worth: "
    charged = charged if any(stake.price for stake in chosen.stakes) else "no limit charges it: "
    reasons = [Reason("pays", f"{charged}{kept:z,.2f} better than no offer", kept)]
    others = np.abs(offers.rate - chosen.rate[0]) > SAME_RATE
    if np.any(others):
        k = int(np.flatnonzero(others)[np.argmax(offers.reduced[others])])
        less = kept - float(offers.reduced[k])
        compared = f"{less:,.2f} less" if less >= 0 else f"{-less:,.2f} more"
        words = f"the best other rate, {as_percentage(offers.rate[k])}, would keep {compared}"
        reasons.append(Reason("rate", words, less))
    reasons.append(Reason("amount", _amount(position, i, chosen)))
    lost = float(position.best[i] - position.chosen[i])
    if lost > 1e-9 * max(abs(value), 1.0):
        strategy = position.run.scenario.strategy
        optimal = position.run.optimal
        decided = _BY_WHOLE_LOANS if optimal else f"decided by the strategy {strategy.name}"
        words = f"{decided}: its best response to the shadow prices would keep {lost:,.2f} more"
        reasons.append(Reason("integer_step" if optimal else "rule", words, lost))
    return reasons[:MOST]


def _amount(position: Position, i: int, chosen: Offers) -> str:
    low, high, amount = float(position.terms.low[i]), float(position.terms.high[i]), chosen.amount[0]
    if low == high:
        return "the only loan it may have"
    pays = _unit_at(chosen, high) > _unit_at(chosen, low)
    if amount == high:
        return f"the largest loan it may have: a further unit would {'' if pays else 'not '}pay its charges"
    if amount == low:
        return f"the smallest loan it may have: a further unit would {'' if pays else 'not '}pay its charges"
    if not position.run.optimal:
        return f"between {low:,.2f} and {high:,.2f}: the strategy's amount"
    return f"between {low:,.2f} and {high:,.2f}: it fills what whole loans leave of the limits"


def _unit_at(chosen: Offers, amount: float) -> float:
    """The reduced value of the offer with another amount."""
    return float(replace(chosen, amount=np.array([amount])).reduced[0])


def _largest_first(money: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(((name, sum_) for name, sum_ in money.items() if sum_ > 0.0), key=lambda entry: -entry[1])


def _limit_in_words(limit: str) -> str:
    return "the budget" if limit == "budget" else f"limit {limit}"
