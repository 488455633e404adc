"""The best price list, and the proof that no other is better: best-first search over boxes of lists.

A list is priced on its own: the book that it leaves is an ordinary one. The prices found bound every other
list in one pass (posted.py), so that a few vectors of prices close nearly all of them; what they leave is
split segment by segment (Land and Doig, 1960) until a single list is left, which is priced too and, where its
bound is still above the best value known, solved.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from allocator.engine.allowance import Allowance, now
from allocator.engine.kernel.columns import Columns
from allocator.engine.list_prices import in_one_program, prices_of_list
from allocator.engine.optimise import optimise
from allocator.engine.options import options_of
from allocator.engine.posted import Lists, PricedLists, in_words, priced_lists, under, within
from allocator.engine.prices import fits_one_table, relaxation_prices
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.limits import Limits
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Booleans, Floats, Integers
from allocator.records.price_lists import PriceList
from allocator.records.progress import Progress
from allocator.records.solution import CUT_SHORT, Solution, Stop
from allocator.records.strategy import SolverSettings

_SHARE = 0.5
"""Part of the gap asked for that other lists may use up; the rest is room for rounding."""
_LEAST = 1e-12
"""No list is asked for a relative gap below this."""
_NO_LIST = "no price list has an allocation that meets every limit; with `pricing: individual` there is one"
_ROUGHLY = 0.05
"""Gap to which a list is solved before it is known to be the one that is left to be proved."""
_BOXES, _RECHECK = 20_000, 0.1
"""Boxes that are looked at at most, and the part of the time kept to recheck them."""


@dataclass
class _Box:
    """Some lists; open until it is closed by prices, by its one list's own solution, or split."""

    mask: Booleans
    """(G, K)"""
    prices: int = -1
    """The vector of prices that closes it, by its place."""
    bound: float = np.inf
    solved: Solution | None = None
    segment: int = -1
    """The segment whose rates are handed to the children."""
    children: list[_Box] = field(default_factory=list)


