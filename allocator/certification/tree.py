"""Rechecks a proof tree from the inputs alone (docs/decisions, proof tree): cover and bounds, no solver.

The document is {bound, lots, nodes}; node 0 is the root and holds every allocation. A node is
- a leaf {prices, bound}: U at its prices, over what the way from the root leaves, is no more than its bound;
- a cut {prices, bound, keeps: D, children: [i]}: choices that lose more than D at its prices are out
  below, since an allocation that takes one is worth less than bound - D;
- a split {borrower, split: [[rates ...], [rates ..., "none"]], children: [i, j]}: two sides that
  together hold every option left to the borrower, "none" for no offer;
- a split {limit, children: [i, j]}, of one that must hold only if something is lent to a group: nothing is
  lent to the group on the first side, the limit holds on the second;
- a split {borrower, amounts: v, children: [i, j]}: amounts up to v and no offer on the first side,
  amounts from v + step (without a step: v + 0.01) on the second.
So no allocation is worth more than the largest bound of a leaf and bound - D of a cut, and the
document's `bound` must be no less. Every bound is rounded outwards, and a choice is out below a cut only
if it loses more than D whatever rounding did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np

from allocator.certification.bands import Grid
from allocator.certification.cases import ChoiceSets, Table, Values
from allocator.certification.lots import Lot
from allocator.certification.rounding import Rounded, loose
from allocator.certification.terms import SAME_RATE
from allocator.errors import Fault
from allocator.records.portfolio import Booleans

_OF_NOTHING = 0.0
"""The bound that is stated where no allocation is left: any holds."""
_REMEDY = "solve again"
NONE = "none"
_KEYS = frozenset(("bound", "lots", "nodes"))
_PRICED = frozenset(("prices", "bound", "keeps", "children"))
_SPLIT = frozenset(("borrower", "split", "amounts", "children"))
_BY_LIMIT = frozenset(("limit", "children"))


class _BrokenNodeError(Exception):
    """What is wrong with one node."""


@dataclass
class _Walk:
    """A walk over the tree from the root."""

    nodes: Any
    table: Table
    position: Mapping[str, int]
    """Borrower -> row of the table."""
    step: float | Grid | None
    claimed: float | None
    """The tree's bound; None: it is stated here, and the nodes' with it."""
    proved: float = -inf
    """What the nodes seen so far prove, as it is stated."""
    highest: float = -inf
    """What may be stated of them at most."""
    stated: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Nodes with their bounds as they are stated, where that is done here."""
    seen: set[int] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def run(self) -> None:
        """Every node once, children after their parent; a broken node's children are not looked at."""
        waiting = [(0, self.table.everything)]
        while waiting:
            place, sets = waiting.pop()
            try:
                if place in self.seen:
                    raise _BrokenNodeError("has two parents")
                self.seen.add(place)
                waiting += self._visit(place, sets)
            except _BrokenNodeError as broken:
                self.faults.append(Fault(str(broken), _REMEDY, field=f"tree.nodes[{place}]"))
        left_out = len(self.nodes) - len(self.seen)
        if left_out and not self.faults:
            self.faults.append(Fault(f"{left_out} nodes hang on no branch", _REMEDY, field="tree.nodes"))
        if self.claimed is not None and not self.faults and loose(self.claimed, self.highest):
            problem = f"is stated to be {self.claimed!r}, far above what the nodes prove"
            self.faults.append(Fault(problem, _REMEDY, field="tree.bound"))

    def _visit(self, place: int, sets: ChoiceSets) -> Iterator[tuple[int, ChoiceSets]]:
        node = self.nodes[place]
        if not isinstance(node, Mapping):
            raise _BrokenNodeError("is no object")
        _check_keys(node, _SPLIT if "borrower" in node else _BY_LIMIT if "limit" in node else _PRICED)
        if "limit" in node:
            kind, sides = 2, self._either(node["limit"], sets)
        elif "borrower" in node:
            kind, sides = 2, self._sides(node, sets)
        elif "keeps" in node:
            kind, sides = 1, [self._cut(place, node, sets)]
        else:
            kind, sides = 0, []
            self._leaf(place, node, sets)
        children = node.get("children", [])
        if not isinstance(children, list) or len(children) != kind:
            raise _BrokenNodeError(f"has the children {children!r} where {kind} were expected")
        for child in children:
            if type(child) is not int or not 0 < child < len(self.nodes):
                raise _BrokenNodeError(f"has a child {child!r}, which is no node")
        return zip(children, sides, strict=True)

    def _leaf(self, place: int, node: Mapping[str, Any], sets: ChoiceSets) -> None:
        values = self._bounded(place, node, sets)
        if not values.empty:
            self._counts(values.bound, 0.0)

    def _cut(self, place: int, node: Mapping[str, Any], sets: ChoiceSets) -> ChoiceSets:
        """What the cut leaves."""
        distance = _number(node, "keeps")
        values = self._bounded(place, node, sets)
        if not values.empty:
            self._counts(values.bound, distance)
        options, no_offer = values.beyond(distance)
        return replace(sets, options=sets.options & ~options, no_offer=sets.no_offer & ~no_offer)

    def _bounded(self, place: int, node: Mapping[str, Any], sets: ChoiceSets) -> Values:
        """The values at the node's prices, its bound seen to be theirs; any is where nothing is left."""
        values = self.table.values(self._prices(node), sets)
        if self.claimed is None:
            above = _OF_NOTHING if values.empty else values.bound.above
            if not np.isfinite(above):
                raise _BrokenNodeError("has prices so large that they prove nothing")
            self.stated[place] = {**node, "bound": above}
            return values
        stated = _number(node, "bound")
        if values.empty and stated != _OF_NOTHING:
            raise _BrokenNodeError(
                f"states the bound {stated!r} where nothing is left, which is {_OF_NOTHING:g}"
            )
        if values.empty or (stated >= values.bound.most and values.bound.reproduces(stated)):
            return values
        raise _BrokenNodeError(f"states the bound {stated!r}, its prices prove {values.bound.most!r}")

    def _counts(self, bound: Rounded, distance: float) -> None:
        """Holds what is proved, the node's bound less its distance, against the claim."""
        zero = bound.exact and distance == 0.0
        self.highest = max(self.highest, bound.highest - distance)
        self.proved = max(self.proved, 0.0 if zero else np.nextafter(bound.above - distance, np.inf))
        if self.claimed is not None and not bound.most - distance <= self.claimed:
            proved = bound.most - distance
            raise _BrokenNodeError(
                f"proves {proved!r} only, which is above the tree's bound {self.claimed!r}"
            )

    def _prices(self, node: Mapping[str, Any]) -> dict[str, float]:
        prices = node.get("prices")
        if not isinstance(prices, Mapping):
            raise _BrokenNodeError("is neither a split nor has prices")
        known = {name for block in self.table.blocks for name in block.names}
        for name in prices:
            if name not in known:
                raise _BrokenNodeError(f"prices {name!r}, which is no limit of the policy")
        return {name: _number(prices, name) for name in prices}

    def _sides(self, node: Mapping[str, Any], sets: ChoiceSets) -> list[ChoiceSets]:
        """What a split leaves on either side, once both are seen to cover what there was."""
        row = self.position.get(node["borrower"]) if isinstance(node["borrower"], str) else None
        if row is None:
            raise _BrokenNodeError(f"splits borrower {node['borrower']!r}, who may get no offer")
        return self._amounts(node, sets, row) if "amounts" in node else self._options(node, sets, row)

    def _either(self, limit: Any, sets: ChoiceSets) -> list[ChoiceSets]:
        """What is left where nothing is lent to a limit's group, and where the limit holds."""
        group = self.table.groups.get(limit) if isinstance(limit, str) else None
        if group is None:
            raise _BrokenNodeError(f"splits by {limit!r}, which is no limit on a condition")
        none = replace(sets, options=sets.options & ~group[:, None])
        return [none, replace(sets, held=sets.held | {limit})]

    def _options(self, node: Mapping[str, Any], sets: ChoiceSets, row: int) -> list[ChoiceSets]:
        split = node.get("split")
        if not isinstance(split, list) or len(split) != 2 or not all(isinstance(s, list) for s in split):
            raise _BrokenNodeError("has no two sides")
        held = [(self._listed(row, side), NONE in side) for side in split]
        missing = sets.options[row] & ~held[0][0] & ~held[1][0]
        if missing.any():
            rates = ", ".join(repr(rate) for rate in self.table.rate[row][missing].tolist())
            raise _BrokenNodeError(f"does not cover rate {rates} of borrower {node['borrower']}")
        if sets.no_offer[row] and not (held[0][1] or held[1][1]):
            raise _BrokenNodeError(f"does not cover declining borrower {node['borrower']}")
        return [
            replace(
                sets,
                options=_with_row(sets.options, row, sets.options[row] & listed),
                no_offer=_with_row(sets.no_offer, row, sets.no_offer[row] and no_offer),
            )
            for listed, no_offer in held
        ]

    def _listed(self, row: int, side: list[Any]) -> Booleans:
        """(K,) which of the borrower's options a side lists."""
        rates = [rate for rate in side if rate != NONE]
        if not all(isinstance(rate, int | float) for rate in rates):
            raise _BrokenNodeError("lists something that is neither a rate nor 'none'")
        apart = np.abs(self.table.rate[row][:, None] - np.array(rates, dtype=float)[None, :])
        with np.errstate(invalid="ignore"):
            same = apart <= SAME_RATE
        if not same.any(axis=0).all():
            raise _BrokenNodeError("lists a rate that the borrower may not be offered")
        return np.asarray(same.any(axis=1))

    def _amounts(self, node: Mapping[str, Any], sets: ChoiceSets, row: int) -> list[ChoiceSets]:
        value = _number(node, "amounts")
        lot, middle = self._lot(row), np.array([value])
        if not lot.whole(middle)[0]:
            unit = "a cent" if self.step is None else "a step"
            raise _BrokenNodeError(f"splits amounts at {value!r}, which is no multiple of {unit}")
        beyond = float(lot.up(np.nextafter(middle, np.inf))[0])
        if not self.table.everything.no_offer[row]:
            raise _BrokenNodeError("splits the amount of a pinned offer")
        upper = replace(
            sets,
            low=_with_row(sets.low, row, max(float(sets.low[row]), beyond)),
            no_offer=_with_row(sets.no_offer, row, False),
        )
        lower = replace(sets, high=_with_row(sets.high, row, min(float(sets.high[row]), value)))
        return [self._nonempty(side, row) for side in (lower, upper)]

    def _lot(self, row: int) -> Lot | Grid:
        """What the borrower's amounts go by."""
        return self.step.take(np.array([row])) if isinstance(self.step, Grid) else Lot.of(self.step)

    def _nonempty(self, sets: ChoiceSets, row: int) -> ChoiceSets:
        """No option is left where no amount is."""
        if sets.low[row] <= sets.high[row]:
            return sets
        return replace(sets, options=_with_row(sets.options, row, False))


