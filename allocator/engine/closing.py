"""Cores in loss form, of a growing threshold: how a large book's allocation comes near its bound.

The threshold begins at the gap asked for, lower where that is coarse or lets in many borrowers, and grows
fourfold while no allocation is found near it. From then on it is what the best allocation loses, as
long as that gets less. Whole steps leave small thresholds empty without a proof of it: they begin higher, and
the solver may do little until there is an allocation. Where more borrowers than a core holds are alike, or
crowd about the first threshold of steps, a few of them come first.
"""

from __future__ import annotations

import numpy as np

from allocator.engine.cores import OptionsInPlay, PricedPoint, in_play, smallest_margins
from allocator.engine.kernel.columns import Columns
from allocator.engine.losses import solve_losses
from allocator.engine.program import nodes_of
from allocator.engine.search import Search
from allocator.records.progress import Progress
from allocator.records.solution import Stop

AMOUNTS = 300
"""Amounts that may move beside those of the alternatives in play: the cheapest ones to move."""
OFFERS = 6_000
"""Offers at most in a core: more take the solver longer to read than to improve on."""
FIRST = 300
"""Borrowers with an alternative in the first core at most, where the gap asked for would let in more."""
NODES = 1_000_000
"""Nodes of a core's tree search, times its offers."""
_GROWTH = 4.0
_ROUNDS = 20
"""Thresholds at most: the last ones are as large as what the book earns."""
_LEAST = 1e-9
"""The least threshold, in the largest loan: below, whole cents leave nothing to find."""
_ENOUGH = 0.02
"""Part of the threshold that the solver need not close."""
_COARSE = 1e-8
"""Gap asked for from which the first allocation that meets it will do; a finer core is soon solved out."""
_MET = 0.9
"""Part of a coarse gap at which that is so: the rest is room for rounding."""
_BETTER = 0.9
"""Part of the loss that a core has to leave for another one to be worth its time."""


def close(
    search: Search, priced: PricedPoint, work: float, progress: Progress, *, first: bool = False
) -> Stop:
    """Solves cores in loss form while they bring better allocations; says why it ended.

    `work` multiplies the nodes of each core. With `first` the first allocation that one brings will do.
    """
    columns = search.book.columns
    least = columns.money_unit * _LEAST
    theta, stepped = max(_wanted_loss(search, priced), least), columns.offers.step is not None
    few = _crowded(priced, theta if stepped else least)
    if not few and (stepped or _gap_ends_search(search) or _crowded(priced, theta)):
        nearest = max(_nearest(priced), least)
        theta = max(theta, nearest) if stepped else min(theta, nearest)
    for _ in range(_ROUNDS):
        if search.done:
            return "gap"
        if search.left <= 0:
            return search.cut_short
        lost = distance(search, priced)
        theta = min(theta, lost)
        play = options_within(columns, priced, theta, few)
        if play.theta <= 0.0:  # more equal answers than a core holds: nothing tells them apart
            return "exhausted"
        before = search.best.value if search.best is not None else -np.inf
        early = stepped and _GROWTH * theta < lost
        improved = _finds_allocation(search, priced, play, 0.0 if early else work, progress)
        better = search.best is not None and search.best.value > before
        now = distance(search, priced)
        if better and first:
            return "exhausted"
        if better and now <= _BETTER * lost:
            theta = now
        elif few:
            few = False
        elif play.theta < theta or theta >= lost or ((better or improved) and _GROWTH * theta >= now):
            return "exhausted"
        else:
            theta *= _GROWTH
    return "exhausted"


def _wanted_loss(search: Search, priced: PricedPoint) -> float:
    """What an allocation may lose to meet the gap asked for."""
    return search.settings.gap * max(abs(priced.bound), 1.0)


def _gap_ends_search(search: Search) -> bool:
    """Whether what meets the gap asked for is found sooner than the best allocation."""
    return search.settings.gap >= _COARSE


def _crowded(priced: PricedPoint, theta: float) -> bool:
    """Whether a core does not hold all that lose at most `theta`: then a smaller one meets the gap sooner."""
    return 2 * int(np.count_nonzero(priced.response.margin <= theta)) > OFFERS


def _nearest(priced: PricedPoint) -> float:
    """What the alternatives of the first core's borrowers may lose."""
    margin = priced.response.margin
    nearest = smallest_margins(margin, FIRST)
    return float(margin[nearest[-1]]) if len(nearest) == FIRST else np.inf


def distance(search: Search, priced: PricedPoint) -> float:
    """What an alternative may lose and still matter: bound - value, plus the bound's rounding error."""
    if search.best is None:
        return np.inf
    return priced.bound - search.best.value + 1e-12 * abs(priced.bound)


def options_within(columns: Columns, priced: PricedPoint, theta: float, few: bool = False) -> OptionsInPlay:
    """The alternatives that lose at most `theta`, or less where a core does not hold so many of them.

    With `few` a few borrowers stand for all whom the core does not hold; what is theirs may lose `theta`.
    """
    size, least = (FIRST, theta) if few else (OFFERS, 0.0)
    play = in_play(columns, priced, size, theta, amounts=AMOUNTS, least=least)
    if len(play.options) <= OFFERS + AMOUNTS + len(priced.open):
        return play
    # A borrower's best option costs nothing, but joins with the next one.
    joins = np.maximum(play.loss, priced.response.margin[play.options.position])
    fewer = float(np.partition(joins, OFFERS)[OFFERS])
    return in_play(columns, priced, OFFERS, min(theta, fewer), amounts=AMOUNTS)


def _finds_allocation(
    search: Search, priced: PricedPoint, play: OptionsInPlay, work: float, progress: Progress
) -> bool:
    """Whether the core has an allocation, better or not than the best one."""
    count = len(play.options)
    progress(f"solving a core of {count:,} offers to {len(play.options.borrowers):,} borrowers")
    nodes = nodes_of(work * NODES, count)
    stepped = search.book.columns.offers.step is not None
    early = search.from_neighbour or stepped or _gap_ends_search(search)
    enough = priced.bound - _MET * _wanted_loss(search, priced) if early else np.inf
    effort = search.effort(_ENOUGH * play.theta, nodes, enough)
    outcome = solve_losses(search.book, priced, play, effort, search.best)
    search.keep(outcome)
    if play.covers >= play.theta and np.isfinite(outcome.bound):
        search.tighten(outcome.bound, "solver")
    return outcome.option is not None
