"""How good a score is: discrimination, calibration and drift, each with its uncertainty.

`outcome` is (n,) in {0, 1}, 1 a default; `score` is (n,) and higher means riskier (a PD, or 100 - score).
`weights` (n,), of mean 1, say how much each row counts; intervals go by the effective number of rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from allocator.errors import Fault, InputError
from allocator.records.estimate import Estimate
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.frequencies import jeffreys, mean_interval
from allocator.scoring.levels import level, level_faults, levels_of
from allocator.scoring.weighting import counts, effective, mean, part, quantiles, standard_error, total

TINY = 1e-12
"""Probabilities are kept this far from 0 and 1 before a logarithm."""
SIZE, MARGIN = 360, 48
"""Pixels of the reliability plot."""


def auc(outcome: Floats, score: Floats, weights: Floats | None = None) -> Estimate:
    """Area under the ROC curve, ties half, with a 95 % interval: the areas a that no test refutes.

    (value - a)^2 <= t^2 a (1 - a) (b / m + c / n), m the defaults and n the loans repaid, t Student's by the
    degrees of freedom of two groups (Welch 1947). b and c are the variances of their placements (DeLong et
    al. 1988) over value (1 - value), shrunk towards those of exponential scores by sqrt(m) and sqrt(n) rows.
    Raises InputError where there is one class only or a value that is not finite.
    """
    bad, good = require_both(outcome, score)
    own = part(weights, outcome == 1), part(weights, outcome == 0)
    every = None if weights is None else np.concatenate([each for each in own if each is not None])
    together = midranks(np.concatenate([bad, good]), every)
    m, n = len(bad), len(good)
    of_bad = (together[:m] - midranks(bad, own[0])) / total(np.ones(n), own[1])
    of_good = 1 - (together[m:] - midranks(good, own[1])) / total(np.ones(m), own[0])
    value = mean(of_bad, own[0])
    worth = effective(m, own[0]), effective(n, own[1])
    spread = value * (1 - value)
    shares = [
        rows * standard_error(each, its) ** 2 / spread if len(each) > 1 and spread > 0 else 0.0
        for each, its, rows in zip((of_bad, of_good), own, worth, strict=True)
    ]
    return Estimate(value, *_not_refuted(value, shares, worth))


def _not_refuted(value: float, shares: Sequence[float], worth: Sequence[float]) -> tuple[float, float]:
    """The ends of the areas that the test of `auc` leaves.

    `shares` and `worth` are of the defaults and of the loans repaid: the variances of the placements over
    value (1 - value), and how many rows they are of. Where defaults' scores are exponential and spread more
    than the others', the first is a / (1 + a) and the second (1 - a) / (2 - a) (Hanley and McNeil 1982).
    """
    added = [math.sqrt(rows) for rows in worth]

    def beyond(a: float) -> bool:
        exponential = sorted((a / (1 + a), (1 - a) / (2 - a)), reverse=True)
        parts = [
            ((rows - 1) * share + more * model) / (rows - 1 + more) / rows
            for share, rows, more, model in zip(shares, worth, added, exponential, strict=True)
        ]
        freedom = sum(parts) ** 2 / sum(
            each**2 / (rows - 1 + more) for each, rows, more in zip(parts, worth, added, strict=True)
        )
        t = float(special.stdtrit(freedom, 0.975))
        return (value - a) ** 2 > t**2 * a * (1 - a) * sum(parts)

    ends = []
    for outside in (0.0, 1.0):
        inside = value
        if beyond(outside):
            for _ in range(60):
                middle = (inside + outside) / 2
                inside, outside = (inside, middle) if beyond(middle) else (middle, outside)
        ends.append((inside + outside) / 2)
    return ends[0], ends[1]


def midranks(values: Floats, weights: Floats | None = None) -> Floats:
    """(n,) what stands below each, and half of what stands beside it, itself included."""
    order = np.argsort(values, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(values[order])) + 1, len(values))
    starts = np.append(0, ends[:-1])
    reached = np.arange(len(values) + 1.0)
    if weights is not None:
        reached[1:] = np.cumsum(weights[order])
    out = np.empty(len(values))
    out[order] = np.repeat((reached[starts] + reached[ends]) / 2, ends - starts)
    return out


def gini(outcome: Floats, score: Floats, weights: Floats | None = None) -> Estimate:
    """2 AUC - 1, with the interval of the AUC."""
    area = auc(outcome, score, weights)
    return Estimate(2 * area.value - 1, 2 * area.low - 1, 2 * area.high - 1)


def brier(outcome: Floats, pd_: Floats, weights: Floats | None = None) -> Estimate:
    """Mean squared distance of probability and outcome, with the interval of a mean in [0, 1]."""
    require_both(outcome, pd_)
    far = (pd_ - outcome) ** 2
    return Estimate(mean(far, weights), *mean_interval(far, weights))


def brier_parts(
    outcome: Floats, pd_: Floats, weights: Floats | None = None, bins: int = 10
) -> dict[str, float]:
    """Murphy's parts (1973) over bins of PD: brier = reliability - resolution + uncertainty + within bins."""
    table = reliability(outcome, pd_, weights, bins)
    share = table["n" if weights is None else "weight"].to_numpy() / len(outcome)
    rate = mean(outcome, weights)
    observed, predicted = table["observed"].to_numpy(), table["predicted"].to_numpy()
    parts = {
        "brier_reliability": float(share @ (predicted - observed) ** 2),
        "brier_resolution": float(share @ (observed - rate) ** 2),
        "brier_uncertainty": rate * (1 - rate),
    }
    whole = mean((pd_ - outcome) ** 2, weights)
    rest = whole - parts["brier_reliability"] + parts["brier_resolution"] - parts["brier_uncertainty"]
    return parts | {"brier_within_bins": rest}


