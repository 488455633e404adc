"""A credit line and a rate band a grade, as the credit strategy study has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from allocator.engine.filling import fill
from allocator.engine.greedy import best_wishes
from allocator.errors import Fault, InputError
from allocator.limits import compile_limits
from allocator.records.case import Case
from allocator.records.conditions import Condition
from allocator.records.offers import SAME_RATE, Menu, OfferBook
from allocator.records.portfolio import Codes
from allocator.records.progress import Progress
from allocator.records.reasons import NO_LINE, OUTSIDE_BAND, line_of
from allocator.records.scenario import Limit
from allocator.records.solution import Solution
from allocator.strategies.by_score import score_order
from allocator.strategies.plan import Plan, filled, ready

LINES: Mapping[str, float] = {"A": 0.63, "B": 0.23, "C": 0.14}
"""Share of the budget, from the study's AHP weights."""
BANDS: Mapping[str, tuple[float, float]] = {"A": (0.04, 0.11), "B": (0.11, 0.135), "C": (0.135, 0.15)}


def ahp_lines(case: Case, optimum: Solution, progress: Progress) -> Plan:
    """Everybody's best offer inside the grade's band, the best scores first, inside the grade's line.

    A grade without a line gets nothing but what is pinned. Raises InputError where no grade has one.
    """
    strategy = case.scenario.strategy
    lines = case.inputs.lines or strategy.lines or LINES
    banded = _offers_in_bands(case, lines, strategy.bands or BANDS)
    budget, portfolio = case.scenario.policy.budget, case.inputs.portfolio
    taken = {limit.name for limit in case.scenario.policy.limits}
    drawn_up = [
        Limit(line_of(grade, taken), budget.basis, "at_most", share, "budget", (_of_grade(grade),))
        for grade, share in lines.items()
    ]
    policy = case.scenario.policy
    limits = compile_limits(replace(policy, limits=(*policy.limits, *drawn_up)), portfolio)
    book = ready(replace(case, limits=limits), banded)
    wish, _ = best_wishes(book)
    return filled(fill(book, wish, score_order(portfolio)), banded)


def _of_grade(grade: str) -> Condition:
    return Condition("grade", (grade,))


def _offers_in_bands(
    case: Case, lines: Mapping[str, float], bands: Mapping[str, tuple[float, float]]
) -> OfferBook:
    """The offers with each grade's menu cut to its band; the grades of one menu are told apart."""
    offers, grades = case.offers, case.inputs.portfolio.grade
    lent_to = set(grades.values) & set(case.scenario.policy.rates)
    if lent_to and not set(lines) & lent_to:
        problem = f"gives lines to {', '.join(lines)}; the borrowers' grades are {', '.join(grades.values)}"
        fault = Fault(problem, "write lines for these grades: {ahp_lines: {lines: {...}}}", field="strategy")
        raise InputError.of([fault], "strategy ahp_lines")
    cuts = _Cuts([], offers.menu.copy(), offers.no_offer.codes.copy())
    no_line, outside = len(offers.no_offer.values), len(offers.no_offer.values) + 1
    for code, grade in enumerate(grades.values):
        own = (grades.codes == code) & (offers.menu >= 0)
        free = own & ~offers.must
        if grade not in lines:
            cuts.menu[free], cuts.why[free] = -1, no_line
        for number in np.unique(offers.menu[own]):
            there = own & (offers.menu == number)
            pinned = bool(np.any(offers.must & there))
            band = (0.0, 1.0) if pinned else bands.get(grade, (0.0, 1.0))
            if pinned or grade in lines:
                cuts.put(_menu_inside(offers.menus[number], band), there, outside)
    no_offer = replace(
        offers.no_offer, codes=cuts.why, values=(*offers.no_offer.values, NO_LINE, OUTSIDE_BAND)
    )
    return replace(offers, menus=tuple(cuts.menus), menu=cuts.menu, no_offer=no_offer)


@dataclass
class _Cuts:
    """The menus cut so far, whose they are, and why those who have none do not."""

    menus: list[Menu]
    menu: Codes
    why: Codes

    def put(self, menu: Menu, members: np.ndarray, outside: int) -> None:
        if len(menu.rates):
            self.menu[members] = len(self.menus)
            self.menus.append(menu)
        else:
            self.menu[members], self.why[members] = -1, outside


def _menu_inside(menu: Menu, band: tuple[float, float]) -> Menu:
    low, high = band
    kept = (menu.rates >= low - SAME_RATE) & (menu.rates <= high + SAME_RATE)
    return Menu(menu.rates[kept], menu.take_up[kept])
