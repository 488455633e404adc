"""How much each row counts: weights of mean 1 by a named column, and the statistics that they enter.

Weights that are all alike say nothing and are None: such rows are counted as they stand. What an interval or
a penalty has to go by is not how much was weighed but Kish's effective number (1965),

    n_eff = (sum w)^2 / sum w^2      that many rows of one weight have a mean as uncertain
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats
from allocator.scoring.levels import fault_in_rows
from allocator.scoring.reading import numbers
from allocator.scoring.rows import rows_in_file, rows_of


def weights_of(frame: pd.DataFrame, name: str | None) -> Floats | None:
    """(n,) weights of the column `name`, of mean 1; None where it is not named or all are alike.

    Raises InputError: no such column, a weight that is no number, empty, infinite, 0 or below 0.
    """
    if name is None:
        return None
    faults: list[Fault] = []
    remedy = "give each row a weight above 0, or name the row in a column of --without"
    weights = numbers(frame, name, faults, "write plain numbers above 0")
    if weights is not None:
        for problem, wrong in (("is empty", np.isnan(weights)), ("is not above 0", weights <= 0)):
            rows = rows_in_file(rows_of(frame), np.flatnonzero(wrong).tolist())
            faults += [fault_in_rows(problem, rows, remedy, None, name)] if rows else []
    if faults or weights is None:
        raise InputError.of(faults, "Weights")
    return of_mean_one(weights)


def of_mean_one(weights: Floats) -> Floats | None:
    """(n,) the weights (n,) over their mean; None where all are alike."""
    return None if np.ptp(weights) == 0 else weights / weights.mean()


def part(weights: Floats | None, rows: np.ndarray) -> Floats | None:
    """The weights of some rows."""
    return None if weights is None else weights[rows]


def total(values: Floats, weights: Floats | None) -> float:
    """The sum of values (n,), each counting by its weight."""
    return float(values.sum()) if weights is None else float(weights @ values)


def mean(values: Floats, weights: Floats | None) -> float:
    """The mean of values (n,)."""
    return float(values.mean()) if weights is None else float(weights @ values) / float(weights.sum())


def deviation(values: Floats, weights: Floats | None) -> float:
    """The standard deviation of values (n,), that of all there are."""
    if weights is None:
        return float(values.std())
    return float(np.sqrt(mean((values - mean(values, weights)) ** 2, weights)))


def standard_error(values: Floats, weights: Floats | None) -> float:
    """Of the mean of values (n,)."""
    n = len(values)
    if weights is None:
        return float(values.std(ddof=1) / np.sqrt(n))
    off = weights * (values - mean(values, weights))
    return float(np.sqrt(off @ off * n / (n - 1)) / weights.sum())


def quantiles(values: Floats, shares: Sequence[float], weights: Floats | None) -> list[float]:
    """The quantiles of values (n,), none of them NaN: between two of them where they have no weights.

    With weights the smallest value up to which they reach the share of all.
    """
    if weights is not None:
        order = np.argsort(values, kind="stable")
        reached = np.cumsum(weights[order])
        places = np.searchsorted(reached, np.multiply(shares, reached[-1]) * (1 - 1e-12))
        return [float(values[order[min(int(place), len(order) - 1)]]) for place in places]
    rising = np.sort(values)
    out = []
    for share in shares:
        place = share * (len(rising) - 1)
        low = int(place)
        a, b, over = float(rising[low]), float(rising[min(low + 1, len(rising) - 1)]), place - low
        between = b - (b - a) * (1 - over) if over >= 0.5 else a + (b - a) * over
        out.append((a + b) / 2 if share == over == 0.5 else between)
    return out


def counts(places: np.ndarray, number: int, weights: Floats | None) -> np.ndarray:
    """(number,) rows in each place (n,), or what they weigh."""
    return np.bincount(places, weights, minlength=number)


def effective(n: float, weights: Floats | None) -> float:
    """How many of n rows they are worth: their effective number."""
    return n if weights is None or len(weights) == 0 else float(weights.sum() ** 2 / (weights @ weights))