@dataclass
class _Search:
    """Grows as lists are priced and solved."""

    columns: Columns
    settings: SolverSettings
    progress: Progress
    priced: list[PricedLists] = field(default_factory=list)
    known: dict[tuple[int, ...], int] = field(default_factory=dict)
    """List -> the place of its own prices. Lists that differ for nobody are one."""
    solved: dict[tuple[int, ...], Solution] = field(default_factory=dict)
    best: tuple[int, ...] | None = None
    posted: PriceList = field(default_factory=dict)
    """The best list."""
    empty: set[tuple[int, ...]] = field(default_factory=set)
    """Lists that were found to admit no allocation."""
    stop: Stop = "exhausted"
    """Why a list was cut short, where one was."""
    barren: bool = False  # whether one was before it had an allocation

    def __post_init__(self) -> None:
        assert self.columns.offers.posted is not None, "the book posts rates"
        self.allowance = Allowance(self.settings, kept=_RECHECK * self.settings.time_limit)
        self.lists = Lists(self.columns.offers.posted)
        self.worst = _worst(self.columns)
        """No allocation is worth less: lists whose bound is below admit none."""
        used = self.columns.offers.menu
        concerned = self.columns.offers.posted.segment[np.unique(used[used >= 0])]
        self.matters = np.isin(np.arange(len(self.lists.rates)), concerned)

    def key(self, place: Integers) -> tuple[int, ...]:
        """What of a list (G,) matters to somebody."""
        return tuple(place[self.matters].tolist())

    def is_one(self, box: _Box) -> bool:
        """Whether all lists of a box are one to everybody."""
        return bool(np.all(box.mask[self.matters].sum(axis=1) <= 1))

    @property
    def left(self) -> float:
        """Seconds; where memory is used up none, but for a first allocation."""
        return self.allowance.left_after(self.best is not None or self.barren)

    @property
    def value(self) -> float:
        return -np.inf if self.best is None else self.solved[self.best].value

    @property
    def target(self) -> float:
        """A box whose bound is no higher is closed."""
        if self.best is None:
            return self.worst
        return self.value + max(_SHARE * self.settings.gap, _LEAST) * max(abs(self.value), 1.0)

    def price(self, place: Integers, start: Floats) -> None:
        """Prices one list."""
        posted = self.lists.named(place)
        self.progress(f"pricing the list {in_words(posted)}")
        left = under(self.columns, posted)
        own = prices_of_list(left, self.target, start, self.settings, lambda: self.left)
        self.known[self.key(place)] = len(self.priced)
        self.priced.append(priced_lists(self.columns, own))

    def solve(self, place: Integers, gap: float = 0.0) -> None:
        """Solves the book of one list to `gap`, as far as it may be better than the best one known."""
        posted, key = self.lists.named(place), self.key(place)
        self.progress(f"solving under the list {in_words(posted)}")
        left, start = under(self.columns, posted), self.priced[self.known[key]].prices
        settings = replace(self.allowance.rest(), gap=max(gap, self.settings.gap))
        large = None if in_one_program(left, settings) else start
        try:
            solution = optimise(left.offers, left.limits, settings, self.progress, large, self.target)
        except InfeasibleError:
            if not self.empty and self.best is None:
                self.refuse_whatever_the_rates()
            self.empty.add(key)
            return
        except NoAllocationError as error:
            self.stop, self.barren = error.stop, error.stop in CUT_SHORT
            return
        if solution.stopped:
            self.stop = solution.stop
        better = self.best is None or solution.value > self.value
        self.solved[key] = _together(self.solved.get(key), solution)
        if better:
            self.best, self.posted = key, posted

    def is_known_empty(self, box: _Box) -> bool:
        """Whether the solver found that the one list of a box admits no allocation."""
        return self.is_one(box) and self.key(box.mask.argmax(axis=1)) in self.empty

    def close(self, box: _Box) -> None:
        """Closes a box by the book in which each borrower may have any rate that is left to its segment.

        That says no less than its lists where at the box's prices none but single rates are worth an offer;
        else nothing is tried.
        """
        several = self.matters & (box.mask.sum(axis=1) > 1)
        if self.best is None or np.any(self.priced[box.prices].sums[several][box.mask[several]] > 0.0):
            return
        rates = zip(self.lists.segments.rates, box.mask, strict=True)
        left = [own[mask[: len(own)]] for own, mask in rates]
        book = within(self.columns, dict(zip(self.lists.segments.names, left, strict=True)))
        settings = self.allowance.rest()
        large = None if in_one_program(book, settings) else self.priced[box.prices].prices
        try:
            solution = optimise(book.offers, book.limits, settings, self.progress, large, self.target)
        except (InfeasibleError, NoAllocationError):
            return
        if solution.bound - self.value <= self.settings.gap * max(abs(solution.bound), 1.0):
            box.solved = solution

    def refuse_whatever_the_rates(self) -> None:
        """Raises InfeasibleError where rates of each borrower's own would not help either."""
        free = replace(self.columns.offers, posted=None)
        with suppress(NoAllocationError):
            optimise(free, self.columns.limits, self.allowance.rest(), self.progress)

    def bound(self, box: _Box) -> tuple[float, int, Integers]:
        """The tightest bound of a box, the place of its prices, and the best list there."""
        bounds = [self.lists.best(own.sums, box.mask) for own in self.priced]
        values = [own.constant + value for own, (value, _) in zip(self.priced, bounds, strict=True)]
        tightest = int(np.argmin(values))
        return values[tightest], tightest, bounds[tightest][1]


def optimise_lists(
    offers: OfferBook,
    limits: Limits,
    settings: SolverSettings,
    progress: Progress = lambda _: None,
    start: Floats | None = None,
) -> Solution:
    """The best allocation under one price list, with the proof over all other lists.

    `start` are prices (m,) of a neighbouring run. Raises what `optimise` raises, where no list admits an
    allocation.
    """
    search = _Search(Columns(offers, limits), settings, progress)
    if search.lists.best(np.zeros_like(search.lists.rates), search.lists.everything)[0] == -np.inf:
        raise InfeasibleError("the grid has no rates inside the bands that never fall from grade to grade")
    first = start
    if first is None:
        small = in_one_program(search.columns, settings)
        first = relaxation_prices(search.columns, progress).prices if small else np.zeros(len(limits))
    search.priced.append(priced_lists(search.columns, first))
    at_price = now()
    root = _Box(search.lists.everything)
    stop = _explore(search, root)
    if search.best is None and all(_is_empty(search, leaf) for leaf in _leaves(root)):
        if not search.empty:  # prices alone closed every list
            search.refuse_whatever_the_rates()
        raise InfeasibleError(_NO_LIST)
    if search.best is None:
        if stop in CUT_SHORT:
            raise search.allowance.ran_out("no price list with an allocation", stop)
        raise NoAllocationError(f"no price list with an allocation was found in {_BOXES:,} boxes of lists")
    return _solution(search, root, stop, at_price)


