"""Reasons for declining, held against the inputs: a word that no decision may have, or that they contradict.

Who cannot be offered anything has one reason, found here again. Of the others the inputs and the prices
tell whether an offer was worth having and whether a limit has a price; which of several limits weighed
most they would tell too, but that is not repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from allocator.certification.bound import reduced_values
from allocator.certification.concentration import with_cuts
from allocator.certification.limits import Block, blocks_of, charges_of
from allocator.certification.members import inside_of, lent_to
from allocator.certification.parts import in_parts
from allocator.certification.terms import OF_BORROWERS, SAME_RATE, Terms, allowed_terms, tariffs_of
from allocator.records import reasons as words
from allocator.records.case import Inputs
from allocator.records.former import FORMER_AMOUNT
from allocator.records.limits import conditional
from allocator.records.portfolio import Booleans, Codes, Floats, Integers, Portfolio, Text
from allocator.records.scenario import Policy, Scenario

_ROUNDING = 1e-9
"""A worth this small, a unit of the largest loan, may have either sign."""


def contradicted_reasons(
    scenario: Scenario, inputs: Inputs, declined: Booleans, prices: Mapping[str, float], stated: Text
) -> np.ndarray:
    """(n,) texts: what the inputs give where the reason `stated` for declining cannot be it, "" elsewhere."""
    policy, portfolio = with_cuts(scenario.policy, inputs.portfolio)
    scenario, rule = replace(scenario, policy=policy), scenario.strategy.rule
    if rule == "file":
        out = np.full(len(portfolio), "", dtype=object)
        word = words.not_in(scenario.strategy.name)
        out[declined & (stated.codes != stated.code_of(word))] = word
        return out
    tariffs = tariffs_of(inputs.churn, scenario.response, policy)
    claimed = np.array([_place(word) for word in stated.values], dtype=np.int32)
    blocks = blocks_of(policy, portfolio) if rule == "optimal" else ()
    aside = _left_out(policy, portfolio, declined)
    known = set() if rule == "optimal" else _words_of(scenario, portfolio) | set(aside)
    unknown = np.array([word not in known for word in stated.values], dtype=bool)

    def part(span: slice) -> np.ndarray:
        own, refused, given = portfolio.take(span), declined[span], stated.codes[span]
        out = np.full(len(own), "", dtype=object)
        terms = allowed_terms(own, tariffs, policy)
        impossible = _impossible(own, policy, terms)
        wrong = refused & (claimed[given] != impossible)
        out[wrong] = np.array([*words.NO_OFFER, "an offer that may be made"], dtype=object)[impossible[wrong]]
        open_to = np.flatnonzero(refused & (impossible < 0) & (claimed[given] < 0))
        if rule == "optimal":
            mine = tuple(block.part(span) for block in blocks)
            weighed = _WeighedOffers.of(policy, own, terms, mine, prices, open_to)
            groups = {word: group[span][open_to] for word, group in aside.items()}
            out[open_to] = weighed.contradicted(Text(given[open_to], stated.values), groups)
        else:
            out[open_to[unknown[given[open_to]]]] = f"another reason by {rule}"
            for word, group in aside.items():
                wrong = (given[open_to] == stated.code_of(word)) & ~group[span][open_to]
                out[open_to[wrong]] = f"another reason by {rule}"
        return out

    return np.concatenate(in_parts(part, len(portfolio)))


def _left_out(policy: Policy, portfolio: Portfolio, declined: Booleans) -> dict[str, Booleans]:
    """Word of each limit on a condition that need not hold -> (n,) its group."""
    force = lent_to(policy, portfolio, (~declined).astype(np.float64))
    return {
        words.left_out(limit.name): inside_of(limit.if_lent_to, portfolio)
        for limit in conditional(policy)
        if limit.name not in force
    }


def _place(word: str) -> int:
    return words.NO_OFFER.index(word) if word in words.NO_OFFER else -1


def _impossible(portfolio: Portfolio, policy: Policy, terms: Terms) -> Codes:
    """(n,) place in NO_OFFER of the first reason that applies; -1 where an offer is possible."""
    free = ~terms.pinned
    named, some, posted = (np.zeros(len(portfolio), dtype=bool) for _ in range(3))
    top = np.full(len(portfolio), -np.inf)
    least = np.nan_to_num(portfolio.min_rate, nan=-np.inf)
    for grade, own, tariff in terms.of_grades(portfolio):
        most = np.nan_to_num(portfolio.max_rate[own], nan=np.inf)
        below = np.searchsorted(tariff.rates, most + SAME_RATE, side="right")
        some[own] = np.searchsorted(tariff.rates, least[own] - SAME_RATE) < below
        named[own] = True
        if len(tariff.rates):
            top[own] = tariff.rates[-1]
        else:  # where the grade has rates, the list posts another
            posted[own] = len(terms.tariffs[grade].rates) > 0
    open_to_some = free & ~terms.single
    above, none = (top + SAME_RATE < least) | np.isneginf(top), ~some
    near = policy.changes.rate_moved is not None and portfolio.number(FORMER_AMOUNT) > 0
    first = {
        words.EXCLUDED: portfolio.exclude,
        words.NO_GRADE: ~named,
        words.OFF_CONTRACT: free & terms.single & np.isnan(terms.rate),
        words.NOT_POSTED: open_to_some & posted,
        words.NO_NEAR: open_to_some & near & (above | none),
        words.NO_RATE: open_to_some & above,
        words.NO_LOWER: open_to_some & none,
        words.TOO_SMALL: free & (portfolio.max_amount < np.maximum(portfolio.min_amount, policy.ticket.min)),
        words.TOO_LARGE: free & (portfolio.min_amount > policy.ticket.max),
        words.NO_STEP: terms.low > terms.high,
    }
    codes = np.select(list(first.values()), [words.NO_OFFER.index(word) for word in first], default=-1)
    return np.asarray(codes, dtype=np.int32)


def _words_of(scenario: Scenario, portfolio: Portfolio) -> set[str]:
    """What a rule may say of borrowers who could be offered something."""
    policy, rule = scenario.policy, scenario.strategy.rule
    if rule == "min_loss":
        return {words.NOT_NEEDED}
    rows = {name for block in blocks_of(policy, portfolio) for name in block.names}
    own: set[str] = set()
    if rule == "ahp_lines":
        taken = {limit.name for limit in policy.limits}
        rows |= {words.line_of(grade, taken) for grade in portfolio.grade.values}
        own = {words.NO_LINE, words.OUTSIDE_BAND}
    return {words.NEVER, words.PASSED_OVER, *map(words.no_room, rows)} | own


@dataclass(frozen=True)
class _WeighedOffers:
    """The best offers to `among` (k,), without any limit and at the prices of all of them."""

    among: Integers
    free: Floats
    priced: Floats
    rounding: Floats
    blocks: tuple[Block, ...]
    prices: Mapping[str, float]

    @classmethod
    def of(
        cls,
        policy: Policy,
        portfolio: Portfolio,
        terms: Terms,
        blocks: tuple[Block, ...],
        prices: Mapping[str, float],
        among: Integers,
    ) -> _WeighedOffers:
        own = portfolio.take(among)
        arrays = {name: getattr(terms, name)[among] for name in OF_BORROWERS}

        def best(prices: Mapping[str, float]) -> Floats:
            charges = charges_of(blocks, prices)
            per_basis = {basis: charge[among] for basis, charge in charges.per_basis.items()}
            return reduced_values(
                own, policy, replace(terms, **arrays), replace(charges, per_basis=per_basis)
            )

        rounding = _ROUNDING * np.maximum(arrays["high"], 1.0)
        return cls(among, best({}), best(prices), rounding, blocks, prices)

    def contradicted(self, stated: Text, aside: Mapping[str, Booleans]) -> np.ndarray:
        """(k,) what speaks against the word that each was given, "" where nothing does.

        `aside`: word -> (k,) whom a limit on a condition leaves out.
        """
        out = np.full(len(self.among), "", dtype=object)
        rows = [(block, row) for block in self.blocks for row in range(len(block.names))]
        crowding = {words.crowded_out(block.names[row]): (block, row) for block, row in rows}
        worth, dear = self.free > self.rounding, self.priced < -self.rounding
        worthless, cheap = self.free < -self.rounding, self.priced > self.rounding
        for code in np.unique(stated.codes):
            word, given = stated.values[code], stated.codes == code
            if word == words.NEVER:
                out[given & worth] = "an offer that earns its cost"
            elif word == words.BY_THE_STEP:
                out[given & dear] = "no offer that earns its cost at these prices"
                for group in aside.values():
                    out[given & cheap & group] = "a limit on a condition that need not hold"
            elif word in aside:
                out[given & dear] = "no offer that earns its cost at these prices"
                out[given & ~aside[word]] = "another reason"
            elif word in crowding:
                block, row = crowding[word]
                counted = block.codes[self.among] == row
                counted |= block.part(self.among).referred(bool(block.reference))
                out[given & ~counted] = "a limit that does not count the borrower"
                out[given & worthless] = "no offer that earns its cost"
                out[given & cheap] = "an offer that earns its cost at these prices"
                if self.prices[block.names[row]] == 0:
                    out[given] = "a limit without a price"
            else:
                out[given] = "another reason"
        return out