def log_loss(outcome: Floats, pd_: Floats, weights: Floats | None = None) -> float:
    """Mean negative log-likelihood of the outcomes."""
    p = np.clip(pd_, TINY, 1 - TINY)
    return -mean(outcome * np.log(p) + (1 - outcome) * np.log1p(-p), weights)


def reliability(outcome: Floats, pd_: Floats, weights: Floats | None = None, bins: int = 10) -> pd.DataFrame:
    """Observed against predicted default by equally filled bins of PD; rows of one PD stay together.

    Columns: n, predicted (mean PD), defaults, observed, low, high (95 % Jeffreys interval); with weights also
    weight, what the rows of a bin weigh.
    """
    require_both(outcome, pd_)
    rows = []
    for inside in _equal_parts(pd_, weights, min(bins, len(pd_))):
        y, own = outcome[inside], part(weights, inside)
        low, high = mean_interval(y, own)
        row = {"n": len(y), "predicted": mean(pd_[inside], own), "defaults": int(y.sum())}
        row |= {"observed": mean(y, own), "low": low, "high": high}
        rows.append(row | ({} if own is None else {"weight": float(own.sum())}))
    return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="bin"))


def _equal_parts(pd_: Floats, weights: Floats | None, bins: int) -> list[Integers]:
    """Rows by rising PD in runs of equally many, or equal weight; equal PDs go where their middle does."""
    order = np.argsort(pd_, kind="stable")
    if weights is None:
        place = np.repeat(np.arange(bins), [len(run) for run in np.array_split(order, bins)])
    else:
        middle = np.cumsum(weights[order]) - weights[order] / 2
        place = np.minimum((middle / weights.sum() * bins).astype(int), bins - 1)
    starts = np.flatnonzero(np.diff(pd_[order], prepend=-1.0))
    sizes = np.diff(np.append(starts, len(order)))
    place = np.repeat(place[starts + (sizes - 1) // 2], sizes)
    return [order[place == i] for i in range(bins) if (place == i).any()]


def psi(
    expected: Floats, actual: Floats, weights: tuple[Floats | None, Floats | None] = (None, None)
) -> float:
    """Population stability index over deciles of `expected`; half a firm stands in an empty bin.

    Rule of thumb: below 0.1 no drift, above 0.25 fit again.
    """
    edges = np.unique(quantiles(expected, np.linspace(0, 1, 11)[1:-1].tolist(), weights[0]))
    shares = []
    for values, own in zip((expected, actual), weights, strict=True):
        rows = counts(np.searchsorted(edges, values, side="left"), len(edges) + 1, own)
        shares.append(np.maximum(rows, 0.5) / rows.sum())
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def by_class(
    classes: pd.Series,
    outcome: Floats,
    owed: Floats | None = None,
    lost: Floats | None = None,
    weights: Floats | None = None,
) -> pd.DataFrame:
    """Score table by class: n, defaults, share, default_rate with its 95 % interval.

    With the amounts owed and lost (n,) also their sums, by weight, and loss_rate.
    """
    frame = pd.DataFrame({"class": classes.to_numpy(), "n": 1, "defaults": outcome})
    if owed is not None and lost is not None:
        rows = 1.0 if weights is None else weights
        frame = frame.assign(owed=rows * owed, lost=rows * lost)
    table = frame.groupby("class", observed=False, sort=False).sum()
    if isinstance(classes.dtype, pd.CategoricalDtype):
        table = table.reindex(classes.cat.categories, fill_value=0)
    table["share"] = table["n"] / table["n"].sum()
    table["default_rate"] = table["defaults"] / table["n"].where(table["n"] > 0)
    bounds = [
        jeffreys(d, n) if n else (np.nan, np.nan) for d, n in zip(table["defaults"], table["n"], strict=True)
    ]
    if weights is not None:
        inside = [(classes == name).to_numpy() for name in table.index]
        table["share"] = [float(weights[rows].sum()) / len(weights) for rows in inside]
        table["default_rate"] = [
            mean(outcome[rows], weights[rows]) if rows.any() else np.nan for rows in inside
        ]
        bounds = [
            mean_interval(outcome[rows], weights[rows]) if rows.any() else (np.nan, np.nan) for rows in inside
        ]
    table["low"], table["high"] = [b[0] for b in bounds], [b[1] for b in bounds]
    if owed is not None and lost is not None:
        table["loss_rate"] = table["lost"] / table["owed"].where(table["owed"] > 0)
    return table.rename_axis("class")


def migration(before: pd.Series, after: pd.Series, classes: Sequence[str]) -> pd.DataFrame:
    """How ratings moved: a row and a column a class (best first), then n, and shares stayed, up, down.

    Firms are matched on the index; one rated only once is left out.
    Raises InputError: a class that is not in `classes`, or no firm rated twice.
    """
    coded = {"before": levels_of(before), "after": levels_of(after)}
    place = {level(name): i for i, name in enumerate(classes)}
    faults = [
        fault
        for name, levels in coded.items()
        for fault in level_faults(
            name, levels, list(place), "is no class", f"the classes are {', '.join(classes)}"
        )
    ]
    both = before.index.intersection(after.index)
    if len(both) == 0:
        faults.append(Fault("no firm is rated twice", "give both ratings the same index"))
    if faults:
        raise InputError.of(faults, "Migration")
    rows, columns = (
        pd.Series(labels.looked_up([place[name] for name in labels.names], -1), ratings.index)
        .loc[both]
        .to_numpy()
        for labels, ratings in zip(coded.values(), (before, after), strict=True)
    )
    known = (rows >= 0) & (columns >= 0)
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (rows[known], columns[known]), 1)
    n = counts.sum(axis=1)
    whole = np.where(n > 0, n, 1)
    table = pd.DataFrame(counts, index=pd.Index(classes, name="from"), columns=list(classes))
    table["n"] = n
    table["stayed"] = np.diag(counts) / whole
    table["up"] = np.tril(counts, -1).sum(axis=1) / whole
    table["down"] = np.triu(counts, 1).sum(axis=1) / whole
    return table


def require_both(outcome: Floats, score: Floats) -> tuple[Floats, Floats]:
    """The scores of defaults and of loans repaid. Raises InputError: one kind only, a score not finite."""
    faults = []
    if not np.isfinite(score).all():
        row = int(np.flatnonzero(~np.isfinite(score))[0]) + 1
        faults.append(Fault("the score is not finite", "score every firm first", row=row))
    if len(np.unique(outcome)) < 2:
        faults.append(Fault("the outcomes are of one class only", "give firms of both kinds"))
    if faults:
        raise InputError.of(faults, "Validation")
    return score[outcome == 1], score[outcome == 0]
