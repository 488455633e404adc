"""A proof tree as part of a solution: when one is grown, and how it is written down.

The format is that of docs/decisions (proof tree); borrowers are positions in the portfolio here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from allocator.engine.cores import PricedPoint
from allocator.engine.kernel.columns import Columns
from allocator.engine.restricted import Book, book_of
from allocator.engine.search import Search, candidate
from allocator.engine.tree import Node, Tree, TreeGoal, grow
from allocator.records.limits import Limits
from allocator.records.lots import CENT
from allocator.records.portfolio import Booleans, Codes, Floats
from allocator.records.progress import Progress

_NEAR_UP_TO = 100_000
"""Borrowers up to which a tree is grown: whoever rechecks it reads every option as one dense table."""
LEAVES = 1_000
"""A larger proof would be more than anybody reads."""
_WORK = 10_000_000
"""Leaves, times borrowers: what rechecking a tree takes."""
_CELLS = 50_000_000
"""Numbers that the table of all options may have, one per row of the limits."""
_TELL_EVERY = 50
"""Leaves between two words on progress."""
_SHARE = 0.5
"""Part of the gap asked for that a tree aims at; the rest is room for rounding."""
_LEAST = 1e-13
"""No tree aims at a relative gap below this: sums of doubles say no more."""

_ENDINGS = {
    "gap": "closed the gap",
    "leaves": "reached its leaf limit",
    "time": "ran out of time",
    "lots": "left what amounts in whole lots cost",
}


def prove(
    search: Search,
    priced: PricedPoint,
    leaves: int,
    progress: Progress,
    *,
    cents: bool = False,
) -> bool:
    """Grows a tree where prices leave a gap, of at most `leaves` in the time left; keeps it if that helps.

    With `cents` it splits amounts without a step too, by the cent: that pays in small books only.
    Better allocations met on the way join the search. Does nothing without an allocation to start
    from, or for a book too large. True where only whole cents keep bound and value apart now.
    """
    if search.best is None or search.left <= 0 or _certified(search) or not fits(search):
        return False

    book = _book(search, priced)
    rounding = book.rounding(priced.prices, book.sets)

    def offer(option: Codes, amount: Floats) -> float:
        search.offer(candidate(search.book, option, amount))
        return _target(search, rounding)

    def tell(leaves: int, bound: float) -> None:
        if leaves % _TELL_EVERY == 0:
            progress(f"proof tree of {leaves:,} leaves: bound {bound:,.2f}")

    progress("growing a proof tree")
    lot = search.book.columns.offers.step or (CENT if cents else None)
    leaves = min(leaves, _WORK // max(len(search.book.columns), 1))
    goal = TreeGoal(_target(search, rounding), leaves, lot, offer, lambda: search.left, tell)
    tree = grow(book, priced.prices, goal)
    bound = float(max(tree.bound, search.best.value)) + _summation(tree)
    search.log.append(f"proof tree: {tree.leaves} leaves, bound {bound!r}; {_ENDINGS[tree.ending]}")
    if bound < search.certified:
        search.tree = document(tree, bound, given_of(search))
        search.tighten(bound, "tree")
    columns = search.book.columns
    # At a vertex as many amounts as there are limits lie off their ends, each worth less than 1 a unit.
    in_cents = tree.ending == "lots" and columns.offers.step is None
    return in_cents and bound - search.best.value <= CENT * len(columns.limits)


def prove_below(
    columns: Columns,
    prices: Floats,
    enough: float,
    left: Callable[[], float],
    offer: Callable[[Codes, Floats], None] = lambda _option, _amount: None,
) -> tuple[float, dict[str, Any]]:
    """A tree grown from `prices` (m,) until no allocation of a book that fits is worth more than `enough`.

    It needs no allocation to start from, and there may be none: then its leaves are empty. `offer` is told of
    those it meets, which may break a limit. Returns what it proves, as far as it went, too.
    """

    def met(option: Codes, amount: Floats) -> float:
        offer(option, amount)
        return enough

    leaves = min(LEAVES, _WORK // max(len(columns), 1))
    goal = TreeGoal(enough, leaves, columns.offers.step or CENT, met, left)
    tree = grow(book_of(columns), prices, goal)
    bound = tree.bound + _summation(tree)
    return bound, document(tree, bound, columns.limits.rhs)


def _book(search: Search, priced: PricedPoint) -> Book:
    """Every option of a book priced as one table; else those that a cut at the prices may leave."""
    columns = search.book.columns
    if not search.reduced:
        return book_of(columns)
    assert search.best is not None
    return book_of(
        columns, priced.response, 2.0 * max(priced.bound - search.best.value, 0.0) + 1e-9 * columns.money_unit
    )


def _summation(tree: Tree) -> float:
    """What another order of summation may add to a node's bound, where large terms cancel to a small one.

    A margin is what interest, losses and costs leave of a unit lent: so amounts count in full.
    """
    options, high = tree.book.options, tree.book.columns.offers.high[tree.book.options.position]
    worth = high + np.abs(options.margin * high + options.fixed)
    most = np.zeros(len(options.borrowers))
    np.maximum.at(most, options.owner, worth)
    terms = float(np.abs(tree.book.rhs) @ np.abs(tree.nodes[0].prices)) + float(np.sum(most))
    return 8 * float(np.finfo(np.float64).eps) * terms


def fits(search: Search) -> bool:
    """Whether the book is small enough for a proof tree."""
    return (cut_fits if search.reduced else table_fits)(search.book.columns)


def table_fits(columns: Columns) -> bool:
    """Whether a table of all options is small enough for a tree."""
    longest = max((len(menu.rates) for menu in columns.offers.menus), default=0)
    return len(columns) * longest * len(columns.limits) <= _CELLS


def cut_fits(columns: Columns) -> bool:
    """Whether a tree over what a cut leaves is small enough to be rechecked."""
    return len(columns) <= _NEAR_UP_TO and len(columns) * len(columns.limits) <= _CELLS


def _certified(search: Search) -> bool:
    """Whether what can be rechecked meets the gap asked for."""
    assert search.best is not None
    near = search.settings.gap * max(abs(search.certified), 1.0)
    return search.certified - search.best.value <= near or search.certified <= search.enough


def _target(search: Search, rounding: float) -> float:
    """The bound that meets the gap asked for, if rounding leaves it."""
    assert search.best is not None
    value = float(search.best.value)
    near = value + max(max(_SHARE * search.settings.gap, _LEAST) * max(abs(value), 1.0), 2 * rounding)
    return max(near, search.enough)


def price(search: Search, priced: PricedPoint) -> None:
    """Keeps what `priced` proves: by its prices alone, or as a tree of one leaf where limits are rounded."""
    if search.given is None:
        search.tighten(priced.bound, "prices")
        return
    columns = search.book.columns
    terms = np.abs(columns.limits.rhs) @ np.abs(priced.prices) + np.sum(np.abs(priced.response.reduced))
    bound = priced.bound + 8 * float(np.finfo(np.float64).eps) * float(terms)
    names = [row.name for row in columns.limits.rows]
    leaf = _leaf(priced.prices, bound, names)
    search.tree = {
        "bound": bound,
        "lots": lots_of(columns.limits, columns.limits.rhs, search.given),
        "nodes": [leaf],
    }
    search.tighten(bound, "tree")


def given_of(search: Search) -> Floats:
    """(m,) right-hand sides as the policy has them."""
    return search.book.columns.limits.rhs if search.given is None else search.given


def document(tree: Tree, bound: float, given: Floats) -> dict[str, Any]:
    """The tree as plain values that prove `bound`: nodes in an array, children by their place in it.

    `given` (m,) are the right-hand sides as the policy has them.

    A node that lies no higher than that is written as a leaf, whatever grew below it.
    """
    names = [row.name for row in tree.book.columns.limits.rows]
    nodes: list[dict[str, Any]] = []
    waiting: list[tuple[Node, list[int]]] = [(tree.nodes[0], [])]
    while waiting:
        node, siblings = waiting.pop()
        siblings.append(len(nodes))
        if node.split is None or node.bound <= bound:
            nodes.append(_priced(node, names))
            continue
        if node.cut is not None:
            nodes.append({**_priced(node, names), "keeps": node.cut, "children": [len(nodes) + 1]})
        children: list[int] = []
        nodes.append({**_split(tree.book, node), "children": children})
        waiting += [(tree.nodes[child], children) for child in reversed(node.children)]
    return {"bound": bound, "lots": lots_of(tree.book.columns.limits, tree.book.rhs, given), "nodes": nodes}


def _priced(node: Node, names: list[str]) -> dict[str, Any]:
    return _leaf(node.prices, node.bound, names)


def _leaf(prices: Floats, bound: float, names: list[str]) -> dict[str, Any]:
    own = {name: price for name, price in zip(names, prices.tolist(), strict=True) if price != 0.0}
    return {"prices": own, "bound": bound}


def _split(book: Book, node: Node) -> dict[str, Any]:
    split = node.split
    assert split is not None
    borrower = int(book.options.borrowers[split.borrower])
    if split.amount is not None:
        return {"borrower": borrower, "amounts": split.amount}
    assert split.options is not None
    first, second = (_rates(book, split.borrower, side) for side in split.options)
    if node.sets.no_offer[split.borrower]:
        second.append("none")
    return {"borrower": borrower, "split": [first, second]}


def _rates(book: Book, borrower: int, side: Booleans) -> list[Any]:
    return list(book.options.rate[book.lines(borrower)][side].tolist())


def lots_of(limits: Limits, rhs: Floats, given: Floats) -> dict[str, float]:
    """Rows whose right-hand side is rounded to whole lots, and what new offers may use of them then."""
    return {limits.rows[j].name: float(rhs[j]) for j in np.flatnonzero(rhs != given)}