def tree_faults(
    tree: Mapping[str, Any],
    table: Table,
    coarsest: Mapping[str, float],
    position: Mapping[str, int],
    step: float | Grid | None,
) -> list[Fault]:
    """What keeps `tree` from proving its bound; empty where it does.

    `coarsest` are the rows that may be rounded, each with its room in whole lots; `position` is where
    each borrower stands in `table`.
    """
    try:
        claimed = _number(tree, "bound")
    except _BrokenNodeError as broken:
        return [Fault(str(broken), _REMEDY, field="tree")]
    return _walk_faults(tree, _Walk(tree.get("nodes"), table, position, step, claimed), coarsest)


def stated_tree(
    tree: Mapping[str, Any],
    table: Table,
    coarsest: Mapping[str, float],
    position: Mapping[str, int],
    step: float | Grid | None,
) -> tuple[dict[str, Any], list[Fault]]:
    """`tree` with its bounds stated here, whatever it says itself; and what keeps it from proving any."""
    walk = _Walk(tree.get("nodes"), table, position, step, None)
    faults = _walk_faults(tree, walk, coarsest)
    nodes = [walk.stated.get(place, node) for place, node in enumerate(walk.nodes if not faults else [])]
    return {**tree, "bound": walk.proved if walk.proved > -inf else _OF_NOTHING, "nodes": nodes}, faults


