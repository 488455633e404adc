"""The proof tree: a bound for books where one price vector leaves a gap, closed by cases.

A leaf has prices of its own, which bound every allocation of the leaf (restricted.py). Two kinds of
inner node lead there. A *split* hands what one borrower may get to two sides that cover it. A *cut*
drops every choice that loses more than a distance D at its prices: an allocation that takes one is
worth less than U - D, and D is such that this is no more than the tree claims (reduced-cost fixing,
Dembo and Hammer, 1980). So the largest bound of any leaf, or the claim where that is more, bounds
every allocation, and NumPy can recheck it (certification/tree.py).

Best-first search (Land and Doig, 1960) splits only nodes that every proof of the same kind must split.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from allocator.engine.branching import Split, choose, splits_of
from allocator.engine.pool import Pool, PoolAnswer
from allocator.engine.restricted import Book, ChoiceSets
from allocator.engine.settling import settle
from allocator.engine.solving import OutOfTimeError
from allocator.records.portfolio import Codes, Floats

_ROUNDS = 50
"""Times at most that a node's LP is solved while options that beat the pool join it."""
_HALVINGS = 60
"""Times that the way to prices which prove too much is halved at most."""
_SETTLED = 1e-3
"""The pool is good enough when what it lacks is this part of the gap still to close."""
_CUT_AGAIN = 0.7
"""Choices are dropped anew where the distance has shrunk to this part of the last one on the way."""
_SETTLE_EVERY = 8
"""Nodes between two tries to make an allocation of a node's LP point."""

_REGROW = 0.5
"""A tree is grown anew where a better allocation leaves this part of the gap that it began with."""

Ending = Literal["gap", "leaves", "time", "lots", "regrow"]
"""Why a tree stopped growing: its bound met the target, or the leaf or the time limit did; or the LP point
of its highest node is whole, so that only amounts off the lot (the cent) keep bound and value apart."""


@dataclass
class Node:
    """A part of all allocations; a leaf until it is split."""

    sets: ChoiceSets
    prices: Floats
    """(m,)"""
    bound: float
    """U at `prices`, rounded up."""
    distance: float
    """D of the last cut, here or on the way here."""
    answer: PoolAnswer | None = None
    """The LP's optimum, for as long as the node may be split."""
    cut: float | None = None
    """D of the cut made here before the split."""
    split: Split | None = None
    children: tuple[int, ...] = ()


@dataclass
class Tree:
    """A growing tree; node 0 is the root."""

    book: Book
    """What the cut at the root left: splits name its borrowers."""
    nodes: list[Node]
    claimed: float
    """The highest target that a cut relied on; -inf without cuts."""
    ending: Ending

    @property
    def leaves(self) -> int:
        return sum(node.split is None for node in self.nodes)

    @property
    def bound(self) -> float:
        """What the tree proves."""
        return max(self.claimed, max(node.bound for node in self.nodes if node.split is None))


@dataclass
class TreeGoal:
    """What a tree is grown for."""

    target: float
    """A node whose bound is no higher is closed; a better allocation raises it."""
    leaves: int
    lot: float | None
    """What amounts are split in; None: choices are all that is split."""
    offer: Callable[[Codes, Floats], float]
    """Is told of allocations, which may break a limit; returns the target from then on."""
    left: Callable[[], float]
    """Seconds."""
    progress: Callable[[int, float], None] = lambda leaves, bound: None


def grow(book: Book, prices: Floats, goal: TreeGoal) -> Tree:
    """The tree grown from `prices` until its bound meets the goal's target, or as far as it goes.

    Where the book holds what a cut at `prices` may leave alone, they are the root's as they are.
    """
    root = Node(book.sets, prices, book.proved(prices, book.sets), np.inf)
    tree = Tree(book, [root], -np.inf, "time")
    if book.near < np.inf:
        tree.ending = "gap" if root.bound <= goal.target else "regrow"
    else:
        tree = _at_better_prices(tree, goal)
    while tree.ending == "regrow":
        root = replace(tree.nodes[0], cut=None, split=None, children=())
        tree = _grown(book, root, goal)
    return tree


def _at_better_prices(tree: Tree, goal: TreeGoal) -> Tree:
    """The root alone, at prices that every option of the book has had a say in."""
    book, root = tree.book, tree.nodes[0]
    prices = root.prices
    with suppress(OutOfTimeError):
        pool = Pool(book, prices, max(root.bound - goal.target, 0.0), goal.left)
        root = _bounded(pool, book.sets, prices, np.inf, goal.target)
        tree = Tree(book, [root], -np.inf, "gap" if root.bound <= goal.target else "regrow")
    return tree


