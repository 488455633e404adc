"""Prices that prove that no allocation meets every limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.engine.kernel import dense
from allocator.engine.kernel.columns import Columns
from allocator.records.portfolio import Floats


def without_values(columns: Columns) -> Columns:
    """The same offers and limits where no offer earns or costs anything."""
    zeros = np.zeros(len(columns))
    offers = replace(
        columns.offers,
        income=zeros,
        cost=zeros,
        relationship=zeros,
        churn_cost=0.0,
        processing_cost=0.0,
    )
    return Columns(offers, replace(columns.limits, idle_rate=0.0))


def prove_impossible(columns: Columns, prices: Floats) -> bool:
    """Whether `prices` prove that no allocation meets every limit, by Farkas' lemma.

    Where offers earn nothing an allocation is worth 0, and no more than U(prices): below 0 there is none.
    """
    free = without_values(columns)
    size = float(np.max(np.abs(prices), initial=0.0))
    if size == 0.0:
        return False
    scaled = np.where(np.isfinite(columns.limits.penalties), 0.0, prices / size)
    response = dense.respond(free, scaled)
    terms = float(np.abs(columns.limits.rhs) @ np.abs(scaled)) + float(np.sum(np.abs(response.reduced)))
    return dense.bound(free, scaled, response) < -1e-9 * terms
