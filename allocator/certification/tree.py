"""Rechecks a proof tree from the inputs alone (docs/decisions, proof tree): cover and bounds, no solver.

The document is {bound, lots, nodes}; node 0 is the root and holds every allocation. A node is
- a leaf {prices, bound}: U at its prices, over what the way from the root leaves, is its bound;
- a cut {prices, bound, keeps: D, children: [i]}: choices that lose more than D at its prices are out
  below, since an allocation that takes one is worth less than bound - D;
- a split {borrower, split: [[rates ...], [rates ..., "none"]], children: [i, j]}: two sides that
  together hold every option left to the borrower, "none" for refusal;
- a split {borrower, amounts: v, children: [i, j]}: amounts up to v and refusal on the first side,
  amounts from v + step on the second.
So no allocation is worth more than the largest bound of a leaf and bound - D of a cut, and the
document's `bound` must be no less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from allocator.certification.cases import Sets, Table
from allocator.certification.lots import Lot
from allocator.certification.terms import SAME_RATE
from allocator.errors import Fault
from allocator.records.portfolio import Booleans

_AGREES = 1e-9
"""Relative difference up to which a stated figure is the recomputed one."""
_ROUNDING = 1e-12
"""Relative to the bound, what summation may differ by."""
_REMEDY = "solve again"
NONE = "none"


class _BrokenNodeError(Exception):
    """What is wrong with one node."""


@dataclass
class _Walk:
    """A walk over the tree from the root."""

    nodes: Sequence[Any]
    table: Table
    position: Mapping[str, int]
    """Borrower -> row of the table."""
    step: float | None
    claimed: float
    worth: float
    """Of the best offers without limits, at least 1: prices that leave little cancel sums of that size."""
    seen: set[int] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def run(self) -> None:
        """Every node once, children after their parent; a broken node's children are not looked at."""
        waiting = [(0, self.table.everything)]
        while waiting:
            at, sets = waiting.pop()
            try:
                if at in self.seen:
                    raise _BrokenNodeError("has two parents")
                self.seen.add(at)
                waiting += self._visit(at, sets)
            except _BrokenNodeError as broken:
                self.faults.append(Fault(str(broken), _REMEDY, field=f"tree.nodes[{at}]"))
        left_out = len(self.nodes) - len(self.seen)
        if left_out and not self.faults:
            self.faults.append(Fault(f"{left_out} nodes hang on no branch", _REMEDY, field="tree.nodes"))

    def _visit(self, at: int, sets: Sets) -> Iterator[tuple[int, Sets]]:
        node = self.nodes[at]
        if not isinstance(node, Mapping):
            raise _BrokenNodeError("is no object")
        if "borrower" in node:
            kind, sides = 2, self._sides(node, sets)
        elif "keeps" in node:
            kind, sides = 1, [self._cut(node, sets)]
        else:
            kind, sides = 0, []
            self._leaf(node, sets)
        children = node.get("children", [])
        if not isinstance(children, list) or len(children) != kind:
            raise _BrokenNodeError(f"has the children {children!r} where {kind} were expected")
        for child in children:
            if type(child) is not int or not 0 < child < len(self.nodes):
                raise _BrokenNodeError(f"has a child {child!r}, which is no node")
        return zip(children, sides, strict=True)

    def _leaf(self, node: Mapping[str, Any], sets: Sets) -> None:
        bound = self._stated(node, sets)[0]
        self._below_claim(bound)

    def _cut(self, node: Mapping[str, Any], sets: Sets) -> Sets:
        """What the cut leaves."""
        distance = _number(node, "keeps")
        bound, lost, best = self._stated(node, sets)
        self._below_claim(bound - distance)
        return replace(
            sets, options=sets.options & (lost <= distance), refusal=sets.refusal & (best <= distance)
        )

    def _stated(self, node: Mapping[str, Any], sets: Sets) -> tuple[float, Any, Any]:
        """The node's bound, what every option loses, and the best reduced values, at its prices."""
        prices = self._prices(node)
        values = self.table.values(prices, sets)
        stated = _number(node, "bound")
        if not abs(stated - values.bound) <= _AGREES * max(abs(values.bound), abs(self.claimed), self.worth):
            raise _BrokenNodeError(f"states the bound {stated!r}, its prices prove {values.bound!r}")
        return values.bound, values.lost(), values.best

    def _below_claim(self, bound: float) -> None:
        if bound > self.claimed + _ROUNDING * max(abs(self.claimed), 1.0):
            raise _BrokenNodeError(f"proves {bound!r} only, which is above the tree's bound {self.claimed!r}")

    def _prices(self, node: Mapping[str, Any]) -> dict[str, float]:
        prices = node.get("prices")
        if not isinstance(prices, Mapping):
            raise _BrokenNodeError("is neither a split nor has prices")
        known = {name for block in self.table.blocks for name in block.names}
        for name in prices:
            if name not in known:
                raise _BrokenNodeError(f"prices {name!r}, which is no limit of the policy")
        return {name: _number(prices, name) for name in prices}

    def _sides(self, node: Mapping[str, Any], sets: Sets) -> list[Sets]:
        """What a split leaves on either side, once both are seen to cover what there was."""
        row = self.position.get(node["borrower"]) if isinstance(node["borrower"], str) else None
        if row is None:
            raise _BrokenNodeError(f"splits borrower {node['borrower']!r}, who may get no offer")
        return self._amounts(node, sets, row) if "amounts" in node else self._options(node, sets, row)

    def _options(self, node: Mapping[str, Any], sets: Sets, row: int) -> list[Sets]:
        split = node.get("split")
        if not isinstance(split, list) or len(split) != 2 or not all(isinstance(s, list) for s in split):
            raise _BrokenNodeError("has no two sides")
        held = [(self._listed(row, side), NONE in side) for side in split]
        missing = sets.options[row] & ~held[0][0] & ~held[1][0]
        if missing.any():
            rates = ", ".join(repr(rate) for rate in self.table.rate[row][missing].tolist())
            raise _BrokenNodeError(f"does not cover rate {rates} of borrower {node['borrower']}")
        if sets.refusal[row] and not (held[0][1] or held[1][1]):
            raise _BrokenNodeError(f"does not cover the refusal of borrower {node['borrower']}")
        return [
            replace(
                sets,
                options=_with(sets.options, row, sets.options[row] & listed),
                refusal=_with(sets.refusal, row, sets.refusal[row] and refusal),
            )
            for listed, refusal in held
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

    def _amounts(self, node: Mapping[str, Any], sets: Sets, row: int) -> list[Sets]:
        value = _number(node, "amounts")
        lot, at = Lot.of(self.step), np.array([value])
        if self.step is None or not lot.whole(at)[0]:
            raise _BrokenNodeError(f"splits amounts at {value!r}, which is no multiple of a step")
        beyond = float(lot.amounts(lot.counts(at) + 1)[0])
        if not self.table.everything.refusal[row]:
            raise _BrokenNodeError("splits the amount of a pinned offer")
        upper = replace(
            sets,
            low=_with(sets.low, row, max(float(sets.low[row]), beyond)),
            refusal=_with(sets.refusal, row, False),
        )
        lower = replace(sets, high=_with(sets.high, row, min(float(sets.high[row]), value)))
        return [self._nonempty(side, row) for side in (lower, upper)]

    def _nonempty(self, sets: Sets, row: int) -> Sets:
        """No option is left where no amount is."""
        if sets.low[row] <= sets.high[row]:
            return sets
        return replace(sets, options=_with(sets.options, row, False))


def tree_faults(
    tree: Mapping[str, Any],
    table: Table,
    coarsest: Mapping[str, float],
    position: Mapping[str, int],
    step: float | None,
) -> list[Fault]:
    """What keeps `tree` from proving its bound; empty where it does.

    `coarsest` are the rows that may be rounded, each with its room in whole lots; `position` is where
    each borrower stands in `table`.
    """
    nodes = tree.get("nodes")
    if not isinstance(nodes, list) or not nodes:
        return [Fault("holds no nodes", _REMEDY, field="tree")]
    try:
        claimed = _number(tree, "bound")
        _check_lots(table.lots, table, coarsest)
    except _BrokenNodeError as broken:
        return [Fault(str(broken), _REMEDY, field="tree")]
    worth = max(abs(table.values({}, table.everything).bound), 1.0)
    walk = _Walk(nodes, table, position, step, claimed, worth)
    walk.run()
    return walk.faults


def lots_of(tree: Mapping[str, Any]) -> dict[str, float]:
    """The rows that the tree rounds; empty where it says nothing sensible of them."""
    lots = tree.get("lots", {})
    if not isinstance(lots, Mapping):
        return {}
    return {str(name): value for name, value in lots.items() if isinstance(value, int | float)}


def _check_lots(lots: Mapping[str, float], table: Table, coarsest: Mapping[str, float]) -> None:
    """A row may be rounded to its whole lots or less far, in its own direction."""
    senses = {name: block.sense for block in table.blocks for name in block.names}
    for name, room in lots.items():
        if name not in coarsest:
            raise _BrokenNodeError(f"rounds limit {name!r}, which need not be used by whole lots")
        if not (room >= coarsest[name] if senses[name] == "at_most" else room <= coarsest[name]):
            raise _BrokenNodeError(f"rounds limit {name!r} to {room!r}, beyond {coarsest[name]!r}")


def _with(values: np.ndarray, row: int, own: Any) -> np.ndarray:
    changed = values.copy()
    changed[row] = own
    return changed


def _number(entries: Mapping[str, Any], key: str) -> float:
    value = entries.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
        raise _BrokenNodeError(f"has {key} {value!r} where a finite number was expected")
    return float(value)
