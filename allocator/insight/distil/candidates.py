"""Trees that rules are pruned from: grown from a sample for prices and ones near, then over everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from allocator.engine.kernel.columns import Columns
from allocator.insight.distil.pruning import Pruning, answers_of, prune
from allocator.insight.distil.rules import Rule, rule_of
from allocator.insight.distil.totals import NodeTotals, totals_of
from allocator.insight.distil.tree import Feature, RuleNode, grow
from allocator.records.portfolio import Floats, Integers, Portfolio

SAMPLE = 15_000
"""Borrowers that a tree is grown from; the answers of its leaves are chosen over everybody."""
_SWINGS = (0.8, 1.25)
"""Factors of all prices that a tree is grown for too."""
_CHEAPER = (0.5, 0.0)
"""Factors of the budget's price alone: few rules often cannot spend it inside the other limits."""
_DEAREST = 4
"""Limits that are made dearer, each alone, for the tree to be grown for."""
_DEARER = (0.2, 0.6)
"""Parts of the budget's price by which a limit is made dearer at least; a higher price is doubled."""
LEAVES = 64
"""Leaves of a tree before it is pruned to the rules wanted."""
SHARES = (1.0, 0.5, 0.2)
"""Parts of the largest loans that are tried for every node: a rule has any mixture, since amounts are linear
in it but for the smallest loans."""


@dataclass(frozen=True)
class CandidateTree:
    """A tree over some borrowers, with the choice among its nodes."""

    nodes: Sequence[RuleNode]
    members: Sequence[Integers]
    """The free borrowers of each leaf who can be offered something."""
    pruning: Pruning

    @classmethod
    def over(
        cls,
        nodes: Sequence[RuleNode],
        columns: Columns,
        members: Sequence[Integers],
        rates: Floats,
        left: Floats,
        most: int,
    ) -> CandidateTree:
        """`nodes` with what their members, one array a leaf, are worth and use."""
        paths = _paths(nodes)
        totals = _node_totals(paths, [totals_of(columns, own, SHARES, rates) for own in members])
        answers = answers_of(columns, totals, SHARES)
        return cls(nodes, members, prune(columns, answers, paths, left, most))


@dataclass(frozen=True)
class Sample:
    """The sample that trees are grown from, with its part of the limits."""

    columns: Columns
    features: Sequence[Feature]
    rates: Floats
    left: Floats

    def tree(self, prices: Floats, most: int) -> CandidateTree:
        """A tree grown for `prices` and others around them."""
        rewards = [_rewards(self.columns, self.rates, around) for around in _around(prices)]
        nodes = grow(self.features, np.stack(rewards, axis=1), LEAVES)
        members = [nodes[leaf].members for leaf in _leaves(nodes)]
        return CandidateTree.over(nodes, self.columns, members, self.rates, self.left, most)


def over_everybody(
    nodes: Sequence[RuleNode],
    portfolio: Portfolio,
    columns: Columns,
    free: Integers,
    rates: Floats,
    left: Floats,
    most: int,
) -> CandidateTree:
    """A tree grown from the sample, over all whom its nodes are about."""
    leaves = _leaves(nodes)
    leaf_of = rule_of([Rule(nodes[leaf].where, 0.0, 1.0) for leaf in leaves], portfolio)[free]
    members = [free[leaf_of == leaf] for leaf in range(len(leaves))]
    return CandidateTree.over(nodes, columns, members, rates, left, most)


def _leaves(nodes: Sequence[RuleNode]) -> list[int]:
    parents = {node.parent for node in nodes}
    return [number for number in range(len(nodes)) if number not in parents]


def _paths(nodes: Sequence[RuleNode]) -> Floats:
    """(leaves, nodes) 1 where the node is the leaf or above it."""
    leaves = _leaves(nodes)
    paths = np.zeros((len(leaves), len(nodes)))
    for row, leaf in enumerate(leaves):
        node: int | None = leaf
        while node is not None:
            paths[row, node] = 1.0
            node = nodes[node].parent
    return paths


def _node_totals(paths: Floats, of_leaves: Sequence[NodeTotals]) -> list[NodeTotals]:
    """The totals of every node: the sums of those of its leaves."""
    summed = []
    for column in paths.T:
        own = [of_leaves[leaf] for leaf in np.flatnonzero(column).tolist()]
        summed.append(reduce(lambda a, b: NodeTotals(a.value + b.value, a.use + b.use), own))
    return summed


def sample_of(free: Integers) -> Integers:
    """Some of the borrowers who can be offered something, evenly spread through the order of identifiers."""
    return free if len(free) <= SAMPLE else free[np.linspace(0, len(free) - 1, SAMPLE).astype(np.int64)]


def _around(prices: Floats) -> list[Floats]:
    """Vectors of prices near `prices` (m,), the budget's first: all lower or higher, the dearest dearer, and
    the budget cheaper."""
    dear = np.argsort(-np.abs(prices), kind="stable")
    alone = [row for row in dear[: _DEAREST + 1].tolist() if row and prices[row]][:_DEAREST]
    vectors = [prices, *(factor * prices for factor in _SWINGS)]
    for factor in _CHEAPER:
        vectors.append(prices.copy())
        vectors[-1][0] *= factor
    for row in alone:
        for share in _DEARER:
            dearer = prices.copy()
            dearer[row] += np.sign(prices[row]) * max(abs(prices[row]), share * abs(prices[0]))
            vectors.append(dearer)
    return vectors


def _rewards(few: Columns, rates: Floats, prices: Floats) -> Floats:
    """(s, R) reduced value of the largest loan at each rate; 0, no offer, where it may not be offered."""
    offers = few.offers
    slope_rate, slope, flat, drawn_fixed, fixed = few.charged(prices)
    rewards = np.zeros((len(few), len(rates)))
    for number, menu in enumerate(offers.menus):
        own = np.flatnonzero(offers.menu == number)
        held = np.searchsorted(rates, menu.rates)
        for r, rate, take in zip(held, menu.rates, menu.take_up, strict=True):
            if r < len(rates) and rates[r] == rate:
                unit = take * (rate * slope_rate[own] + slope[own]) + flat[own]
                rewards[own, r] = unit * offers.high[own] + take * drawn_fixed[own] + fixed[own]
    return rewards
