"""Declared variables one by one: what each tells of defaults by itself, and what it adds in the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from allocator.records.portfolio import Floats
from allocator.scoring.bins import OTHER, Bins, learn_bins, strength_of
from allocator.scoring.collinearity import Regressors
from allocator.scoring.levels import Levels
from allocator.scoring.preparation import empty_cells
from allocator.scoring.scorecard import Scorecard
from allocator.scoring.variables import RARE, Binning, NumberColumn, Variable, cells_of
from allocator.scoring.weighting import deviation, effective, mean, part, quantiles

_FIGURES = ("mean", "sd", "median")
FIFTHS = (0.2, 0.4, 0.6, 0.8)
"""Of more bins the information value would be higher by chance alone."""


def univariate(
    frame: pd.DataFrame,
    y: Floats,
    variables: Sequence[Variable],
    why: Mapping[str, str],
    weights: Floats | None = None,
) -> pd.DataFrame:
    """One row per variable, the most telling first: missing, iv, strength, auc, sign, expected, in_the_logit.

    Bins are those declared, else fifths or levels; the AUC is theirs, empty cells and codes included. The
    sign is that of a number's rank correlation with default, over the bins. `why` says what is left out.
    """
    rows = {}
    for variable in variables:
        cells = cells_of(variable, frame, [])
        if cells is None:
            continue
        bins = _bins(variable, cells, y, weights)
        value = bins.information_value if bins.rows else 0.0
        rows[variable.name] = {
            "missing": empty_cells(cells) / len(y),
            "iv": value,
            "strength": strength_of(value),
            "auc": _area(bins),
            "sign": _direction(bins) if isinstance(cells, NumberColumn) else 0,
            "expected": variable.sign,
            "in_the_logit": why.get(variable.name, "yes"),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("variable")
    return table.sort_values("iv", ascending=False, kind="stable")


def by_outcome(
    frame: pd.DataFrame, y: Floats, variables: Sequence[Variable], weights: Floats | None = None
) -> pd.DataFrame:
    """One row per number: mean, sd (n - 1) and median of its known cells, without a default and with one."""
    rows = {}
    for variable in variables:
        cells = cells_of(variable, frame, [])
        if not isinstance(cells, NumberColumn):
            continue
        rows[variable.name] = row = dict[str, float]()
        for state, name in enumerate(("repaid", "defaulted")):
            inside = (cells.states < 0) & (y == state)
            known, own = cells.values[inside], part(weights, inside)
            figures = (np.nan, np.nan, np.nan)
            if len(known):
                n = max(effective(len(known), own), 1 + 1e-12)
                spread = deviation(known, own) * np.sqrt(n / (n - 1)) if len(known) > 1 else np.nan
                figures = mean(known, own), float(spread), quantiles(known, [0.5], own)[0]
            row |= {f"{word}_{name}": value for word, value in zip(_FIGURES, figures, strict=True)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variable")


def _bins(variable: Variable, cells: NumberColumn | Levels, y: Floats, weights: Floats | None) -> Bins:
    """The bins that are declared; else fifths of a number, the levels of a category."""
    how = variable.bins
    if isinstance(cells, NumberColumn):
        there = cells.states < 0
        if not there.any():
            return Bins()
        fifths = quantiles(cells.values[there], FIFTHS, part(weights, there))
        how = how or Binning(cuts=tuple(sorted(set(fifths))))
    elif how is None:
        counted = list(zip(cells.names, cells.counts.tolist(), strict=True))
        groups = [(name,) for name, rows in counted if rows >= RARE and name != OTHER]
        others = [(OTHER,)] if len(groups) < len(counted) else []
        how = Binning(groups=(*groups, *others))
    return learn_bins(replace(variable, bins=how, transform="none"), cells, y, weights)


def _area(bins: Bins) -> float:
    """AUC of the weights of evidence, from the counts of the bins."""
    order = np.argsort(bins.woe, kind="stable")
    bad = np.array(bins.defaults, float)[order]
    good = np.array(bins.rows, float)[order] - bad
    if not bad.sum() * good.sum():
        return 0.5
    below = np.cumsum(good) - good
    return float(bad @ (below + good / 2) / (bad.sum() * good.sum()))


def _direction(bins: Bins) -> int:
    """1 where defaults rise from the first interval to the last on the whole, -1 where they fall, else 0."""
    number = len(bins.rows) - len(bins.states)
    bad = np.array(bins.defaults[:number], float)
    good = np.array(bins.rows[:number], float) - bad
    below = np.cumsum(good) - good
    balance = float(bad @ (below + good / 2)) - float(bad.sum() * good.sum()) / 2
    return int(np.sign(balance))


def odds_ratios(card: Scorecard, columns: Regressors) -> pd.DataFrame:
    """One row per coefficient: odds_ratio of one unit with its 95 % interval, per_deviation, inflation.

    A column of a level or flag has no deviation. The inflation (VIF) is that of the coefficient's variance
    by the other columns.
    """
    table = card.fit.wald(card.preparation.scales).iloc[1:]
    slopes = table["estimate"].to_numpy()
    spread = columns.matrix.std(axis=0) * card.preparation.scales
    dummies = np.array(card.preparation.is_dummy)
    with np.errstate(over="ignore"):
        table_of = {
            "odds_ratio": np.exp(slopes),
            "low": np.exp(table["low"].to_numpy()),
            "high": np.exp(table["high"].to_numpy()),
            "per_deviation": np.where(dummies, np.nan, np.exp(slopes * spread)),
            "vif": columns.inflations,
        }
    return pd.DataFrame(table_of, index=table.index)
