"""Curvature of the bound over the prices: as one table for few rows, sparse for the many rows of an `each`.

With G_c the coefficients of cell c and S_c the curvature of its channels it is sum_c G_c S_c G_c'. What a row
counts in single cells, M_c, is sparse; what it counts everywhere, E, is of low rank: G_c = M_c + E gives

    H = M S M' + L E' + E (L + E S.)',    L = sum_c M_c S_c,   S. = sum_c S_c.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from allocator.records.limits import Limits
from allocator.records.portfolio import Booleans, Floats

DENSE_UP_TO = 600
"""Rows up to which one table is faster."""


Table: TypeAlias = "Floats | sparse.csc_array[Any]"


@dataclass(frozen=True)
class Curvature:
    """A symmetric matrix (m, m): own + left right'."""

    own: Table
    left: Floats
    """(m, r)"""
    right: Floats
    """(m, r)"""

    def diagonal(self) -> Floats:
        """(m,)"""
        return np.asarray(self.own.diagonal() + np.einsum("jr,jr->j", self.left, self.right))

    def times(self, step: Floats) -> Floats:
        """(m,) the product with `step` (m,)."""
        return np.asarray(self.own @ step + self.left @ (self.right.T @ step))

    def with_diagonal(self, more: Floats) -> Curvature:
        """The sum with the diagonal matrix of `more` (m,)."""
        if isinstance(self.own, np.ndarray):
            return replace(self, own=self.own + np.diag(more))
        return replace(self, own=sparse.csc_array(self.own + sparse.diags_array(more)))

    def scaled(self, norm: Floats) -> Curvature:
        """Row j and column j divided by norm_j."""
        own: Table
        if isinstance(self.own, np.ndarray):
            own = self.own / norm[:, None] / norm
        else:
            by = sparse.diags_array(1.0 / norm, format="csc")
            own = sparse.csc_array(by @ self.own @ by)
        return Curvature(own, self.left / norm[:, None], self.right / norm[:, None])

    def solve(self, free: Booleans, goal: Floats) -> Floats:
        """The step of the `free` prices alone that reaches `goal`; by Woodbury's formula where sparse."""
        if isinstance(self.own, np.ndarray):
            return np.asarray(np.linalg.solve(self.own[np.ix_(free, free)], goal))
        if not np.any(free):
            return goal
        places = np.flatnonzero(free)
        from scipy.sparse.linalg import splu  # brings all of scipy.linalg, which few books need

        factor = splu(sparse.csc_array(self.own[places][:, places]))
        left, right = self.left[places], self.right[places]
        first, moved = factor.solve(goal), factor.solve(left)
        inner = np.eye(left.shape[1]) + right.T @ moved
        return np.asarray(first - moved @ np.linalg.solve(inner, right.T @ first))

    def table(self) -> Floats:
        """(m, m)"""
        own = self.own if isinstance(self.own, np.ndarray) else self.own.toarray()
        return np.asarray(own + self.left @ self.right.T)


def by_row(limits: Limits, channels: Floats, own: Floats | None = None) -> Curvature:
    """The curvature of the rows from that of the channels (cells, h, h) in each cell.

    `own` is M S M' where it is known already.
    """
    common = limits.everywhere.toarray()
    rows, width = common.shape
    cross = np.asarray(limits.matrix @ channels.reshape(-1, width))
    left = np.hstack([cross, common])
    right = np.hstack([common, cross + common @ channels.sum(axis=0)])
    table: Table = (
        sparse.csc_array(limits.matrix @ _blocks(channels) @ limits.matrix.T) if own is None else own
    )
    whole = Curvature(table, left, right)
    none = np.zeros((rows, 0))
    return whole if rows > DENSE_UP_TO else Curvature(whole.table(), none, none)


def _blocks(channels: Floats) -> sparse.csr_array:
    """(cells h, cells h) with the blocks (h, h) of each cell on the diagonal."""
    cells, width = channels.shape[:2]
    places = np.arange(cells * width).reshape(cells, width)
    row = np.repeat(places, width, axis=1).ravel()
    column = np.tile(places, width).ravel()
    kept = channels.ravel() != 0.0
    shape = (cells * width, cells * width)
    return sparse.coo_array((channels.ravel()[kept], (row[kept], column[kept])), shape=shape).tocsr()