def _worst(columns: Columns) -> float:
    """What no allocation is worth less than; -inf where nothing says so at once."""
    penalties = columns.limits.penalties
    if not fits_one_table(columns) or np.any((penalties > 0.0) & np.isfinite(penalties)):
        return -np.inf
    options = options_of(columns, np.flatnonzero(columns.offers.menu >= 0))
    worth = np.zeros(len(options.borrowers))
    for amount in (columns.offers.low, columns.offers.high):
        np.minimum.at(worth, options.owner, options.margin * amount[options.position] + options.fixed)
    return float(np.sum(worth)) * (1 + 1e-9) - 1e-9


def _explore(search: _Search, root: _Box) -> Stop:
    """Closes or splits boxes, the highest bound first; says why it ended."""
    heap, count = [(-np.inf, 0, root)], 1
    while heap:
        _, _, box = heapq.heappop(heap)
        box.bound, box.prices, place = search.bound(box)
        if search.left <= 0 or count > _BOXES:
            return search.allowance.cut_short if search.left <= 0 else "exhausted"
        if box.bound <= search.target:
            continue
        _look_at(search, box, place)
        if box.bound <= search.target or search.is_one(box):
            continue
        if search.left > 0:
            search.close(box)
        if box.solved is not None:
            continue
        for child in _split(search, box):
            heapq.heappush(heap, (-child.bound, count, child))
            count += 1
    return "gap" if _meets_gap(search, root) else search.stop


def _look_at(search: _Search, box: _Box, place: Integers) -> None:
    """Prices, and if need be solves, the most promising list of a box; its prices may close the box."""
    key = search.key(place)
    if key not in search.known:
        search.price(place, search.priced[box.prices].prices)
    own = search.priced[search.known[key]]
    alone = own.constant + float(np.sum(own.sums[np.arange(len(place)), place]))
    if alone > search.target and key not in search.solved and search.left > 0:
        search.solve(place, _ROUGHLY)
    box.bound, box.prices, _ = search.bound(box)
    if not search.is_one(box):
        return
    rough = search.solved.get(key)
    if rough is not None and min(rough.bound, box.bound) > search.target and search.left > 0:
        search.solve(place)
    box.solved = search.solved.get(key)


def _together(rough: Solution | None, solution: Solution) -> Solution:
    """What two solutions of one list say together: the better allocation, the later proof."""
    if rough is None or solution.value >= rough.value:
        return solution
    last = {name: getattr(solution, name) for name in ("prices", "bound", "proof", "stop", "tree")}
    return replace(rough, **last)


def _split(search: _Search, box: _Box) -> Sequence[_Box]:
    """Hands the rates of one segment to children: what prices close by groups, each other rate alone.

    The segment is the one with the fewest rates that stay open. Returns the open children.
    """
    through = np.array([own.constant + search.lists.through(own.sums, box.mask) for own in search.priced])
    tightest = np.argmin(through, axis=0)
    bounds = np.take_along_axis(through, tightest[None], axis=0)[0]
    several = np.flatnonzero(search.matters & (box.mask.sum(axis=1) > 1))
    left = np.sum(box.mask[several] & (bounds[several] > search.target), axis=1)
    box.segment = int(several[np.argmin(left)])
    box.children = _divided(search, box, bounds[box.segment], tightest[box.segment])
    return [child for child in box.children if child.bound > search.target]


def _divided(search: _Search, box: _Box, bounds: Floats, tightest: Integers) -> list[_Box]:
    """The children that the rates of a box's segment make, with their `bounds` (K,) by prices in places."""
    closed: dict[int, _Box] = {}
    children = []
    for k in np.flatnonzero(box.mask[box.segment]).tolist():
        mask = box.mask.copy()
        mask[box.segment] = False
        mask[box.segment, k] = True
        child = _Box(mask, int(tightest[k]), float(bounds[k]))
        if child.bound > search.target:
            children.append(child)
        elif child.prices in closed:
            group = closed[child.prices]
            group.mask |= mask
            group.bound = max(group.bound, child.bound)
        else:
            closed[child.prices] = child
    return [*children, *closed.values()]


