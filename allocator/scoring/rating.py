"""Debt rating: indicators chosen by F test and clustering, weighted by F, scored 0 to 100 (Meng and Chi).

F_j = between / within mean square of x_j over defaulted and performing firms
w_j = F_j / sum F over the indicators kept;   S = 100 sum_j w_j x_j
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats
from allocator.scoring.classes import CLASSES, Scale, cut_classes
from allocator.scoring.reading import DerivedColumn, derive, read_through, weighted_sum
from allocator.scoring.rules import IndicatorRule, LearntRule, learn, standardise
from allocator.scoring.weighting import effective, part

_SIGNIFICANT = 0.05
CORRELATED = 0.5
"""Indicators of one layer whose mean |r| is at least this are one cluster."""


@dataclass(frozen=True)
class Rating:
    """A fitted rating: indicators that were kept, their weights, and the classes."""

    indicators: tuple[LearntRule, ...]
    weights: Floats
    """(indicators,) summing to 1."""
    f_values: Floats
    """(indicators,)"""
    scale: Scale
    derived: tuple[DerivedColumn, ...] = ()
    """Columns that the indicators need and the table of borrowers need not have."""

    def score(self, frame: pd.DataFrame) -> Floats:
        """(n,) in [0, 100], 100 the safest."""
        x = read_through(frame, self.derived, lambda whole: standardise(whole, self.indicators))
        return 100 * weighted_sum(x, self.weights)

    def apply(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`score`, `grade` (the class), `pd`, `lgd`, `loss_rate` of each borrower.

        Raises InputError: a column missing, not numeric or infinite, a text without a score.
        """
        score = self.score(frame)
        codes = self.scale.codes(score)
        names = pd.Index([rating_class.name for rating_class in self.scale.classes])
        columns = {name: self.scale.column(name)[codes] for name in ("pd", "lgd", "loss_rate")}
        grade = pd.Categorical.from_codes(codes, names, ordered=True)
        return pd.DataFrame({"score": score, "grade": grade, **columns}, index=frame.index)


def fit_rating(
    frame: pd.DataFrame,
    default: pd.Series,
    owed: pd.Series,
    lost: pd.Series,
    rules: Sequence[IndicatorRule],
    *,
    names: Sequence[str] = CLASSES,
    smallest: int | None = None,
    correlated: float = CORRELATED,
    derived: Sequence[DerivedColumn] = (),
    weights: Floats | None = None,
) -> tuple[Rating, pd.DataFrame]:
    """Fit the whole rating; also the selection table (see `select`).

    Firms count by `weights` (n,), of mean 1. Raises InputError: faults of the indicators or amounts, no
    indicator that tells defaults apart, no cut into that many classes.
    """
    y = default.to_numpy(float)
    frame = derive(frame, derived)
    learnt = learn(frame, rules, weights)
    x = standardise(frame, learnt)
    chosen = select(x, y, [indicator.rule for indicator in learnt], correlated, weights)
    kept = np.flatnonzero(chosen["kept"].to_numpy())
    f = chosen["f"].to_numpy()[kept]
    indicators, own = tuple(learnt[j] for j in kept), weights_of(f)
    score = 100 * weighted_sum(x[:, kept], own)
    scale = cut_classes(score, y, owed.to_numpy(float), lost.to_numpy(float), names, smallest, weights)
    weight = np.zeros(len(chosen))
    weight[kept] = own
    chosen["weight"] = weight
    return Rating(indicators, own, f, scale, tuple(derived)), chosen


def weights_of(f_values: Floats) -> Floats:
    """w_j = F_j / sum F. Raises InputError unless all are finite and above 0."""
    if len(f_values) == 0 or not np.isfinite(f_values).all() or (f_values <= 0).any():
        raise InputError.of([Fault("F values must be finite and above 0", "leave the others out")], "Weights")
    return np.asarray(f_values / f_values.sum())


