"""Limits that must hold only if something is lent to a group: best-first search over two ways to keep each.

Either nobody of the group is offered anything, or the limit holds (a disjunction; Balas, 1979). A case leaves
some limits open, which only loosens it; where its best allocation lends to the group of an open limit it is
split in two. What every case is worth at most is proved by its own prices or proof tree, so that the proof
of all is one tree, whose splits name limits.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from allocator.engine.allowance import Allowance
from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import Columns
from allocator.engine.list_prices import in_one_program, prices_of_list
from allocator.engine.optimise import optimise
from allocator.engine.proof import prove_below, table_fits
from allocator.errors import InfeasibleError, NoAllocationError
from allocator.records.limits import Limits
from allocator.records.offers import OfferBook
from allocator.records.portfolio import Booleans
from allocator.records.progress import Progress
from allocator.records.solution import CUT_SHORT, Solution, Stop
from allocator.records.strategy import SolverSettings

_SHARE, _LEAST = 0.5, 1e-12
"""Part of the gap asked for that other cases may use up; none is asked for a relative gap below the other."""
_ENOUGH = 1e-6
"""Part of the value by which the bound of a case without an allocation must lie below it, if there is one."""

Compiled = Callable[[frozenset[str]], Limits]
"""The rows, with those of some conditional limits and of no others."""


@dataclass
class _Case:
    """Allocations that keep the limits of `held` and lend nothing to the groups of `none`."""

    held: frozenset[str] = frozenset()
    none: frozenset[str] = frozenset()
    bound: float = np.inf
    solved: Solution | None = None
    empty: bool = False
    """Whether the solver found that there are none."""
    trusted: bool = False
    """Whether its bound, or that there are none, is not what its prices or tree prove."""
    prices: Mapping[str, float] = field(default_factory=dict)
    tree: Mapping[str, Any] | None = None
    """What proves more than the prices."""
    limit: str = ""
    """The limit that it is split by."""
    children: list[_Case] = field(default_factory=list)


@dataclass
class _Search:
    """Grows as cases are solved."""

    offers: OfferBook
    compiled: Compiled
    groups: Mapping[str, Booleans]
    """Conditional limit -> whose offers make it hold (n,)."""
    settings: SolverSettings
    progress: Progress
    best: Solution | None = None
    best_case: _Case | None = None
    """The case of the best allocation."""
    refused: InfeasibleError | None = None
    stop: Stop = "exhausted"
    """Why a case was cut short, where one was."""
    barren: bool = False
    """Whether one was before it had an allocation."""

    def __post_init__(self) -> None:
        self.allowance = Allowance(self.settings)

    @property
    def left(self) -> float:
        """Seconds; where memory is used up none, but for a first allocation."""
        return self.allowance.left_after(self.best is not None or self.barren)

    @property
    def target(self) -> float:
        """A case whose bound is no higher is closed."""
        if self.best is None:
            return -np.inf
        return self.best.value + max(_SHARE * self.settings.gap, _LEAST) * max(abs(self.best.value), 1.0)

    def book(self, case: _Case) -> OfferBook:
        """The offers that a case leaves; whoever must be offered something keeps it."""
        out = np.zeros(len(self.offers), dtype=bool)
        for name in case.none:
            out |= self.groups[name]
        return replace(self.offers, menu=np.where(out, -1, self.offers.menu), must=self.offers.must & ~out)

    def is_impossible(self, case: _Case) -> bool:
        """Whether a case lends nothing to somebody whose offer must be made."""
        pinned = self.offers.must & (self.offers.menu >= 0)
        return any(np.any(self.groups[name] & pinned) for name in case.none)

    def solve(self, case: _Case) -> None:
        """The best allocation of a case, and what it is worth at most."""
        if self.is_impossible(case):
            case.bound, case.empty = -np.inf, True
            return
        limits = self.compiled(case.held)
        self.progress(f"solving the case {_in_words(case)}")
        settings = self.allowance.rest()
        try:
            case.solved = optimise(self.book(case), limits, settings, self.progress, enough=self.target)
        except InfeasibleError as error:
            case.bound, case.empty, self.refused = -np.inf, True, error
            return
        except NoAllocationError as error:
            self.stop, self.barren = error.stop, error.stop in CUT_SHORT
            return
        if case.solved.stopped:
            self.stop = case.solved.stop
        names = [row.name for row in limits.rows]
        case.bound = min(case.bound, case.solved.bound)
        case.prices = dict(zip(names, case.solved.prices.tolist(), strict=True))
        case.tree = case.solved.tree

    def open_limit(self, case: _Case) -> str:
        """The first open limit whose group the best allocation of a case lends to; "" where it keeps all."""
        if case.solved is None:
            return ""
        lent = case.solved.amount > 0
        still = (name for name in self.groups if name not in case.held | case.none)
        return next((name for name in still if np.any(self.groups[name] & lent)), "")

    def price(self, case: _Case) -> None:
        """Prices at which a case that has none falls behind, or a tree where whole amounts alone say so."""
        columns = Columns(self.book(case), self.compiled(case.held))
        enough = self.target
        if case.empty:
            value = 0.0 if self.best is None else self.best.value
            enough = value - _ENOUGH * max(abs(value), 1.0)
        zeros = np.zeros(len(columns.limits))

        def left() -> float:
            return max(self.left, 1.0)

        own = prices_of_list(columns, enough, zeros, self.settings, left)
        case.prices = dict(zip([row.name for row in columns.limits.rows], own.tolist(), strict=True))
        proved = dense.bound(columns, own, dense.respond(columns, own))
        if proved > enough and in_one_program(columns, self.settings) and table_fits(columns):
            proved, case.tree = prove_below(columns, own, enough, left)
        case.trusted = proved > max(self.target, case.bound)
        if not case.empty:
            case.bound = min(case.bound, proved)


def optimise_under_conditions(
    offers: OfferBook,
    compiled: Compiled,
    groups: Mapping[str, Booleans],
    settings: SolverSettings,
    progress: Progress,
) -> Solution:
    """The best allocation that keeps every conditional limit whose group it lends to.

    Its prices are by the rows of all limits, 0 for those that need not hold. Raises what `optimise` raises.
    """
    search = _Search(offers, compiled, groups, settings, progress)
    root = _Case()
    stop = _explore(search, root)
    if search.best is None or search.best_case is None:
        if search.refused is not None and all(leaf.empty for leaf in _leaves(root)):
            raise search.refused
        if stop in CUT_SHORT:
            raise search.allowance.ran_out("no allocation", stop)
        raise NoAllocationError("no allocation was found under any case of the conditional limits")
    return _solution(search, root, stop)


def _explore(search: _Search, root: _Case) -> Stop:
    """Solves or splits cases, the highest bound first; says why it ended."""
    heap, count = [(-np.inf, 0, root)], 1
    while heap:
        case = heapq.heappop(heap)[2]
        if case.bound <= search.target:
            continue
        if search.left <= 0:
            return search.allowance.cut_short
        search.solve(case)
        if case.solved is None or case.bound <= search.target:
            continue
        case.limit = search.open_limit(case)
        if not case.limit:
            if search.best is None or case.solved.value > search.best.value:
                search.best, search.best_case = case.solved, case
            continue
        case.children = [
            _Case(case.held, case.none | {case.limit}, case.bound),
            _Case(case.held | {case.limit}, case.none, case.bound),
        ]
        for child in case.children:
            heapq.heappush(heap, (-child.bound, count, child))
            count += 1
    return search.stop


def _in_words(case: _Case) -> str:
    parts = [f"where limit {name} holds" for name in sorted(case.held)]
    parts += [f"without those of limit {name}" for name in sorted(case.none)]
    return ", ".join(parts) or "without conditional limits"


def _leaves(case: _Case) -> list[_Case]:
    return [leaf for child in case.children for leaf in _leaves(child)] if case.children else [case]


def _solution(search: _Search, root: _Case, stop: Stop) -> Solution:
    """The best allocation with the proof over all cases."""
    best, chosen = search.best, search.best_case
    assert best is not None
    assert chosen is not None
    leaves = _leaves(root)
    for leaf in leaves:
        if not leaf.prices and not search.is_impossible(leaf):
            search.price(leaf)
    bound = max(best.value, max(leaf.bound for leaf in leaves))
    open_gap = bound - best.value > search.settings.gap * max(abs(bound), 1.0)
    trusted = any(
        leaf.trusted or (leaf.solved is not None and leaf.solved.proof == "solver") for leaf in leaves
    )
    names = [row.name for row in search.compiled(frozenset(search.groups)).rows]
    lent = best.amount > 0
    idle = {name for name, group in search.groups.items() if not np.any(group & lent)}
    kept = {row.name for row in search.compiled(frozenset(search.groups) - idle).rows}
    return replace(
        best,
        prices=np.array([chosen.prices.get(name, 0.0) if name in kept else 0.0 for name in names]),
        bound=bound,
        proof="solver" if trusted else "tree",
        stop=stop if open_gap else "gap",
        tree=_document(search, root, bound),
        log="\n".join([f"{len(leaves)} cases of conditional limits", best.log]),
    )


def _document(search: _Search, root: _Case, bound: float) -> dict[str, Any]:
    """The proof tree: splits by limits, and below them what proves each case."""
    nodes: list[dict[str, Any]] = []
    lots: dict[str, float] = {}
    waiting: list[tuple[_Case, list[int]]] = [(root, [])]
    while waiting:
        case, siblings = waiting.pop()
        siblings.append(len(nodes))
        if case.children:
            children: list[int] = []
            nodes.append({"limit": case.limit, "children": children})
            waiting += [(child, children) for child in reversed(case.children)]
            continue
        tree = case.tree
        if tree is None:
            nodes.append({"prices": {n: p for n, p in case.prices.items() if p}, "bound": 0.0})
            continue
        first = len(nodes)
        lots |= tree.get("lots", {})
        nodes += [_moved(node, first) for node in tree["nodes"]]
    return {"bound": float(bound), **({"lots": lots} if lots else {}), "nodes": nodes}


def _moved(node: Mapping[str, Any], first: int) -> dict[str, Any]:
    """A node of a tree whose root stands at `first`."""
    if "children" not in node:
        return dict(node)
    return {**node, "children": [first + child for child in node["children"]]}
