"""Proofs over price lists in rational numbers: nothing is rounded, and no error to bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from allocator.certification.exact import ExactBound, ExactCase
from allocator.certification.price_lists import Box, best_list, list_faults, narrowed, rising_lists
from allocator.errors import Fault


@dataclass(frozen=True)
class _ExactLists:
    """What prices prove: a sum a grade and rate, and what no list changes."""

    constant: Fraction
    sums: Mapping[str, list[Fraction]]
    rates: Mapping[str, list[float]]
    rising: bool

    def most(self, box: Box) -> ExactBound | None:
        """The bound of the best list of a box; None where no list is left."""
        kept = {grade: np.flatnonzero(left).tolist() for grade, left in box.items()}
        values = {grade: [self.sums[grade][k] for k in own] for grade, own in kept.items()}
        rates = {grade: [self.rates[grade][k] for k in own] for grade, own in kept.items()}
        best = best_list(values, rates, rising=self.rising)
        return None if best is None else ExactBound.of(self.constant + best)


@dataclass(frozen=True)
class _ExactProver:
    """Proves of price lists what the inputs give."""

    case: ExactCase

    def bounded(self, prices: Mapping[str, float]) -> _ExactLists:
        """What `prices` by row name prove of every list."""
        case, terms = self.case, self.case.terms
        table, grades = case.table({}), case.portfolio.grade
        sums = {grade: [Fraction(0)] * len(own.rates) for grade, own in terms.tariffs.items()}
        constant, answers = table.answers(prices)
        for row, values in enumerate(answers):
            i = int(table.member[row])
            if terms.single[i]:
                best = max(values.values())
                constant += max(best, Fraction(0)) if table.everything.no_offer[row] else best
                continue
            own = sums[grades.values[grades.codes[i]]]
            for k, value in values.items():
                own[k] += max(value, Fraction(0))
        rates = {grade: tariff.rates.tolist() for grade, tariff in terms.tariffs.items()}
        return _ExactLists(constant, sums, rates, rising_lists(case.scenario.policy))

    def tree(self, box: Box, tree: Mapping[str, Any], *, state: bool) -> tuple[dict[str, Any], list[Fault]]:
        """A tree over the rates of a box, and what is wrong with it; nothing is stated here."""
        terms = replace(self.case.terms, tariffs=narrowed(self.case.terms, box))
        return dict(tree), replace(self.case, terms=terms).tree_faults(tree)


def exact_list_faults(case: ExactCase, lists: Mapping[str, Any]) -> list[Fault]:
    """What keeps a proof over price lists from proving its bound; `case` has every rate of the bands."""
    rows = [name for exact in case.blocks for name in exact.block.names]
    return list_faults(lists, case.terms, rows, _ExactProver(case), case.scenario.policy)
