"""What a rule hands back, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from allocator.engine.filling import Filling, fill
from allocator.engine.greedy import best_wishes
from allocator.engine.kernel.columns import Columns
from allocator.engine.kernel.passes import Pass, prepare
from allocator.records.case import Case
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Codes, Floats, Integers
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


def served(case: Case, order: Integers) -> Plan:
    """Everybody's best offer in the `order` (n,) of positions, while limits leave room; floors first."""
    book = ready(case)
    wish, _ = best_wishes(book)
    return filled(fill(book, wish, order), case.offers)


def options_of(offers: OfferBook, amount: Floats, rate: Floats) -> Codes:
    """(n,) index of each rate in its borrower's menu; -1 where the amount is 0, and nothing offered."""
    option = np.full(len(offers), -1, dtype=np.int32)
    for number, menu in enumerate(offers.menus):
        i = np.flatnonzero((offers.menu == number) & (amount > 0))
        option[i] = np.searchsorted(menu.rates, rate[i])
    return option


def require_plan(plan: object, case: Case) -> None:
    """Raise TypeError or ValueError for what is no plan of the case's borrowers; terms are judged later."""
    if not isinstance(plan, Plan):
        raise TypeError(f"a {type(plan).__name__} where a Plan was expected")
    n = len(case.offers)
    for name, kinds in (("option", "i"), ("amount", "f"), ("why", "O")):
        array = np.asarray(getattr(plan, name))
        if array.shape != (n,) or array.dtype.kind not in kinds:
            raise ValueError(f"{name} is of shape {array.shape} and kind {array.dtype}, not one per borrower")
    sizes = np.array([len(menu.rates) for menu in plan.offers.menus] + [0])[plan.offers.menu]
    if np.any((plan.option >= sizes) | ((plan.option < 0) != (plan.amount == 0)) | ~np.isfinite(plan.amount)):
        raise ValueError("an offer without a rate of its borrower's menu, or without a finite amount")
    if any(not isinstance(text, str) for text in plan.why.tolist()):
        raise ValueError("why holds something else than texts")


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
