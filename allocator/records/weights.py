"""The weights of a measure that another package brings: doubles, whatever they were computed by."""

from __future__ import annotations

import numpy as np

from allocator.records.plugins import Plugin, PluginMeasure
from allocator.records.portfolio import Floats, Portfolio
from allocator.records.scenario import LARGEST_NUMBER


def weights_of(plugin: Plugin, portfolio: Portfolio) -> Floats | None:
    """(n,) what the measure multiplies its basis with; None: 1.

    A limit is about these doubles, whatever they were computed by. Raises InputError where they are none.
    """
    measure: PluginMeasure = plugin.thing
    if measure.weight is None:
        return None
    with plugin.blamed():
        columns = [np.array(portfolio.number(column)) for column in measure.columns]
        weights = np.array(measure.weight(*columns), dtype=np.float64)
        if weights.shape != (len(portfolio),):
            raise ValueError(f"weights of shape {weights.shape} for {len(portfolio)} borrowers")
        if np.abs(weights).max(initial=0.0) > LARGEST_NUMBER:
            raise ValueError(f"a weight beyond {LARGEST_NUMBER:g}")
        if not np.isfinite(weights).all():
            raise ValueError(f"no finite weight of {portfolio.borrower_id[~np.isfinite(weights)][0]}")
    return weights
