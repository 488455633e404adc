"""How much each row counts: weights of mean 1 by a named column, and the statistics that they enter.

Weights that are all alike say nothing and are None: such rows are counted as they stand. What an interval or
a penalty has to go by is not how much was weighed but Kish's effective number (1965),

    n_eff = (sum w)^2 / sum w^2      that many rows of one weight have a mean as uncertain
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import Fault, InputError
from allocator.records.portfolio import Floats, Integers
from allocator.scoring.levels import fault_in_rows
from allocator.scoring.reading import numbers
from allocator.scoring.rows import rows_in_file, rows_of

_WIDEST = 1e12
"""How many times the least weight the greatest may be: beside it rows of less are lost to rounding."""
_LARGE = 1e290
_ROUNDING = 1e-12


def weights_of(frame: pd.DataFrame, name: str | None) -> Floats | None:
    """(n,) weights of the column `name`, of mean 1; None where it is not named or all are alike.

    Raises InputError: no such column, a weight that is no number, empty, infinite, 0 or below 0, or so great
    that others count for nothing.
    """
    if name is None:
        return None
    faults: list[Fault] = []
    remedy = "give each row a weight above 0, or leave such rows out"
    weights = numbers(frame, name, faults, "write plain numbers above 0")
    if name in frame.columns:
        blank = frame[name].isna().to_numpy()
        below = (pd.to_numeric(frame[name], errors="coerce") <= 0).to_numpy(dtype=bool, na_value=False)
        for problem, wrong in (("is empty", blank), ("is not above 0", below)):
            rows = rows_in_file(rows_of(frame), np.flatnonzero(wrong).tolist())
            faults += [fault_in_rows(problem, rows, remedy, None, name)] if rows else []
    if not faults and weights is not None:
        faults += spread_faults(weights, rows_of(frame), name)
    if faults or weights is None:
        raise InputError.of(faults, "Weights")
    return of_mean_one(weights)


def spread_faults(weights: Floats, numbered: Integers | None, name: str) -> list[Fault]:
    """A fault where the greatest of the weights (n,), of rows so `numbered`, leaves the least none."""
    least, greatest = int(weights.argmin()), int(weights.argmax())
    if weights[greatest] / _WIDEST <= weights[least]:
        return []
    here, there = rows_in_file(numbered, [greatest, least])
    other = f"the least weight, {weights[least]:g} in row {there}"
    problem = f"{weights[greatest]:g} is more than {_WIDEST:g} times {other}, which counts for nothing"
    remedy = "give weights of one scale, or leave such rows out"
    return [Fault(problem, remedy, row=here, field=name)]


def of_mean_one(weights: Floats) -> Floats | None:
    """(n,) the weights (n,) over their mean; None where all are alike."""
    if np.ptp(weights) == 0:
        return None
    scaled: Floats = weights if weights.max() < _LARGE else weights / weights.max()  # its sum overflows
    relative: Floats = scaled / scaled.mean()
    return relative


def worth_of(name: str | None, weights: Floats | None, n: int) -> tuple[dict[str, Any], dict[str, str]]:
    """What is said of n rows weighted by the column `name`: as figures, and as a line of a card."""
    if name is None:
        return {}, {}
    worth = effective(n, weights)
    told = f"by {name}: as uncertain as {worth:,.0f} of one weight"
    return {"weighted": {"by": name, "worth": worth}}, {"weighted": told}


def alike(values: Floats) -> bool:
    """Whether values (n,) of the size of 1 differ by no more than rounding: they have no spread."""
    return float(np.ptp(values)) <= _ROUNDING


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
