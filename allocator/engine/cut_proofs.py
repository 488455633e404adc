"""What an allocation found by cuts proves at the bounds on the index as the policy has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from allocator.engine.convex import CutsSoFar
from allocator.engine.cores import COUNTED_BORROWERS
from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import Columns
from allocator.engine.proof import prove_below, table_fits
from allocator.records.cuts import Cut
from allocator.records.limits import Limits
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Codes, Floats
from allocator.records.solution import Solution
from allocator.records.strategy import SolverSettings

_ROUNDS = 40
"""Trees, each over the cuts of what the one before it met."""
_LEAST = 1e-12
"""Relative gap that no proof aims below."""

Compiled = Callable[[Sequence[Cut], float], Limits]
"""The limits with some cuts, the bounds on the index tightened by a part of themselves."""


def with_used_cuts(solution: Solution, limits: Limits, cuts: Sequence[Cut], compiled: Compiled) -> Solution:
    """The solution without the cuts that have no price, here or in a node of its tree.

    What bounds were tightened by is no part of a solver's word on the bound, which is left out.
    """
    names = [row.name for row in limits.rows]
    prices = dict(zip(names, solution.prices.tolist(), strict=True))
    nodes = [] if solution.tree is None else solution.tree["nodes"]
    priced = {
        name for own in (prices, *(node.get("prices", {}) for node in nodes)) for name in own if own[name]
    }
    kept = tuple(cut for cut in cuts if cut.name in priced)
    rows = compiled(kept, 0.0).rows
    tree = solution.tree
    if tree is not None:
        dropped = {cut.name for cut in cuts} - {cut.name for cut in kept}
        lots = {name: room for name, room in tree.get("lots", {}).items() if name not in dropped}
        tree = {**tree, "lots": lots, "nodes": [_without(node, dropped) for node in nodes]}
    return replace(
        solution,
        prices=np.array([prices[row.name] for row in rows]),
        cuts=kept,
        tree=tree,
        proof="prices" if tree is None else "tree",
    )


def _without(node: Mapping[str, object], names: set[str]) -> dict[str, object]:
    """A node of a tree without the prices, all 0, of `names`."""
    prices = node.get("prices")
    if not isinstance(prices, Mapping):
        return dict(node)
    return {**node, "prices": {name: price for name, price in prices.items() if name not in names}}


def as_written(solution: Solution, offers: OfferBook, compiled: Compiled) -> Solution:
    """The solution of a small book with what its prices prove at the bounds as the policy has them."""
    columns = Columns(offers, compiled(solution.cuts, 0.0))
    return replace(
        solution, bound=dense.bound(columns, solution.prices, dense.respond(columns, solution.prices))
    )


def proved(
    solution: Solution,
    offers: OfferBook,
    compiled: Compiled,
    made: CutsSoFar,
    settings: SolverSettings,
    left: Callable[[], float],
) -> Solution:
    """The solution of a small book with a tree at the bounds as the policy has them.

    What they were tightened by is a gap there. Allocations that the tree meets and that are worth more break
    a limit that no row says, and are cut off, until none is left.
    """
    enough = solution.value + max(settings.gap / 2, _LEAST) * max(abs(solution.value), 1.0)
    start = {
        row.name: price for row, price in zip(compiled(solution.cuts, 0.0).rows, solution.prices, strict=True)
    }
    own, met = replace(made, cuts=list(solution.cuts)), list[Floats]()

    def meet(option: Codes, amount: Floats) -> None:
        met.append(np.vstack([amount, columns.take_up(option) * amount]))

    for _ in range(_ROUNDS):
        limits = compiled(own.cuts, 0.0)
        columns = Columns(offers, limits)
        if len(columns) > COUNTED_BORROWERS or not table_fits(columns) or left() <= 0:
            break
        prices = np.array([start.get(row.name, 0.0) for row in limits.rows])
        if dense.bound(columns, prices, dense.respond(columns, prices)) <= enough:
            break
        met.clear()
        bound, tree = prove_below(columns, prices, enough, left, meet)
        if bound <= solution.value + settings.gap * max(abs(solution.value), 1.0):
            closed = replace(solution, prices=prices, bound=bound, tree=tree, stop="gap")
            return with_used_cuts(closed, limits, own.cuts, compiled)
        broken = [point for point in met if not all(group.keeps(point) for group in own.groups)]
        if not broken:
            break
        for point in broken:
            own.add(point, 0.0)
    return solution