def select(
    x: Floats,
    default: Floats,
    rules: Sequence[IndicatorRule],
    correlated: float = CORRELATED,
    weights: Floats | None = None,
) -> pd.DataFrame:
    """Which indicators to keep: significant by F, safer when higher, the largest F of their cluster.

    x (n, k) in [0, 1], its rows counting by `weights` (n,). One row per indicator: layer, f, p, right_way,
    cluster, kept, why. Raises InputError: one class only, or nothing left.
    """
    if min((default == 1).sum(), (default == 0).sum()) < 2:
        fault = Fault(
            "the outcomes are of one class only", "give at least two firms of each kind", field="default"
        )
        raise InputError.of([fault], "Rating")
    spread = x.std(axis=0) > 0
    f, p = np.zeros(x.shape[1]), np.ones(x.shape[1])
    f[spread], p[spread] = _f_test(x[:, spread], default, weights)
    bad, good = (np.average(x[rows], axis=0, weights=part(weights, rows)) for rows in _kinds(default))
    right_way = good > bad
    table = pd.DataFrame(
        {"layer": [rule.layer for rule in rules], "f": f, "p": p, "right_way": right_way},
        index=pd.Index([rule.name for rule in rules], name="indicator"),
    )
    fit = (p < _SIGNIFICANT) & right_way & np.isfinite(f)
    table["cluster"] = clusters(x, table["layer"].tolist(), fit, correlated, weights)
    table["kept"] = False
    for _, rows in table[fit].groupby("cluster"):
        table.loc[rows["f"].idxmax(), "kept"] = True
    table["why"] = [_why(row) for row in table.to_dict("records")]
    if not table["kept"].any():
        remedy = "give another indicator, or check its direction"
        faults = [
            Fault(f"no indicator tells defaults from the rest, this one: {why}", remedy, field=name)
            for name, why in zip(table.index, table["why"], strict=True)
        ]
        raise InputError.of(faults, "Rating")
    return table


def _kinds(default: Floats) -> tuple[np.ndarray, np.ndarray]:
    """(n,) which rows defaulted, and which performed."""
    return default == 1, default == 0


def _f_test(x: Floats, default: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """(k,) F between the two kinds of rows, and its p; with weights by the effective number of rows."""
    from scipy import stats

    if weights is None:
        f, p = stats.f_oneway(*(x[rows] for rows in _kinds(default)), axis=0)
        return f, p
    groups = [(x[rows], weights[rows]) for rows in _kinds(default)]
    middle = np.average(x, axis=0, weights=weights)
    means = [np.average(rows, axis=0, weights=own) for rows, own in groups]
    each = [
        (own.sum() * (mean - middle) ** 2, own @ (rows - mean) ** 2)
        for (rows, own), mean in zip(groups, means, strict=True)
    ]
    between, within = np.array(each).sum(axis=0)
    freedom = effective(len(x), weights) - 2
    with np.errstate(divide="ignore"):
        f = between / (within / freedom)
    return np.asarray(f), np.asarray(stats.f.sf(f, 1, freedom))


def clusters(
    x: Floats,
    layers: Sequence[str],
    fit: np.ndarray,
    correlated: float = CORRELATED,
    weights: Floats | None = None,
) -> list[int]:
    """R-type clusters of the `fit` columns inside each layer: average linkage on 1 - |r|; others are 0."""
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    out = np.zeros(len(layers), dtype=int)
    used = 0
    for layer in dict.fromkeys(layers):
        columns = np.flatnonzero(np.array([name == layer for name in layers]) & fit)
        if len(columns) == 1:
            out[columns] = used + 1
        elif len(columns) > 1:
            distance = 1 - np.abs(_correlations(x[:, columns], weights))
            tree = hierarchy.linkage(squareform(np.maximum(distance, 0), checks=False), "average")
            out[columns] = used + hierarchy.fcluster(tree, 1 - correlated, "distance")
        used = max(used, int(out.max()))
    return [int(label) for label in out]


def _correlations(x: Floats, weights: Floats | None) -> Floats:
    """(k, k) of the columns of x."""
    if weights is None:
        return np.asarray(np.corrcoef(x, rowvar=False))
    spread = np.cov(x, rowvar=False, aweights=weights)
    scale = np.sqrt(np.diag(spread))
    together: Floats = spread / np.outer(scale, scale)
    np.fill_diagonal(together, 1.0)
    return together


def _why(row: Mapping[Hashable, Any]) -> str:
    if row["kept"]:
        return "kept"
    if not row["right_way"]:
        return "defaulted firms score no lower: the rule points the wrong way here"
    if row["p"] >= _SIGNIFICANT:
        return f"F test not significant at {_SIGNIFICANT}"
    if not np.isfinite(row["f"]):
        return "tells every default from the rest: see whether it is known only after the default"
    return f"cluster {row['cluster']} has a larger F"
