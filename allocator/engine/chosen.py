"""The book of the offers that were chosen alone: only their amounts are open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.records.offers import Menu, OfferBook
from allocator.records.portfolio import Codes
from allocator.records.solution import Solution


def chosen_of_solution(offers: OfferBook, solution: Solution) -> OfferBook:
    """The offers made, at their rates: only the amounts are open."""
    option = np.full(len(offers), -1, dtype=np.int32)
    for i in np.flatnonzero(solution.amount > 0).tolist():
        option[i] = np.argmin(np.abs(offers.menus[offers.menu[i]].rates - solution.rate[i]))
    return only(offers, option)


def only(offers: OfferBook, option: Codes) -> OfferBook:
    """The book with one option (n,) of each borrower, which must be offered; -1: with none."""
    menus: dict[tuple[int, int], int] = {}
    menu = np.full(len(offers), -1, dtype=np.int32)
    for i in np.flatnonzero(option >= 0).tolist():
        menu[i] = menus.setdefault((int(offers.menu[i]), int(option[i])), len(menus))
    single = tuple(
        Menu(offers.menus[own].rates[k : k + 1], offers.menus[own].take_up[k : k + 1]) for own, k in menus
    )
    return replace(offers, menus=single, menu=menu, must=menu >= 0)
