"""A tree over the borrowers' columns, grown so that one rate per leaf earns most.

At prices lambda the worth of an offer is its reduced value (formulation.md, section 4), so limits need not
be looked at while the tree grows: the reward of a leaf is the largest, over the rates and no offer, of the
sum of its members' reduced values at their largest loans. The leaf whose best split adds most reward is
split next (a policy tree, grown greedily: Athey and Wager, Policy Learning with Observational Data, 2021).
Few rules pay other prices than the optimum does, so a tree is grown for several vectors of prices at once:
then it splits where any of them would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from allocator.records.conditions import Condition
from allocator.records.portfolio import Codes, Floats, Integers, Portfolio
from allocator.records.stress import APART

_BINS = 64
"""Cuts of a number column that are tried: quantiles of the sample."""
SMALLEST = 1e-6
"""Share of the whole reward below which a split is not worth a rule."""


@dataclass(frozen=True)
class Feature:
    """A column cut into bins: of a number by `edges`, of a text one a value."""

    column: str
    bins: Codes
    """(s,) bin of each borrower of the sample."""
    edges: Floats | None
    """Bin b holds values in (edges[b - 1], edges[b]]."""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleNode:
    """Who is in it, as tests and as members of the sample."""

    where: tuple[Condition, ...]
    members: Integers
    reward: float
    """What the best single answer earns at each vector of prices, added up."""
    parent: int | None = None
    """Index among the nodes."""


_Split = tuple[float, tuple[tuple[Condition, Integers], tuple[Condition, Integers]]]
"""The reward that a split adds, and both sides: their test and members."""


def features_of(portfolio: Portfolio, sample: Integers) -> list[Feature]:
    """The columns that tell borrowers of the sample apart: canonical ones and those that limits read.

    A text column that some borrower lacks is left out: a rule could not name him. So are the figures that a
    mean over stresses keeps apart: they are columns of no table.
    """
    brought = [name for name in portfolio.numbers if name not in APART.values()]
    numbers = ("pd", "lgd", "max_amount", "term_years", "relationship_value", "exposure", *brought)
    features = [_of_number(name, portfolio.number(name)[sample]) for name in numbers]
    for name in ("grade", *portfolio.texts):
        column = portfolio.text(name)
        features.append(Feature(name, column.codes[sample], None, column.values))
    return [feature for feature in features if feature.bins.min() >= 0 and np.ptp(feature.bins) > 0]


def _of_number(column: str, values: Floats) -> Feature:
    """Missing and infinite values share the last bin, which no upper edge closes."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return Feature(column, np.zeros(len(values), dtype=np.int32), np.zeros(0))
    quantiles = np.quantile(finite, np.linspace(0, 1, _BINS + 1)[1:], method="lower")
    edges = np.unique(_rounded_edges(quantiles))
    return Feature(column, np.searchsorted(edges, values).astype(np.int32), edges)


def _rounded_edges(values: Floats) -> Floats:
    """`values` to three digits: a rule that people keep in mind."""
    with np.errstate(divide="ignore"):
        scale = 10.0 ** np.floor(np.log10(np.abs(np.where(values == 0, 1.0, values))) - 2)
    return np.array([float(f"{value:.3g}") for value in np.round(values / scale) * scale])


def grow(features: Sequence[Feature], rewards: Floats, leaves: int) -> list[RuleNode]:
    """Every node of a tree of at most `leaves` leaves, the root first, parents before their children.

    `rewards` (s, P, R): worth of each rate at each of P vectors of prices to each borrower of the sample; a
    that of no offer is 0.
    """
    nodes = [_node((), np.arange(len(rewards)), rewards, None)]
    threshold = SMALLEST * float(np.maximum(rewards.max(axis=2, initial=0.0), 0.0).sum())
    splits = {0: _best_split(nodes[0], features, rewards)}
    while len(splits) < leaves:
        worth = {leaf: split for leaf, split in splits.items() if split is not None and split[0] > threshold}
        if not worth:
            break
        parent = max(worth, key=lambda node: worth[node][0])
        del splits[parent]
        for test, members in worth[parent][1]:
            child = _node(_narrowed(nodes[parent].where, test), members, rewards, parent)
            splits[len(nodes)] = _best_split(child, features, rewards)
            nodes.append(child)
    return nodes


def _node(where: tuple[Condition, ...], members: Integers, rewards: Floats, parent: int | None) -> RuleNode:
    return RuleNode(where, members, float(_reward(rewards[members].sum(axis=0))), parent)


def _reward(sums: Floats) -> Floats:
    """(...,) of the best single answer at each vector of prices, added up; `sums` (..., P, R)."""
    return np.asarray(np.maximum(sums.max(axis=-1), 0.0).sum(axis=-1))


def _best_split(node: RuleNode, features: Sequence[Feature], rewards: Floats) -> _Split | None:
    """The split that adds most reward, the first of equal ones."""
    own = rewards[node.members]
    best: tuple[float, Feature, Codes, int] | None = None
    for feature in features:
        for gain, order, cut in _cuts(node, feature, own):
            if best is None or gain > best[0]:
                best = (gain, feature, order, cut)
    if best is None:
        return None
    gain, feature, order, cut = best
    inside = np.isin(feature.bins[node.members], order[: cut + 1])
    left, right = _tests(feature, order, cut)
    return gain, ((left, node.members[inside]), (right, node.members[~inside]))


def _cuts(node: RuleNode, feature: Feature, own: Floats) -> Iterator[tuple[float, Codes, int]]:
    """The best cut of the node along `feature`: its gain, the order of the bins, the last bin on the left.

    Values of a text are ordered by what the node's best rate earns from them, then cut like a number.
    """
    bins = feature.bins[node.members]
    width = int(bins.max(initial=0)) + 1
    member = np.arange(len(own))
    of_bins = sparse.csr_array((np.ones(len(own)), (bins, member)), shape=(width, len(own)))
    sums = np.asarray(of_bins @ own.reshape(len(own), -1))
    present = np.flatnonzero(np.bincount(bins, minlength=width))
    if len(present) < 2:
        return
    if feature.edges is None:
        best = int(np.argmax(own[:, 0].sum(axis=0)))
        counts = np.bincount(bins, minlength=width)[present]
        order = present[np.lexsort((present, -sums[present, best] / counts))]
    else:
        order = present
    running = np.cumsum(sums[order], axis=0).reshape(len(order), *own.shape[1:])
    gain = _reward(running[:-1]) + _reward(running[-1] - running[:-1]) - node.reward
    cut = int(np.argmax(gain))
    yield float(gain[cut]), order.astype(np.int32), cut


def _tests(feature: Feature, order: Codes, cut: int) -> tuple[Condition, Condition]:
    """The two sides in words."""
    if feature.edges is None:
        left, right = (
            Condition(feature.column, tuple(sorted(feature.values[code] for code in side)))
            for side in (order[: cut + 1], order[cut + 1 :])
        )
        return left, right
    edge = float(feature.edges[order[cut]])
    return Condition(feature.column, at_most=edge), Condition(feature.column, above=edge)


def _narrowed(where: tuple[Condition, ...], test: Condition) -> tuple[Condition, ...]:
    """`where` and `test`, as one condition a column."""
    before = next((condition for condition in where if condition.column == test.column), None)
    if before is None:
        return (*where, test)
    if not test.is_range:
        joined = test
    else:
        above = [edge for edge in (before.above, test.above) if edge is not None]
        most = [edge for edge in (before.at_most, test.at_most) if edge is not None]
        joined = Condition(test.column, above=max(above, default=None), at_most=min(most, default=None))
    return tuple(joined if condition is before else condition for condition in where)
