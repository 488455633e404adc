"""Rechecks that no price list is better than the posted one, from the inputs alone: cover and bounds.

The document is {posted, bound, prices, nodes}; `posted` is the list, a rate a grade, and node 0 holds every
list. A node is
- a split {grade, split: [[rates ...], ...], children: [i, ...]}: sides that together hold every rate that is
  left to the grade;
- a leaf {prices: p, bound}: no list that is left is worth more than its bound at the prices in place p;
- a leaf {tree}: a proof tree (tree.py) over the rates that are left.
So no allocation under any list is worth more than the largest bound of a leaf, and the document's `bound`
must be no less. A list's bound at prices is U over its rates alone, and separable: a sum over grades
(docs/formulation.md, section 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, nextafter
from typing import Any, Protocol

import numpy as np

from allocator.certification.rounding import Rounded
from allocator.certification.terms import SAME_RATE, Tariff, Tariffs
from allocator.errors import Fault
from allocator.records.portfolio import Booleans
from allocator.records.scenario import Policy

_KEYS = frozenset(("posted", "bound", "prices", "nodes"))
_NODES = (frozenset(("grade", "split", "children")), frozenset(("prices", "bound")), frozenset(("tree",)))
_REMEDY = "solve again"
_OF_NOTHING = 0.0
"""The bound that is stated where no list is left: any holds."""

Box = Mapping[str, Booleans]
"""Grade -> which of its rates are left (K,)."""


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


def posting(known: Tariffs) -> dict[str, Tariff]:
    """The grades that post a rate: those whose band holds one."""
    return {grade: tariff for grade, tariff in known.tariffs.items() if len(tariff.rates)}


def narrowed(known: Tariffs, box: Box) -> dict[str, Tariff]:
    """The tariffs with the rates of a box alone."""
    return {
        grade: Tariff(tariff.rates[box[grade]], tariff.take_up[box[grade]]) if grade in box else tariff
        for grade, tariff in known.tariffs.items()
    }


def rising_lists(policy: Policy) -> bool:
    """Whether the rates of a list may not fall from one grade of the policy to the next."""
    return policy.pricing == "monotone"


def best_list(
    sums: Mapping[str, Sequence[Any]], rates: Mapping[str, Sequence[float]], *, rising: bool
) -> Any:
    """The largest total of one number a grade; None where there is none.

    `sums` and `rates` are the numbers and the rates that are left to each grade, in the policy's order. With
    `rising` the rates may not fall: by dynamic programming over the grades.
    """
    if not all(len(own) for own in sums.values()):
        return None
    if not rising:
        return sum(max(own) for own in sums.values())
    reached: list[tuple[float, Any]] = [(-inf, 0)]
    for grade, own in sums.items():
        step = []
        for rate, number in zip(rates[grade], own, strict=True):
            before = [total for last, total in reached if last <= rate + SAME_RATE]
            if before:
                step.append((rate, max(before) + number))
        reached = step
    return max((total for _, total in reached), default=None)


@dataclass
class _Walk:
    """A walk over the boxes from the root."""

    document: Mapping[str, Any]
    known: Mapping[str, Tariff]
    prover: Prover
    state: bool
    """Whether bounds are stated here, whatever the document says."""
    proved: float = -inf
    stated: list[Any] = field(default_factory=list)
    bounds: dict[int, BoundedLists] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def run(self) -> None:
        """Every node once, children after their parent."""
        self.stated = list(self.document["nodes"])
        waiting: list[tuple[int, Box]] = [
            (0, {grade: np.ones(len(tariff.rates), dtype=bool) for grade, tariff in self.known.items()})
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
        grade, sides, children = node["grade"], node["split"], node["children"]
        if not isinstance(grade, str) or grade not in box:
            raise _BrokenNodeError(f"splits the grade {grade!r}, which posts no rate")
        if not isinstance(sides, list) or not sides or not all(isinstance(side, list) for side in sides):
            raise _BrokenNodeError("has no sides")
        if not isinstance(children, list) or len(children) != len(sides):
            raise _BrokenNodeError(f"has the children {children!r} where {len(sides)} were expected")
        for child in children:
            if type(child) is not int or not 0 < child < len(self.document["nodes"]):
                raise _BrokenNodeError(f"has a child {child!r}, which is no node")
        held = [_listed(self.known[grade], side) for side in sides]
        missing = box[grade] & ~np.any(held, axis=0)
        if missing.any():
            rates = ", ".join(map(repr, self.known[grade].rates[missing].tolist()))
            raise _BrokenNodeError(f"does not cover rate {rates} of grade {grade}")
        return ((c, {**box, grade: box[grade] & own}) for c, own in zip(children, held, strict=True))

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
        elif bound is not None:
            stated = _number(node["bound"], "bound")
            if not (stated >= bound.most and bound.reproduces(stated)):
                raise _BrokenNodeError(f"states the bound {stated!r}, its prices prove {bound.most!r}")
        if bound is not None:
            self.proved = max(self.proved, above if self.state else bound.most)

    def _tree(self, place: int, tree: Any, box: Box) -> None:
        if not isinstance(tree, Mapping):
            raise _BrokenNodeError("has a tree that is no object")
        own, faults = self.prover.tree(box, tree, state=self.state)
        self.stated[place] = {"tree": own}
        self.faults += [replace(fault, field=f"lists.nodes[{place}].{fault.field}") for fault in faults]
        if not faults:
            self.proved = max(self.proved, float(own["bound"]))


def _listed(tariff: Tariff, side: Sequence[Any]) -> Booleans:
    """(K,) which of a grade's rates a side lists."""
    rates = np.array([_number(rate, "a rate") for rate in side], dtype=float)
    same = np.abs(tariff.rates[:, None] - rates[None, :]) <= SAME_RATE
    if not same.any(axis=0).all():
        raise _BrokenNodeError("lists a rate that the grade may not post")
    return np.asarray(same.any(axis=1))


