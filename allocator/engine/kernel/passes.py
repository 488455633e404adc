"""One pass over all borrowers at given prices: compiled for large books, NumPy for small ones."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from os import getpid
from typing import Any

import numpy as np
from scipy import sparse

from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import BestResponses, Columns
from allocator.engine.kernel.curvature import DENSE_UP_TO, Curvature, by_row
from allocator.engine.kernel.hull import Hulls, hulls_of
from allocator.records.offers import Menu
from allocator.records.portfolio import Codes, Floats, Integers

COMPILED_FROM = 20_000
"""Borrowers from which loading the compiled pass pays (0.5 s, once a process)."""
_BLOCKS = 16
_SUMS_AT_MOST = 4
"""Numbers a borrower that the partial sums of all blocks may hold together: they have to be added."""


@dataclass(frozen=True)
class PassSums:
    """What a pass adds up."""

    bound: float
    """U(prices)."""
    usage: Floats
    """(m,) left-hand sides at every borrower's best response."""
    curvature: Curvature
    """The bound's curvature, from borrowers within delta of a switch (docs/decisions: prices)."""
    near: int
    """How many those are."""


@dataclass(frozen=True)
class Tally:
    """What a set of decisions is worth and uses."""

    value: float
    usage: Floats
    """(m,)"""


