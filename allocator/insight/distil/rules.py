"""Rules as people write them: who, at which rate, what share of the request. The first that fits decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from allocator.records.conditions import Condition
from allocator.records.filters import meets
from allocator.records.lots import CENT, down_to_lots
from allocator.records.offers import SAME_RATE, OfferBook
from allocator.records.portfolio import Booleans, Floats, Integers, Portfolio
from allocator.records.run import Decisions


@dataclass(frozen=True)
class Rule:
    """An offer to whoever meets every condition; whom no rule fits is declined."""

    where: tuple[Condition, ...]
    rate: float
    """Annual, a fraction. Whoever may not be offered it (a band, a minimum rate) is declined."""
    share: float
    """Part of the largest loan that request and ticket allow; an offer is never below the smallest loan."""

    def grades(self, bands: Mapping[str, tuple[float, float]]) -> list[str]:
        """Those whose band, lowest and highest rate, holds the rule's."""
        return [
            grade for grade, (low, high) in bands.items() if low - SAME_RATE <= self.rate <= high + SAME_RATE
        ]


def rule_of(rules: Sequence[Rule], portfolio: Portfolio) -> Integers:
    """(n,) index of the first rule that fits each borrower; -1: none."""
    fitting = np.full(len(portfolio), -1, dtype=np.int64)
    for number, rule in enumerate(rules):
        fitting[(fitting < 0) & meets(rule.where, portfolio)] = number
    return fitting


def shared_amounts(offers: OfferBook, members: Integers, share: float) -> Floats:
    """The amounts of `members` at `share` of their largest loan, down to the lot, up to the smallest loan."""
    low, high = offers.low[members], offers.high[members]
    if share >= 1.0:
        return high
    return np.clip(down_to_lots(high * share, offers.step or CENT), low, high)


def takers(offers: OfferBook, rate: float) -> Booleans:
    """(menus,) which menus hold `rate`."""
    held = [bool(np.any(np.abs(menu.rates - rate) <= SAME_RATE)) for menu in offers.menus]
    return np.array(held, dtype=bool)


def follow(rules: Sequence[Rule], portfolio: Portfolio, offers: OfferBook) -> Decisions:
    """What the rules decide for n borrowers; a pinned offer is made whatever the rules say."""
    amount, rate = np.zeros(len(portfolio)), np.zeros(len(portfolio))
    pinned = np.flatnonzero(offers.must)
    amount[pinned], rate[pinned] = portfolio.fixed_amount[pinned], portfolio.fixed_rate[pinned]
    fitting = rule_of(rules, portfolio)
    for number, rule in enumerate(rules):
        holding = np.append(takers(offers, rule.rate), False)
        members = np.flatnonzero((fitting == number) & holding[offers.menu] & ~offers.must)
        amount[members], rate[members] = shared_amounts(offers, members, rule.share), rule.rate
    return Decisions(amount, rate)
