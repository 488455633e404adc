"""Proofs over price lists in rational numbers: nothing is rounded, and no error to bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from allocator.certification.exact import ExactCase
from allocator.certification.price_lists import Box, Segments, list_faults
from allocator.certification.rationals import ExactBound
from allocator.certification.terms import SAME_RATE, allowed_terms
from allocator.errors import Fault


@dataclass(frozen=True)
class _ExactLists:
    """What prices prove: a sum a segment and rate, and what no list changes."""

    constant: Fraction
    sums: Mapping[str, list[Fraction]]
    segments: Segments
    known: dict[Any, Any] = field(default_factory=dict)
    """What chains add, by the rates that a box leaves them."""

    def most(self, box: Box) -> ExactBound | None:
        """The bound of the best list of a box; None where no list is left."""
        best = self.segments.most(self.sums, box, self.known)
        return None if best is None else ExactBound.of(self.constant + best)


@dataclass(frozen=True)
class _ExactProver:
    """Proves of price lists what the inputs give."""

    case: ExactCase
    """Under every list."""
    segments: Segments

    def bounded(self, prices: Mapping[str, float]) -> _ExactLists:
        """What `prices` by row name prove of every list."""
        terms, table = self.case.terms, self.case.table({})
        names, rates = [*self.segments.rates], self.segments.rates
        sums = {name: [Fraction(0)] * len(own) for name, own in rates.items()}
        constant, answers = table.answers(prices)
        for row, values in enumerate(answers):
            i = int(table.member[row])
            if terms.single[i]:
                best = max(values.values())
                constant += max(best, Fraction(0)) if table.everything.no_offer[row] else best
                continue
            name = names[terms.segment[i]]
            for k, value in values.items():
                place = int(np.searchsorted(rates[name], table.rate[row, k] - SAME_RATE))
                sums[name][place] += max(value, Fraction(0))
        return _ExactLists(constant, sums, self.segments)

    def tree(self, box: Box, tree: Mapping[str, Any], *, state: bool) -> tuple[dict[str, Any], list[Fault]]:
        """A tree over the rates of a box, and what is wrong with it; nothing is stated here."""
        terms = replace(self.case.terms, left=self.segments.left(box))
        return dict(tree), replace(self.case, terms=terms).tree_faults(tree)


def exact_list_faults(case: ExactCase, lists: Mapping[str, Any]) -> list[Fault]:
    """What keeps a proof over price lists from proving its bound; `case` has every rate of the bands."""
    rows, policy = [name for exact in case.blocks for name in exact.block.names], case.scenario.policy
    segments = Segments.of(case.portfolio, case.terms, policy)
    terms = allowed_terms(case.portfolio, case.terms.leaving(segments.rates), policy)
    return list_faults(lists, segments, rows, _ExactProver(replace(case, terms=terms), segments))