def _walk_faults(tree: Mapping[str, Any], walk: _Walk, coarsest: Mapping[str, float]) -> list[Fault]:
    if not isinstance(walk.nodes, list) or not walk.nodes:
        return [Fault("holds no nodes", _REMEDY, field="tree")]
    try:
        _check_keys(tree, _KEYS)
        _check_lots(walk.table.lots, walk.table, coarsest)
    except _BrokenNodeError as broken:
        return [Fault(str(broken), _REMEDY, field="tree")]
    walk.run()
    return walk.faults


def _check_keys(entries: Mapping[str, Any], known: frozenset[str]) -> None:
    for key in sorted(entries.keys() - known):
        raise _BrokenNodeError(f"has the key {key!r}, which is none of {', '.join(sorted(known))}")
    if "split" in entries and "amounts" in entries:
        raise _BrokenNodeError("splits options and amounts at once")
    lots = entries.get("lots", {})
    if not isinstance(lots, Mapping) or len(lots_of(entries)) < len(lots):
        raise _BrokenNodeError("has lots that are no numbers by row")


def lots_of(tree: Mapping[str, Any]) -> dict[str, float]:
    """The rows that the tree rounds; empty where it says nothing sensible of them."""
    lots = tree.get("lots", {})
    if not isinstance(lots, Mapping):
        return {}
    return {
        str(name): value
        for name, value in lots.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _check_lots(lots: Mapping[str, float], table: Table, coarsest: Mapping[str, float]) -> None:
    """A row may be rounded to its whole lots or less far, in its own direction."""
    senses = {name: block.sense for block in table.blocks for name in block.names}
    for name, room in lots.items():
        if name not in coarsest:
            raise _BrokenNodeError(f"rounds limit {name!r}, which need not be used by whole lots")
        if not (room >= coarsest[name] if senses[name] == "at_most" else room <= coarsest[name]):
            raise _BrokenNodeError(f"rounds limit {name!r} to {room!r}, beyond {coarsest[name]!r}")


def _with_row(values: np.ndarray, row: int, own: Any) -> np.ndarray:
    changed = values.copy()
    changed[row] = own
    return changed


def _number(entries: Mapping[str, Any], key: str) -> float:
    value = entries.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
        raise _BrokenNodeError(f"has {key} {value!r} where a finite number was expected")
    return float(value)