@dataclass(frozen=True)
class Pass:
    """A book made ready for passes."""

    columns: Columns
    hulls: Hulls
    shared: tuple[Any, ...]
    """Borrower columns in the order that the compiled functions take them."""
    menus: tuple[Any, ...]
    """Where each menu begins, and the rates and take-ups of all menus one after the other."""
    matrix: sparse.csc_array
    """The limits' matrix, column by column."""
    threads: int
    compiled: bool

    def over(self, rows: Integers) -> Pass:
        """The same borrowers under the limits of `rows` alone."""
        columns = self.columns.over(rows)
        if columns is self.columns:
            return self
        return replace(self, columns=columns, matrix=columns.limits.matrix.tocsc())

    def sweep(self, prices: Floats, delta: float) -> PassSums:
        """Bound, usage and curvature at `prices` (m,); `delta` is money per unit of money."""
        table = self.columns.limits.charges(prices)
        if self.compiled:
            total, near, usage, curvature = self._compiled_sweep(table, delta)
        else:
            total, near, usage, curvature = dense.sweep(self.columns, self.hulls, prices, delta)
        limits = self.columns.limits
        return PassSums(
            dense.dual_value(limits, prices, total),
            limits.use_of(usage),
            self._by_row(curvature),
            near,
        )

    def respond(self, prices: Floats) -> BestResponses:
        """Every borrower's best response at `prices` (m,)."""
        if not self.compiled:
            return dense.respond(self.columns, prices)
        from allocator.engine.kernel import compiled

        n = len(self.columns)
        response = BestResponses(np.empty(n, dtype=np.int32), np.empty(n), np.empty(n), np.empty(n))
        table = self.columns.limits.charges(prices)
        costs = _costs(self.columns)
        arrays = (response.option, response.amount, response.reduced, response.margin)

        def block(begin: int, end: int) -> None:
            compiled.respond(begin, end, self.shared, table, self.menus, costs, *arrays)

        self._in_blocks(block, _BLOCKS)
        return response

    def tally(self, option: Codes, amount: Floats) -> Tally:
        """Value and use of the decisions (n,), every borrower's at `amount` of `option` (-1: declined)."""
        columns = self.columns
        if not self.compiled:
            return Tally(float(np.sum(columns.values(option, amount))), columns.usage(option, amount))
        from allocator.engine.kernel import compiled

        shape = (columns.limits.cells, len(columns.limits.channels))
        blocks, costs = self._blocks(shape[0] * shape[1]), _costs(columns)

        def block(begin: int, end: int) -> tuple[float, Floats]:
            usage = np.zeros(shape)
            value = compiled.tally(begin, end, self.shared, self.menus, costs, option, amount, usage)
            return value, usage

        parts = self._in_blocks(block, blocks)
        usage = sum((part[1] for part in parts), np.zeros(shape))
        return Tally(sum(part[0] for part in parts), columns.limits.use_of(usage))

    def _by_row(self, channels: Floats) -> Curvature:
        """Curvature of the rows from that of the channels in each cell."""
        limits = self.columns.limits
        if not self.compiled or len(limits) > DENSE_UP_TO:
            return by_row(limits, channels)
        from allocator.engine.kernel import compiled

        own = np.zeros((len(limits), len(limits)))
        matrix = self.matrix
        compiled.by_row(matrix.indptr, matrix.indices, matrix.data, channels, own)
        return by_row(limits, channels, own)

    def _compiled_sweep(self, table: Floats, delta: float) -> tuple[float, int, Floats, Floats]:
        from allocator.engine.kernel import compiled

        cells, channels = table.shape
        blocks = self._blocks(cells * channels * (channels + 1))
        hulls = (self.hulls.first, self.hulls.breaks, self.hulls.gross, self.hulls.take)
        costs = _costs(self.columns)

        def block(begin: int, end: int) -> tuple[float, int, Floats, Floats]:
            usage = np.zeros((cells, channels))
            curvature = np.zeros((cells, channels, channels))
            total, near = compiled.sweep(
                begin, end, self.shared, table, hulls, costs, delta, usage, curvature
            )
            return total, near, usage, curvature

        parts = self._in_blocks(block, blocks)
        usage, curvature = parts[0][2], parts[0][3]
        for part in parts[1:]:
            usage += part[2]
            curvature += part[3]
        return sum(part[0] for part in parts), sum(part[1] for part in parts), usage, curvature

    def _blocks(self, sums: int) -> int:
        """How many blocks a pass with partial sums of `sums` numbers is cut into; the book alone decides."""
        return max(1, min(_BLOCKS, _SUMS_AT_MOST * len(self.columns) // sums))

    def _in_blocks(self, block: Callable[[int, int], Any], blocks: int) -> list[Any]:
        """`block` over a fixed partition, in order; the partition never depends on the threads."""
        edges = np.linspace(0, len(self.columns), blocks + 1).astype(np.int64).tolist()
        spans = list(pairwise(edges))
        if self.threads == 1:
            return [block(begin, end) for begin, end in spans]
        return list(_pool(self.threads, getpid()).map(lambda span: block(*span), spans))


@lru_cache(1)
def _pool(threads: int, _process: int) -> ThreadPoolExecutor:
    """The threads of all passes of one process; a fork has none of its parent's."""
    return ThreadPoolExecutor(threads)


def prepare(columns: Columns, threads: int, *, compiled: bool | None = None) -> Pass:
    """`columns` ready for passes; `compiled` None: by size."""
    offers, limits = columns.offers, columns.limits
    weights = [channel.weight for channel in limits.channels if channel.weight is not None]
    weight_of = np.full(len(limits.channels), -1, dtype=np.int64)
    weight_of[[h for h, c in enumerate(limits.channels) if c.weight is not None]] = range(len(weights))
    shared = (
        offers.menu,
        limits.cell,
        offers.low,
        offers.high,
        offers.income,
        offers.cost,
        offers.term,
        offers.relationship,
        offers.must,
        _table(weights),
        np.array([channel.basis for channel in limits.channels], dtype=np.int64),
        weight_of,
    )
    use_compiled = len(columns) >= COMPILED_FROM if compiled is None else compiled
    hulls, menus = hulls_of(offers.menus), _laid_out(offers.menus)
    return Pass(columns, hulls, shared, menus, limits.matrix.tocsc(), threads, use_compiled)


def _table(weights: list[Floats]) -> Floats:
    """(W, n) the weights as rows: the table whose rows they are, where the limits were compiled into one."""
    if not weights:
        return np.zeros((1, 1))
    whole = weights[0].base
    if isinstance(whole, np.ndarray) and whole.shape == (len(weights), len(weights[0])):
        rows = [row.__array_interface__["data"][0] for row in whole]
        if rows == [row.__array_interface__["data"][0] for row in weights]:
            return whole
    return np.array(weights)


def _laid_out(menus: tuple[Menu, ...]) -> tuple[Integers, Floats, Floats]:
    first = np.cumsum([0, *(len(menu.rates) for menu in menus)]).astype(np.int64)
    none = [np.zeros(0)]
    rates = np.concatenate([menu.rates for menu in menus] or none)
    return first, rates, np.concatenate([menu.take_up for menu in menus] or none)


def _costs(columns: Columns) -> tuple[float, float, float]:
    offers = columns.offers
    return float(offers.churn_cost), float(offers.decline_churn), float(offers.processing_cost)
