"""Rechecks that no price list is better than the posted one, from the inputs alone: cover and bounds.

The document is {posted, bound, prices, nodes}; `posted` is the list, a rate a segment, and node 0 holds every
list. A node is
- a split {segment, split: [[rates ...], ...], children: [i, ...]}: sides that together hold every rate that
  is left to the segment;
- a leaf {prices: p, bound}: no list that is left is worth more than its bound at the prices in place p;
- a leaf {tree}: a proof tree (tree.py) over the rates that are left.
So no allocation under any list is worth more than the largest bound of a leaf, and the document's `bound`
must be no less. A list's bound at prices is U over its rates alone, and separable: a sum over segments
(docs/formulation.md, section 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf, nextafter
from typing import Any, Protocol

import numpy as np

from allocator.certification.rounding import Rounded, loose
from allocator.certification.terms import SAME_RATE, Tariffs
from allocator.errors import Fault
from allocator.records.portfolio import Booleans, Floats, Portfolio
from allocator.records.price_lists import Posting
from allocator.records.scenario import Policy

_KEYS = frozenset(("posted", "bound", "prices", "nodes"))
_NODES = (frozenset(("segment", "split", "children")), frozenset(("prices", "bound")), frozenset(("tree",)))
_REMEDY = "solve again"
_OF_NOTHING = 0.0
"""The bound that is stated where no list is left: any holds."""

Box = Mapping[str, Booleans]
"""Segment -> which of its rates are left (K,)."""


class BoundedLists(Protocol):
    """What prices prove of every list."""

    def most(self, box: Box) -> Rounded | None:
        """The bound of the best list of a box; None where no list is left."""


class Prover(Protocol):
    """Bounds and proof trees over some of the lists, in some arithmetic."""

    def bounded(self, prices: Mapping[str, float]) -> BoundedLists:
        """What `prices` by row name prove of every list."""

    def tree(self, box: Box, tree: Mapping[str, Any], *, state: bool) -> tuple[dict[str, Any], list[Fault]]:
        """A tree over the rates of a box, its bounds stated anew with `state`, and what is wrong with it."""


class _BrokenNodeError(Exception):
    """What is wrong with one node."""


@dataclass(frozen=True)
class Segments:
    """What lists choose from."""

    rates: Mapping[str, Floats]
    """Segment -> the rates that it may post (K,), ascending."""
    chains: tuple[tuple[str, ...], ...]
    """Segments, each in one chain, along which no rate may fall."""

    @classmethod
    def of(cls, portfolio: Portfolio, known: Tariffs, policy: Policy) -> Segments:
        """Of a policy that posts rates: those of the grades whose band holds one."""
        posting = policy.posting or Posting()
        grades = [grade for grade, tariff in known.tariffs.items() if len(tariff.rates)]
        values = [""]
        if posting.column is not None:
            column = portfolio.text(posting.column)
            values = [column.values[code] for code in np.unique(column.codes).tolist()]
        rates: dict[str, Floats] = {}
        chains: dict[tuple[str, ...], None] = {}
        for value in values:
            own = {posting.segment(grade, value): known.tariffs[grade].rates for grade in grades}
            if not posting.by_grade:
                own = dict.fromkeys(own, _each_once([known.tariffs[grade].rates for grade in grades]))
            rates |= own
            chains |= dict.fromkeys([tuple(own)] if posting.rising else [(name,) for name in own])
        return cls(rates, tuple(chains))

    def left(self, box: Box) -> dict[str, Floats]:
        """The rates of a box."""
        return {name: rates[box[name]] for name, rates in self.rates.items()}

    def most(self, sums: Mapping[str, Sequence[Any]], box: Box, known: dict[Any, Any]) -> Any:
        """The largest total of one of `sums` a segment over the lists of a box; None where there is none.

        What a chain adds is `known` from another box, where that leaves it the same rates.
        """
        best = []
        for chain in self.chains:
            left = (chain, *(box[name].tobytes() for name in chain))
            if left not in known:
                known[left] = self._along(chain, sums, box)
            best.append(known[left])
        return None if any(own is None for own in best) else sum(best)

    def _along(self, chain: tuple[str, ...], sums: Mapping[str, Sequence[Any]], box: Box) -> Any:
        """The part of one chain, by dynamic programming from segment to segment."""
        reached: list[tuple[float, Any]] = [(-inf, 0)]
        for name in chain:
            step = []
            for k in np.flatnonzero(box[name]).tolist():
                rate = float(self.rates[name][k])
                before = [total for last, total in reached if last <= rate + SAME_RATE]
                if before:
                    step.append((rate, max(before) + sums[name][k]))
            reached = step
        return max((total for _, total in reached), default=None)


def _each_once(rates: Sequence[Floats]) -> Floats:
    """The rates of several tariffs, ascending, of those within SAME_RATE the lowest."""
    every = np.unique(np.concatenate(rates))
    return np.asarray(every[np.append(True, np.diff(every) > SAME_RATE)])


@dataclass
class _Walk:
    """A walk over the boxes from the root."""

    document: Mapping[str, Any]
    segments: Segments
    prover: Prover
    state: bool
    """Whether bounds are stated here, whatever the document says."""
    proved: float = -inf
    highest: float = -inf
    """What may be stated of the leaves seen so far at most."""
    stated: list[Any] = field(default_factory=list)
    bounds: dict[int, BoundedLists] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def run(self) -> None:
        """Every node once, children after their parent."""
        self.stated = list(self.document["nodes"])
        waiting: list[tuple[int, Box]] = [
            (0, {name: np.ones(len(rates), dtype=bool) for name, rates in self.segments.rates.items()})
        ]
        while waiting:
            place, box = waiting.pop()
            try:
                if place in self.seen:
                    raise _BrokenNodeError("has two parents")
                self.seen.add(place)
                waiting += self._visit(place, box)
            except _BrokenNodeError as broken:
                self.faults.append(Fault(str(broken), _REMEDY, field=f"lists.nodes[{place}]"))
        left_out = len(self.stated) - len(self.seen)
        if left_out and not self.faults:
            self.faults.append(Fault(f"{left_out} nodes hang on no branch", _REMEDY, field="lists.nodes"))

    def _visit(self, place: int, box: Box) -> Iterator[tuple[int, Box]]:
        node = self.document["nodes"][place]
        if not isinstance(node, Mapping) or frozenset(node) not in _NODES:
            raise _BrokenNodeError("is neither a split nor a leaf")
        if "split" in node:
            return self._children(node, box)
        if "tree" in node:
            self._tree(place, node["tree"], box)
        else:
            self._leaf(place, node, box)
        return iter(())

    def _children(self, node: Mapping[str, Any], box: Box) -> Iterator[tuple[int, Box]]:
        segment, sides, children = node["segment"], node["split"], node["children"]
        if not isinstance(segment, str) or segment not in box:
            raise _BrokenNodeError(f"splits the segment {segment!r}, which posts no rate")
        if not isinstance(sides, list) or not sides or not all(isinstance(side, list) for side in sides):
            raise _BrokenNodeError("has no sides")
        if not isinstance(children, list) or len(children) != len(sides):
            raise _BrokenNodeError(f"has the children {children!r} where {len(sides)} were expected")
        for child in children:
            if type(child) is not int or not 0 < child < len(self.document["nodes"]):
                raise _BrokenNodeError(f"has a child {child!r}, which is no node")
        known = self.segments.rates[segment]
        held = [_listed(known, side) for side in sides]
        missing = box[segment] & ~np.any(held, axis=0)
        if missing.any():
            rates = ", ".join(map(repr, known[missing].tolist()))
            raise _BrokenNodeError(f"does not cover rate {rates} of segment {segment}")
        return ((c, {**box, segment: box[segment] & own}) for c, own in zip(children, held, strict=True))

    def _leaf(self, place: int, node: Mapping[str, Any], box: Box) -> None:
        number, vectors = node["prices"], self.document["prices"]
        if type(number) is not int or not 0 <= number < len(vectors):
            raise _BrokenNodeError(f"has the prices {number!r}, which are none of the {len(vectors)} listed")
        if number not in self.bounds:
            self.bounds[number] = self.prover.bounded(vectors[number])
        bound = self.bounds[number].most(box)
        above = _OF_NOTHING if bound is None else bound.above
        if self.state:
            if not np.isfinite(above):
                raise _BrokenNodeError("has prices so large that they prove nothing")
            self.stated[place] = {**node, "bound": above}
        elif bound is None:
            if _number(node["bound"], "bound") != _OF_NOTHING:
                raise _BrokenNodeError(f"states a bound where nothing is left, which is {_OF_NOTHING:g}")
        else:
            stated = _number(node["bound"], "bound")
            if not (stated >= bound.most and bound.reproduces(stated)):
                raise _BrokenNodeError(f"states the bound {stated!r}, its prices prove {bound.most!r}")
        if bound is not None:
            self.proved = max(self.proved, above if self.state else bound.most)
            self.highest = max(self.highest, bound.highest)

    def _tree(self, place: int, tree: Any, box: Box) -> None:
        if not isinstance(tree, Mapping):
            raise _BrokenNodeError("has a tree that is no object")
        own, faults = self.prover.tree(box, tree, state=self.state)
        self.stated[place] = {"tree": own}
        self.faults += [replace(fault, field=f"lists.nodes[{place}].{fault.field}") for fault in faults]
        if not faults:
            self.proved = max(self.proved, float(own["bound"]))
            self.highest = max(self.highest, float(own["bound"]))


def _listed(known: Floats, side: Sequence[Any]) -> Booleans:
    """(K,) which of a segment's rates a side lists."""
    rates = np.array([_number(rate, "a rate") for rate in side], dtype=float)
    same = np.abs(known[:, None] - rates[None, :]) <= SAME_RATE
    if not same.any(axis=0).all():
        raise _BrokenNodeError("lists a rate that the segment may not post")
    return np.asarray(same.any(axis=1))


