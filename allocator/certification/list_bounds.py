"""What prices prove of every price list, in doubles with their rounding: one pass over fixed parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from allocator.certification.cases import coarsest_lots, table_of
from allocator.certification.economics import Margin
from allocator.certification.limits import Block, Charges, charges_of
from allocator.certification.parts import in_parts
from allocator.certification.price_lists import Box, best_list, narrowed, rising_lists
from allocator.certification.rounding import UNIT, Rounded, unwarned
from allocator.certification.terms import Tariffs, Terms, allowed_terms
from allocator.certification.tree import lots_of, stated_tree, tree_faults
from allocator.errors import Fault
from allocator.records.case import Inputs
from allocator.records.portfolio import Portfolio
from allocator.records.scenario import Policy, Scenario


@dataclass(frozen=True)
class _RoundedLists:
    """What prices prove: a sum a grade and rate, and what no list changes."""

    constant: Rounded
    sums: Mapping[str, list[Rounded]]
    rates: Mapping[str, list[float]]
    rising: bool

    def most(self, box: Box) -> Rounded | None:
        """The bound of the best list of a box; None where no list is left."""
        kept = {grade: np.flatnonzero(left).tolist() for grade, left in box.items()}
        values = {grade: [self.sums[grade][k].value for k in own] for grade, own in kept.items()}
        rates = {grade: [self.rates[grade][k] for k in own] for grade, own in kept.items()}
        best = best_list(values, rates, rising=self.rising)
        if best is None:
            return None
        error = sum(max(self.sums[grade][k].error for k in own) for grade, own in kept.items())
        sizes = sum(max(map(abs, own)) for own in values.values())
        added = Rounded(float(best), error + len(values) * UNIT * sizes)
        return Rounded.sum_of([self.constant, added])


@dataclass(frozen=True)
class RoundedProver:
    """Proves of price lists what the inputs give."""

    scenario: Scenario
    inputs: Inputs
    known: Tariffs
    """Every rate that a list may have."""
    blocks: tuple[Block, ...]

    def bounded(self, prices: Mapping[str, float]) -> _RoundedLists:
        """What `prices` by row name prove of every list."""
        policy, portfolio, known = self.scenario.policy, self.inputs.portfolio, self.known
        held = {name: float(prices.get(name, 0.0)) for block in self.blocks for name in block.names}

        def part(span: slice) -> tuple[Charges, Rounded, dict[str, list[Rounded]]]:
            own = portfolio.take(span)
            charges = charges_of(tuple(block.part(span) for block in self.blocks), held)
            return charges, *_part(own, policy, allowed_terms(own, known, policy), charges)

        parts = in_parts(part, len(portfolio))
        single = Rounded.sum_of([own for _, own, _ in parts])
        return _RoundedLists(
            whole_bound(policy, parts[0][0], single, held),
            {
                grade: [
                    Rounded.sum_of([sums[grade][k] for _, _, sums in parts]) for k in range(len(tariff.rates))
                ]
                for grade, tariff in known.tariffs.items()
            },
            {grade: tariff.rates.tolist() for grade, tariff in known.tariffs.items()},
            rising_lists(policy),
        )

    def tree(self, box: Box, tree: Mapping[str, Any], *, state: bool) -> tuple[dict[str, Any], list[Fault]]:
        """A tree over the rates of a box, its bounds stated anew with `state`, and what is wrong with it."""
        policy, portfolio = self.scenario.policy, self.inputs.portfolio
        known = replace(self.known, tariffs=narrowed(self.known, box))
        terms = allowed_terms(portfolio, known, policy)
        cases = table_of(portfolio, policy, terms, self.blocks, lots_of(tree))
        coarsest = coarsest_lots(portfolio, policy, terms, self.blocks)
        ids = portfolio.borrower_id[cases.member].tolist()
        position = {borrower: row for row, borrower in enumerate(ids)}
        if state:
            return stated_tree(tree, cases, coarsest, position, policy.ticket.step)
        return dict(tree), tree_faults(tree, cases, coarsest, position, policy.ticket.step)


@unwarned
def _part(
    portfolio: Portfolio, policy: Policy, terms: Terms, charges: Charges
) -> tuple[Rounded, dict[str, list[Rounded]]]:
    """Of a part of the borrowers: those whose rate no list changes, and the sums by grade and rate."""
    magnitudes = Magnitudes.of(portfolio, policy, terms)
    own_rate = replace(terms, lendable=terms.lendable & terms.single)
    single = best_sum(portfolio, policy, own_rate, charges, magnitudes)
    offers = ChargedOffers(Margin.of(portfolio, policy, charges.per_basis), terms.low, terms.high)
    sums = {}
    for grade, tariff in terms.tariffs.items():
        member = (portfolio.grade.codes == portfolio.grade.code_of(grade)) & terms.lendable & ~terms.single
        i = np.flatnonzero(member)
        errors = magnitudes.at(i).charged(terms.high[i], charges.sizes(i), charges.operations)
        menu = open_to(portfolio.min_rate[i], portfolio.max_rate[i], tariff)
        best = (offers.best(i, [offer], may_decline=True) for offer in menu)
        sums[grade] = [sum_of_best(values, errors, np.ones(len(i), dtype=bool)) for values in best]
    return single, sums
