"""What a rule hands back, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from allocator.engine.filling import Filling
from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.passes import Pass, prepare
from allocator.records.case import Case
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Codes, Floats
from allocator.records.progress import Progress
from allocator.records.reasons import NEVER, PASSED_OVER, no_room
from allocator.records.solution import Solution


@dataclass(frozen=True)
class Plan:
    """Decisions for n borrowers in portfolio order."""

    offers: OfferBook
    """The menus that `option` indexes, with the true economics."""
    option: Codes
    """(n,) -1: declined."""
    amount: Floats
    """(n,) 0 where declined."""
    why: np.ndarray
    """(n,) texts, "" where an offer is made."""
    stopped: bool = False
    """Whether the clock ended the rule's own search."""


class StrategyRule(Protocol):
    """A rule: from the case, and the optimum where it is measured by it, to decisions."""

    def __call__(self, case: Case, optimum: Solution, progress: Progress) -> Plan: ...


def ready(case: Case, offers: OfferBook | None = None) -> Pass:
    """The case, or other offers under its limits, ready for passes."""
    return prepare(Columns(offers or case.offers, case.limits), case.scenario.solver.threads)


def filled(filling: Filling, offers: OfferBook) -> Plan:
    """The plan of offers made one after the other, with what stood in the way of the others."""
    rows = filling.book.columns.limits.rows
    declined = filling.amount == 0
    names = np.array([no_room(row.name) for row in rows] + [PASSED_OVER])
    why = names.astype(object)[filling.blocker]
    wishless = declined & (filling.wish.option < 0)
    why[wishless] = NEVER
    impossible = declined & (offers.menu < 0)
    texts = np.array([*offers.no_offer.values, ""], dtype=object)
    why[impossible] = texts[offers.no_offer.codes[impossible]]
    why[~declined] = ""
    return Plan(offers, filling.option, filling.amount, why)