def _grown(book: Book, root: Node, goal: TreeGoal) -> Tree:
    """One tree, over the few choices that a cut at the root leaves."""
    sets, distance = book.within(root.prices, book.sets, root.bound - goal.target)
    if distance > book.near:
        return Tree(book, [root], -np.inf, "leaves")
    cut_book = book.contracted(sets)
    pool = Pool(cut_book, root.prices, distance, goal.left)
    first = replace(root, sets=cut_book.sets, distance=distance, cut=distance)
    tree = Tree(cut_book, [first], goal.target, "time")
    with suppress(OutOfTimeError):
        first.answer = pool.solve(cut_book.sets)
        tree.ending = _search(tree, pool, goal)
    return tree


def _search(tree: Tree, pool: Pool, goal: TreeGoal) -> Ending:
    """Splits the highest node until it is low enough; says why it stopped."""
    heap = [(-tree.nodes[0].bound, 0)]
    leaves = 1
    far = _REGROW * (tree.nodes[0].bound - tree.claimed)
    while (node := tree.nodes[heap[0][1]]).bound > goal.target:
        if leaves >= goal.leaves or goal.left() <= 0:
            return "leaves" if leaves >= goal.leaves else "time"
        splits = _splits(tree, pool, node, goal)
        whole = not splits or splits[0].evenness == 0.0
        if whole or leaves % _SETTLE_EVERY == 1:
            _settle(pool, node, goal, whole)
            if tree.nodes[0].bound - goal.target <= far:
                return "regrow"
            if node.bound <= goal.target:
                continue
        if not splits:
            return "lots"
        heapq.heappop(heap)
        for child in _split(tree, pool, node, splits, goal.target):
            heapq.heappush(heap, (-tree.nodes[child].bound, child))
        leaves += 1
        goal.progress(leaves, -heap[0][0])
    return "gap"


def _splits(tree: Tree, pool: Pool, node: Node, goal: TreeGoal) -> list[Split]:
    """What `node` can be split at, after a cut where that pays."""
    target = goal.target
    if node.cut is None and node.bound - target <= _CUT_AGAIN * node.distance:
        node.sets, node.cut = pool.book.within(node.prices, node.sets, node.bound - target)
        node.distance = node.cut
        tree.claimed = max(tree.claimed, target)
    return splits_of(pool.book, node.sets, _answer(node), goal.lot)


def _settle(pool: Pool, node: Node, goal: TreeGoal, whole: bool) -> None:
    """Offers what the node's LP point suggests: its own amounts too where it is `whole`, at first."""
    for sets in (node.sets, pool.book.sets) if whole else (pool.book.sets,):
        settled = settle(pool, _answer(node), sets)
        if settled is not None:
            goal.target = max(goal.target, goal.offer(*settled))


def _answer(node: Node) -> PoolAnswer:
    assert node.answer is not None, "an open node keeps its LP's optimum"
    return node.answer


def _split(tree: Tree, pool: Pool, node: Node, splits: list[Split], target: float) -> tuple[int, ...]:
    """Splits `node` and bounds both sides; returns their indices."""
    pool.solve(node.sets)
    split = choose(pool, splits, node.bound, target)
    if split.amount is not None:
        for side in split.sides:
            pool.cover(side, split.borrower)
    basis = pool.basis
    sides = []
    for side in split.sides:
        pool.restart(basis)
        sides.append(_bounded(pool, side, node.prices, node.distance, target))
    first = len(tree.nodes)
    tree.nodes += sides
    node.split, node.answer, node.children = split, None, (first, first + 1)
    return node.children


def _smaller_prices(
    book: Book, sets: ChoiceSets, node: Node, prices: Floats, target: float
) -> tuple[Floats, float]:
    """`prices`, or such as lie between them and the node's own and prove the target as well.

    An empty node's prices have no end: the further they go, the less doubles say of the bound.
    """
    bound = book.proved(prices, sets)
    if bound > target or node.bound <= target:
        return prices, bound
    near, far = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        if book.proved(node.prices + middle * (prices - node.prices), sets) <= target:
            far = middle
        else:
            near = middle
        if far - near <= 0.1 * far:
            break
    prices = node.prices + far * (prices - node.prices)
    return prices, book.proved(prices, sets)


def _bounded(pool: Pool, sets: ChoiceSets, prices: Floats, distance: float, target: float) -> Node:
    """The node of `sets`, with its parent's prices or the better ones of its own LP.

    The pool grows until what it lacks no longer matters, or the bound is down at the target.
    """
    node = Node(sets, prices, pool.book.proved(prices, sets), distance)
    for _ in range(_ROUNDS):
        if node.bound <= target:
            break
        node.answer = pool.solve(sets)
        best = pool.book.evaluate(node.answer.prices, sets)
        if pool.book.proved(node.answer.prices, sets) < node.bound:
            node.prices, node.bound = _smaller_prices(pool.book, sets, node, node.answer.prices, target)
        lacking = best.bound - node.answer.value
        if lacking > max(_SETTLED * (best.bound - target), 1e-13 * abs(best.bound)):
            if not pool.improve(best, node.answer.prices, sets, 0.5 * lacking / len(pool.book)):
                break
        elif not (node.answer.breaks_limits and node.bound > target and pool.harden()):
            break
    return node
