"""The book of the offers that were chosen alone: only their amounts are open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.records.offers import SAME_RATE, Menu, OfferBook
from allocator.records.portfolio import Codes
from allocator.records.solution import Solution


def chosen_of_solution(offers: OfferBook, solution: Solution) -> OfferBook:
    """The offers made, at their rates: only the amounts are open."""
    return only(offers, options_of(offers, solution))


def options_of(offers: OfferBook, solution: Solution) -> Codes:
    """(n,) the rate that a solution offers, by its place in the borrower's menu; -1: no offer."""
    option = np.full(len(offers), -1, dtype=np.int32)
    made = np.flatnonzero(solution.amount > 0)
    made = made[np.argsort(offers.menu[made], kind="stable")]
    numbers, starts = np.unique(offers.menu[made], return_index=True)
    for number, some in zip(numbers.tolist(), np.split(made, starts)[1:], strict=True):
        option[some] = np.searchsorted(offers.menus[number].rates, solution.rate[some] - SAME_RATE)
    return option


def only(offers: OfferBook, option: Codes) -> OfferBook:
    """The book with one option (n,) of each borrower, which must be offered; -1: with none."""
    made = np.flatnonzero(option >= 0)
    width = int(np.max(option, initial=0)) + 1
    pairs, places = np.unique(offers.menu[made] * width + option[made], return_inverse=True)
    menu = np.full(len(offers), -1, dtype=np.int32)
    menu[made] = places
    options = (
        (offers.menus[pair // width], slice(pair % width, pair % width + 1)) for pair in pairs.tolist()
    )
    single = tuple(Menu(own.rates[rate], own.take_up[rate]) for own, rate in options)
    return replace(offers, menus=single, menu=menu, must=menu >= 0)
