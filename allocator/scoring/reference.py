"""What a card keeps of its training data: how PDs and variables were spread, to measure drift against.

PSI = sum_i (now_i - then_i) log(now_i / then_i)      over the bins, half a row standing in an empty one
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.records.portfolio import Floats
from allocator.scoring.bins import OTHER, Bins
from allocator.scoring.levels import Levels
from allocator.scoring.variables import MISSING, NumberColumn, Variable, cells_of
from allocator.scoring.weighting import counts, part, quantiles

if TYPE_CHECKING:
    from allocator.scoring.preparing import Prepared

_DECILES = np.linspace(0.1, 0.9, 9).tolist()


@dataclass(frozen=True)
class Reference:
    """The training data in bins; of each only the rows are known."""

    pd: Bins
    variables: Mapping[str, Bins]


def reference_of(prepared: Prepared, pds: Floats, weights: Floats | None = None) -> Reference:
    """What is kept of the training data, whose PDs in sample are `pds` (n,)."""
    variables = {
        column.variable.name: column.bins or _spread(prepared.cells[column.variable.name], weights)
        for column in prepared.preparation.columns
    }
    values = NumberColumn(pds, np.full(len(pds), -1), (MISSING,))
    return Reference(_counted(Bins(cuts=_deciles(pds, weights)), values, weights), variables)


def stability(then: Bins, rows: Floats) -> float:
    """PSI of rows (bins,) now against those of `then`."""
    both = np.array(then.rows, float), rows
    shares = [np.maximum(each, 0.5) / max(float(each.sum()), 1.0) for each in both]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def pd_rows(reference: Reference, pds: Floats, weights: Floats | None = None) -> Floats:
    """(bins,) rows of PDs (n,) in the bins of the training data's, or what they weigh."""
    place = np.searchsorted(np.array(reference.pd.cuts), pds, side="right")
    return counts(place, len(reference.pd.rows), weights).astype(float)


def variable_rows(
    variable: Variable, then: Bins, frame: pd.DataFrame, weights: Floats | None = None
) -> Floats:
    """(bins,) rows of a variable of `frame`, which the scorecard has scored, or what they weigh."""
    cells = cells_of(variable, frame, [])
    if cells is None:
        return np.zeros(len(then.rows))
    return counts(then.places(cells), len(then.rows), weights).astype(float)


def _spread(cells: NumberColumn | Levels, weights: Floats | None) -> Bins:
    if isinstance(cells, Levels):
        groups = (*((name,) for name in cells.names if name != OTHER), (OTHER,))
        return _counted(Bins(groups=groups, states=(MISSING,), pool=len(groups) - 1), cells, weights)
    known = cells.states < 0
    cuts = _deciles(cells.values[known], part(weights, known))
    return _counted(Bins(cuts=cuts, states=cells.names), cells, weights)


def _deciles(values: Floats, weights: Floats | None) -> tuple[float, ...]:
    return tuple(sorted({float(f"{cut:.4g}") for cut in quantiles(values, _DECILES, weights)}))


def _counted(bins: Bins, cells: NumberColumn | Levels, weights: Floats | None) -> Bins:
    rows = counts(bins.places(cells), len(bins.labels), weights)
    return Bins(bins.cuts, bins.groups, bins.states, tuple(rows.tolist()), pool=bins.pool)