def _number(value: Any, what: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
        raise _BrokenNodeError(f"has {what} {value!r} where a finite number was expected")
    return float(value)


def list_faults(
    document: Mapping[str, Any], known: Tariffs, rows: Sequence[str], prover: Prover, policy: Policy
) -> list[Fault]:
    """What keeps `document` from proving its bound, and its list from being one; empty where nothing does."""
    return _walked(document, known, rows, prover, policy, state=False)[1]


def stated_lists(
    document: Mapping[str, Any], known: Tariffs, rows: Sequence[str], prover: Prover, policy: Policy
) -> tuple[dict[str, Any], list[Fault]]:
    """`document` with its bounds stated here, and what keeps it from proving any."""
    walk, faults = _walked(document, known, rows, prover, policy, state=True)
    if walk is None or faults:
        return dict(document), faults
    return {**document, "bound": nextafter(walk.proved, inf), "nodes": walk.stated}, []


def _walked(
    document: Mapping[str, Any],
    known: Tariffs,
    rows: Sequence[str],
    prover: Prover,
    policy: Policy,
    *,
    state: bool,
) -> tuple[_Walk | None, list[Fault]]:
    rising = rising_lists(policy)
    shape = [*_shape_faults(document, rows), *posted_faults(document.get("posted"), known, rising=rising)]
    if shape:
        return None, shape
    walk = _Walk(document, posting(known), prover, state)
    walk.run()
    if not walk.faults and not state and not document["bound"] >= walk.proved:
        problem = f"states {document['bound']!r}, its leaves prove {walk.proved!r} only"
        return walk, [Fault(problem, _REMEDY, field="lists.bound")]
    return walk, walk.faults


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


def posted_faults(posted: Any, known: Tariffs, *, rising: bool) -> Iterator[Fault]:
    """Why `posted` is no price list."""
    grades = posting(known)
    if not isinstance(posted, Mapping) or posted.keys() != grades.keys():
        problem = f"names other grades than {', '.join(grades)}, each once"
        yield Fault(problem, _REMEDY, field="lists.posted")
        return
    rates = []
    for grade, tariff in grades.items():
        try:
            rates.append(_number(posted[grade], "a rate"))
            _listed(tariff, [posted[grade]])
        except _BrokenNodeError as broken:
            yield Fault(f"grade {grade} {broken}", _REMEDY, field="lists.posted")
            return
    if rising and np.any(np.diff(rates) < -SAME_RATE):
        yield Fault("has a rate that falls from one grade to the next", _REMEDY, field="lists.posted")
