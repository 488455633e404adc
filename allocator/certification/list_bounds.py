"""What prices prove of every price list, in doubles with their rounding: one pass over fixed parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from allocator.certification.bound import (
    ChargedOffers,
    Magnitudes,
    best_sum,
    open_to,
    sum_of_best,
    whole_bound,
)
from allocator.certification.cases import coarsest_lots, steps_of, table_of
from allocator.certification.economics import Margin
from allocator.certification.limits import Block, Charges, charges_of
from allocator.certification.parts import in_parts
from allocator.certification.price_lists import Box, Segments
from allocator.certification.rounding import UNIT, Rounded, unwarned
from allocator.certification.terms import SAME_RATE, Tariffs, Terms, allowed_terms
from allocator.certification.tree import lots_of, stated_tree, tree_faults
from allocator.errors import Fault
from allocator.records.case import Inputs
from allocator.records.portfolio import Booleans, Portfolio
from allocator.records.scenario import Policy, Scenario


@dataclass(frozen=True)
class _RoundedLists:
    """What prices prove: a sum a segment and rate, and what no list changes."""

    constant: Rounded
    sums: Mapping[str, list[Rounded]]
    segments: Segments
    known: dict[Any, Any] = field(default_factory=dict)
    """What chains and segments add, by the rates that a box leaves them."""

    def most(self, box: Box) -> Rounded | None:
        """The bound of the best list of a box; None where no list is left."""
        best = self.segments.most(self._values, box, self.known)
        if best is None:
            return None
        left = [self._largest(name, box[name]) for name in self.sums]
        error = sum(own for own, _ in left)
        sizes = sum(size for _, size in left)
        return Rounded.sum_of([self.constant, Rounded(float(best), error + len(left) * UNIT * sizes)])

    @cached_property
    def _values(self) -> dict[str, list[float]]:
        return {name: [total.value for total in own] for name, own in self.sums.items()}

    def _largest(self, name: str, left: Booleans) -> tuple[float, float]:
        """The largest error and the largest size of the sums of a segment's rates that are `left` (K,)."""
        key = (name, left.tobytes())
        if key not in self.known:
            own = [self.sums[name][k] for k in np.flatnonzero(left)]
            self.known[key] = max(total.error for total in own), max(abs(total.value) for total in own)
        largest: tuple[float, float] = self.known[key]
        return largest


@dataclass(frozen=True)
class RoundedProver:
    """Proves of price lists what the inputs give."""

    scenario: Scenario
    inputs: Inputs
    known: Tariffs
    """Every rate that a list may have."""
    segments: Segments
    blocks: tuple[Block, ...]

    def bounded(self, prices: Mapping[str, float]) -> _RoundedLists:
        """What `prices` by row name prove of every list."""
        policy, portfolio = self.scenario.policy, self.inputs.portfolio
        known, segments = self.known.leaving(self.segments.rates), self.segments
        held = {name: float(prices.get(name, 0.0)) for block in self.blocks for name in block.names}

        def part(span: slice) -> tuple[Charges, Rounded, dict[str, list[Rounded]]]:
            own = portfolio.take(span)
            charges = charges_of(tuple(block.part(span) for block in self.blocks), held)
            return charges, *_part(own, policy, allowed_terms(own, known, policy), charges, segments)

        parts = in_parts(part, len(portfolio))
        single = Rounded.sum_of([own for _, own, _ in parts])
        return _RoundedLists(
            whole_bound(policy, parts[0][0], single, held),
            {
                name: [Rounded.sum_of([sums[name][k] for _, _, sums in parts]) for k in range(len(rates))]
                for name, rates in segments.rates.items()
            },
            segments,
        )

    def tree(self, box: Box, tree: Mapping[str, Any], *, state: bool) -> tuple[dict[str, Any], list[Fault]]:
        """A tree over the rates of a box, its bounds stated anew with `state`, and what is wrong with it."""
        policy, portfolio = self.scenario.policy, self.inputs.portfolio
        terms = allowed_terms(portfolio, self.known.leaving(self.segments.left(box)), policy)
        cases = table_of(portfolio, policy, terms, self.blocks, lots_of(tree))
        coarsest = coarsest_lots(portfolio, policy, terms, self.blocks)
        ids = portfolio.borrower_id[cases.member].tolist()
        position = {borrower: row for row, borrower in enumerate(ids)}
        steps = steps_of(portfolio, policy, cases.member)
        if state:
            return stated_tree(tree, cases, coarsest, position, steps)
        return dict(tree), tree_faults(tree, cases, coarsest, position, steps)


@unwarned
def _part(
    portfolio: Portfolio, policy: Policy, terms: Terms, charges: Charges, segments: Segments
) -> tuple[Rounded, dict[str, list[Rounded]]]:
    """Of a part of the borrowers: those whose rate no list changes, and the sums by segment and rate."""
    magnitudes = Magnitudes.of(portfolio, policy, terms)
    own_rate = replace(terms, lendable=terms.lendable & terms.single)
    single = best_sum(portfolio, policy, own_rate, charges, magnitudes)
    offers = ChargedOffers(Margin.of(portfolio, policy, charges.per_basis), terms.low, terms.high)
    names = [*segments.rates]
    parts: dict[str, list[list[Rounded]]] = {name: [[] for _ in segments.rates[name]] for name in names}
    for _, member, tariff in terms.of_grades(portfolio):
        i = np.flatnonzero(member & terms.lendable & ~terms.single)
        if not len(i):
            continue
        errors = magnitudes.take(i).charged(terms.high[i], charges.sizes(i), charges.operations)
        menu = open_to(portfolio.min_rate[i], portfolio.max_rate[i], tariff)
        name = names[terms.segment[i[0]]]
        places = np.searchsorted(segments.rates[name], tariff.rates - SAME_RATE)
        for k, offer in zip(places.tolist(), menu, strict=True):
            best = offers.best(i, [offer], may_decline=True)
            parts[name][k].append(sum_of_best(best, errors, np.ones(len(i), dtype=bool)))
    return single, {name: [Rounded.sum_of(own) for own in sums] for name, sums in parts.items()}