def _number(value: Any, what: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
        raise _BrokenNodeError(f"has {what} {value!r} where a finite number was expected")
    return float(value)


def list_faults(
    document: Mapping[str, Any], segments: Segments, rows: Sequence[str], prover: Prover
) -> list[Fault]:
    """What keeps `document` from proving its bound, and its list from being one; empty where nothing does."""
    return _walked(document, segments, rows, prover, state=False)[1]


def stated_lists(
    document: Mapping[str, Any], segments: Segments, rows: Sequence[str], prover: Prover
) -> tuple[dict[str, Any], list[Fault]]:
    """`document` with its bounds stated here, and what keeps it from proving any."""
    walk, faults = _walked(document, segments, rows, prover, state=True)
    if walk is None or faults:
        return dict(document), faults
    return {**document, "bound": nextafter(walk.proved, inf), "nodes": walk.stated}, []


def _walked(
    document: Mapping[str, Any], segments: Segments, rows: Sequence[str], prover: Prover, *, state: bool
) -> tuple[_Walk | None, list[Fault]]:
    shape = [*_shape_faults(document, rows), *posted_faults(document.get("posted"), segments)]
    if shape:
        return None, shape
    walk = _Walk(document, segments, prover, state)
    walk.run()
    return walk, walk.faults or ([] if state else [*_bound_faults(walk, document["bound"])])


def _bound_faults(walk: _Walk, stated: float) -> Iterator[Fault]:
    """What is wrong with the bound of a sound walk, and with prices that no leaf is bounded at."""
    if not stated >= walk.proved:
        problem = f"states {stated!r}, its leaves prove {walk.proved!r} only"
        yield Fault(problem, _REMEDY, field="lists.bound")
    if loose(stated, walk.highest):
        problem = f"states {stated!r}, far above the {walk.proved!r} that its leaves prove"
        yield Fault(problem, _REMEDY, field="lists.bound")
    for place in sorted(set(range(len(walk.document["prices"]))) - walk.bounds.keys()):
        yield Fault("prove no leaf", _REMEDY, field=f"lists.prices[{place}]")


def _shape_faults(document: Mapping[str, Any], rows: Sequence[str]) -> Iterator[Fault]:
    """Keys, and prices that are no numbers by row."""
    if frozenset(document) != _KEYS:
        yield Fault(f"has other keys than {', '.join(sorted(_KEYS))}", _REMEDY, field="lists")
        return
    try:
        _number(document["bound"], "the bound")
    except _BrokenNodeError as broken:
        yield Fault(str(broken), _REMEDY, field="lists")
    for key in ("prices", "nodes"):
        if not isinstance(document[key], list) or (key == "nodes" and not document[key]):
            yield Fault(f"holds no list of {key}", _REMEDY, field="lists")
    for place, prices in enumerate(document["prices"] if isinstance(document["prices"], list) else []):
        try:
            if not isinstance(prices, Mapping) or prices.keys() - set(rows):
                raise _BrokenNodeError("are no prices by the names of limits")
            for price in prices.values():
                _number(price, "a price")
        except _BrokenNodeError as broken:
            yield Fault(str(broken), _REMEDY, field=f"lists.prices[{place}]")


def posted_faults(posted: Any, segments: Segments) -> Iterator[Fault]:
    """Why `posted` is no price list."""
    rates = segments.rates
    if not isinstance(posted, Mapping) or posted.keys() != rates.keys():
        problem = f"names other segments than {', '.join(rates)}, each once"
        yield Fault(problem, _REMEDY, field="lists.posted")
        return
    held = {}
    for segment, known in rates.items():
        try:
            held[segment] = _number(posted[segment], "a rate")
            _listed(known, [posted[segment]])
        except _BrokenNodeError as broken:
            yield Fault(f"segment {segment} {broken}", _REMEDY, field="lists.posted")
            return
    for before, after in (pair for chain in segments.chains for pair in pairwise(chain)):
        if held[after] < held[before] - SAME_RATE:
            problem = f"has a rate that falls from {before} to {after}"
            yield Fault(problem, _REMEDY, field="lists.posted")