def _leaves(box: _Box) -> Sequence[_Box]:
    return [leaf for child in box.children for leaf in _leaves(child)] if box.children else [box]


def _is_empty(search: _Search, leaf: _Box) -> bool:
    """Whether no list of a leaf admits an allocation."""
    return search.is_known_empty(leaf) or leaf.bound <= search.worst


def _meets_gap(search: _Search, root: _Box) -> bool:
    bound = max(_proved(search, leaf) for leaf in _leaves(root))
    return bound - search.value <= search.settings.gap * max(abs(bound), 1.0)


def _proved(search: _Search, leaf: _Box) -> float:
    """The tightest bound of a leaf, the solver's word included."""
    if search.is_known_empty(leaf):
        return -np.inf
    return leaf.bound if leaf.solved is None else min(leaf.solved.bound, leaf.bound)


def _solution(search: _Search, root: _Box, stop: Stop, at_price: float) -> Solution:
    """The best list's solution, with the proof over all lists."""
    assert search.best is not None
    best, leaves = search.solved[search.best], _leaves(root)
    bound = max(best.value, max(_proved(search, leaf) for leaf in leaves))
    trusted = any(search.is_known_empty(leaf) for leaf in leaves)
    trusted |= any(leaf.solved is not None and leaf.solved.proof == "solver" for leaf in leaves)
    document = _document(search, root)
    certified = max(best.value, document["bound"])
    lists = {"posted": dict(search.posted), **document}
    return replace(
        best,
        bound=bound,
        proof="solver" if trusted and bound < certified else "tree",
        stop=stop,
        tree=None,
        lists=lists,
        log="\n".join([f"{len(search.known)} price lists priced, {len(search.solved)} solved", best.log]),
        seconds={"price": at_price - search.allowance.started, "solve": now() - at_price},
    )


def _document(search: _Search, root: _Box) -> dict[str, Any]:
    """The proof as plain values: nodes in an array, children by their place in it."""
    names = [row.name for row in search.columns.limits.rows]
    vectors: dict[tuple[float, ...], int] = {}
    nodes: list[dict[str, Any]] = []
    waiting: list[tuple[_Box, list[int]]] = [(root, [])]
    bound = -np.inf
    while waiting:
        box, siblings = waiting.pop()
        siblings.append(len(nodes))
        if box.children:
            children: list[int] = []
            rates = search.lists.segments.rates[box.segment]
            sides = [rates[np.flatnonzero(child.mask[box.segment])].tolist() for child in box.children]
            name = search.lists.segments.names[box.segment]
            nodes.append({"segment": name, "split": sides, "children": children})
            waiting += [(child, children) for child in reversed(box.children)]
            continue
        node = _leaf(search, box, vectors)
        nodes.append(node)
        bound = max(bound, node["tree"]["bound"] if "tree" in node else node["bound"])
    listed = [_named(names, own) for own in vectors]
    return {"bound": float(bound), "prices": listed, "nodes": nodes}


def _leaf(search: _Search, box: _Box, vectors: dict[tuple[float, ...], int]) -> dict[str, Any]:
    """A leaf closed by prices, or by the proof tree of its one list."""
    solved = box.solved
    if solved is not None and solved.tree is not None and solved.tree["bound"] < box.bound:
        return {"tree": solved.tree}
    prices, bound = search.priced[box.prices].prices, box.bound
    if solved is not None:
        own = priced_lists(search.columns, solved.prices)
        alone = own.constant + search.lists.best(own.sums, box.mask)[0]
        prices, bound = (solved.prices, alone) if alone < bound else (prices, bound)
    place = vectors.setdefault(tuple(prices.tolist()), len(vectors))
    return {"prices": place, "bound": float(bound)}


def _named(names: Sequence[str], prices: Sequence[float]) -> Mapping[str, float]:
    return {name: price for name, price in zip(names, prices, strict=True) if price != 0.0}
